"""Starts trainings as children of one warm process and kills them where a test says.

Importing torch takes seconds, training here takes one: a parent imports everything once, runs no operator
(an OpenMP thread would hang in the children), and forks a child for each job of the JSON lists on its stdin,
one a line:

    {"project": folder, "words": ["model=tiny_cnn", …], "resume": id or null,
     "kill": null | {"signal": 9, "step": 5} | {"signal": 9, "rename": 3} | {"signal": 9, "after": 0.8},
     "read_only": [folder of the run, step] or absent}

A kill comes when optimizer step `step` of the run begins, just before the `rename`-th rename from the run's
first step on, or so many seconds after that. `read_only` takes away the right to write into a folder of the
run when a step begins. The answer to a list is a line too, a JSON list of {"status": exit code or minus the
signal, "output": both streams}. The pictures of these trainings are blank.
"""

import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ctexp.warm import preload
from tests.pictures import leave_blank


def main() -> None:
    """Do the jobs on stdin, one after the other."""
    preload.load()
    leave_blank(pytest.MonkeyPatch())
    for line in sys.stdin:
        print(json.dumps([_fork(job) for job in json.loads(line)]), flush=True)


def _fork(job: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            os.setsid()
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            os._exit(_child(job))
        _, status = os.waitpid(child, 0)
        output.seek(0)
        code = os.waitstatus_to_exitcode(status)
        return {"status": code, "output": output.read().decode(errors="replace")}


def _child(job: dict[str, Any]) -> int:
    from invoke.exceptions import Exit

    from ctexp.cli.verb import perform

    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(job["project"])
    try:
        _before_fit(job)
        flags = {
            "override": job["words"],
            "resume": job["resume"],
            "cfg": False,
            "dry_run": False,
            "yes": False,
            "json": False,
        }
        perform("train:train", flags, debug=False)
    except Exit as end:
        return int(end.code)
    except BaseException:
        traceback.print_exc()
        return 99
    return 0


def _before_fit(job: dict[str, Any]) -> None:
    """Set up what shall happen once the run itself trains, not the steps it was measured with before."""
    from ctexp.training.memory import parts

    original = vars(parts)["fit"]

    def fit(*arguments: Any, **named: Any) -> None:
        if job["kill"]:
            _arm(job["kill"])
        if "read_only" in job:
            folder, step = job["read_only"]
            _at_step(step, lambda: max(Path("runs").iterdir()).joinpath(folder).chmod(0o555))
        original(*arguments, **named)

    vars(parts)["fit"] = fit


def _arm(kill: dict[str, Any]) -> None:
    signum = signal.Signals(kill["signal"])
    if "step" in kill:
        _at_step(kill["step"], lambda: os.kill(os.getpid(), signum))
    elif "after" in kill:
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signum))
        signal.setitimer(signal.ITIMER_REAL, kill["after"])
    else:
        _at_rename(kill["rename"], lambda: os.kill(os.getpid(), signum))


def _at_rename(number: int, act: Callable[[], None]) -> None:
    left = number

    def hook(event: str, _arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event == "os.rename":
            left -= 1
            if left == 0:
                act()

    sys.addaudithook(hook)


def _at_step(step: int, act: Callable[[], None]) -> None:
    from ctexp.training.kernel.module import Classifier

    original = Classifier.on_train_batch_start

    def begin(self: Classifier, batch: Any, batch_idx: int) -> None:
        if self.global_step == step:
            act()
        original(self, batch, batch_idx)

    Classifier.on_train_batch_start = begin  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
