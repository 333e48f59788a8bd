"""Files that people have for W&B are read as they are; what means nothing here is told."""

import math
from pathlib import Path

import pytest

from ctexp.sweeps.file.locate import locate
from ctexp.sweeps.file.spec import Early
from ctexp.sweeps.space import Bell, Choice, Range
from tests.sweeps.file.sheets import HEAD, read

WHOLE = """\
# as `wandb sweep` takes it
program: train.py
project: chest
entity: lung-team
name: LR & dropout, second try
description: what the first one left open
method: bayes
metric:
  goal: maximize
  name: val_acc
  target: 0.97
run_cap: 30
early_terminate:
  type: hyperband
  s: 2
  eta: 3
  max_iter: 27
  strict: true
parameters:
  optimizer:
    parameters:
      lr:
        distribution: log_uniform
        min: -9.21
        max: -4.6
      weight_decay: {distribution: inv_log_uniform_values, min: 1e-5, max: 1e-1}
  data.batch_size: {distribution: q_log_uniform_values, min: 8, max: 64, q: 8}
  model:
    values: [resnet18, resnet50]
    probabilities: [0.75, 0.25]
  model.dropout: {min: 0.0, max: 0.5}
  trainer.max_epochs: {value: 12}
  seed: {value: 7}
command:
  - ${env}
  - ${interpreter}
  - ${program}
  - ${args_no_hyphens}
"""


def test_a_whole_file_of_wandb_is_read(tmp_path: Path) -> None:
    spec = read(tmp_path, WHOLE)
    assert (spec.name, spec.method, spec.sampler) == ("lr-dropout-second-try", "bayes", "tpe")
    assert (spec.metric, spec.goal, spec.target) == ("val/accuracy", "maximize", 0.97)
    assert spec.run_cap == 30
    assert spec.early == Early("asha", min_epochs=3, factor=3, max_epochs=27)
    assert spec.seeds == (7,)
    by_key = {parameter.key: parameter.dimension for parameter in spec.space.parameters}
    assert list(by_key) == [
        "optimizer.lr",
        "optimizer.weight_decay",
        "data.batch_size",
        "model",
        "model.dropout",
        "trainer.max_epochs",
    ]
    lr = by_key["optimizer.lr"]
    assert isinstance(lr, Range)
    assert (lr.low, lr.high, lr.log) == (math.exp(-9.21), math.exp(-4.6), True)
    assert by_key["optimizer.weight_decay"] == Range(1e-5, 1e-1, log=True)
    assert by_key["data.batch_size"] == Range(8, 64, log=True, step=8, integer=True)
    assert by_key["model"] == Choice(("resnet18", "resnet50"), (0.75, 0.25))
    assert by_key["trainer.max_epochs"] == Choice((12,))


def test_what_has_no_effect_is_told_in_one_line(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE).ignored == (
        "some.yaml:2: without effect here: program, command (every trial is an `inv train`); "
        "project (logger.project of the configuration names it); "
        "entity (logger.entity of the configuration names it); early_terminate.strict",
        "some.yaml:5: name: its runs are called lr-dropout-second-try",
        "some.yaml:10: metric.name: val_acc is called val/accuracy here",
    )


def test_wandb_gets_the_file_without_our_section(tmp_path: Path) -> None:
    spec = read(tmp_path, f"{WHOLE}ctexp:\n  budget: 90m\n  overrides: [data=phantom]\n")
    assert "ctexp" not in spec.raw
    assert "seed" not in spec.raw["parameters"]
    assert spec.raw["metric"] == {"goal": "maximize", "name": "val/accuracy", "target": 0.97}
    assert spec.raw["parameters"]["optimizer"]["parameters"]["lr"]["min"] == -9.21
    assert (spec.budget_seconds, spec.overrides) == (5400, ("data=phantom",))


@pytest.mark.slow  # wandb takes a second to load
def test_wandb_s_own_check_takes_what_it_gets(tmp_path: Path) -> None:
    from wandb.apis.public import sweeps

    filled = sweeps._validate_config_and_fill_distribution(dict(read(tmp_path, WHOLE).raw))
    assert filled["parameters"]["model.dropout"]["distribution"] == "uniform"


def test_our_additions(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        f"""{HEAD}parameters:
  loss.gamma: {{distribution: q_normal, mu: 2, sigma: 1, q: 0.5}}
  loss: {{values: [cross_entropy, focal]}}
  data.batch_size: {{values: [8, 16]}}
ctexp:
  overrides: [data=phantom, experiment=smoke, trainer.max_epochs=4]
  conditions: {{loss.gamma: loss == 'focal'}}
  constraints: ["data.batch_size > 8 or loss != 'focal'"]
  seeds: [3, 5]
  folds: 4
  objective: mean_minus_se
  budget: 1h30m
  sampler: qmc
  early: {{kind: hyperband, min_epochs: 2, max_epochs: 18, factor: 3, brackets: 2}}
  backend: ray
  storage: postgresql+psycopg://anna@db.example.org/sweeps
  resources: {{cpus: 4, gpus: 0.5}}
""",
        "trainer.max_epochs=6",
    )
    assert [parameter.key for parameter in spec.space.parameters] == ["loss", "loss.gamma", "data.batch_size"]
    assert spec.space.parameters[1].dimension == Bell(2, 1, step=0.5)
    assert spec.overrides == ("data=phantom", "experiment=smoke")  # the command line wins over the third
    assert (spec.seeds, spec.folds, spec.objective) == ((3, 5), 4, "mean_minus_se")
    assert (spec.budget_seconds, spec.sampler, spec.backend) == (5400, "qmc", "ray")
    assert spec.early == Early("hyperband", 2, 3, 18, 2)
    assert spec.resources == {"cpus": 4, "gpus": 0.5}
    (constraint,) = spec.space.constraints
    assert not constraint.holds({"data.batch_size": 8, "loss": "focal"})


def test_the_name_is_the_command_line_s_or_the_file_s(tmp_path: Path) -> None:
    text = f"{HEAD}parameters: {{optimizer.lr: {{value: 1e-3}}}}\n"
    assert read(tmp_path, text, name="lr_wd").name == "lr_wd"
    assert read(tmp_path, f"name: first\n{text}").name == "first"
    assert read(tmp_path, f"name: first\n{text}", "run.name=second").name == "second"


def test_a_metric_without_a_goal_gets_the_one_that_is_meant_and_says_so(tmp_path: Path) -> None:
    spec = read(
        tmp_path, "method: random\nmetric: {name: val_acc}\nparameters: {seed: {value: 1}, a: {value: 1}}\n"
    )
    assert spec.goal == "maximize"
    assert spec.raw["metric"]["goal"] == "maximize"
    assert any("W&B would minimize it" in line for line in spec.ignored)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("{type: hyperband, min_iter: 3}", Early("asha", 3, 3)),
        ("{type: hyperband, min_iter: 2, eta: 4, max_iter: 30}", Early("asha", 2, 4, 30)),
        ("{type: hyperband, max_iter: 30, s: 3, eta: 2}", Early("asha", 3, 2, 30)),
        ("{type: hyperband, max_iter: 5, s: 4}", Early("asha", 1, 3, 5)),
    ],
)
def test_the_epochs_at_which_trials_are_ended(tmp_path: Path, said: str, expected: Early) -> None:
    text = f"{HEAD}early_terminate: {said}\nparameters: {{optimizer.lr: {{min: 0.1, max: 0.2}}}}\n"
    assert read(tmp_path, text).early == expected


def test_exponents_that_look_like_values_are_doubted(tmp_path: Path) -> None:
    lr = "{distribution: log_uniform, min: 1e-5, max: 1e-2}"
    spec = read(tmp_path, f"{HEAD}parameters:\n  optimizer.lr: {lr}\n")
    assert spec.ignored == (
        "some.yaml:5: parameters.optimizer.lr: log_uniform has exponents of e as its bounds: "
        "this means 1 to 1.0101; log_uniform_values takes bounds as they are",
    )
    (parameter,) = spec.space.parameters
    assert parameter.dimension == Range(math.exp(1e-5), math.exp(1e-2), log=True)


@pytest.mark.parametrize("bounds", ["min: 1, max: 4", "min: -9.2, max: -4.6", "min: 0.5, max: 2.0"])
def test_exponents_that_may_be_some_are_not_doubted(tmp_path: Path, bounds: str) -> None:
    lr = f"{{distribution: log_uniform, {bounds}}}"
    assert read(tmp_path, f"{HEAD}parameters:\n  optimizer.lr: {lr}\n").ignored == ()


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        ("min: 1e-5, max: 1e-2", "nine in ten draws lie above 0.001; distribution: log_uniform_values"),
        ("min: 1, max: 256", "nine in ten draws lie above 25.6; distribution: log_uniform_values"),
        ("min: 1e-3, max: 1e-2", None),
        ("min: 0.0, max: 0.5", None),
        ("distribution: uniform, min: 1e-5, max: 1e-2", None),
    ],
)
def test_decades_without_a_distribution_get_a_hint(tmp_path: Path, entry: str, hint: str | None) -> None:
    notes = read(tmp_path, f"{HEAD}parameters:\n  optimizer.lr: {{{entry}}}\n").ignored
    assert [hint in note for note in notes] == [True] if hint else notes == ()


def test_a_grid_needs_no_metric(tmp_path: Path) -> None:
    spec = read(tmp_path, "method: grid\nparameters: {a: {values: [1, 2]}}\n")
    assert (spec.metric, spec.goal) == ("val/macro_f1", "maximize")
    assert spec.ignored == ("some.yaml:1: names no metric; val/macro_f1 is taken",)


def test_a_name_is_one_whatever_else_lies_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "conf" / "sweep" / "lr.yaml"
    file.parent.mkdir(parents=True)
    for path in (file, tmp_path / "lr", tmp_path / "other.yaml"):
        path.touch()
    monkeypatch.chdir(tmp_path)
    assert locate(tmp_path, "lr") == file
    assert locate(tmp_path, "./lr") == tmp_path / "lr"
    assert locate(tmp_path, "other.yaml") == tmp_path / "other.yaml"
