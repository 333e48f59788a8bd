"""Real trainings, by Ray Tune, on two nodes of this machine."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ctexp.core.files import sha256_file
from ctexp.record.run_dir import RUN_ID, RunDir
from tests.project import INV, TINY, add_tiny_set, git, inv, make_project
from tests.sweeps.ray_tune.nodes import Nodes, two_nodes
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with two_nodes() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_project(tmp_path_factory.mktemp("ray") / "project")
    add_tiny_set(made)
    return made


def sweep(project: Path, name: str, backend: str, more: str = "", epochs: int = 3, rates: int = 2) -> str:
    """Make a sweep; its id."""
    chosen = [0.003, 0.01, 0.03, 0.001, 0.0001, 0.00003][:rates]
    words = [*(word for word in TINY if "epochs" not in word), f"trainer.max_epochs={epochs}"]
    (project / "conf/sweep").mkdir(exist_ok=True)
    (project / f"conf/sweep/{name}.yaml").write_text(
        f"""
name: {name}
method: grid
metric: {{name: val/macro_f1, goal: maximize}}
parameters:
  optimizer.lr: {{values: {chosen}}}
  optimizer.weight_decay: {{values: [0.0, 0.05]}}
{more}
ctexp:
  overrides: {json.dumps(words)}
  backend: {backend}
"""
    )
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", name)
    inv(project, "sweep", "--config", name, "--no-pilot")
    return next((project / "runs/sweeps").glob(f"{name}_*")).name


def agent(project: Path, nodes: Nodes, sweep: str) -> subprocess.Popen[str]:
    """Start one on the cluster."""
    return subprocess.Popen(
        [INV, "sweep-agent", "--sweep-id", sweep, "--json"],
        cwd=project,
        env=os.environ | {"RAY_ADDRESS": nodes.address, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def runs(project: Path, name: str) -> dict[int, list[RunDir]]:
    """The runs of each trial."""
    found: dict[int, list[RunDir]] = {}
    for path in sorted((project / "runs").glob(f"{name}-t*")):
        match = RUN_ID.fullmatch(path.name)
        if match is not None:
            found.setdefault(int(match["name"].rpartition("-t")[2]), []).append(RunDir(path))
    return found


def came(project: Path, name: str) -> dict[int, tuple[str, float | None, str]]:
    """How each trial's one run ended: its state, its metric, its predictions."""
    ends: dict[int, tuple[str, float | None, str]] = {}
    for number, ((run,)) in runs(project, name).items():
        result = run.read().result
        assert result is not None
        value = result.metrics["val/macro_f1"].value
        ends[number] = (result.state, value, sha256_file(run.path / "predictions_val.parquet"))
    return ends


def progress(project: Path, sweep: str) -> dict[str, Any]:
    """How far a sweep says it is."""
    document: dict[str, Any] = json.loads((project / "runs/sweeps" / sweep / "progress.json").read_text())
    return document


def trained(project: Path, name: str) -> int:
    """Epochs of all trials together."""
    histories = (run[0].path / "history.csv" for run in runs(project, name).values())
    return sum(len(path.read_text().splitlines()) - 1 for path in histories if path.is_file())


def test_a_grid_has_the_results_of_a_sequential_run(project: Path, nodes: Nodes) -> None:
    there = sweep(project, "there", "ray")
    done, said = agent(project, nodes, there).communicate()
    document = json.loads(done)
    assert (document["trials"], document["ended"]) == ({"finished": 4}, "the grid is done"), said
    here = sweep(project, "here", "optuna")
    inv(project, "sweep-agent", "--sweep-id", here)
    assert came(project, "there") == came(project, "here")
    assert len(came(project, "there")) == 4
    on_cluster, one_by_one = progress(project, there), progress(project, here)
    assert on_cluster["counts"] == one_by_one["counts"]
    assert on_cluster["counts"]["finished"] == 4
    assert on_cluster["best"]["overrides"] == one_by_one["best"]["overrides"]
    assert not list((project / "runs/sweeps" / there).glob("ray-*"))


def test_killed_stopped_and_without_a_node_it_loses_no_trial_and_runs_none_twice(
    project: Path, nodes: Nodes
) -> None:
    name = sweep(project, "broken", "ray", epochs=40, rates=1)
    first = agent(project, nodes, name)
    until(lambda: trained(project, "broken") >= 4, 400)
    first.kill()
    first.communicate()
    second = agent(project, nodes, name)
    epochs = trained(project, "broken")
    until(lambda: trained(project, "broken") >= epochs + 4, 400)
    second.send_signal(signal.SIGTERM)
    told, _ = second.communicate()
    assert second.returncode == 128 + signal.SIGTERM
    assert json.loads(told)["error"]["kind"] == "Stopped"
    for (run,) in runs(project, "broken").values():
        assert not run.lock().is_held()
        assert run.read().state in {"interrupted", "finished"}
    third = agent(project, nodes, name)
    epochs = trained(project, "broken")
    until(lambda: trained(project, "broken") >= epochs + 2, 400)
    nodes.fail()
    document, said = third.communicate()
    assert json.loads(document)["ended"] == "the grid is done", said
    assert progress(project, name)["counts"]["finished"] == 2
    assert {state for state, _, _ in came(project, "broken").values()} == {"finished"}


def test_what_falls_behind_is_ended_by_tune_and_stands_as_pruned(project: Path) -> None:
    early = "early_terminate: {type: hyperband, min_iter: 2, eta: 2}"
    name = sweep(project, "pruned", "ray", early, epochs=8, rates=6)
    done = inv(project, "sweep-agent", "--sweep-id", name, "--json")
    trials = json.loads(done.stdout)["trials"]
    assert trials["pruned"] >= 1
    assert trials["finished"] >= 1
    assert sum(trials.values()) == 12
    ends = {run.read().state for (run,) in runs(project, "pruned").values()}
    assert ends == {"finished", "pruned"}
    assert trained(project, "pruned") < 12 * 8
