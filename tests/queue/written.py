"""Queues as their programs write them, by hand: orders, a journal, runs that have come so far."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ctexp.core import clock
from ctexp.planning.plan.jobs import BaseRule, GateRule, Job
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Journal, uptime
from ctexp.queue.orders import Cost, Orders

HASH = "0123456789abcdef" * 4


def job(experiment: str, seed: int = 1, **changes: Any) -> Job:
    """A training of a plan called `night`."""
    fields: dict[str, Any] = {
        "id": f"{experiment}-s{seed}",
        "experiment": experiment,
        "seed": seed,
        "verb": "train",
        "common": ("data.name=tiny",),
        "own": (),
        "fixed": (f"run.name=night-{experiment}", f"seed={seed}"),
    }
    return Job(**fields | changes)


def gated(experiment: str, after: str, value: float = 0.5) -> Job:
    return job(experiment, gate=GateRule(after, "val/macro_f1", ">=", value))


def based(experiment: str, *best_of: str) -> Job:
    return job(experiment, base=BaseRule(best_of, None))


def queue(
    runs: Path,
    jobs: Sequence[Job],
    costs: Mapping[str, Cost] | None = None,
    **changes: Any,
) -> QueueDir:
    """A queue that has its orders, and nothing in its journal."""
    made = QueueDir.create(runs, "night")
    fields: dict[str, Any] = {
        "queue": made.id,
        "plan": "night",
        "plan_file": "research/plans/night.yaml",
        "plan_sha256": HASH,
        "script_sha256": HASH,
        "mode": "local",
        "root": str(runs.parent),
        "runs": str(runs),
        "device": "cpu",
        "gpu_uuid": None,
        "window": "8h",
        "baseline": None,
        "primary": "macro_f1",
        "retries": 1,
        "pause_seconds": 0.0,
        "cool_below": None,
        "foreign_bytes": 2**31,
        "cooldown_seconds": 60.0,
        "disk_reserve_bytes": 10**9,
        "analysis_seconds": 60.0,
        "silence_seconds": 900.0,
        "grace_seconds": 120.0,
        "analysis": (),
        "jobs": tuple(jobs),
        "costs": costs or {},
    }
    Orders(**fields | changes).write(made.orders)
    return made


class Writer:
    """Writes what the programs of a night write into a journal.

    Args:
        queue: whose journal.
    """

    def __init__(self, queue: QueueDir) -> None:
        self.queue = queue
        self.journal = Journal(queue.journal)

    def begin(self, **changes: Any) -> None:
        moment = clock.now()
        fields: dict[str, Any] = {
            "pid": 1,
            "argv": [],
            "mode": "local",
            "host": "here",
            "opens": clock.iso(moment),
            "closes": clock.iso(moment.replace(year=moment.year + 1)),
            "closes_uptime": uptime() + 3600,
            "only": None,
        }
        self.journal.append("begin", **fields | changes)

    def start(self, job: str, attempt: int = 1, **changes: Any) -> None:
        fields: dict[str, Any] = {
            "mode": "new",
            "fallback": None,
            "run": None,
            "deviations": [],
            "argv": [],
            "pid": 1,
        }
        self.journal.append("start", job=job, attempt=attempt, **fields | changes)

    def end(self, job: str, attempt: int = 1, state: str = "done", **changes: Any) -> None:
        fields: dict[str, Any] = {
            "cause": None,
            "exit_code": 0,
            "run": None,
            "seconds": 60.0,
            "reason": "",
            "metrics": {},
        }
        self.journal.append("end", job=job, attempt=attempt, state=state, **fields | changes)

    def done(self, job: str, run: str | None = None, value: float = 0.7) -> None:
        self.start(job)
        metrics = {"val/macro_f1": {"value": value, "low": value - 0.1, "high": value + 0.1}}
        self.end(job, run=run, metrics=metrics)

    def close(self, exit_code: int, reason: str = "") -> None:
        self.journal.append("close", exit_code=exit_code, reason=reason, left=[])


def running_run(runs: Path, job: str, queue: QueueDir, *, epochs: int = 3, of: int = 20) -> Path:
    """The directory of a run that has trained some epochs and goes on; a minute each."""
    path = runs / f"night-{job}_{clock.stamp(clock.now())}_abc234"
    path.mkdir(parents=True)
    (path / "config.yaml").write_text(f"seed: 1\ntrainer:\n  max_epochs: {of}\n  accelerator: cpu\n")
    (path / "manifest.json").write_text(json.dumps({"origin": {"queue": queue.id, "job": job}}))
    rows = "".join(f"{n},{n * 5},{1 / n},{0.1 * n},60\n" for n in range(1, epochs + 1))
    (path / "history.csv").write_text(f"epoch,step,train/loss,val/macro_f1,seconds\n{rows}")
    return path
