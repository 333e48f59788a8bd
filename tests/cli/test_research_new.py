"""`research-new` as it is called: it begins an experiment, and never writes over what people wrote."""

import ast
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from invoke.exceptions import Exit

from ctexp.cli.verb import perform
from ctexp.core import files
from ctexp.core.errors import StorageError
from ctexp.research.handlers.load import load as load_handler
from ctexp.research.places import Places
from ctexp.research.plan.load import load
from tests.project import HERE
from tests.research.answers import plan

PLAN = """\
# ours
experiments:
  noise-floor:
    type: claim
    sub_experiments: [{id: e_spread, description: 'How "far" seeds \\ spread.'}, second]
    success_criteria: {sd: {target: 0.01, failure: 0.02}}

# below
gates: {}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "conf").mkdir()
    shutil.copy(HERE / "conf" / "config.yaml", tmp_path / "conf")
    monkeypatch.setenv("CTEXP_ROOT", str(tmp_path))
    return tmp_path


def new(experiment: str, name: str = "", kind: str = "question", *, json: bool = False) -> None:
    flags = {"experiment_id": experiment, "name": name, "kind": kind, "json": json}
    perform("research_new:research_new", flags, debug=False)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    with pytest.raises(Exit) as caught:
        new(*words)
    assert caught.value.code == 2
    return capsys.readouterr().err.splitlines()


def everything(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_it_begins_a_plan_where_there_is_none(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new("dose", "Does noise hide nodules", "claim")
    assert (
        capsys.readouterr().out
        == """\
written: research/experiments/dose.md
written: research/handlers/dose/dose.py
added to research/research_plan.yaml: dose
next: write the handler, then scripts/inv research-run --experiment-id dose
"""
    )
    (experiment,) = load(Places(project).plan, "plan.yaml").experiments.values()
    assert (experiment.name, experiment.kind) == ("Does noise hide nodules", "claim")
    assert [sub.id for sub in experiment.subs] == ["dose"]
    page = Places(project).page("dose").read_text()
    assert page.startswith("# Does noise hide nodules\n")
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        "## Why",
        "## How",
        "## Criteria",
        "## What would refute it",
    ]


def test_a_skeleton_can_be_loaded_tried_as_a_stub_and_answers_nothing(project: Path) -> None:
    plan(project, PLAN)
    new("noise-floor")
    for sub, function in (("e_spread", "e_spread"), ("second", "e_second")):
        handler = load_handler(Places(project), "noise-floor", sub)
        assert handler.name == function
        assert handler.stub == {"finding": "what it would say", "metrics": {"sd": 0.0}}
        with pytest.raises(NotImplementedError, match="skeleton"):
            handler.function(None)
    text = Places(project).handler("noise-floor", "e_spread").read_text()
    assert (ast.get_docstring(ast.parse(text)) or "").startswith("noise-floor: How 'far' seeds / spread.")


def test_of_an_experiment_in_the_plan_it_writes_what_is_missing_and_nothing_else(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(project, PLAN)
    mine = Places(project).handler("noise-floor", "second")
    mine.parent.mkdir(parents=True)
    mine.write_text("# mine\n")
    new("noise-floor", json=True)
    assert document(capsys) == {
        "schema_version": 1,
        "experiment": "noise-floor",
        "written": ["research/experiments/noise-floor.md", "research/handlers/noise_floor/e_spread.py"],
        "plan": "research/research_plan.yaml",
        "added": False,
        "paste": None,
    }
    assert mine.read_text() == "# mine\n"
    assert Places(project).plan.read_text() == PLAN
    before = everything(project)
    (line,) = refused(capsys, "noise-floor")
    assert line == (
        "UsageError: noise-floor is in the plan, and its page and all its handlers are there -> "
        "nothing is overwritten; run it: scripts/inv research-run --experiment-id noise-floor"
    )
    assert everything(project) == before


def test_the_plan_keeps_every_line_that_people_wrote(project: Path) -> None:
    plan(project, PLAN)
    new("dose")
    text = Places(project).plan.read_text()
    place = text.index("  dose:\n")
    assert PLAN.startswith(text[:place])
    assert PLAN.endswith(text[text.index("\n# below") :])
    assert list(load(Places(project).plan, "plan.yaml").experiments) == ["noise-floor", "dose"]


def test_where_the_plan_would_have_to_be_rewritten_it_gives_the_lines_to_paste(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(project, "experiments: {a: {}}\n")
    new("dose", json=True)
    found = document(capsys)
    assert (found["added"], found["paste"][:2]) == (False, ["dose:", "  name: dose"])
    assert Places(project).plan.read_text() == "experiments: {a: {}}\n"
    assert Places(project).page("dose").exists()
    plan(project, "\n".join(["experiments:", *(f"  {line}" for line in found["paste"])]))
    assert list(load(Places(project).plan, "plan.yaml").experiments) == ["dose"]


def test_what_cannot_be_an_experiment_is_refused_before_anything_is_written(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(project, PLAN)
    before = everything(project)
    assert refused(capsys, "../up", "", "claims") == [
        "UsageError: '../up' is no id: letters, digits, '_', '-' and '.', at most 64, "
        "beginning with a letter or digit",
        "UsageError: --kind claims is none it can be; did you mean 'claim'?",
    ]
    assert refused(capsys, "all") == ["UsageError: all stands for every experiment"]
    assert refused(capsys, "noise_floor") == [
        "UsageError: noise_floor: its handlers would lie in the folder of noise-floor"
    ]
    plan(project, "experiments: [dose]\n")
    before = everything(project)
    assert refused(capsys, "dose") == [
        "UsageError: research/research_plan.yaml:1: experiments.0: expected keys and values, got 'dose'"
    ]
    assert everything(project) == before


def test_nothing_is_left_where_the_plan_cannot_be_written(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = files.write_bytes

    def full(path: Path, content: bytes) -> None:
        if path == Places(project).plan:
            raise StorageError(f"{path.parent}: no space left while writing {path.name}")
        real(path, content)

    before = everything(project)
    monkeypatch.setattr(files, "write_bytes", full)
    with pytest.raises(Exit) as caught:
        new("dose")
    assert caught.value.code == 5
    assert everything(project) == before
