"""What SLURM says of its jobs, in line or over.

The controller forgets a job some minutes after its end. `sacct` knows it then where the cluster keeps
accounts; where it keeps none, a file of completed jobs may (`JobCompType=jobcomp/filetxt`), if we may
read it.
"""

import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_ANSWER_SECONDS = 30.0

_FIELD = re.compile(r"(\w+)=(\S*)")

_UNKNOWN = "Invalid job id"
"""What the controller says of a job that it has forgotten."""

FORGOTTEN = "FORGOTTEN"
"""The state of a job that has ended, and nothing of SLURM's says how."""

_OVER = frozenset(
    {
        *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY"),
        *("PREEMPTED", "REVOKED", "TIMEOUT"),
    }
)
_LOST = frozenset({"BOOT_FAIL", "NODE_FAIL", "PREEMPTED", "REVOKED"})
_KILLED = frozenset({*_LOST, "OUT_OF_MEMORY"})
_ALIVE = frozenset({"COMPLETING", "CONFIGURING", "RUNNING", "SIGNALING", "STAGE_OUT", "SUSPENDED"})


@dataclass(frozen=True)
class InLine:
    """A job that runs, or that the cluster is still to start.

    Attributes:
        state: as SLURM says it: `PENDING`, `RUNNING`, …
        reason: why it waits: `Resources`, `Dependency`, `BeginTime`, …
        node: it runs on; empty where it does not.
    """

    state: str
    reason: str
    node: str

    @property
    def runs(self) -> bool:
        """Whether it has been given its node."""
        return self.state in _ALIVE


@dataclass(frozen=True)
class End:
    """How a job ended.

    Attributes:
        state: as SLURM says it: `COMPLETED`, `FAILED`, `NODE_FAIL`, …; or `FORGOTTEN`.
        code: its exit code, or minus the signal that killed it.
        node: it ran on last.
    """

    state: str
    code: int
    node: str

    @property
    def lost(self) -> bool:
        """Whether the cluster took its node away, and has not started it again."""
        return self.state in _LOST


def in_line(jobs: Sequence[str]) -> dict[str, InLine] | None:
    """Those of some jobs that are not over, each task of an array by `ARRAY_TASK`; None without an answer."""
    answer = asked("squeue", "--noheader", "--array", "--jobs", ",".join(jobs), "--format", "%i|%T|%r|%N")
    if answer is None:
        return {}
    if not isinstance(answer, str):
        return None
    rows = (line.split("|", 3) for line in answer.splitlines())
    return {job: InLine(state, reason, node) for job, state, reason, node in rows}


def end_of(job: str) -> End | None:
    """How a job, or a task of an array (`7_3`), ended; None while it has not, or SLURM does not answer."""
    answer = asked("scontrol", "--oneliner", "show", "job", job)
    if isinstance(answer, str):
        return _end(dict(_FIELD.findall(answer)))
    if answer is None:
        return _accounted(job) or _completed(job) or End(FORGOTTEN, -signal.SIGKILL, "")
    return None


class NoAnswer:
    """What a program of SLURM says that could not reach it, or is not there.

    Attributes:
        why: the same in one line.
        last: what it comes to: the reasons for it, where there are several, stand before it.
    """

    def __init__(self, said: str) -> None:
        self.why = " ".join(said.split())
        self.last = said.strip().splitlines()[-1]


def asked(
    *words: str, given: str | None = None, environment: Mapping[str, str] | None = None
) -> str | NoAnswer | None:
    """What a program of SLURM answers; None where it knows of no such job.

    Args:
        words: the program and its arguments.
        given: to its standard input.
        environment: whole; that of this process by default.
    """
    try:
        done = subprocess.run(
            words,
            input=given,
            env=environment,
            stdin=None if given else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except OSError as error:
        return NoAnswer(f"{words[0]}: {error.strerror}")
    except subprocess.TimeoutExpired:
        return NoAnswer(f"{words[0]}: no answer within {_ANSWER_SECONDS:.0f} s")
    if _UNKNOWN in done.stderr:
        return None
    if done.returncode:
        return NoAnswer(done.stderr.strip() or f"{words[0]}: exit code {done.returncode}")
    return done.stdout


def _accounted(job: str) -> End | None:
    """By the cluster's accounts."""
    columns = ["JobState", "ExitCode", "NodeList"]
    answer = asked(
        *("sacct", "--noheader", "--parsable2", "--allocations"),
        *("--jobs", job, "--format", "State,ExitCode,NodeList"),
    )
    rows = answer.splitlines() if isinstance(answer, str) else []
    return _end(dict(zip(columns, rows[-1].split("|"), strict=True))) if rows else None


def _completed(job: str) -> End | None:
    """By the file of completed jobs; a job that was requeued has a line for each of its ends."""
    answer = asked("scontrol", "show", "config")
    if not isinstance(answer, str) or not re.search(r"^JobCompType\s*=\s*jobcomp/filetxt$", answer, re.M):
        return None
    place = re.search(r"^JobCompLoc\s*=\s*(/.*)$", answer, re.MULTILINE)
    array, _, task = job.partition("_")
    mine = rf" ArrayJobId={array} ArrayTaskId={task} " if task else rf"^JobId={job} "
    found = None
    try:
        with Path(place[1] if place else "").open(errors="replace") as lines:
            for line in lines:
                if re.search(mine, line):
                    found = line
    except OSError:
        return None
    return _end(dict(_FIELD.findall(found))) if found else None


def _end(fields: Mapping[str, str]) -> End | None:
    state = (fields.get("JobState") or "?").split()[0]  # "CANCELLED by 0"
    if state not in _OVER:
        return None
    code, _, signum = fields.get("ExitCode", "").partition(":")
    said = -int(signum) if signum.isdecimal() and int(signum) else int(code) if code.isdecimal() else 0
    if state in _KILLED:
        said = -signal.SIGKILL
    elif said == 0 and state != "COMPLETED":
        said = 1 if state == "FAILED" else -signal.SIGTERM
    return End(state, said, fields.get("NodeList", ""))
