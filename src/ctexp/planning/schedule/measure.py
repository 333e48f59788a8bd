"""What nothing is known of is measured: `inv estimate` in a child process, once for each kind of training.

A process of its own keeps torch out of this one, and gives the GPU's memory back before the next begins.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ctexp.planning.checking.checked import CheckedJob
from ctexp.planning.past import Job, Past
from ctexp.planning.schedule.costs import estimate_of, trainings
from ctexp.planning.schedule.measurements import Measurement, Measurements
from ctexp.record.manifest import Estimate

_LONGEST_SECONDS = 900
"""A trial takes a quarter of a minute, and fetching large weights some minutes; what takes longer hangs."""

Report = Callable[[str, int, int], None]
"""Is told a step, how much of it is done, and how much there is: see `core.screen.steps`."""


@dataclass(frozen=True)
class Kind:
    """One kind of training.

    Attributes:
        jobs: ids of those that have it.
        overrides: of the first of them.
        training: what that has to do.
    """

    jobs: tuple[str, ...]
    overrides: tuple[str, ...]
    training: Job


@dataclass(frozen=True)
class Unmeasured:
    """A kind of training that cannot be measured.

    Attributes:
        reason: what `inv estimate` says, one line.
        exit_code: its.
    """

    kind: Kind
    reason: str
    exit_code: int

    @property
    def line(self) -> str:
        """The whole problem, with the jobs that have it."""
        first, *more = self.kind.jobs
        others = f" and {len(more)} more" if more else ""
        return f"{first}{others}: cannot be measured: {self.reason}"


def unknown(checked: Iterable[CheckedJob], past: Past, measured: Measurements) -> list[Kind]:
    """The kinds of training whose cost neither history nor a measurement tells, in the order of the jobs."""
    jobs: dict[Job, list[str]] = {}
    overrides: dict[Job, tuple[str, ...]] = {}
    told: dict[Job, bool] = {}
    for one in checked:
        for training, composed in trainings(one).items():
            if training not in told:
                told[training] = estimate_of(training, past, measured) is not None
            if told[training]:
                continue
            # Epochs and limits scale: one measurement tells of all that differ in nothing else.
            same = next((other for other in jobs if training.is_like(other)), training)
            overrides.setdefault(same, composed.overrides)
            jobs.setdefault(same, []).append(one.job.id)
    return [Kind(tuple(dict.fromkeys(jobs[job])), overrides[job], job) for job in jobs]


def measure(kinds: Sequence[Kind], root: Path, runs: Path, report: Report) -> list[Unmeasured]:
    """Measure each of these and keep what was found in `runs`; those that fail, with their reasons.

    Raises:
        StorageError: what was found cannot be kept.
    """
    measured, failed = Measurements.load(runs), []
    for done, kind in enumerate(kinds):
        report("measuring kinds of training", done, len(kinds))
        found = _estimate(kind, root)
        if isinstance(found, Unmeasured):
            failed.append(found)
        else:
            measured.keep(runs, Measurement.of(kind.training, found))
    return failed


def _estimate(kind: Kind, root: Path) -> Estimate | Unmeasured:
    """Ask a child."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "invoke", "estimate", *kind.overrides, "--json"],
            cwd=root,
            env=os.environ | {"CTEXP_ROOT": str(root)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Unmeasured(kind, f"no answer after {_LONGEST_SECONDS // 60} minutes", 1)
    try:
        document = json.loads(done.stdout)
        if done.returncode == 0:
            for beside in ("schema_version", "earlier_estimates"):
                document.pop(beside)
            return Estimate.model_validate(document)
        about = document["error"]
        hint = f" ({about['hint']})" if about["hint"] else ""
        return Unmeasured(kind, " ".join(f"{'; '.join(about['problems'])}{hint}".split()), done.returncode)
    except (ValueError, LookupError, TypeError, AttributeError, ValidationError):
        said = "".join(done.stderr.strip().splitlines()[-1:])
        return Unmeasured(
            kind, f"`inv estimate` ended with {done.returncode}: {said}".rstrip(": "), done.returncode or 1
        )
