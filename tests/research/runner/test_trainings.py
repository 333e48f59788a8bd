from pathlib import Path

import pytest

from ctexp.core import files
from ctexp.core.errors import PreflightError, UsageError
from ctexp.core.paths import splits_folder
from ctexp.record.run_dir import RunDir
from ctexp.research.record import Basis
from ctexp.research.runner import ExperimentRunner
from ctexp.research.runner.trainings import TrainingFailed
from tests.project import git
from tests.record import samples
from tests.research.runner.desks import Trains, runner

RECIPE = ("data=phantom", "model=tiny_cnn", "logger=none")


def manifest_of(run: RunDir) -> tuple[str, int, tuple[str, ...]]:
    manifest = run.read().manifest
    assert manifest is not None
    return manifest.name, manifest.seed, manifest.tags


def test_each_seed_is_an_ordinary_run_of_one_name(project: Path) -> None:
    its = runner(project)
    trained = its.train(RECIPE, name="plain", seeds=(3, 1))
    assert [manifest_of(run) for run in trained] == [
        ("noise-plain", 3, ("research", "noise")),
        ("noise-plain", 1, ("research", "noise")),
    ]
    assert (trained.name, len(trained), trained[1]) == ("noise-plain", 2, trained.runs[1])
    assert its.runs.used == tuple(run.id for run in trained)
    assert set(its.runs.data()) == {"phantom", "phantom/official"}


def test_what_was_trained_is_not_trained_again_unless_something_of_it_has_changed(project: Path) -> None:
    trainer = Trains(project)
    first = runner(project, trainer).train(RECIPE, name="plain", seeds=(1,))

    def again(*overrides: str) -> int:
        before = len(trainer.begun)
        runner(project, trainer).train([*RECIPE, *overrides], name="plain", seeds=(1,))
        return len(trainer.begun) - before

    assert again() == 0
    assert runner(project, trainer).train(RECIPE, name="plain", seeds=(1,)) == first
    assert again("optimizer.lr=0.002") == 1

    handler = project / "research" / "handlers" / "noise" / "spread.py"
    handler.parent.mkdir(parents=True)
    handler.write_text("# what a handler says trains nothing\n")
    assert again() == 0
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=a handler, and findings")
    assert again() == 0

    code = project / "src" / "own.py"
    code.parent.mkdir()
    code.write_text("# code may change what is trained\n")
    assert again() == 1
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=code")
    assert again() == 1

    (project / "data" / "raw" / "phantom.parquet").write_bytes(b"other images")
    assert again() == 1
    files.write_text(splits_folder(project) / "phantom" / "official.txt", "val\tanother image\n")
    assert again() == 1


def test_a_training_is_taken_whatever_it_is_called_and_whoever_watched_it(project: Path) -> None:
    trainer = Trains(project)
    (first,) = runner(project, trainer).train(RECIPE, name="plain", seeds=(1,))
    watched = [*RECIPE[:2], "logger=csv", "run.description=once more"]
    its = runner(project, trainer, experiment="other")
    trained = its.train(watched, name="single", seeds=(1, 2))
    assert (trained.name, trained[0], len(trainer.begun)) == ("other-single", first, 2)
    assert [manifest_of(run)[:2] for run in trained] == [("noise-plain", 1), ("other-single", 2)]
    assert its.runs.used == tuple(run.id for run in trained)

    files.write_text(first.config, "seed: 1\n")
    assert its.train(watched, name="single", seeds=(1,))[0] != first  # nobody knows what it has learned


def test_an_interrupted_training_is_gone_on_with(project: Path) -> None:
    trainer = Trains(project, "interrupted")
    with pytest.raises(TrainingFailed, match="not trained"):
        runner(project, trainer).train(RECIPE, name="plain", seeds=(1,))
    (broken_off,) = (project / "runs").glob("noise-plain_*")
    trainer.ends.append(3)  # it cannot be gone on with here: its checkpoint is a test's
    runner(project, trainer).train(RECIPE, name="plain", seeds=(1,))
    assert trainer.begun[1][:3] == ["train", "--resume", broken_off.name]
    assert trainer.begun[2][0] == "train"
    assert "--resume" not in trainer.begun[2]


def test_a_training_that_ends_badly_is_told_in_its_own_words_and_no_further_one_begins(
    project: Path,
) -> None:
    trainer = Trains(project, "diverged")
    with pytest.raises(TrainingFailed) as failed:
        runner(project, trainer).train(RECIPE, name="plain", seeds=(1, 2, 3))
    (problem,) = failed.value.problems
    assert problem.startswith("noise-plain_")
    assert ": diverged" in problem
    assert len(trainer.begun) == 1


def test_a_refusal_keeps_its_kind_and_its_hint(project: Path) -> None:
    with pytest.raises(PreflightError) as refused:
        runner(project, Trains(project, 4)).train(RECIPE, name="plain")
    assert (str(refused.value), refused.value.hint) == ("no GPU here", "plug one in")


@pytest.mark.parametrize(
    ("overrides", "name", "seeds", "problem"),
    [
        (["seed=3"], "a", (1,), "'seed=3': seed is set by the runner"),
        (["run.name=x"], "a", (1,), "run.name is set by the runner"),
        (["trainer.monitor=test/accuracy"], "a", (1,), "the test split stays sealed"),
        (["model=resnet5"], "a", (1,), "did you mean 'resnet50'?"),
        ("model=resnet50", "a", (1,), "a list of overrides is expected"),
        ([], "A b", (1,), "name='A b' makes run.name"),
        ([], "a", (), "seeds=[]: at least one is expected"),
        ([], "a", (1, 1), "seeds=[1, 1]: at least one is expected, and each once"),
    ],
)
def test_wrong_words_begin_nothing(
    project: Path, overrides: list[str], name: str, seeds: tuple[int, ...], problem: str
) -> None:
    trainer = Trains(project)
    with pytest.raises(UsageError) as refused:
        runner(project, trainer).train(overrides, name=name, seeds=seeds)
    assert problem in str(refused.value)
    assert not trainer.begun


def test_what_all_trainings_have_in_common_comes_before_what_the_handler_says(project: Path) -> None:
    trainer = Trains(project)
    basis = Basis(
        handler=samples.HASH, plan=samples.HASH, overrides=("trainer.max_epochs=2", "model=resnet18")
    )
    its = runner(project, trainer, basis=basis, threads=1)
    its.train([*RECIPE, "trainer.max_epochs=20", "trainer.max_epochs=30"], name="plain")
    (words,) = trainer.begun
    assert sorted(word for word in words if word.startswith(("trainer", "model"))) == [
        "model=resnet18",
        "trainer.max_epochs=2",
    ]
    assert trainer.environments[0]["OMP_NUM_THREADS"] == "1"


def test_figures_comparisons_and_findings_cite_what_was_trained(project: Path) -> None:
    its: ExperimentRunner = runner(project)
    weak = its.train(RECIPE, name="weak", seeds=(1, 2))
    good = its.train([*RECIPE, "optimizer.lr=0.003"], name="good", seeds=(3, 4))
    f1 = its.figure(weak[0], "val_f1")
    assert f1.source.kind == "file"
    assert (f1.source.run, f1.source.file) == (weak[0].id, f"{weak[0].id}/result.json")
    compared = its.compare(weak, good, ["macro_f1", "val/accuracy"])
    difference = compared.difference("macro_f1")
    assert difference.source.kind == "comparison"
    assert set(difference.source.files) == {run.id for run in (*weak, *good)}
    assert compared.verdict("accuracy") == "better"
    assert difference.low is not None
    assert difference.low > 0
    assert compared.said.endswith(".")


def test_the_test_split_stays_sealed_and_nothing_is_compared_with_itself(project: Path) -> None:
    its = runner(project)
    one = its.train(RECIPE, name="weak", seeds=(1, 2))
    for ask in (
        lambda: its.figure(one[0], "test/macro_f1"),
        lambda: its.compare(one[:1], one[1:], ["test/macro_f1"]),
    ):
        with pytest.raises(UsageError, match="the test split stays sealed"):
            ask()
    with pytest.raises(UsageError, match="stands on both sides"):
        its.compare(one, one[0])
