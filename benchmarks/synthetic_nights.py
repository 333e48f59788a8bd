"""What a night leaves: twelve judged runs with their predictions, and a queue that is half done."""

import json
from pathlib import Path
from typing import Any

from ctexp.core import clock
from ctexp.queue.journal import uptime
from ctexp.queue.orders import Cost
from tests import judged as records
from tests.queue import written

EXPERIMENTS = {"plain": 1.0, "wider": 1.1, "deeper": 1.3, "better": 1.6}
"""Names and their skill; three seeds each."""

IMAGES = 72
_MONTH = 30 * 86_400.0


def judged(project: Path) -> None:
    """Runs of today, whole, by the real writers."""
    for name, skill in EXPERIMENTS.items():
        for seed in (1, 2, 3):
            answers = records.predictions(IMAGES, skill=skill, seed=seed)
            records.a_run(
                project / "runs",
                name,
                seed,
                tables={"val": answers},
                overrides=(f"optimizer.lr={1e-4 * skill:g}",),
                root=project,
                created=clock.iso(clock.now()),
            )


def queue(runs: Path, count: int) -> None:
    """A queue whose first half is done; the runs of that half have what a look at a queue reads."""
    jobs = [written.job(f"x{n // 3}", seed=n % 3 + 1) for n in range(count)]
    costs = {job.id: Cost(600.0, 900.0, 2 * 10**9, 10**8, "measured") for job in jobs}
    made = written.queue(runs, jobs, costs)
    writer = written.Writer(made)
    writer.begin(closes_uptime=uptime() + _MONTH)
    specimen = max(path for path in runs.iterdir() if path.name.startswith("better_"))
    manifest, result = (
        json.loads((specimen / name).read_bytes()) for name in ("manifest.json", "result.json")
    )
    texts = {"config.yaml": (specimen / "config.yaml").read_text(), "history.csv": _history()}
    events: list[dict[str, Any]] = []
    for n, job in enumerate(jobs[: count // 2]):
        run = runs / f"night-{job.experiment}_20260601-{n:06d}_abcdef"
        run.mkdir()
        about = {"run_id": run.name, "name": f"night-{job.experiment}", "seed": job.seed}
        origin = {"origin": {"queue": made.id, "job": job.id}, "created": "2026-06-01T05:04:17.123Z"}
        (run / "lock").touch()
        (run / "manifest.json").write_text(json.dumps(manifest | about | origin))
        moment = {"run_id": run.name, "started": origin["created"]}
        (run / "result.json").write_text(json.dumps(result | moment))
        for name, text in texts.items():
            (run / name).write_text(text)
        events += _attempt(job.id, run.name)
    writer.journal.extend(events)


def _attempt(job: str, run: str) -> list[dict[str, Any]]:
    about = {"job": job, "attempt": 1}
    start = {
        "mode": "new",
        "fallback": None,
        "run": None,
        "deviations": [],
        "argv": ["inv", "train"],
        "pid": 1,
    }
    measured = {"val/macro_f1": {"value": 0.7, "low": 0.6, "high": 0.8}}
    end = {
        "state": "done",
        "cause": None,
        "exit_code": 0,
        "seconds": 600.0,
        "reason": "",
        "metrics": measured,
    }
    return [{"kind": "start", **about, **start}, {"kind": "end", **about, **end, "run": run}]


def _history() -> str:
    """Twenty epochs of as many columns as a training writes."""
    columns = ["epoch", "step", "train/loss", *(f"val/figure_{n}" for n in range(20)), "seconds"]
    rows = [[epoch, 10 * epoch, 1 / epoch, *[0.01 * epoch] * 20, 30] for epoch in range(1, 21)]
    table: list[list[Any]] = [columns, *rows]
    return "".join(",".join(str(cell) for cell in row) + "\n" for row in table)
