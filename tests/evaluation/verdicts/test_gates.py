"""Each gate fails for what it is there for, says so, and decides."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ctexp.config import verdict
from ctexp.core import files
from ctexp.data.caveats import leaking
from ctexp.evaluation.comparison.needed import Needed
from ctexp.evaluation.comparison.verdict import Call
from ctexp.evaluation.verdicts.documents import MetricVerdict, Spread
from ctexp.evaluation.verdicts.gates import ARTIFACTS, IMPROVES, LEAKAGE, MISSES, RECORD, decide, gates
from ctexp.record.checkpoint_files import BEST, SUMS
from ctexp.record.decisions import Gate
from ctexp.record.git import GitState
from ctexp.record.manifest import Weights
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import Subject, subject
from tests import judged
from tests.data.splits.sets import full, image
from tests.project import HERE
from tests.record import samples

SETTINGS = verdict.load(HERE)
ALL = (IMPROVES, LEAKAGE, RECORD, ARTIFACTS, MISSES)


def a_metric(call: Call = "better", difference: float | None = 0.1, **changes: Any) -> MetricVerdict:
    fields: dict[str, Any] = {
        "baseline": 0.5,
        "candidate": None if difference is None else 0.5 + difference,
        "difference": difference,
        "low": None if difference is None else difference - 0.05,
        "high": None if difference is None else difference + 0.05,
        "image_se": 0.02,
        "seed_se": 0.01,
        "seed_source": "measured",
        "p_images": 0.01,
        "p": 0.01,
        "p_holm": 0.02,
        "verdict": call,
        "needed": None,
        "detectable": 0.05,
        "reason": "no image of a class" if difference is None else "",
        "of_baseline": Spread(values={"1": 0.5}, sd=None),
        "of_candidate": Spread(values={"1": 0.6}, sd=None),
    }
    return MetricVerdict(**fields | changes)


def family(
    primary: MetricVerdict | None = None, misses: MetricVerdict | None = None
) -> dict[str, MetricVerdict]:
    return {"macro_f1": primary or a_metric(), "miss_rate": misses or a_metric("undecided", 0.0)}


def failing(its: Subject, metrics: dict[str, MetricVerdict] | None = None) -> dict[str, str]:
    """The gates that do not pass, with their evidence."""
    found = gates(metrics or family(), its, "val", SETTINGS)
    assert [gate.name for gate in found] == list(ALL)
    assert all(gate.evidence for gate in found)
    return {gate.name: gate.evidence for gate in found if not gate.passed}


def of(run: RunDir) -> Subject:
    return Subject(run.id, run.id, "run", (run,))


def test_a_sound_run_that_is_better_passes_all(tmp_path: Path) -> None:
    its = of(judged.a_run(tmp_path, "net", 1))
    assert failing(its) == {}
    evidence = {gate.name: gate.evidence for gate in gates(family(), its, "val", SETTINGS)}
    assert evidence[IMPROVES] == (
        "macro_f1 0.500 -> 0.600, +0.100 (95 % interval +0.050 to +0.150), p 0.02 corrected: better"
    )
    assert evidence[LEAKAGE] == "official split of phantom: no image of one side has a copy on another"
    assert evidence[ARTIFACTS].endswith("hashes verified")


def test_a_sound_cross_validation_passes_too(tmp_path: Path) -> None:
    judged.a_cross_validation(tmp_path, "cv")
    its = subject(tmp_path, "cv")
    assert failing(its) == {}
    assert its.place is not None
    its.place.ensemble.unlink()
    assert failing(its) == {ARTIFACTS: f"{its.title}: no ensemble.json"}


@pytest.mark.parametrize("call", ["worse", "undecided"])
def test_what_is_not_better_does_not_improve(tmp_path: Path, call: Call) -> None:
    assert set(failing(of(judged.a_run(tmp_path, "net", 1)), family(a_metric(call)))) == {IMPROVES}


def test_copies_on_two_sides_are_a_leak() -> None:
    rows = [*full(10), image("train/a.png", "a", "normal"), image("val/a.png", "a", "normal", "val")]
    parts = {split: [row for row in rows if row.split == split] for split in ("train", "val", "test")}
    (line,) = leaking("official", parts)
    assert "1 of 41 val images are copies of training images" in line


def test_a_leak_in_the_manifest_fails_its_gate(tmp_path: Path) -> None:
    line = "official split: 1 of 42 val images are copies of training images; figures on them flatter"
    data = judged.dataset(leaks=(line,), warnings=(line, "val: few independent images (3 of normal)"))
    assert failing(of(judged.a_run(tmp_path, "net", 1, dataset=data))) == {LEAKAGE: line}


def test_a_record_that_does_not_say_whether_it_leaks_does_not_pass(tmp_path: Path) -> None:
    its = of(judged.a_run(tmp_path, "net", 1, dataset=judged.dataset(leaks=None)))
    assert "its record does not say" in failing(its)[LEAKAGE]


def test_rare_classes_are_no_leak_and_a_synthetic_set_is_said(tmp_path: Path) -> None:
    data = judged.dataset(warnings=("val: few independent images (3 of normal)",), synthetic=True)
    its = of(judged.a_run(tmp_path, "net", 1, dataset=data))
    (gate,) = (gate for gate in gates(family(), its, "val", SETTINGS) if gate.name == LEAKAGE)
    assert gate.passed
    assert gate.evidence.endswith("; a synthetic set, which shows no patient")


DIRTY = GitState(commit=samples.COMMIT, branch="main", dirty=True)
PATCHED = DIRTY.model_copy(update={"patch": "git.diff", "patch_sha256": files.sha256_bytes(b"a patch")})
LARGE = DIRTY.model_copy(update={"left_out": ("a.py (over 256 KB)",)})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"git": GitState(reason="git is not installed")}, "its code is not known (git is not installed)"),
        ({"git": DIRTY}, "its code differed from the commit, and no patch was kept"),
        ({"git": PATCHED}, "git.diff, the patch of its code, is missing"),
        ({"git": LARGE}, "lacks a.py (over 256 KB)"),
        ({"weights": Weights(source="timm/resnet50.a1_in1k")}, "whose hash is not known"),
        ({"dataset": judged.dataset(split_sha256=None)}, "does not say which images were on which side"),
        ({"config_sha256": samples.HASH}, "was changed after the run began"),
    ],
)
def test_what_cannot_be_made_again_fails_its_gate(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    found = failing(of(judged.a_run(tmp_path, "net", 1, **changes)))
    assert set(found) == {RECORD}
    assert told in found[RECORD]


def test_the_seed_has_to_be_the_one_it_was_trained_with(tmp_path: Path) -> None:
    run = judged.a_run(tmp_path, "net", 1)
    files.write_json(run.manifest, files.read_json(run.manifest) | {"seed": 9})
    assert failing(of(run)) == {RECORD: f"{run.id}: trained with seed 1, and says 9"}


def test_an_uncommitted_change_that_was_kept_is_no_fault(tmp_path: Path) -> None:
    run = judged.a_run(tmp_path, "net", 1, git=PATCHED)
    run.git_diff.write_bytes(b"a patch")
    assert failing(of(run)) == {}
    run.git_diff.write_bytes(b"another patch")
    assert set(failing(of(run))) == {RECORD}


def test_the_code_of_every_start_counts(tmp_path: Path) -> None:
    run = judged.a_run(tmp_path, "net", 1)
    unknown = GitState(commit=samples.COMMIT, reason="git status took too long")
    samples.ended(samples.attempt(run.id, 2, git=unknown)).write(run.attempt(2))
    assert f"{run.id}, start 2: its code is not known" in failing(of(run))[RECORD]


def test_packages_and_configuration_have_to_be_those_it_says(tmp_path: Path) -> None:
    run = judged.a_run(tmp_path, "net", 1)
    run.environment.write_text("numpy==9\n")
    run.config.write_text(run.config.read_text().replace("rotation: 10.0", "rotation: 11.0"))
    evidence = failing(of(run))[RECORD]
    assert "config.yaml: was changed" in evidence
    assert "environment.txt is missing, or not the one it says" in evidence


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda run: (run.checkpoints / BEST).unlink(), f"no {BEST}"),
        (lambda run: _cut(run.checkpoints / BEST), "is damaged: its hash is not the one it had"),
        (lambda run: (run.checkpoints / SUMS).unlink(), f"{SUMS} does not list {BEST}"),
        (lambda run: run.predictions("val").unlink(), "no predictions_val.parquet"),
        (
            lambda run: judged.predictions(skill=5).write(run.predictions("val")),
            "not of the same predictions",
        ),
        (lambda run: files.write_json(run.metrics, {"splits": {}}), "metrics.json has no figures of val"),
        (lambda run: run.calibration.unlink(), "calibration.json: no such file"),
        (lambda run: judged.calibration("f" * 64).write(run.calibration), "is of other weights than"),
        (lambda run: (run.figures / "curves.png").unlink(), "no figures curves.png"),
    ],
)
def test_what_is_missing_or_damaged_fails_its_gate(
    tmp_path: Path, damage: Callable[[RunDir], object], told: str
) -> None:
    run = judged.a_run(tmp_path, "net", 1)
    damage(run)
    found = failing(of(run))
    assert set(found) == {ARTIFACTS}
    assert told in found[ARTIFACTS]


@pytest.mark.parametrize(
    ("misses", "passes"),
    [
        (a_metric("undecided", 0.0), True),
        (a_metric("better", -0.1), True),
        (a_metric("undecided", 0.01), False),
        (a_metric("worse", 0.1), False),
        (a_metric("undecided", None), False),
    ],
)
def test_more_missed_cancers_fail_their_gate(tmp_path: Path, misses: MetricVerdict, passes: bool) -> None:
    its = of(judged.a_run(tmp_path, "net", 1))
    assert (MISSES not in failing(its, family(misses=misses))) is passes


def test_a_margin_allows_a_few_more_but_no_proof_of_harm(tmp_path: Path) -> None:
    its = of(judged.a_run(tmp_path, "net", 1))
    lenient = SETTINGS.model_copy(update={"miss_rate_margin": 0.2})
    for call, passes in (("undecided", True), ("worse", False)):
        (*_, gate) = gates(family(misses=a_metric(call, 0.1)), its, "val", lenient)  # type: ignore[arg-type]
        assert gate.passed is passes


def test_a_miss_rate_that_was_not_asked_for_is_no_pass(tmp_path: Path) -> None:
    its = of(judged.a_run(tmp_path, "net", 1))
    assert "nothing is known of it" in failing(its, {"macro_f1": a_metric()})[MISSES]


def looked_at(*fails: str) -> list[Gate]:
    return [Gate(name=name, passed=name not in fails, evidence="seen") for name in ALL]


NEEDED = Needed(images=400, seeds=5, said="400 images or 5 seeds a side would decide it")


@pytest.mark.parametrize(
    ("primary", "fails", "choice"),
    [
        (a_metric("better"), (), "promote"),
        (a_metric("better"), (LEAKAGE,), "iterate"),
        (a_metric("better", 0.015, low=0.01, high=0.019), (RECORD,), "abandon"),
        (a_metric("worse", -0.1), (IMPROVES,), "abandon"),
        (a_metric("undecided", 0.0, low=-0.03, high=0.019), (IMPROVES,), "abandon"),
        (a_metric("undecided", 0.0, low=-0.03, high=0.021), (IMPROVES,), "iterate"),
        (a_metric("undecided", None), (IMPROVES,), "iterate"),
    ],
)
def test_gates_and_the_primary_metric_decide(
    primary: MetricVerdict, fails: tuple[str, ...], choice: str
) -> None:
    found = decide(family(primary), looked_at(*fails), SETTINGS)
    assert found.choice == choice
    assert found.reason


def test_a_primary_metric_that_should_fall_improves_downwards() -> None:
    settings = SETTINGS.model_copy(update={"primary": "miss_rate"})
    for low, high, choice in ((-0.019, 0.1, "abandon"), (-0.021, 0.1, "iterate")):
        metrics = {"miss_rate": a_metric("undecided", 0.0, low=low, high=high)}
        assert decide(metrics, looked_at(IMPROVES), settings).choice == choice


def test_iterating_says_what_would_help() -> None:
    primary = a_metric("undecided", 0.1, needed=NEEDED)
    found = decide(family(primary), looked_at(IMPROVES, LEAKAGE, MISSES), SETTINGS)
    assert found.next[0] == NEEDED.said
    assert "data.split=clean" in found.next[1]
    assert "analyze-errors" in found.next[2]
    assert found.reason.startswith("not passed: improves over baseline, no leakage, miss rate not worse; ")
