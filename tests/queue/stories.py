"""A night told event by event, without files: what came of each attempt, and what is chosen next."""

from collections.abc import Iterable, Mapping
from typing import Any

from ctexp.planning.plan.jobs import Job
from ctexp.queue.deciding.choose import choose, survey
from ctexp.queue.deciding.verdicts import Choice, Now, Verdict
from ctexp.queue.orders import Cost, Orders
from ctexp.queue.state import Night, finished, fold

PLENTY = 10**12


def orders(jobs: Iterable[Job], costs: Mapping[str, Cost] | None = None, **changes: Any) -> Orders:
    """Of a night of an hour, with one retry."""
    fields: dict[str, Any] = {
        **dict.fromkeys(("plan_file", "plan_sha256", "script_sha256", "root", "window"), "x"),
        **dict.fromkeys(("gpu_uuid", "baseline", "cool_below")),
        **dict.fromkeys(("cooldown_seconds", "silence_seconds"), 1.0),
        **dict.fromkeys(("pause_seconds", "grace_seconds"), 0.0),
        "queue": "night_20260101-000000",
        "plan": "night",
        "mode": "local",
        "runs": "/runs",
        "device": "cpu",
        "primary": "macro_f1",
        "retries": 1,
        "foreign_bytes": 0,
        "disk_reserve_bytes": 5 * 10**9,
        "analysis_seconds": 600.0,
        "analysis": (),
        "jobs": tuple(jobs),
        "costs": costs or {},
    }
    return Orders(**fields | changes)


class Story:
    """What has happened, in order."""

    def __init__(self, *jobs: Job, costs: Mapping[str, Cost] | None = None, **changes: Any) -> None:
        self.orders = orders(jobs, costs, **changes)
        self.events: list[dict[str, Any]] = []
        self.begin()

    def tell(self, kind: str, **fields: Any) -> None:
        self.events.append({"seq": len(self.events) + 1, "kind": kind, **fields})

    def begin(self, **changes: Any) -> None:
        self.tell("begin", **{"only": None, "closes_uptime": None} | changes)

    def start(self, job: str, fallback: str | None = None, run: str | None = None) -> int:
        number = len(self.night.jobs[job].attempts) + 1
        mode = "resume" if run else "new"
        self.tell("start", job=job, attempt=number, mode=mode, fallback=fallback, run=run, deviations=[])
        return number

    def tried(
        self,
        job: str,
        state: str = "done",
        cause: str | None = None,
        fallback: str | None = None,
        run: str | None = None,
        seconds: float = 60.0,
        **moment: float,
    ) -> None:
        """An attempt, and how it ended."""
        number = self.start(job, fallback)
        run = run or f"{job}.{number}"
        ended = {"state": state, "cause": cause, "run": run, "seconds": seconds, "reason": ""}
        self.tell("end", job=job, attempt=number, **ended, **moment)

    def skip(self, job: str, why: str) -> None:
        self.tell("skip", job=job, why=why, reason="")

    def gate(self, experiment: str, passed: bool, observed: float | None = 0.5) -> None:
        about = {"after": "a", "metric": "val/macro_f1", "op": ">=", "value": 0.7, "runs": self.runs("a")}
        self.tell("decision", what="gate", experiment=experiment, observed=observed, passed=passed, **about)

    def base(self, experiment: str, winner: str | None) -> None:
        about = {"winner": winner, "words": [], "runs": self.runs("a", "b")}
        self.tell("decision", what="base", experiment=experiment, **about)

    def runs(self, *experiments: str) -> list[str]:
        return finished(job for name in experiments for job in self.night.of(self.orders, name))

    @property
    def night(self) -> Night:
        return fold(self.orders, self.events)

    def verdicts(self, uptime: float = 0.0, free: int = PLENTY) -> dict[str, Verdict]:
        now = Now(uptime, free)
        return {job.id: verdict for job, verdict in survey(self.orders, self.night, now)}

    def choice(self, uptime: float = 0.0, free: int = PLENTY) -> Choice:
        return choose(self.orders, self.night, Now(uptime, free))
