"""What a word stands for in a comparison."""

from datetime import timedelta
from pathlib import Path

import pytest

from ctexp.core import clock
from ctexp.core.errors import CtexpError, DataError, UsageError
from ctexp.record.baselines import Baseline
from ctexp.record.manifest import Origin
from ctexp.record.subjects import differing_keys, subject
from tests import judged
from tests.record import samples


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds of `good`, one of `bad`, one of `bad` that diverged, and a cross-validation."""
    runs = tmp_path_factory.mktemp("project") / "runs"
    judged.a_run(runs, "good", 2, skill=2)
    judged.a_run(runs, "good", 1, skill=3)
    judged.a_run(runs, "bad", 1, skill=0)
    judged.a_run(runs, "bad", 2, skill=0, state="diverged")
    judged.a_run(runs, "other", 1, skill=9, dataset=judged.dataset(name="chest_ct"))
    judged.a_cross_validation(runs, "cv", skill=9)
    return runs


def ids(runs: Path, name: str) -> list[str]:
    return [path.name for path in sorted(runs.glob(f"{name}_*"))]


def test_a_name_means_every_seed_in_their_order(runs: Path) -> None:
    found = subject(runs, "good")
    assert (found.kind, found.title, found.notes) == ("name", "good", ())
    assert [run.read().manifest.seed for run in found.runs] == [1, 2]  # type: ignore[union-attr]


def test_what_has_not_finished_is_left_out_and_told(runs: Path) -> None:
    found = subject(runs, "bad")
    assert len(found.runs) == 1
    assert found.notes[0].endswith("diverged, left out")


def test_of_two_runs_of_a_seed_the_newer_counts(tmp_path: Path) -> None:
    old, new = (judged.a_run(tmp_path, "net", 1) for _ in range(2))
    first, last = sorted([old.id, new.id])
    found = subject(tmp_path, "net")
    assert [run.id for run in found.runs] == [last]
    assert found.notes == (f"{first}: an earlier run of seed 1, left out",)


def test_a_run_is_meant_by_its_id_its_beginning_and_its_path(runs: Path) -> None:
    (name,) = ids(runs, "other")
    for said in (name, name[:12], str(runs / name)):
        found = subject(runs, said)
        assert (found.kind, found.title, found.said) == ("run", name, said)


def test_the_best_is_no_fold_and_of_the_images_asked_for(runs: Path) -> None:
    best = subject(runs, "best", best_by="val/accuracy", like=judged.dataset())
    assert best.runs == subject(runs, "good").runs[:1]
    assert subject(runs, "best").title.startswith("other_")
    with pytest.raises(DataError, match="no finished run has val/macro_f1 on the images of nothing"):
        subject(runs, "best", like=judged.dataset(name="nothing"))


def test_a_cross_validation_is_meant_by_its_name_and_its_id(runs: Path) -> None:
    (place,) = (runs / "cross-validations").iterdir()
    for said in ("cv", place.name, str(place)):
        found = subject(runs, said)
        assert (found.kind, found.title, len(found.runs)) == ("cross-validation", place.name, 2)


def a_baseline(kind: str, title: str, names: list[str]) -> Baseline:
    return Baseline.model_validate(
        {
            "title": title,
            "kind": kind,
            "runs": names,
            "folder": f"research/baselines/{title}",
            "promoted": samples.BEGIN,
            "command": "scripts/inv compare-baselines",
            "over": "bad",
            "split": "val",
            "metric": "macro_f1",
            "value": 0.9,
            "difference": 0.1,
        },
        strict=False,
    )


def test_the_baseline_is_the_runs_that_were_promoted_then(runs: Path) -> None:
    promoted = ids(runs, "good")[:1]
    found = subject(runs, "baseline", baseline=a_baseline("name", "good", promoted))
    assert (found.title, [run.id for run in found.runs]) == ("good", promoted)
    with pytest.raises(DataError, match="no longer in"):
        subject(runs, "baseline", baseline=a_baseline("name", "good", ["good_20200101-000000_aaaaaa"]))
    with pytest.raises(DataError, match="no baseline is set yet"):
        subject(runs, "baseline")


def test_a_cross_validation_can_be_the_baseline(runs: Path) -> None:
    (place,) = (runs / "cross-validations").iterdir()
    assert subject(runs, "baseline", baseline=a_baseline("cross-validation", place.name, ["a"])).place


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        ("goood", DataError, "did you mean 'good'"),
        ("", UsageError, "is expected"),
        ("o\0", UsageError, "is expected"),
        ("nowhere/at_all", DataError, "no such run directory"),
    ],
)
def test_what_means_nothing_is_refused(runs: Path, said: str, kind: type[CtexpError], told: str) -> None:
    assert told in judged.refusal(lambda: subject(runs, said), kind)


def test_an_unfinished_run_is_refused(runs: Path) -> None:
    (name,) = [run for run in ids(runs, "bad") if run not in subject(runs, "bad").runs[0].id]
    assert "diverged, not finished" in judged.refusal(lambda: subject(runs, name), DataError)


def test_runs_of_a_name_that_are_two_experiments_are_refused(tmp_path: Path) -> None:
    judged.a_run(tmp_path, "net", 1)
    judged.a_run(tmp_path, "net", 2, overrides=("optimizer.lr=0.5",))
    assert "in optimizer.lr" in judged.refusal(lambda: subject(tmp_path, "net"), UsageError)


def test_names_and_seeds_make_no_other_experiment() -> None:
    one: dict[str, object] = {"seed": 1, "run.name": "a", "optimizer.lr": 0.1, "paths.runs": "x"}
    other: dict[str, object] = {"seed": 2, "run.name": "b", "optimizer.lr": 0.2, "model.name": "new"}
    assert differing_keys(one, other) == ["model.name", "optimizer.lr"]


def test_latest_is_the_newest_run_though_one_is_named_so(tmp_path: Path) -> None:
    judged.a_run(tmp_path, "latest", 1, created="2026-01-01T00:00:00.000Z")
    newer = judged.a_run(tmp_path, "net", 1, created="2027-01-01T00:00:00.000Z")
    assert subject(tmp_path, "latest").runs == (newer,)


def of_queue(name: str) -> Origin:
    return Origin(plan="night", queue=name, job="a")


def test_a_queue_has_its_own_runs_of_a_name_that_comes_again_every_night(tmp_path: Path) -> None:
    """Last night's third seed is no part of tonight, were it the same experiment or another."""
    now = clock.now()
    for seed in (1, 2, 3):
        judged.a_run(tmp_path, "net", seed, origin=of_queue("yesterday"), moment=now - timedelta(days=1))
    other = ("optimizer.lr=0.5",)
    tonight = [
        judged.a_run(tmp_path, "net", seed, origin=of_queue("tonight"), overrides=other, moment=now)
        for seed in (1, 2)
    ]
    assert subject(tmp_path, "net", queue="tonight").runs == tuple(tonight)
    assert "in optimizer.lr" in judged.refusal(lambda: subject(tmp_path, "net"), UsageError)


def test_of_what_a_queue_has_nothing_all_is_meant(tmp_path: Path) -> None:
    last_week = judged.a_run(tmp_path, "net", 1, origin=of_queue("last_week"))
    assert subject(tmp_path, "net", queue="tonight").runs == (last_week,)


def test_a_run_that_the_window_has_shortened_is_left_out(tmp_path: Path) -> None:
    whole = judged.a_run(tmp_path, "net", 1)
    short = judged.a_run(tmp_path, "net", 2, state="timeout", overrides=("trainer.max_minutes=12",))
    in_time = judged.a_run(tmp_path, "net", 3, overrides=("trainer.max_minutes=12",))
    found = subject(tmp_path, "net")
    assert found.runs == (whole, in_time)
    assert found.notes == (f"{short.id}: it had less time than others of the name, left out",)


def test_runs_that_all_had_the_same_time_are_an_experiment(tmp_path: Path) -> None:
    for seed in (1, 2):
        judged.a_run(tmp_path, "net", seed, state="timeout", overrides=("trainer.max_minutes=12",))
    assert len(subject(tmp_path, "net").runs) == 2
