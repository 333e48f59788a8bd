"""`--json` on every verb: one document on stdout, nothing else, of a version that it says, units in names."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.main import program
from invoke.parser import parser

from ctexp.cli.frontdoor import FrontDoorMachine
from tests import judged
from tests.cli.verbs import contexts_of, tasks_of
from tests.project import TINY, add_tiny_set, make_project
from tests.queue.written import Writer, job, queue

ROOT = Path(__file__).resolve().parents[2]

CALLS = {
    "analyze-errors": "net --explain 0",
    "audit-tracking": "net",
    "compare-baselines": "--baseline net --candidate other",
    "data-split": "--dataset tiny --scheme kfold --folds 2",
    "cross-validate": "data.name=tiny model=tiny_cnn data.image_size=16 logger=none --dry-run --yes",
    "diagnose": "",
    "diff": "net other",
    "doctor": "",
    "findings-check": "",
    "monitor": "net",
    "plan-check": "night",
    "plan-render": "night",
    "prune": "--older-than 1h --keep 0",
    "queue-cancel": "plain-s1",
    "queue-status": "",
    "report": "--runs net --runs other",
    "research-new": "one_more",
    "research-status": "",
    "runs": "",
    "show": "net",
    "sweep": "--config grid --dry-run --yes",
    "train": f"{' '.join(TINY)} --cfg",
    "wandb-sync": "",
}
"""What is asked, in an order in which each finds what it needs."""

ELSEWHERE = {
    **dict.fromkeys(("sweep-best", "sweep-refine", "sweep-report", "sweep-status"), "test_sweep_reading.py"),
    "analyze-features": "test_analyze_features.py",
    "data-audit": "test_audit.py",
    "data-delta": "test_versions.py",
    "data-import": "test_data.py",
    "data-phantom": "test_data.py",
    "data-pull": "test_versions.py",
    "data-push": "test_versions.py",
    "estimate": "test_estimate.py",
    "evaluate": "test_evaluate.py",
    "export": "test_export.py",
    "export-runs": "../trackers/test_mlflow.py",
    "extract-features": "test_features.py",
    "plan": "test_plan.py",
    "predict": "test_predict.py",
    "queue-watch": "test_queue.py",
    "quickstart": "test_story.py",
    "reproduce": "test_reproduce.py",
    "research-run": "test_research_run.py",
    "sweep-agent": "test_sweep_agent.py",
    "warm": "test_warm.py",
}
"""What trains, measures or needs more than records, and the test that reads its document."""

UNITS = {
    **dict.fromkeys(("left", "beat_age", "expected", "silent"), "seconds"),
    **dict.fromkeys(("disk_free", "disk_reserve"), "bytes"),
}
"""Older names that say no unit, each beside one that does."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of every kind that were never trained: runs, a queue, plans, a sweep's file."""
    folder = make_project(tmp_path_factory.mktemp("json") / "project")
    add_tiny_set(folder)
    judged.a_run(folder / "runs", "net", root=folder)
    judged.a_run(folder / "runs", "other", skill=2.0, root=folder)
    Writer(queue(folder / "runs", [job("plain")])).begin()
    (folder / "research/plans").mkdir(parents=True)
    common = ", ".join([*TINY, "git.dirty=warn"])
    (folder / "research/plans/night.yaml").write_text(f"common: [{common}]\nexperiments:\n  plain: {{}}\n")
    (folder / "research/research_plan.yaml").write_text("experiments:\n  one: {type: question}\n")
    (folder / "conf/sweep/grid.yaml").write_text(
        "method: grid\nmetric: {name: val/macro_f1}\nparameters:\n  optimizer.lr: {values: [0.1, 0.2]}\n"
        f"ctexp: {{overrides: [{common}]}}\n"
    )
    return folder


@pytest.fixture(autouse=True)
def _here(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setattr(parser, "ParseMachine", FrontDoorMachine)
    for name in ("CTEXP_ROOT", "CTEXP_WARM"):
        monkeypatch.delenv(name, raising=False)


def document(verb: str, words: str, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], int]:
    """What a verb prints on stdout, all of it, and its exit code."""
    line = [verb, *words.split(), "--json"]
    (asked,) = parser.Parser(contexts_of(ROOT), initial=program.initial_context).parse_argv(line)[1:]
    code = 0
    try:
        tasks_of(ROOT)[verb](Context(), **asked.as_kwargs)
    except Exit as ended:
        code = ended.code
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found, code


def objects(value: object) -> Iterator[dict[str, Any]]:
    """Every object in a document."""
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(child)


def test_every_verb_is_asked_here_or_elsewhere() -> None:
    of_all = [str(one.name) for one in contexts_of(ROOT) if "json" in one.args]
    assert sorted([*CALLS, *ELSEWHERE]) == sorted(of_all)
    for file in set(ELSEWHERE.values()):
        text = (Path(__file__).parent / file).read_text()
        assert "json" in text


@pytest.mark.parametrize("verb", CALLS)
def test_it_is_one_document_that_says_its_version(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    found, code = document(verb, CALLS[verb], capsys)
    assert "error" not in found, found["error"]
    assert code in {0, 4} if verb == "doctor" else code == 0
    # A configuration is not a document of ours: its keys are those of conf/.
    assert found.get("schema_version") == (None if verb == "train" else 1)
    for one in objects(found):
        for name, unit in UNITS.items():
            if isinstance(one.get(name), int | float) and not isinstance(one.get(name), bool):
                assert one[f"{name}_{unit}"] == one[name]


@pytest.mark.parametrize(
    ("verb", "words", "code"),
    [
        ("show", "nosuch", 3),
        ("queue-status", "nosuch", 3),
        ("plan-check", "nosuch", 2),
        ("runs", "--state x", 2),
    ],
)
def test_a_refusal_is_one_document_too(
    verb: str, words: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    found, ended = document(verb, words, capsys)
    assert (found["schema_version"], found["error"]["exit_code"], ended) == (1, code, code)
    assert found["error"]["problems"]
