"""What `plan-check` says of a night: each job in its place, and what all of them take."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from ctexp.core import clock
from ctexp.executors.slots import Device
from ctexp.record.manifest import Estimate

Fits = Literal["yes", "likely", "shortened", "no"]
"""`likely`: where those before it take their median time, not where all of them take their p90; or where
nobody knows what it, or one before it, costs."""

_FIGURES = ("seconds", "seconds_p90", "memory_bytes", "memory_bytes_p90", "disk_bytes", "disk_bytes_p90")


@dataclass(frozen=True)
class Entry:
    """A job in its place.

    Attributes:
        cost: None where nobody knows it.
        why: it does not fit, or only perhaps; empty for `yes`.
        begins: and `ends`, aware, where every job takes its median time; None where it is left out.
        need_bytes: of memory, which it is given on a device, its p90; None where that is unknown, or jobs are
            not placed by their memory.
        certain: False where the costs of jobs before it are not known: it begins then or later.
    """

    job: str
    cost: Estimate | None
    fits: Fits
    why: str = ""
    begins: datetime | None = None
    ends: datetime | None = None
    certain: bool = True
    need_bytes: int | None = None

    def document(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "job": self.job,
            **{name: getattr(self.cost, name, None) for name in _FIGURES},
            "need_bytes": self.need_bytes,
            "basis": self.cost.basis if self.cost else "unknown",
            "fits": self.fits,
            "why": self.why,
            "begins": clock.iso(self.begins) if self.begins else None,
            "ends": clock.iso(self.ends) if self.ends else None,
            "certain": self.certain,
        }


@dataclass(frozen=True)
class Totals:
    """The jobs that are not left out, together; those whose cost is unknown count nothing.

    Attributes:
        jobs: of the plan; `fitting` of them are not left out, and of those `unknown` have no known cost.
        on_gpu: whether any computes on the GPU; `device_hours` are the processor's where none does.
        finish: with the analysis, aware, where every job takes its median time; `finish_p90` where all take
            their p90.
        memory_bytes: the most that a job is expected to take, of the GPU where `on_gpu`; None where unknown.
        gpu_bytes: what the GPU has; None without one.
        disk_bytes: of all; `free_bytes` are free now, of which `reserve_bytes` have to stay so.
    """

    jobs: int
    fitting: int
    unknown: int
    on_gpu: bool
    device_hours: float
    device_hours_p90: float
    finish: datetime
    finish_p90: datetime
    memory_bytes: int | None
    memory_bytes_p90: int | None
    gpu_bytes: int | None
    disk_bytes: int
    disk_bytes_p90: int
    free_bytes: int
    reserve_bytes: int

    def document(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self) | {"finish": clock.iso(self.finish), "finish_p90": clock.iso(self.finish_p90)}


@dataclass(frozen=True)
class Schedule:
    """The night as it is expected to go.

    Attributes:
        window: as the plan says it; it `opens` and `closes` at aware moments.
        analysis_seconds: of it that are kept for the analysis, its last; `grace_seconds` before them are kept
            for a job that is stopped.
        entries: in the order of running, then those that are left out, as they stand in the plan.
        problems: what no night gets over: jobs that need more than there is; a line each.
        warnings: what may go wrong, likewise.
        devices: that jobs run on, several at once; none where they come one after the other.
        unmeasured: what is lost because nobody knows what jobs take; a line each, with what to do.
    """

    window: str
    opens: datetime
    closes: datetime
    analysis_seconds: float
    entries: tuple[Entry, ...]
    totals: Totals
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    grace_seconds: float = 0.0
    devices: tuple[Device, ...] = ()
    unmeasured: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "window": {
                "said": self.window,
                "opens": clock.iso(self.opens),
                "closes": clock.iso(self.closes),
                "analysis_seconds": self.analysis_seconds,
                "grace_seconds": self.grace_seconds,
            },
            "jobs": [entry.document() for entry in self.entries],
            "totals": self.totals.document(),
            "problems": list(self.problems),
            "warnings": [*self.warnings, *self.unmeasured],
        }
