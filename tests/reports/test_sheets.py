import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ctexp.record.subjects import subject
from ctexp.reports import pictures, sheets
from tests.project import add_tiny_set, make_project
from tests.reports.conftest import add_run


@pytest.mark.parametrize(
    ("damage", "where"),
    [
        ({"metrics": [1]}, "metrics"),
        ({"support": None}, "support"),
        (
            {
                "metrics": {
                    "val/accuracy": {"value": "high", "low": None, "high": None, "n": 1, "method": "none"}
                }
            },
            "value",
        ),
    ],
    ids=["a list", "nothing", "a word"],
)
def test_metrics_of_another_shape_are_told_and_computed_anew(
    damage: dict[str, Any], where: str, tmp_path: Path
) -> None:
    project = make_project(tmp_path / "project")
    add_tiny_set(project)
    run = add_run(project, "lone", 1, 2.0)
    asked = subject(project / "runs", run.id)
    before = sheets.read(asked)
    document = json.loads(run.metrics.read_text())
    document["splits"]["val"] |= damage
    run.metrics.write_text(json.dumps(document))

    sheet = sheets.read(asked)

    assert before.chosen
    assert sheet.chosen
    assert sheet.chosen.entry("accuracy") == before.chosen.entry("accuracy")
    assert [str(run.metrics) in line and where in line for line in sheet.problems] == [True]


def test_a_history_that_nothing_can_have_written_is_drawn_all_the_same(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    add_tiny_set(project)
    run = add_run(project, "lone", 1, 2.0)
    sheet = sheets.read(subject(project / "runs", run.id))
    (member,) = sheet.members
    for losses in ((-5.0, -1e300), (5e-324, 0.0), (1.7e308, 1e308)):
        epochs = [row | {"train/loss": losses[0], "val/loss": losses[1]} for row in member.epochs]
        drawn = pictures.learning(replace(sheet, members=(replace(member, epochs=tuple(epochs)),)))
        assert "nan" not in drawn[0].svg()


def test_a_summary_without_the_classes_is_computed_anew(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    add_tiny_set(project)
    run = add_run(project, "lone", 1, 2.0)
    document = json.loads(run.metrics.read_text())
    before = document["splits"]["val"]["support"]
    document["splits"]["val"]["support"] = {}
    run.metrics.write_text(json.dumps(document))
    view = sheets.read(subject(project / "runs", run.id)).chosen
    assert view is not None
    assert view.summary["support"] == before
