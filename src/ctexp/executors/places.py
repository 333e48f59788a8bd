"""What the jobs of a night run on: devices of this machine, or as many places as a cluster has for them."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from ctexp.core import screen
from ctexp.core.errors import CtexpError, DataError, PreflightError, StorageError, UsageError
from ctexp.core.gpu import GpuState
from ctexp.executors.devices import devices_here
from ctexp.executors.opening import open_executor
from ctexp.executors.settings import ExecutorSettings, LocalSettings
from ctexp.executors.slots import Device

_ANSWER_SECONDS = 120.0

_ERRORS = {one.__name__: one for one in (DataError, PreflightError, StorageError, UsageError)}
"""Those that a client has reason to raise."""


def devices_of(
    root: Path, name: str, settings: ExecutorSettings, state: GpuState, *, gpus_each: int
) -> tuple[Device, ...]:
    """The devices of a night; none where its jobs come one after the other, on what there is.

    Args:
        root: the project's folder.
        name: of the executor.
        settings: its own.
        state: of this machine's GPUs.
        gpus_each: that the greediest job asks for; 0 where none computes on a GPU.

    Raises:
        UsageError: see `devices_here`.
        PreflightError: a device is not there, or a cluster does not answer.
    """
    if isinstance(settings, LocalSettings):
        return devices_here(name, settings, state, gpus_each=gpus_each)
    return (Device(name, None, _slots_there(root, name)),)


def _slots_there(root: Path, name: str) -> int:
    """Jobs that a cluster carries out at once, asked by a child: its client stays out of this process.

    Raises:
        CtexpError: what its client says is wrong.
        PreflightError: it does not answer.
    """
    words = [sys.executable, "-P", "-m", "ctexp.executors.places", str(root), name]
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWER_SECONDS,
            check=False,
        )
        answer = json.loads(done.stdout.splitlines()[-1])
        if wrong := answer.get("error"):
            raise _ERRORS.get(wrong["kind"], CtexpError)(wrong["problems"], wrong["hint"])
        screen.note(f"--executor {name}: {answer['said']}")
        return max(1, int(answer["slots"]))
    except subprocess.TimeoutExpired as error:
        raise PreflightError(
            f"--executor {name}: no answer in {_ANSWER_SECONDS:.0f} s", "try again"
        ) from error
    except (ValueError, LookupError, TypeError) as error:
        said = "".join(done.stderr.strip().splitlines()[-1:])
        raise PreflightError(
            f"--executor {name}: {said or f'exit code {done.returncode}'}",
            f"this tells more: {shlex.join(words)}",
        ) from error


def _answer(root: Path, name: str) -> dict[str, Any]:
    try:
        there = open_executor(root, name).resources()
    except CtexpError as error:
        return {"error": {"kind": error.kind, "problems": error.problems, "hint": error.hint}}
    return {"slots": there.slots, "said": there.said}


if __name__ == "__main__":
    print(json.dumps(_answer(Path(sys.argv[1]), sys.argv[2])))
