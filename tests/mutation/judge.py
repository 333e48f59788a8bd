"""Which tests judge a line, and what they say of it changed.

They run in children of this process, which has imported what is not the project's: a child begins at once.
"""

import contextlib
import importlib
import multiprocessing
import os
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import coverage
import hypothesis
import pytest

from tests.mutation.places import Place

_FORK = multiprocessing.get_context("fork")
_PATIENCE = 600.0
_ARGUMENTS = (
    "-x",
    "-q",
    "-m",
    "not slow",
    "-p",
    "no:cacheprovider",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)


@dataclass
class Seen:
    """A run of the tests as the code stands.

    Attributes:
        seconds: of each test.
        lines: the tests that reach a line, by file and line; None for what is run on import.
        starters: the tests that start processes, which may reach any line.
        modules: what was imported and is not the project's.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[tuple[str, int], set[str] | None] = field(default_factory=dict)
    starters: set[str] = field(default_factory=set)
    modules: list[str] = field(default_factory=list)

    def notice(self, place: Place) -> bool:
        """Whether a test fails, or does not end, with the code as it lies now; the quickest come first."""
        reached = self._reached(str(place.file), place.line)
        asked = self.seconds if reached is None else reached | self.starters
        tests = sorted(asked, key=self.seconds.__getitem__)
        within = 20 + 5 * sum(self.seconds[test] for test in tests)
        return bool(tests) and bool(_child(_tested, tests, within=within) != 0)

    def _reached(self, file: str, line: int) -> set[str] | None:
        """What reaches a line, or the one above where nothing is compiled from it; None for all."""
        while line > 1 and (file, line) not in self.lines:
            line -= 1
        return self.lines.get((file, line), set())


def watch(tests: Sequence[str], files: Sequence[Path]) -> Seen:
    """Run the tests once, and import what they import.

    Raises:
        SystemExit: they fail as it is.
    """
    seen = _child(_watched, list(tests), list(files), within=_PATIENCE)
    if not isinstance(seen, Seen):
        sys.exit(f"these tests fail before anything is changed: {' '.join(tests)}")
    for module in seen.modules:
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    return seen


def _child(work: Callable[..., Any], *arguments: Any, within: float) -> Any:
    """What a child of this process answers; None where it died or took too long."""
    ours, theirs = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_alone, args=(theirs, work, *arguments))
    process.start()
    theirs.close()
    try:
        return ours.recv() if ours.poll(within) else None
    except EOFError:
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid or 0, signal.SIGKILL)  # with what its tests have left
        process.join()


def _alone(answer: Connection, work: Callable[..., Any], *arguments: Any) -> None:
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    # One example that fails is enough, and the same ones for every change.
    hypothesis.settings.register_profile(
        "mutation",
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    )
    answer.send(work(*arguments))


def _tested(tests: Sequence[str], plugins: Sequence[object] = ()) -> int:
    with tempfile.TemporaryDirectory() as folder:
        return int(
            pytest.main(
                [*_ARGUMENTS, f"--basetemp={folder}/tests", *tests],
                plugins=plugins,
            )
        )


def _watched(tests: Sequence[str], files: Sequence[Path]) -> Seen | int:
    watcher = _Watcher(files)
    return _tested(tests, [watcher]) or watcher.ended()


class _Watcher:
    """A plugin of pytest that notes what each test takes, reaches and starts."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.seen = Seen()
        self.files = [str(file) for file in files]
        self.coverage = coverage.Coverage(data_file=None, config_file=False, include=self.files)
        self.coverage.start()
        self.now = ""
        sys.addaudithook(self._heard)

    def _heard(self, event: str, _: object) -> None:
        if event in {"subprocess.Popen", "os.fork", "os.posix_spawn"} and self.now:
            self.seen.starters.add(self.now)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.now = nodeid
        self.coverage.switch_context(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seen.seconds[report.nodeid] = self.seen.seconds.get(report.nodeid, 0.0) + report.duration

    def ended(self) -> Seen:
        """What was seen."""
        self.coverage.stop()
        data = self.coverage.get_data()
        lines: dict[tuple[str, int], set[str]] = defaultdict(set)
        for file in self.files:
            for line, contexts in data.contexts_by_lineno(file).items():
                lines[file, line] |= set(contexts)
        self.seen.lines = {at: None if "" in tests else tests for at, tests in lines.items()}
        self.seen.modules = [
            name
            for name in sys.modules
            if name.partition(".")[0] not in {"ctexp", "tests", "benchmarks", "__main__"}
        ]
        return self.seen
