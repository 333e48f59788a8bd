"""The whole diagnosis, from records of trainings: what comes first, what stands, what is said."""

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from ctexp.planning.diagnosis.diagnose import bottleneck, diagnose, suspected
from ctexp.planning.diagnosis.established import established
from ctexp.planning.diagnosis.findings import Confidence, Diagnosis, Finding, Kind, State
from ctexp.record.history import History
from ctexp.record.run_dir import RunDir
from tests import judged
from tests.planning.diagnosis.made import answers, curve, difference, evidence, facts, recipe
from tests.planning.study.projects import a_run, in_order, project, read

ROWS = {"train": dict(zip(facts().rows["train"], (150, 150, 150, 150), strict=True))}


def learned(
    root: Path, name: str, skill: float, seeds: int, *words: str, draw: int = 0, **how: float
) -> None:
    """Trainings of a recipe, with curves."""
    for seed, table in answers([25] * 4, skill, seeds, draw=draw).items():
        counts = {
            "train": ROWS["train"],
            "val": dict.fromkeys(ROWS["train"], 25),
            "test": dict.fromkeys(ROWS["train"], 25),
        }
        run = a_run(root, name, seed, *words, tables={"val": table}, dataset=judged.dataset(rows=counts))
        with_curve(run, **how)


def with_curve(run: RunDir, **how: float) -> None:
    run.history.unlink()
    history = History(run.history)
    for row in curve(**how):  # type: ignore[arg-type]
        history.append(row)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return project(tmp_path)


def test_nothing_trained_is_said_and_refuses_nothing(root: Path) -> None:
    found = diagnose(read(root))
    assert (found.incumbent, found.bottleneck, found.runs) == (None, None, 0)
    assert found.said == "Nothing is established yet: no training on these images was judged."
    assert [one.kind for one in found.findings] == list(get_args(Kind))
    assert all(one.state == "unknown" for one in found.findings)


def test_a_history_that_went_well_has_no_bottleneck(root: Path) -> None:
    with in_order():
        learned(root, "base", 3.2, 4, train_accuracy=0.95, val_accuracy=0.94)
        learned(root, "dropout", 3.2, 3, "model.dropout=0.2", train_accuracy=0.95, val_accuracy=0.94)
    found = diagnose(read(root))
    assert found.bottleneck is None, found.said
    assert found.said.startswith("No bottleneck was seen in 2 recipes around ")
    assert found.established == ()
    assert not found.guessing


def test_guesses_establish_nothing_and_claim_nothing(root: Path) -> None:
    with in_order():
        for draw, name in enumerate(("base", "sgd", "step")):
            words = {"base": (), "sgd": ("optimizer=sgd",), "step": ("scheduler=step",)}[name]
            learned(root, name, 1e-9, 1, *words, draw=draw, train_accuracy=0.99, val_accuracy=0.26)
    found = diagnose(read(root))
    assert found.guessing
    assert found.said.startswith("Nothing is established yet: the answers of")
    assert found.bottleneck == "noise_floor_unknown"
    about_answers = ("label_noise", "imbalance", "confused_pair", "calibration", "resolution", "overfitting")
    assert {found.of(kind).state for kind in about_answers} == {"unknown"}  # type: ignore[arg-type]
    assert found.established == ()


def test_an_overfitted_single_seed_is_told_behind_the_unknown_noise(root: Path) -> None:
    with in_order():
        learned(root, "base", 2.2, 1, train_accuracy=1.0, val_accuracy=0.7, val_rise=0.8)
    found = diagnose(read(root))
    assert found.bottleneck == "noise_floor_unknown"
    assert found.of("overfitting").state == "seen"
    assert found.of("overfitting").confidence == "moderate"
    assert "Seen besides: overfitting" in found.said
    assert found.of("overfitting").cites == read(root).incumbent.cites  # type: ignore[union-attr]


def test_where_everything_diverged_that_is_what_is_said(root: Path) -> None:
    with in_order():
        for seed in (1, 2):
            a_run(root, "hot", seed, state="diverged")
    found = diagnose(read(root))
    assert found.bottleneck == "instability"
    assert "2 of 2 (100 %, 34 to 100) trainings diverged" in found.said


def test_damaged_predictions_are_unknown_and_noted(root: Path) -> None:
    with in_order():
        learned(root, "base", 3, 1)
    [run] = (root / "runs").glob("base_*")
    (run / "predictions_val.parquet").write_bytes(b"no table")
    found = diagnose(read(root))
    assert found.of("confused_pair").state == "unknown"
    assert any("predictions_val.parquet" in note for note in found.notes)
    assert not found.guessing


def test_the_same_history_gives_the_same_document(root: Path) -> None:
    with in_order():
        learned(root, "base", 2.5, 2)
        learned(root, "sgd", 2, 1, "optimizer=sgd")
    first, second = (json.dumps(diagnose(read(root)).document(), allow_nan=False) for _ in range(2))
    assert first == second


def test_what_stands_stands_after_holm_and_never_by_single_trainings() -> None:
    seen = evidence(
        answers([20] * 4, 3, 3),
        others=[recipe(name, (1, 2)) for name in ("much", "some", "once", "none")],
        differences=[
            difference("much", -0.2, 0.03, p=0.001),
            difference("some", 0.05, 0.025, p=0.04),
            difference("none", 0.01, 0.02, p=0.6),
            difference("once", 0.3, 0.03, p=1e-6, source="assumed"),
        ],
    )
    [said] = established(seen)
    assert said == "much is worse than base: macro F1 -0.200 (-0.260 to -0.140), p = 0.003 after Holm over 4"
    assert established(replace(seen, differences=())) == ()


def test_a_difference_that_stands_is_told_from_records(root: Path) -> None:
    with in_order():
        learned(root, "base", 3, 3)
        learned(root, "weak", 1, 3, "optimizer=sgd")
    found = diagnose(read(root))
    [said] = found.established
    assert said.startswith("weak is worse than base: macro F1 -0.")


def test_nothing_is_established_on_images_that_training_holds(root: Path) -> None:
    with in_order():
        learned(root, "base", 1.0, 3)
        learned(root, "better", 4.0, 3, "model.dropout=0.2")
    seen = read(root)
    assert diagnose(seen).established
    leaky = diagnose(replace(seen, data=facts(leaks={"val": 30})))
    assert leaky.established == ()
    assert leaky.said.startswith("Nothing is established yet. The bottleneck is leakage")


def finding(kind: Kind, state: State, confidence: Confidence | None = None) -> Finding:
    return Finding(kind, state, "it is so", confidence)


def test_the_bottleneck_is_the_first_that_is_more_than_a_guess() -> None:
    """What makes figures untrue comes first, as long as it is more than a guess."""
    leak = finding("leakage", "not seen", "high")
    shaky = finding("instability", "seen", "low")
    fitted = finding("overfitting", "seen", "moderate")
    pair = finding("confused_pair", "seen", "high")
    assert bottleneck((leak, shaky, fitted, pair)) is fitted
    assert (bottleneck((leak, shaky)), suspected((leak, shaky))) == (None, shaky)
    assert suspected((shaky, fitted)) is None
    assert bottleneck((leak, finding("capacity", "unknown"))) is None


def test_a_guess_is_no_bottleneck(root: Path) -> None:
    with in_order():
        learned(root, "base", 2, 3, train_accuracy=0.8, val_accuracy=0.8)
    seen = replace(read(root), data=facts(median_size=(900, 900)))
    found = diagnose(seen)
    assert (found.bottleneck, found.suspected) == (None, "resolution")
    assert found.said.startswith("No bottleneck is sure; suspected: resolution (low confidence): the median")


def test_a_single_seed_is_never_sure_of_more_than_leaks(root: Path) -> None:
    with in_order():
        learned(root, "base", 2, 1, train_accuracy=1.0, val_accuracy=0.6, val_rise=1.0)
    found: Diagnosis = diagnose(read(root))
    assert found.seen
    assert {one.confidence for one in found.seen if one.kind != "leakage"} <= {"low", "moderate"}
    assert all(one.refuted_by and one.why_so_sure and one.cites for one in found.seen)


def test_five_folds_of_one_seed_are_one_seed(root: Path) -> None:
    with in_order():
        judged.a_cross_validation(root / "runs", folds=5, skill=2)
    for run in (root / "runs").glob("cv_*"):
        with_curve(RunDir(run), train_accuracy=1.0, val_accuracy=0.5)
    found = diagnose(read(root))
    gap = found.of("overfitting")
    assert (gap.state, gap.confidence) == ("seen", "moderate")
    assert gap.why_so_sure == "all five trainings say so, of one seed"
    assert "fold" in gap.said
    assert found.bottleneck == "noise_floor_unknown"
