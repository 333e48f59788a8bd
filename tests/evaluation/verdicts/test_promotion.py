"""What a promotion refuses before it touches a file; `tests/cli/test_promotion.py` has real ones."""

from dataclasses import replace
from pathlib import Path

import pytest

from ctexp.config import verdict
from ctexp.core.errors import Busy
from ctexp.core.paths import baselines_file
from ctexp.evaluation import answers
from ctexp.evaluation.verdicts import promotion
from ctexp.evaluation.verdicts.compare import compare
from ctexp.record import baselines
from ctexp.record.baselines import Baseline, Baselines
from ctexp.record.subjects import subject
from tests import judged
from tests.project import HERE
from tests.record import samples


def test_a_baseline_that_another_promotion_has_replaced_is_none_to_beat(tmp_path: Path) -> None:
    for name, skill, first in (("poor", 0.0, 1), ("good", 4.0, 11), ("faster", 4.0, 21)):
        for seed in range(first, first + 3):
            judged.a_run(tmp_path / "runs", name, seed, tables={"val": judged.predictions(200, skill, seed)})
    asked = [subject(tmp_path / "runs", name) for name in ("poor", "good", "faster")]
    poor, good = (answers.read(one, "val") for one in asked[:2])
    against = replace(poor, subject=replace(poor.subject, said="baseline"))
    comparison = compare(against, [good], verdict.load(HERE))
    assert comparison.candidates[0].decision == "promote"
    current = Baseline(
        title="faster",
        kind="name",
        runs=tuple(run.id for run in asked[2].runs),
        folder="research/baselines/faster",
        promoted=samples.BEGIN,
        command="scripts/inv compare-baselines",
        over="poor",
        split="val",
        metric="macro_f1",
        value=0.9,
        difference=0.1,
    )
    baselines_file(tmp_path).parent.mkdir()
    baselines.write(tmp_path, Baselines(current=current))

    with pytest.raises(Busy, match="faster has become the baseline while poor was compared with"):
        promotion.promote(tmp_path, asked[1], comparison, command="inv", reason="better")

    assert baselines.current(tmp_path) == current
    assert not (tmp_path / "research" / "baselines").exists()
