"""What later work is compared with: after a night its baseline, or what is established to be better."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ctexp.core import files
from ctexp.core.errors import DataError, UsageError
from ctexp.planning.study.study import Study
from ctexp.record import baselines
from ctexp.record.baselines import Baseline, Baselines
from ctexp.record.run_dir import RunDir
from tests import judged
from tests.planning.study.projects import a_run, in_order, of_night, project, read, titles
from tests.record import samples


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A project, in which each run is begun a minute after the one before."""
    with in_order():
        yield project(tmp_path)


def orders(root: Path, plan: str, baseline: str | None) -> str:
    """What the queue of `of_night` says of its baseline; the queue's id."""
    night = str(of_night(plan, "a-s1").queue)
    files.write_json(root / "runs" / "queues" / night / "orders.json", {"baseline": baseline})
    return night


def a_job(root: Path, plan: str, experiment: str, seed: int, *words: str, skill: float) -> RunDir:
    origin = of_night(plan, f"{experiment}-s{seed}")
    return a_run(root, f"{plan}-{experiment}", seed, *words, skill=skill, origin=origin)


def chosen(found: Study) -> tuple[str, str]:
    assert found.incumbent is not None
    return found.incumbent.title, found.why_incumbent


def test_after_a_night_its_baseline_stands_unless_another_is_established(root: Path) -> None:
    a_run(root, "as_good", 1, "optimizer.lr=5e-4", skill=1.02)
    for seed in (1, 2):
        a_job(root, "night", "plain", seed, skill=1.0)
        a_job(root, "night", "other", seed, "optimizer.lr=3e-4", skill=1.05)
    night = orders(root, "night", "plain")
    for said in ("night", night, night[:14]):
        assert chosen(read(root, start=said)) == ("night-plain", f"the baseline of {night}")
    assert chosen(read(root)) == ("night-plain", f"the baseline of {night}")
    for seed in (1, 2):
        a_job(root, "night", "good", seed, "optimizer.lr=2e-4", skill=6)
    why = f"established to be better than night-plain, the baseline of {night}"
    assert chosen(read(root, start="night")) == ("night-good", why)
    assert chosen(read(root)) == ("night-good", why)


def test_single_trainings_take_no_baselines_place(root: Path) -> None:
    a_job(root, "night", "plain", 1, skill=0.5)
    a_job(root, "night", "good", 1, "optimizer.lr=2e-4", skill=9)
    night = orders(root, "night", "plain")
    assert chosen(read(root)) == ("night-plain", f"the baseline of {night}")


def test_what_was_trained_before_a_night_may_take_its_baselines_place(root: Path) -> None:
    a_run(root, "before", 1, "optimizer.lr=3e-4", skill=6)
    for seed in (1, 2):
        a_job(root, "night", "plain", seed, skill=1.0)
    night = orders(root, "night", "plain")
    why = f"established to be better than night-plain, the baseline of {night}, and trained before that night"
    assert chosen(read(root)) == ("before", why)
    assert chosen(read(root, start="night"))[0] == "night-plain"


def test_what_was_trained_since_a_night_may_take_its_baselines_place(root: Path) -> None:
    for seed in (1, 2):
        a_run(root, "before", seed, "optimizer.lr=3e-4", skill=1.0)
    for seed in (1, 2):
        a_job(root, "night", "plain", seed, skill=1.0)
    night = orders(root, "night", "plain")
    assert chosen(read(root))[0] == "night-plain"
    for seed in (1, 2):
        a_run(root, "by_hand", seed, "optimizer.lr=2e-4", skill=6)
    assert chosen(read(root)) == (
        "by_hand",
        f"established to be better than night-plain, the baseline of {night}",
    )
    assert chosen(read(root, start="night"))[0] == "night-plain"


def test_what_was_named_or_promoted_comes_before_any_night(root: Path) -> None:
    a_run(root, "older", 1, "optimizer.lr=5e-4", skill=1.5)
    a_job(root, "night", "plain", 1, skill=1.0)
    orders(root, "night", "plain")
    assert chosen(read(root))[0] == "night-plain"
    assert chosen(read(root, start="older")) == ("older", "named as what to begin with")
    assert chosen(read(root, "older"))[0] == "older"


def test_the_baseline_of_a_night_may_be_older_than_it(root: Path) -> None:
    a_run(root, "older", 1, "optimizer.lr=5e-4", skill=1.5)
    a_job(root, "night", "other", 1, skill=1.0)
    night = orders(root, "night", "older")
    assert chosen(read(root, start="night")) == ("older", f"the baseline of {night}")


def test_a_night_without_a_baseline_begins_with_the_best(root: Path) -> None:
    a_job(root, "night", "plain", 1, skill=1.0)
    a_job(root, "night", "other", 1, "optimizer.lr=3e-4", skill=4)
    orders(root, "night", None)
    assert chosen(read(root, start="night"))[0] == "night-other"


def test_a_plan_means_its_newest_night(root: Path) -> None:
    old = a_job(root, "night", "plain", 1, skill=1.0)
    late = of_night("night", "plain-s1").model_copy(update={"queue": "night_20261121-200000"})
    a_run(root, "night-plain", 1, "optimizer.lr=3e-4", origin=late)
    [recipe] = read(root, "night").recipes
    assert recipe.settings["optimizer.lr"] == 3e-4
    assert "means 2 nights" in judged.refusal(lambda: read(root, "night_2026"), UsageError)
    [recipe] = read(root, str(of_night("night", "a-s1").queue)).recipes
    assert recipe.cites == (old.id,)


def test_a_night_of_which_nothing_ended_says_nothing(root: Path) -> None:
    a_run(root, "night-plain", 1, state="diverged", origin=of_night("night", "plain-s1"))
    assert "night: no training of it was judged" in judged.refusal(
        lambda: read(root, start="night"), DataError
    )


def test_what_is_named_comes_before_the_promoted_and_that_before_the_best(root: Path) -> None:
    plain = a_run(root, "plain", 1, skill=0.5)
    a_run(root, "good", 1, "optimizer.lr=3e-4", skill=4)
    a_run(root, "other", 1, "optimizer.lr=2e-4", skill=1)
    assert chosen(read(root))[0] == "good"
    promote(root, plain)
    assert chosen(read(root)) == ("plain", "the promoted baseline")
    assert chosen(read(root, start="other")) == ("other", "named as what to begin with")
    assert titles(read(root, "baseline")) == ["plain"]


def test_a_promoted_baseline_on_other_images_is_told(root: Path) -> None:
    promote(root, a_run(root, "plain", 1))
    a_run(root, "new", 1, dataset=judged.dataset(split="clean", split_sha256="1" * 64))
    found = read(root)
    assert chosen(found)[0] == "new"
    assert "the promoted baseline plain is not among these trainings" in found.notes


def test_a_damaged_list_of_baselines_is_told(root: Path) -> None:
    a_run(root, "plain", 1)
    files.write_text(root / "research" / "baselines.yaml", "current: 3\n")
    found = read(root)
    assert chosen(found)[0] == "plain"
    assert any("baselines.yaml: current" in note for note in found.notes)


def promote(root: Path, run: RunDir) -> None:
    promoted = Baseline(
        title="plain",
        kind="run",
        runs=(run.id,),
        folder="baselines/plain",
        promoted=samples.END,
        command="inv compare-baselines",
        over="",
        split="val",
        metric="macro_f1",
        value=0.5,
        difference=0.1,
    )
    (root / "research").mkdir(exist_ok=True)
    baselines.write(root, Baselines(current=promoted))
