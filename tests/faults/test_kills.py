"""A training killed anywhere and resumed ends as one that never was."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ctexp.evaluation.predictions import Predictions
from ctexp.record.events import read as read_events
from ctexp.record.find import run_paths
from ctexp.record.history import read as read_history
from ctexp.record.run_dir import RunDir
from ctexp.training.checkpoints import BEST, LAST, load
from tests.project import HERE, TINY, add_tiny_set, make_project

STEPS = 12
WORDS = [*TINY, "model.dropout=0.5", "run.name=kill"]
TIMED = {"seconds", "images_per_second", "cpu_percent", "rss_mb"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("kills") / "project")
    add_tiny_set(folder)
    return folder


def train(project: Path, kills: list[dict[str, int] | None], resume: list[str]) -> list[dict[str, Any]]:
    """Start a training for each kill, or resume each run."""
    jobs = [{"project": str(project), "words": WORDS, "resume": None, "kill": kill} for kill in kills] or [
        {"project": str(project), "words": [], "resume": run, "kill": None} for run in resume
    ]
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.forks"],
        input=json.dumps(jobs),
        cwd=HERE,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=280,
    )
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def essence(run: RunDir) -> dict[str, Any]:
    """All that must not depend on where a run was interrupted."""
    weights = {
        name: {key: tensor.numpy().tobytes() for key, tensor in load(path)["state_dict"].items()}
        for name, path in ((name, run.checkpoints / name) for name in (BEST, LAST))
    }
    predictions = Predictions.read(run.predictions("val"))
    result = run.read().result
    assert result is not None
    return {
        "weights": weights,
        "predictions": (predictions.image_id, predictions.logits.tobytes()),
        "history": [
            {key: value for key, value in row.items() if key not in TIMED}
            for row in read_history(run.history)
        ],
        "metrics": json.loads(run.metrics.read_text()),
        "result": (result.state, result.exit_code, result.epochs, result.metrics),
    }


def check(project: Path, kills: list[dict[str, int]]) -> None:
    before = set(run_paths(project / "runs"))
    answers = train(project, [None, *kills], [])
    runs = [RunDir(path) for path in run_paths(project / "runs") if path not in before]
    by_start = sorted(runs, key=lambda run: (run.path / "lock").stat().st_ctime_ns)
    whole, stopped = by_start[0], by_start[1:]
    assert answers[0]["status"] == 0, answers[0]["output"]
    expected = essence(whole)
    assert len(stopped) == len(kills)
    for run, kill, answer in zip(stopped, kills, answers[1:], strict=True):
        signum = kill["signal"]
        observed = signum != signal.SIGKILL
        assert answer["status"] == (128 + signum if observed else -signum), answer["output"]
        assert run.state() == "interrupted"
        assert run.result.exists() == observed
    for answer in train(project, [], [run.id for run in stopped]):
        assert answer["status"] == 0, answer["output"]
    for run, kill in zip(stopped, kills, strict=True):
        assert essence(run) == expected, kill
        assert run.attempt_numbers() == [1, 2]
        events = read_events(run.events)
        assert not events.problems
        assert [event["seq"] for event in events.events] == list(range(1, len(events.events) + 1))
        assert not list(run.path.rglob("*.tmp"))


def test_kills_of_each_kind(project: Path) -> None:
    check(
        project,
        [
            {"signal": signal.SIGKILL, "step": 0},
            {"signal": signal.SIGKILL, "step": 6},
            {"signal": signal.SIGTERM, "step": 3},
            {"signal": signal.SIGTERM, "step": 9},
            {"signal": signal.SIGINT, "step": 5},
            {"signal": signal.SIGKILL, "rename": 13},
            {"signal": signal.SIGKILL, "rename": 18},
        ],
    )


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_kill_at_every_step(project: Path, signum: signal.Signals) -> None:
    check(project, [{"signal": signum, "step": step} for step in range(STEPS)])
