"""Whole nights by their scripts: a sweep, killed and gone on with, and its best; short jobs, warm."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from ctexp.core import yaml_file
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Event, Journal
from ctexp.record.run_dir import RunDir
from tests.faults.runs import essence
from tests.project import INV, TINY, add_tiny_set, git, inv, make_project
from tests.queue.morning.nights import newest
from tests.waiting import until

LR = """\
method: grid
metric: {name: val/accuracy, goal: maximize}
parameters:
  optimizer.lr: {values: [0.003, 0.001, 0.0003]}
  model.dropout: {values: [0.0, 0.3]}
ctexp: {overrides: [optimizer.weight_decay=0.02]}
"""
PLAN = f"""\
common: [{", ".join(TINY[:-2])}, git.dirty=warn, logger=csv]
baseline: plain
seeds: [7]
window: 40m
reserve: {{disk: 1MB, analysis: 1m}}
analysis: [report]
experiments:
  plain: {{overrides: [trainer.max_epochs=4]}}
  lr:
    kind: sweep
    sweep: lr
    budget: 20m
    overrides: [trainer.max_epochs=12]
    seeds: [1]
  best:
    base: {{best_of: [lr]}}
    success: {{metric: val/accuracy, op: ">", value: 0.2}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    folder = make_project(tmp_path / "project")
    add_tiny_set(folder)
    (folder / "conf" / "sweep").mkdir(exist_ok=True)
    (folder / "conf" / "sweep" / "lr.yaml").write_text(LR)
    (folder / ".venv" / "bin").mkdir(parents=True)
    for name, program in (("python", sys.executable), ("inv", str(INV))):
        file = folder / ".venv" / "bin" / name
        file.write_text(f'#!/bin/sh\nexec {program} "$@"\n')
        file.chmod(0o755)
    yield folder
    torch.use_deterministic_algorithms(False)


def rendered(project: Path, plan: str) -> Path:
    file = project / "research" / "plans" / "night.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(plan)
    inv(project, "plan-render", "night")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=night")
    return project / "scripts" / "night.sh"


def started(script: Path, *options: str) -> "subprocess.Popen[bytes]":
    nobody = {key: value for key, value in os.environ.items() if not key.startswith(("CTEXP_", "WANDB_"))}
    return subprocess.Popen(
        ["bash", str(script), *options],
        cwd=script.parents[1],
        env=nobody,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def progress(project: Path) -> dict[str, Any]:
    [file] = (project / "runs" / "sweeps").glob("*/progress.json")
    document: dict[str, Any] = json.loads(file.read_text())
    return document


def config(run: RunDir) -> dict[str, Any]:
    return yaml_file.read_mapping(run.config)


def ends(queue: QueueDir) -> dict[tuple[str, int], Event]:
    events = Journal(queue.journal).read()
    return {(one["job"], one["attempt"]): one for one in events if one["kind"] == "end"}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_sweep_that_was_killed_goes_on_and_its_best_is_trained_with_a_fresh_seed(project: Path) -> None:
    script = rendered(project, PLAN)
    assert "inv sweep --config=lr --budget=20m --work --no-pilot" in script.read_text()
    night = started(script)
    until(lambda: list((project / "runs" / "sweeps").glob("*/progress.json")), 240)
    until(lambda: progress(project)["counts"].get("finished", 0) >= 2, 240)
    os.kill(night.pid, signal.SIGKILL)
    night.wait()
    until(lambda: not newest(project).lock().is_held(), 120)

    assert started(script).wait(900) == 0
    queue = newest(project)
    came = ends(queue)
    assert [came["lr-s1", n]["state"] for n in (1, 2)] == ["interrupted", "done"]
    [sweep] = (project / "runs" / "sweeps").iterdir()
    assert {came["lr-s1", n]["run"] for n in (1, 2)} == {sweep.name}

    told = progress(project)
    assert (told["counts"]["finished"], bool(told["ended"])) == (6, True)
    trials = [RunDir(path) for path in (project / "runs").glob("night-lr-t*_*_*")]
    finished = [config(run) for run in trials if run.state() == "finished"]
    cells = {(one["optimizer"]["lr"], one["model"]["dropout"]) for one in finished}
    assert (len(finished), len(cells)) == (6, 6)  # none lost, none twice
    assert all(its.origin.parent == sweep.name for run in trials if (its := run.read().manifest))

    best = config(RunDir(project / "runs" / came["best-s7", 1]["run"]))
    chosen = [f"optimizer.lr={best['optimizer']['lr']}", f"model.dropout={best['model']['dropout']}"]
    assert chosen == told["best"]["overrides"]
    others = (best["optimizer"]["weight_decay"], best["trainer"]["max_epochs"], best["seed"])
    assert others == (0.02, 12, 7)

    page = queue.night_md.read_text()
    assert "6 trials: 6 finished" in page
    assert "the best of 6, chosen by the images that judge it" in page
    assert (sweep / "sweep.html").is_file()
    assert "6 trials" in inv(project, "queue-status", "night").stdout

    told_after = inv(project, "plan", "after", "--from", sweep.name, "--window", "2h").stdout
    assert "not established" in told_after
    inv(project, "plan-check", "after")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_short_jobs_by_a_warm_trainer_leave_the_same_records(project: Path) -> None:
    common = f"common: [{', '.join(TINY[:-1])}, git.dirty=warn, logger=csv]\n"
    rest = "analysis: []\nreserve: {disk: 1MB}\nexperiments: {plain: {seeds: [1, 2, 3, 4]}}\n"
    script = rendered(project, common + rest)
    assert started(script).wait(600) == 0  # nobody knows yet what such a job takes: fresh processes
    fresh = newest(project)
    assert started(script, "--fresh").wait(600) == 0
    warm = newest(project)
    assert warm.id != fresh.id
    assert "in a fresh process" not in warm.log.read_text()
    seconds = [sum(end["seconds"] for end in ends(queue).values()) for queue in (fresh, warm)]
    assert seconds[1] < 0.7 * seconds[0]
    for job, number in ends(fresh):
        one, other = (RunDir(project / "runs" / ends(queue)[job, number]["run"]) for queue in (fresh, warm))
        assert essence(one) == essence(other)
        documents = [run.read().manifest for run in (one, other)]
        assert documents[0]
        assert documents[1]
        assert documents[0].config_sha256 == documents[1].config_sha256
    until(lambda: not orphans(), 30)


def orphans() -> list[int]:
    """Warm trainers of nights that are over."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes()
                if (
                    b"ctexp.warm.server" in words
                    and not (Path("/proc") / words.split(b"\0")[-2].decode()).exists()
                ):
                    found.append(int(entry.name))
    return found
