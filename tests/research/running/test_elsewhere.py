"""Handlers on the nodes of a real Ray cluster, with the project's folder in common and without."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

from ctexp.cli import research_run as command
from ctexp.executors.opening import open_executor
from ctexp.record.run_dir import RunDir
from ctexp.research.places import Places
from ctexp.research.record import Answer
from ctexp.research.runner.order import Order
from tests.project import HERE, TINY, add_tiny_set, git, inv, make_project
from tests.research.answers import handler, plan
from tests.research.runner.desks import order
from tests.sweeps.ray_tune.nodes import two_nodes

PLAN = """
experiments:
  noise:
    type: question
    sub_experiments: [spread, again]
"""

TRAINED = f"""
def e_trained(runner):
    runs = runner.train({list(TINY)!r}, name="plain", seeds=(1, 2))
    runner.results.save_json_artifact("seeds.json", [1, 2])
    mean = runner.mean(runner.figures(runs, "val/macro_f1"))
    return {{"finding": f"a mean of {{mean}}", "metrics": {{"mean": mean}}}}
"""


def test_an_order_is_carried_out_in_whichever_copy_of_the_project_it_is(tmp_path: Path) -> None:
    its = order(tmp_path / "here")
    there = tmp_path / "there"
    moved = its.at(there)
    assert Path(moved.root) == there
    assert Path(moved.runs) == there / "runs"
    assert Path(moved.data) == there / "data"
    assert Path(moved.folder).relative_to(there) == Path(its.folder).relative_to(its.root)
    assert its.at(Path(its.root)) is its
    elsewhere = Order.model_validate(
        its.model_dump() | {"runs": "/disk/runs", "folder": "/disk/runs/research/noise_1"}
    )
    assert elsewhere.at(there).folder == str(there / "runs" / "research" / "noise_1")


def trained_twice(folder: Path) -> Path:
    """A project with two handlers that want the same trainings."""
    project = make_project(folder)
    add_tiny_set(project)
    plan(project, PLAN)
    for sub in ("spread", "again"):
        handler(project, "noise", sub, TRAINED)
    shutil.copy(HERE / "requirements.lock", project)
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=handlers")
    return project


def check_answers(project: Path) -> None:
    """What the first has trained, the second found, and every figure can be worked out again here."""
    spread, again = (Answer.read(Places(project).record("noise", sub)) for sub in ("spread", "again"))
    assert spread.metrics["mean"].value == again.metrics["mean"].value
    assert [one.name for one in spread.artifacts] == ["seeds.json"]
    assert spread.runs == again.runs
    assert len(list((project / "runs").glob("noise-plain_*"))) == 2
    for run in spread.runs:
        assert RunDir(project / "runs" / run).state() == "finished"
    inv(project, "findings-check")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_handlers_are_carried_out_where_nothing_of_the_project_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On this machine in Modal's stead, with real figures."""
    project = trained_twice(tmp_path / "project")
    monkeypatch.setenv("CTEXP_ROOT", str(project))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(
        command, "open_executor", lambda root, name, **_: open_executor(root, name, stub=True)
    )
    words: dict[str, Any] = {"experiment_id": "noise", "only": None, "override": [], "executor": "modal"}
    flags: dict[str, Any] = {
        "rerun_failed": False,
        "force": False,
        "stub_mode": False,
        "yes": True,
        "json": False,
    }
    assert command.research_run(**words, **flags) == 0
    check_answers(project)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("storage", ["shared", "copy"])
def test_handlers_are_carried_out_on_a_cluster_and_their_records_and_runs_are_here(
    tmp_path: Path, storage: str
) -> None:
    project = trained_twice(tmp_path / "project")
    settings = project / "conf" / "executor" / "ray.yaml"
    with two_nodes() as nodes:
        text = settings.read_text().replace("address: auto", f"address: {nodes.address}")
        settings.write_text(text.replace("storage: shared", f"storage: {storage}"))
        done = inv(project, "research-run", "--experiment-id", "noise", "--executor", "ray")
    assert done.stdout.splitlines()[-1] == "Completed: 2 Failed: 0"
    check_answers(project)
