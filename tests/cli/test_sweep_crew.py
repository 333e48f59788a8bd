"""`sweep-agent --executor`, real agents and trainings: on this machine, and on two nodes of a Ray cluster."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ctexp.core.files import sha256_file
from ctexp.record.run_dir import RunDir
from tests.project import INV, TINY, add_tiny_set, git, inv, make_project
from tests.sweeps.ray_tune.nodes import two_nodes
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_project(tmp_path_factory.mktemp("crew") / "project")
    add_tiny_set(made)
    return made


def file(project: Path, name: str, epochs: int = 3, cells: int = 4) -> None:
    """Write the file of a grid of so many cells, and commit it."""
    words = [*(word for word in TINY if "epochs" not in word), f"trainer.max_epochs={epochs}"]
    (project / f"conf/sweep/{name}.yaml").write_text(
        f"""
name: {name}
method: grid
metric: {{name: val/macro_f1, goal: maximize}}
parameters:
  optimizer.lr: {{values: {[0.003, 0.01][: cells // 2]}}}
  optimizer.weight_decay: {{values: [0.0, 0.05]}}
ctexp: {{overrides: {json.dumps(words)}}}
"""
    )
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", name)


def sweep(project: Path, name: str, epochs: int = 3, cells: int = 4) -> str:
    """Make a sweep; its id."""
    file(project, name, epochs, cells)
    inv(project, "sweep", "--config", name, "--no-pilot")
    return next((project / "runs/sweeps").glob(f"{name}_*")).name


def begin(project: Path, *words: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [INV, "sweep-agent", *words],
        cwd=project,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def status(project: Path, sweep: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(inv(project, "sweep-status", sweep, "--json").stdout)
    return document


def came(project: Path, name: str) -> dict[str, tuple[str, str]]:
    """How each trial's one run ended: its state and its predictions."""
    ends: dict[str, tuple[str, str]] = {}
    for path in (project / "runs").glob(f"{name}-t*"):
        trial = path.name.partition("_")[0].removeprefix(name)
        assert trial not in ends, "each trial has one run, however often it was gone on with"
        result = RunDir(path).read().result
        assert result is not None
        ends[trial] = (result.state, sha256_file(path / "predictions_val.parquet"))
    return ends


def test_a_sweep_with_its_own_agents_comes_to_what_one_agent_comes_to(project: Path) -> None:
    file(project, "two")
    done = inv(project, "sweep", "--config", "two", "--work", "--agents", "2", "--executor", "local")
    assert "2 agents in " in done.stdout
    place = next((project / "runs/sweeps").glob("two_*"))
    names = {line.partition(":")[0] for line in done.stderr.splitlines() if line.startswith("local-")}
    assert len(names) == 3, "the pilot's agent, and two"
    assert {path.stem for path in place.glob("logs/local-*.log")} == names
    assert status(project, place.name)["counts"] == {"finished": 4}

    inv(project, "sweep-agent", "--sweep-id", sweep(project, "one"), "--fresh")
    assert came(project, "two") == came(project, "one")
    assert {state for state, _ in came(project, "two").values()} == {"finished"}


def test_a_stop_reaches_every_agent_and_the_sweep_goes_on_where_it_was(project: Path) -> None:
    its = sweep(project, "stopped", epochs=60, cells=2)
    process = begin(project, "--sweep-id", its, "--executor", "local", "--agents", "2", "--fresh")
    agents = until(lambda: [one for one in status(project, its)["agents"] if one["silent"] is not None][1:])
    shown = inv(project, "sweep-status", its).stdout
    assert agents[0]["name"].startswith("local-")
    assert f"{agents[0]['name']}  {os.uname().nodename}" in " ".join(shown.split(" ")), shown
    until(lambda: len(list((project / "runs").glob("stopped-t*/history.csv"))) == 2, 400)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate()
    assert process.returncode == 143, said
    assert (
        f"go on with it: scripts/inv sweep-agent --sweep-id {its} --executor=local --agents=2 --fresh" in said
    )
    assert said.count("given back, stopped by SIGTERM") == 2
    counts = status(project, its)["counts"]
    assert counts.get("running", 0) == counts.get("failed", 0) == 0
    inv(project, "sweep-agent", "--sweep-id", its, "--agents", "2")
    assert {state for state, _ in came(project, "stopped").values()} == {"finished"}


def test_agents_of_a_cluster_outlive_a_node(project: Path) -> None:
    its = sweep(project, "ray", epochs=40, cells=2)
    with two_nodes() as nodes:
        words = ("--sweep-id", its, "--executor", "ray", "--agents", "2", "--json")
        process = begin(project, *words, RAY_ADDRESS=nodes.address)
        until(lambda: len(list((project / "runs").glob("ray-t*/history.csv"))) >= 2, 400)
        nodes.die()
        done, said = process.communicate()
    document = json.loads(done)
    assert [agent["exit_code"] for agent in document["agents"]] == [0, 0], said
    assert document["progress"]["counts"]["finished"] == 2
    assert {state for state, _ in came(project, "ray").values()} == {"finished"}
    inv(project, "sweep-agent", "--sweep-id", sweep(project, "here", epochs=40, cells=2), "--agents", "2")
    assert came(project, "ray") == came(project, "here")
