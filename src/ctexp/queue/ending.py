"""What an attempt is told to have come to: by its run's own words first, then by how its program ended.

Exit code 0 alone proves nothing: a job is done when its run says that it has finished, and not before.
"""

import signal
from dataclasses import dataclass
from typing import Any, Literal

from ctexp.queue.journal import Event
from ctexp.queue.left import Left
from ctexp.queue.state import Ended

Stop = Literal["limit", "hung", "window", "signal", "cancelled", "flood"]
"""Why the runner asked a program to stop."""

_STATE_OF: dict[Stop, Ended] = {
    "limit": "timeout",
    "hung": "failed",
    "window": "interrupted",
    "signal": "interrupted",
    "cancelled": "interrupted",
    "flood": "failed",
}

_CAUSE_OF_FAILURE = {
    "UsageError": "usage",
    "DataError": "data",
    "PreflightError": "preflight",
    "StorageError": "disk",
    "Busy": "busy",
}

_CAUSE_OF_CODE = {2: "usage", 3: "data", 4: "preflight", 5: "disk", 10: "oom", 11: "diverged", 75: "busy"}

_ASKED = frozenset({-signal.SIGTERM, -signal.SIGINT, 128 + signal.SIGTERM, 128 + signal.SIGINT})
"""Exit codes of programs that end because they were asked to."""


@dataclass(frozen=True)
class Ending:
    """An attempt's end, one line of the reason included."""

    state: Ended
    cause: str | None
    reason: str = ""


def ending(code: int, stop: Stop | None, why: str, left: Left | None, *, shortened: bool = False) -> Ending:
    """Tell how an attempt ended.

    Args:
        code: the program's exit code, or minus the signal that ended it.
        stop: why it was asked to stop; None where it was not.
        why: the same, for people.
        left: what its run says of this very start; None where there is none that has ended.
        shortened: less time than planned was given to it, so that its time being used up is no failure.
    """
    state = left.state if left else None
    if left and (state == "finished" or (state == "timeout" and shortened)):
        return Ending("done", None, "" if state == "finished" else left.message)
    if left and state in {"oom", "diverged"}:
        return Ending("failed", state, left.message)
    if left and state == "failed":
        kind = left.failure or ""
        cause = _CAUSE_OF_FAILURE.get(kind) or _CAUSE_OF_CODE.get(left.exit_code or 0, "other")
        return Ending("failed", cause, f"{kind}: {left.message}" if kind else left.message)
    if stop is not None:
        return Ending(_STATE_OF[stop], "other" if stop == "flood" else stop, why)
    if left and state == "timeout":
        return Ending("timeout", "limit", left.message)
    if code < 0 or code in _ASKED or code == 128 + signal.SIGKILL:
        number = -code if code < 0 else code - 128
        more = "; perhaps the machine was out of memory" if number == signal.SIGKILL else ""
        return Ending("failed", "killed", f"killed by {_name(number)}, which nobody here sent{more}")
    if code == 0:
        return Ending("failed", "other", "exit code 0, but no run of it says that it has finished")
    return Ending(
        "failed", _CAUSE_OF_CODE.get(code, "other"), f"exit code {code}, without a word in its record"
    )


def of_record(left: Left | None, *, shortened: bool = False) -> Ending:
    """The end of an attempt that nobody saw end, as far as its run tells."""
    if left is None or left.state is None:
        return Ending("interrupted", "killed", "nobody saw it end")
    if left.state == "interrupted":
        return Ending("interrupted", "signal", left.message)
    return ending(0, None, "", left, shortened=shortened)


def told(
    end: Ending, code: int | None, seconds: float | None, left: Left | None, first: Event
) -> dict[str, Any]:
    """The fields of the journal's `end`, but for job and attempt.

    Args:
        end: how it ended.
        code: of the program; None where nobody saw.
        seconds: how long it took, likewise.
        left: what its run says, if there is one.
        first: the first start of the queue, whose source the attempt's is compared with; empty where it is
            unknown.
    """
    fields: dict[str, Any] = {
        "state": end.state,
        "cause": end.cause,
        "exit_code": code,
        "run": left.run if left else None,
        "seconds": None if seconds is None else round(seconds, 3),
        "reason": end.reason,
        "seed": left.seed if left else None,
        "commit": left.commit if left else None,
        "dirty": left.dirty if left else None,
        "patch_sha256": left.patch_sha256 if left else None,
        "tracker": left.tracker if left else None,
        "metrics": dict(left.metrics) if left and end.state == "done" else {},
        "deviations": list(left.deviations) if left else [],
    }
    then = (first.get("commit"), first.get("patch_sha256"))
    now = (fields["commit"], fields["patch_sha256"])
    known = bool(first) and left is not None and left.commit is not None
    return fields | {"source_changed": known and now != then}


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
