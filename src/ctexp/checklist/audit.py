"""The checklist asked of runs: what each record has, and what that comes to."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ctexp.checklist.evidence import commits_here, read
from ctexp.checklist.facts import Facts, facts
from ctexp.checklist.points import POINTS, Mark, Point
from ctexp.core.errors import DataError
from ctexp.record.run_dir import RunDir

Verdict = Literal["whole", "gaps", "not reproducible"]
"""`not reproducible`: a run cannot be made again, or not be believed. `whole` is what the records promise;
only `inv reproduce` proves it."""

_GOOD = 90


@dataclass(frozen=True)
class RunAudit:
    """What one run's record has.

    Attributes:
        marks: a mark for each point, in their order; none where it does not say what it is.
        facts: what advice is given by; None likewise.
        problems: documents that cannot be read, one line each.
    """

    run: str
    state: str
    marks: tuple[Mark, ...]
    facts: Facts | None
    problems: tuple[str, ...]

    @property
    def score(self) -> float:
        """Points of a hundred, of those that can be asked of it; 0 for a record that says nothing."""
        asked = [(mark.point.weight, mark.share) for mark in self.marks if mark.share is not None]
        weight = sum(weight for weight, _ in asked)
        return 100 * sum(weight * share for weight, share in asked) / weight if weight else 0.0

    @property
    def critical(self) -> tuple[Mark, ...]:
        """For want of these it cannot be made again, or not be believed."""
        return tuple(mark for mark in self.marks if mark.critical)


@dataclass(frozen=True)
class Audit:
    """What the records of runs have.

    Attributes:
        title: what was asked about.
        runs: at least one.
    """

    title: str
    runs: tuple[RunAudit, ...]

    @property
    def score(self) -> int:
        """The mean over the runs, rounded down: a hundred is nothing missing anywhere."""
        return math.floor(sum(run.score for run in self.runs) / len(self.runs) + 1e-9)

    @property
    def verdict(self) -> Verdict:
        """Of the worst run: one that cannot be made again is one too many."""
        if any(run.critical or not run.marks for run in self.runs):
            return "not reproducible"
        return "whole" if self.score >= _GOOD else "gaps"

    def shares(self) -> Iterator[tuple[Point, float | None, list[tuple[str, Mark]]]]:
        """Each point, the mean of what the runs have of it, and the marks of those that do not have all."""
        for number, point in enumerate(POINTS):
            marks = [(run.run, run.marks[number]) for run in self.runs if run.marks]
            known = [mark.share for _, mark in marks if mark.share is not None]
            lacking = [(run, mark) for run, mark in marks if mark.share is not None and mark.share < 1]
            yield point, sum(known) / len(known) if known else None, lacking


def audit(
    title: str,
    runs: Sequence[RunDir],
    root: Path,
    *,
    thorough: bool,
    progress: Callable[[str, int, int], None] | None = None,
) -> Audit:
    """Ask the checklist of runs.

    Args:
        title: what to call them.
        runs: at least one.
        root: the project's folder, whose repository has their commits.
        thorough: read checkpoints and compare them with their hashes.
        progress: told (step, done, total) as runs are read.
    """
    named = [manifest.git.commit for run in runs if (manifest := run.read().manifest) is not None]
    commits = commits_here(root, filter(None, named))
    found = []
    for number, run in enumerate(runs, 1):
        found.append(_one(run, commits, thorough=thorough))
        if progress:
            progress("reading records", number, len(runs))
    return Audit(title, tuple(found))


def _one(run: RunDir, commits: frozenset[str] | None, *, thorough: bool) -> RunAudit:
    try:
        evidence = read(run, commits, thorough=thorough)
    except DataError as damage:
        return RunAudit(run.id, "unreadable", (), None, damage.problems)
    marks = tuple(Mark(**vars(point.asked(evidence)), point=point) for point in POINTS)
    return RunAudit(run.id, evidence.state, marks, facts(evidence), evidence.problems)
