"""One training of a trial: begun, gone on with, or taken as it is."""

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ctexp.core import files
from ctexp.core.errors import Busy, CtexpError, DataError, PreflightError, StorageError, UsageError
from ctexp.core.locks import passed_on
from ctexp.core.referee import Message, Watcher
from ctexp.executors.trainers import Trainer
from ctexp.record.run_dir import Reading, RunDir
from ctexp.record.subjects import JUDGED
from ctexp.record.values import value_of
from ctexp.sweeps.agent.stopping import Asked
from ctexp.sweeps.agent.watching import watch

REFUSALS: Sequence[type[CtexpError]] = (UsageError, DataError, PreflightError, StorageError, Busy)
"""By whose exit codes a program says that it cannot train here, as things are."""

_REFUSALS = {kind.exit_code: kind for kind in REFUSALS}

_CANNOT_GO_ON = (UsageError.exit_code, DataError.exit_code)
"""Of these, what a program says of a run that it was to go on with."""

_OF_TRACKERS = ("the tracker ", "W&B: ")
"""How warnings begin that no number of a run depends on, and yet all runs of a sweep may have."""

_LEFT_SECONDS = 60.0
"""A training whose agent was killed saves what it has, and ends; so long it is waited for."""

_LINE_BYTES = 4096


@dataclass(frozen=True)
class End:
    """How a training ended.

    Attributes:
        state: of its run; None where it has not come to an end of its own.
        value: of the metric, of its best checkpoint.
        problem: one line; empty where it finished.
        refusal: it could not be trained here, as things are.
        killed: by somebody else.
        caution: what its run warns of its tracker; empty where it does not.
    """

    state: str | None
    value: float | None = None
    problem: str = ""
    refusal: CtexpError | None = None
    killed: bool = False
    caution: str = ""


@dataclass
class Training:
    """One training of a trial.

    Attributes:
        trainer: carries it out.
        words: its overrides.
        runs: the folder of all runs.
        metric: that is told of each epoch, and that its value is of.
        variables: what its environment has beyond this process's.
        log: what its program prints.
        began: told which run it is.
        report: told an epoch's value of the metric; whether the training should stop.
        pulse: called several times a second while it runs.
        asked: whether to stop.
    """

    trainer: Trainer
    words: Sequence[str]
    runs: Path
    metric: str
    variables: Mapping[str, str]
    log: Path
    began: Callable[[str], None]
    report: Callable[[int, float], bool]
    pulse: Callable[[], None]
    asked: Asked
    _run: RunDir | None = field(default=None, init=False)

    def carry_out(self, run: RunDir | None) -> End:
        """Train to the end.

        Args:
            run: what an earlier attempt has begun; None where there is none.
        """
        if run is not None:
            self._let_end(run)
            self._note(run.id)
            reading = run.read()
            if _is_over(reading):
                return self._ended(reading)
            if reading.manifest is not None:
                code = self._start(["--resume", run.id])
                if code not in _CANNOT_GO_ON:
                    return self._end(code)
        self._run = None
        return self._end(self._start(self.words))

    def _let_end(self, run: RunDir) -> None:
        """Whoever trains it has lost its agent, and is about to end."""
        end = time.monotonic() + _LEFT_SECONDS
        while run.lock().is_held() and time.monotonic() < end and not self.asked.why:
            self.pulse()
            time.sleep(0.1)

    def _start(self, words: Sequence[str]) -> int:
        """Train until the program's end; its exit code, or minus the signal that killed it."""
        with files.storage_errors(self.log):
            self.log.parent.mkdir(parents=True, exist_ok=True)
            output = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            with Watcher(self.metric) as watcher:
                environment, locks = passed_on(environment=os.environ | self.variables | watcher.variables)
                job = self.trainer.start(
                    ["train", *words, "--yes", "--json"], environment, [*locks, watcher.descriptor], output
                )
                watcher.passed()
                return watch(job, watcher, told=self._told, pulse=self.pulse, asked=self.asked)
        finally:
            os.close(output)

    def _told(self, message: Message) -> bool:
        """Whether it should go on."""
        if message.run is not None:
            self._note(message.run)
            return True
        return message.value is None or not self.report(message.epoch, message.value)

    def _note(self, run: str) -> None:
        self._run = RunDir(self.runs / run)
        self.began(run)

    def _end(self, code: int) -> End:
        """What came of it, by its run's own words first."""
        reading = self._run.read() if self._run is not None else None
        if reading is not None and _is_over(reading):
            return self._ended(reading)
        if refusal := _REFUSALS.get(code):
            return End(None, refusal=refusal(self._last_line(), f"all it said is in {self.log}"))
        if self.asked.why:
            return End(None, problem=self.asked.why)
        if code < 0 or code > 128:
            number = -code if code < 0 else code - 128
            name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
            return End(None, problem=f"killed by {name}, which nobody here sent", killed=True)
        return End("failed", problem=f"exit code {code}: {self._last_line()}")

    def _ended(self, reading: Reading) -> End:
        result, run = reading.result, self._run
        if result is None or run is None:
            raise ValueError("only an end that was recorded can be told")
        value = value_of(run, result, self.metric) if result.state in JUDGED else None
        problem = " ".join(result.error.message.split()) if result.error else ""
        if result.state in JUDGED and value is None:
            problem = f"{self.metric} is undefined"
        caution = next((line for line in result.warnings if line.startswith(_OF_TRACKERS)), "")
        return End(result.state, value, problem, caution=caution)

    def _last_line(self) -> str:
        """The last that its program said; the error's name, which the exit code says too, left away."""
        text = self.log.read_bytes()[-_LINE_BYTES:].decode(errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        said = lines[-1] if lines else "it said nothing"
        kind, _, rest = said.partition(": ")
        return rest if kind in {error.__name__ for error in REFUSALS} else said


def _is_over(reading: Reading) -> bool:
    """Whether a run came to an end that going on would not change.

    What was broken off by a signal, or could not go on as things were then, can be gone on with.
    """
    if reading.result is None or reading.state == "unreadable":
        return False
    return reading.result.state != "interrupted" and reading.result.exit_code not in _REFUSALS
