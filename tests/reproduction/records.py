"""Runs with everything that making them again takes, and the ways to break them."""

from pathlib import Path
from typing import Any

from ctexp.record.git import GitState
from ctexp.record.run_dir import RunDir
from ctexp.reproduction.recorded import Recorded, recorded
from tests.judged import a_run
from tests.record import samples


def a_recorded(runs: Path, name: str = "net", seed: int = 1, **changes: Any) -> Recorded:
    """A judged run, read."""
    return recorded(a_run(runs, name, seed, **changes))


def flip(file: Path) -> None:
    """Change one byte in the middle, and nothing else that a directory tells."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def other_start(run: RunDir, commit: str) -> None:
    """A second start of a run, from another commit."""
    git = GitState(commit=commit, branch="main", dirty=False)
    samples.attempt(run.id, 2, git=git).write(run.attempt(2))
