"""Trainings of no time: each a forked process of this one, with the record, lines and signals of a real one.

Its words decide what becomes of it: `lr=0.3`, or `optimizer.lr=0.3`, ends with val/macro_f1 0.3 and something
for the seed, after three epochs; `pause=0.5` is between them; `fault=` is one of `oom`, `diverged`, `killed`,
`refused`, `busy`, `tracker`.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ctexp.core import files
from ctexp.core.errors import Pruned, Stopped
from ctexp.core.parent_death import tied_to_this
from ctexp.core.referee import Player
from ctexp.record.history import Row
from ctexp.record.manifest import Manifest, Origin
from ctexp.record.result import Failure, Measurement
from ctexp.record.run_dir import RunDir
from ctexp.training.refereed import Refereed
from tests.record import samples

EPOCHS = 3
FAULTS = {"oom": 10, "diverged": 11, "refused": 4, "busy": 75}
TRACKER_FAILED = "the tracker failed (OSError: no space left); the run goes on without"


def value_of(words: Mapping[str, str], epoch: int = EPOCHS) -> float:
    """What such a training comes to; later seeds do a little better."""
    return (float(words.get("lr") or words["optimizer.lr"]) + 0.001 * (int(words["seed"]) - 42)) * (
        epoch / EPOCHS
    )


class Stub:
    """Forks trainings.

    Args:
        runs: the folder of all runs.

    Attributes:
        begun: the words of each, as it was begun.
    """

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self.begun: list[list[str]] = []

    def start(
        self, words: Sequence[str], environment: Mapping[str, str], descriptors: Sequence[int], output: int
    ) -> "Forked":
        self.begun.append(list(words))
        tie = tied_to_this()
        if child := os.fork():
            return Forked(child)
        code = 99
        try:
            os.setsid()
            _close_all_but({0, output, *descriptors})
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            tie()
            for stream in (1, 2):
                os.dup2(output, stream)
            code = _train(self._runs, words, environment)
        finally:
            os._exit(code)


def _close_all_but(kept: set[int]) -> None:
    """A program that is executed inherits no more; the watcher would never be seen to be gone."""
    for entry in list(Path("/proc/self/fd").iterdir()):
        if int(entry.name) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(entry.name))


class Forked:
    """A child of this process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if ended else None
        return self._code

    def send_signal(self, signum: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signum)


def _train(runs: Path, words: Sequence[str], environment: Mapping[str, str]) -> int:
    assert words[0] == "train"
    assert list(words[-2:]) == ["--yes", "--json"]
    resumed = RunDir(runs / words[2]) if words[1] == "--resume" else None
    said = files.read_json(resumed.path / "said.json") if resumed else None
    said = said or dict(word.split("=", 1) for word in words[1:-2])
    fault = said.get("fault", "")
    if fault in {"refused", "busy"}:
        os.write(2, b"PreflightError: git.dirty=refuse: uncommitted changes -> commit them\n")
        return FAULTS[fault]
    run = resumed or RunDir.create(runs, said["run.name"])
    with run.lock():
        done = _begin(run, said, environment) if resumed is None else _gone_on(run)
        return _epochs(run, said, done, fault, Refereed(Player.of(environment), EPOCHS))


def _begin(run: RunDir, said: Mapping[str, str], environment: Mapping[str, str]) -> int:
    files.write_json(run.path / "said.json", dict(said))
    origin = Origin.of(environment, environment["CTEXP_PARENT"])
    samples.begun(run, name=said["run.name"], seed=int(said["seed"]), origin=origin)
    return 0


def _gone_on(run: RunDir) -> int:
    run.result.unlink(missing_ok=True)
    assert Manifest.read(run.manifest)
    return int(files.read_json(run.path / "done.json")) if (run.path / "done.json").exists() else 0


def _epochs(run: RunDir, said: Mapping[str, str], done: int, fault: str, referee: Refereed) -> int:
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda signum, _: stopped.append(signum))
    rows: list[Row] = [{"epoch": n, "val/macro_f1": value_of(said, n)} for n in range(1, EPOCHS + 1)]
    with (run.path / "trained.txt").open("a") as trained:
        try:
            referee.begin(run.id, rows[:done])
            for row in rows[done:]:
                time.sleep(float(said.get("pause", 0)))
                if fault == "killed":
                    os.kill(os.getpid(), signal.SIGKILL)
                if fault in FAULTS:
                    return _failed(run, fault)
                trained.write(f"{row['epoch']}\n")
                referee.see(row)
                (run.path / "done.json").write_text(str(row["epoch"]))
                if stopped:
                    raise Stopped(stopped[0])
        except (Pruned, Stopped) as end:
            state = "pruned" if isinstance(end, Pruned) else "interrupted"
            return _failed(run, state, end.exit_code)
    warnings = (TRACKER_FAILED,) if fault == "tracker" else ()
    samples.finish(run, metrics={"val/macro_f1": Measurement(value=value_of(said))}, warnings=warnings)
    return 0


def _failed(run: RunDir, state: str, code: int = 0) -> int:
    code = code or FAULTS[state]
    error = Failure(kind=state, message=f"it was {state}")
    samples.finish(run, state=state, exit_code=code, error=error, metrics={})
    return code


if __name__ == "__main__":
    sys.exit("a trainer for tests, imported by them")
