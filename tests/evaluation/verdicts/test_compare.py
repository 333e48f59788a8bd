"""The whole comparison, from run directories to a document."""

import json
from pathlib import Path

import numpy as np
import pytest

from ctexp.config import verdict
from ctexp.core.errors import DataError
from ctexp.evaluation import answers
from ctexp.evaluation.answers import Answers
from ctexp.evaluation.verdicts import journal
from ctexp.evaluation.verdicts.compare import compare
from ctexp.evaluation.verdicts.documents import Comparison
from ctexp.record.decisions import Decision
from ctexp.record.subjects import subject
from tests import judged
from tests.project import HERE

SETTINGS = verdict.load(HERE)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seeds each of what is poor, good, and as good again, and a cross-validation."""
    runs = tmp_path_factory.mktemp("runs")
    for name, skill, first in (("poor", 1.0, 1), ("good", 3.0, 11), ("again", 3.0, 21)):
        for seed in range(first, first + 5):
            lr = () if name == "poor" else ("optimizer.lr=0.5",)
            judged.a_run(runs, name, seed, tables={"val": judged.predictions(200, skill, seed)}, overrides=lr)
    judged.a_cross_validation(runs, "cv", skill=3)
    return runs


def read(runs: Path, *names: str) -> list[Answers]:
    return [answers.read(subject(runs, name), "val") for name in names]


@pytest.fixture(scope="module")
def found(runs: Path) -> Comparison:
    first, *others = read(runs, "poor", "good")
    return compare(first, others, SETTINGS)


def test_what_is_better_is_promoted(found: Comparison) -> None:
    (good,) = found.candidates
    assert (found.split, found.images, found.groups) == ("val", 200, 200)
    assert tuple(good.metrics) == found.family == tuple(SETTINGS.metrics)
    assert good.metrics["macro_f1"].verdict == "better"
    assert good.decision == "promote"
    assert all(gate.passed for gate in good.gates)
    assert good.seeds == (11, 12, 13, 14, 15)
    assert set(good.differing) == {"optimizer.lr"}


def test_seeds_and_images_stand_apart(found: Comparison) -> None:
    accuracy = found.of("good").metrics["accuracy"]
    assert accuracy.baseline is not None
    assert abs(accuracy.baseline - np.mean([v for v in accuracy.of_baseline.values.values() if v])) < 1e-12
    assert len(accuracy.of_candidate.values) == 5
    assert accuracy.of_candidate.sd
    assert accuracy.seed_source == "measured"
    assert accuracy.image_se
    assert accuracy.seed_se is not None


def test_the_images_that_changed_are_those_that_mcnemar_counts(found: Comparison) -> None:
    good = found.of("good")
    assert len(good.newly_right) == good.mcnemar.only_candidate_right
    assert len(good.newly_wrong) == good.mcnemar.only_baseline_right


def test_the_document_is_plain_json_and_reads_back(found: Comparison) -> None:
    text = json.dumps(found.document(), allow_nan=False)
    assert Comparison.model_validate_json(text) == found


def test_worse_is_abandoned_and_the_same_again_is_not_decided(runs: Path) -> None:
    first, *others = read(runs, "good", "poor", "again")
    found = compare(first, others, SETTINGS)
    assert found.of("poor").decision == "abandon"
    assert found.of("poor").metrics["macro_f1"].verdict == "worse"
    again = found.of("again")
    assert again.metrics["macro_f1"].verdict == "undecided"
    assert again.decision != "promote"
    assert again.warnings == (
        "is set up as good is, apart from the seed: any difference comes from chance, the code or the data",
    )


def test_more_candidates_have_to_show_more(runs: Path) -> None:
    first, good, again = read(runs, "poor", "good", "again")
    alone, among = (compare(first, others, SETTINGS) for others in ([good], [good, again]))
    for name in alone.family:
        assert among.of("good").metrics[name].p == alone.of("good").metrics[name].p
        assert among.of("good").metrics[name].p_holm >= alone.of("good").metrics[name].p_holm


def test_a_cross_validation_is_compared_on_the_common_images(runs: Path) -> None:
    first, folds = read(runs, "poor", "cv")
    with pytest.raises(DataError, match="200 images of val, 80 of them judged by all"):
        compare(first, [folds], SETTINGS)
    found = compare(first, [folds], SETTINGS, intersect=True)
    assert (found.split, found.images, found.left_out) == ("oof", 80, {"poor": 120})
    assert found.candidates[0].kind == "cross-validation"


def test_the_best_chosen_by_these_images_flatters_itself(runs: Path) -> None:
    first, best = read(runs, "poor", "best")
    (found,) = compare(first, [best], SETTINGS).candidates
    assert "best was chosen by these very images: its figures flatter it" in found.warnings


def test_a_class_that_nobody_has_is_undecided_and_said(tmp_path: Path) -> None:
    names = []
    for name, skill in (("a", 1.0), ("b", 3.0)):
        table = judged.predictions(80, skill, seed=int(skill))
        table = table.at(np.flatnonzero(table.label == 3))
        judged.a_run(tmp_path, name, 1, tables={"val": table})
        names.append(name)
    first, other = read(tmp_path, *names)
    (found,) = compare(first, [other], SETTINGS).candidates
    assert found.metrics["miss_rate"].difference is None
    assert found.metrics["miss_rate"].verdict == "undecided"
    assert found.metrics["miss_rate"].reason
    assert found.delong == {}
    assert found.decision != "promote"


def test_one_image_is_compared_and_decides_nothing(tmp_path: Path) -> None:
    for name, skill in (("a", -9.0), ("b", 9.0)):
        judged.a_run(tmp_path, name, 1, tables={"val": judged.predictions(1, skill)})
    first, other = read(tmp_path, "a", "b")
    found = compare(first, [other], SETTINGS)
    assert found.images == 1
    assert {metric.verdict for metric in found.candidates[0].metrics.values()} == {"undecided"}
    json.dumps(found.document(), allow_nan=False)


def test_a_decision_is_a_line_of_the_figures_it_rests_on(found: Comparison) -> None:
    (line,) = journal.decisions(found, command="inv", reason="", source=judged.CLEAN)
    good = found.of("good")
    assert Decision.model_validate_json(line.model_dump_json()) == line
    assert (line.decision, line.reason, line.gates) == ("promote", good.reason, good.gates)
    assert line.primary.difference == good.metrics["macro_f1"].difference
    assert line.commit == judged.CLEAN.commit
    (line,) = journal.decisions(found, command="inv", reason="I say so", source=judged.CLEAN)
    assert line.reason == "I say so"
