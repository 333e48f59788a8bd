"""How commands of the pages are typed here, how they end, and which of them other tests judge."""

from tests.docs.pages import Command

_SMALL = "data.image_size=32 model.pretrained=false trainer.accelerator=cpu trainer.max_epochs=1 logger=none"
_TINY = f"model=tiny_cnn {_SMALL} data.batch_size=6"

ADDED = {
    "inv train experiment=quickstart run.name=first": _SMALL,
    "inv estimate model=resnet50": f"{_SMALL} data.sample=16",
    "inv train model=resnet50 data.batch_size=32": f"{_SMALL} data.sample=16 run.name=wanted",
    "inv train model=dual_pathway features=top_features": _SMALL,
    "inv train experiment=smoke model=resnet50": f"{_SMALL} data.sample=16 run.name=smoke",
    "inv train experiment=recommended trainer.devices=2": f"{_TINY} scheduler.warmup_epochs=0",
    "inv data-split --dataset chest_ct --scheme kfold": "--folds 2",
    "inv cross-validate experiment=recommended --seeds 3": f"{_TINY} scheduler.warmup_epochs=0",
    "inv train logger=wandb 'logger.also=[mlflow,tensorboard]'": _TINY.replace("logger=none", ""),
    "inv sweep --config lr_wd data=phantom experiment=smoke": _TINY,
    "inv sweep-agent lr_wd": "--count 5",
    "inv reproduce --run base": "--here",
    '.venv/bin/python -m pytest tests/queue/test_journal.py -m "not slow"': "--collect-only",
}
"""Words after those of the page: less to train, no weights from the hub, no environment of its own."""

ENDS = {
    "inv compare-baselines --candidate best --require better": 12,
    "inv monitor --all --strict": 12,
    "inv sweep-refine": 12,  # trials of one epoch all guess, which it says
}
"""Exit codes other than 0."""

MEANT = {"A": "clean", "B": "dirty", "R": "base", "NAME": "resnet50", "[QUEUE]": ""}
"""What is put in the place of a page's placeholders."""

ELSEWHERE = (
    (
        "they run this very suite, or what installs for it",
        "tests/cli/test_dev.py",
        (
            *("inv check", "inv test", "inv test --slow", "inv test --coverage"),
            'inv test --pytest "tests/queue -k journal"',
        ),
    ),
    (
        "a minute, which the same verb takes for another run here",
        "tests/cli/test_reproduce.py",
        ("inv reproduce --run A",),
    ),
    ("it takes an hour", "tests/cli/test_bench.py", ("inv bench",)),
    (
        "it takes an hour, and is a judge of tests itself",
        "tests/mutation/__main__.py",
        (
            ".venv/bin/python -m tests.mutation",
            ".venv/bin/python -m tests.mutation journal locks",
            ".venv/bin/python -m tests.mutation --most 1000 splits",
        ),
    ),
    (
        "the folder is the machine's own",
        "tests/cli/test_versions.py",
        ("inv data-delta /srv/tables/chest_ct",),
    ),
    (
        "a cluster of SLURM",
        "tests/faults/test_slurm_night.py",
        (
            "bash scripts/backbones.slurm.sh",
            "inv plan-render backbones --target slurm && bash scripts/backbones.slurm.sh",
        ),
    ),
    (
        "a cluster of SLURM",
        "tests/faults/test_slurm_executor.py",
        (
            "inv sweep-agent --sweep-id lr_wd --executor lab --agents 4",
            "inv sweep-agent lr_wd --executor slurm --agents 20",
            "inv research-run --experiment-id noise_floor --executor lab",
            "inv research-run --experiment-id noise_floor --executor slurm",
        ),
    ),
    ("a cluster of Ray", "tests/faults/test_ray_night.py", ("bash scripts/backbones.ray.sh",)),
    (
        "a cluster of Ray",
        "tests/cli/test_sweep_crew.py",
        ("inv sweep-agent --sweep-id lr_wd --executor ray --agents 4",),
    ),
    (
        "a cluster of Ray",
        "tests/research/running/test_elsewhere.py",
        ("inv research-run --experiment-id noise_floor --executor ray",),
    ),
    (
        "an account at Modal; without one the stub, which that test runs too",
        "tests/executors/test_modal.py",
        (
            "inv research-run --experiment-id noise_floor --executor modal",
            "inv research-run --experiment-id noise_floor --executor modal --stub-mode",
            "modal run src/ctexp/executors/modal/app.py::run_experiment --experiment-id noise_floor"
            " [--stub-mode] [--only PART]",
            "inv plan-render backbones --executor modal && bash scripts/backbones.modal.sh",
        ),
    ),
    (
        "the first stays and prints what the second says; every page here is typed with one",
        "tests/warm/test_client.py",
        ("inv warm &", "export CTEXP_WARM=...", "inv train ..."),
    ),
    ("it installs packages", "tests/cli/test_bootstrap.py", ("inv --extra mlflow tensorboard",)),
    (
        "a server, of MLflow's",
        "tests/trackers/test_mlflow.py",
        (
            ".venv/bin/mlflow ui --backend-store-uri sqlite:///runs/mlflow.db",
            "inv export-runs --to mlflow --url http://host:5000",
        ),
    ),
    (
        "a server, of TensorBoard's",
        "tests/trackers/test_trackers.py",
        (".venv/bin/tensorboard --logdir runs",),
    ),
    ("an account at W&B", "tests/trackers/test_wandb_sync.py", (".venv/bin/wandb login", "inv wandb-sync")),
)
"""What this machine has not, or must not have done to it: why, the test nearest to it, the commands."""

ELSEWHERE_TYPED = [command for _, _, commands in ELSEWHERE for command in commands]


def key(command: Command) -> str:
    """The command as the tables know it, from a project's folder or from an activated environment."""
    return command.text.replace("scripts/inv", "inv")
