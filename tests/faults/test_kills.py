"""A training killed anywhere and resumed ends as one that never was."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ctexp.record.events import read as read_events
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from tests.faults.runs import essence
from tests.project import HERE, TINY, add_tiny_set, make_project

STEPS = 12
WORDS = [*TINY, "model.dropout=0.5", "run.name=kill"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("kills") / "project")
    add_tiny_set(folder)
    return folder


Trainer = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def trainer(project: Path) -> Iterator[Trainer]:
    """Does jobs in the project, and says how they ended; it has imported everything."""
    command = [sys.executable, "-m", "tests.faults.forks"]
    pipe = subprocess.PIPE
    of_it = os.environ | {"CTEXP_ROOT": str(project)}  # its configuration is composed once
    with subprocess.Popen(command, cwd=HERE, env=of_it, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def train(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
            given = [
                {"project": str(project), "words": [], "resume": None, "kill": None} | job for job in jobs
            ]
            print(json.dumps(given), file=process.stdin, flush=True)
            answers: list[dict[str, Any]] = json.loads(process.stdout.readline())  # type: ignore[union-attr]
            return answers

        yield train
        process.stdin.close()


def check(project: Path, trainer: Trainer, kills: list[dict[str, Any]], words: Sequence[str] = WORDS) -> None:
    before = set(run_paths(project / "runs"))
    answers = trainer([{"words": words, "kill": kill} for kill in (None, *kills)])
    runs = [RunDir(path) for path in run_paths(project / "runs") if path not in before]
    by_start = sorted(runs, key=lambda run: (run.path / "lock").stat().st_ctime_ns)
    whole, stopped = by_start[0], by_start[1:]
    assert answers[0]["status"] == 0, answers[0]["output"]
    expected = essence(whole)
    assert len(stopped) == len(kills)
    for run, kill, answer in zip(stopped, kills, answers[1:], strict=True):
        if "after" in kill and run.state() == "finished":
            continue  # it was faster than the clock
        signum = kill["signal"]
        observed = signum != signal.SIGKILL
        assert answer["status"] == (128 + signum if observed else -signum), answer["output"]
        assert run.state() == "interrupted"
        assert run.result.exists() == observed
    for answer in trainer([{"resume": run.id} for run in stopped]):
        assert answer["status"] == 0, answer["output"]
    for run, kill in zip(stopped, kills, strict=True):
        assert essence(run) == expected, kill
        assert run.attempt_numbers() in ([1, 2], [1] if "after" in kill else [1, 2])
        events = read_events(run.events)
        assert not events.problems
        assert [event["seq"] for event in events.events] == list(range(1, len(events.events) + 1))
        assert not list(run.path.rglob("*.tmp"))


def test_kills_of_each_kind(project: Path, trainer: Trainer) -> None:
    check(
        project,
        trainer,
        [
            {"signal": signal.SIGKILL, "rename": 4},  # an epoch is in the history, and no checkpoint yet
            {"signal": signal.SIGKILL, "rename": 9},
            {"signal": signal.SIGINT, "step": 5},
        ],
    )


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_kill_at_every_step(project: Path, trainer: Trainer, signum: signal.Signals) -> None:
    check(project, trainer, [{"signal": signum, "step": step} for step in range(STEPS)])


CHOICES = (
    ("trainer.accumulate_grad_batches=1", "trainer.accumulate_grad_batches=2"),
    ("averaging=none", "averaging=ema", "averaging=swa"),
    ("sampler=uniform", "sampler=class_balanced"),
    ("scheduler=cosine", "scheduler=one_cycle", "scheduler=step", "scheduler=plateau", "scheduler=constant"),
    ("optimizer=adamw", "optimizer=sgd", "optimizer=lion"),
    ("loss=cross_entropy", "loss=focal", "loss=pairwise_confusion", "loss=balanced_softmax"),
    ("augment=none", "augment=standard", "augment=strong"),
    ("finetune=full", "finetune=gradual"),
)
"""Of everything that has a memory or draws at random."""


@pytest.mark.slow
@pytest.mark.parametrize("number", range(10))
def test_kills_at_random_moments_of_random_trainings(project: Path, trainer: Trainer, number: int) -> None:
    """Five `kill -9` each, at a step, at a rename, or whenever the clock says."""
    draw = random.Random(20_240 + number)
    words = [*WORDS, *(draw.choice(options) for options in CHOICES)]
    kills: list[dict[str, Any]] = []
    for _ in range(5):
        when = {
            "step": draw.randrange(STEPS // 2),
            "rename": draw.randrange(1, 20),
            "after": draw.uniform(0.01, 1),
        }
        chosen = draw.choice(sorted(when))
        kills.append({"signal": signal.SIGKILL, chosen: when[chosen]})
    check(project, trainer, kills, words)
