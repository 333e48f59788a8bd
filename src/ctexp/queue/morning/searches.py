"""What a night's sweeps have found: how many trials there were, which is best, and what that is not.

A sweep answers no hypothesis. Of many trials the best is chosen by the images that would have to judge it, so
that its figure flatters it; an experiment that begins with it, on fresh seeds, tells what it is worth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctexp.core.errors import DataError
from ctexp.core.wording import many
from ctexp.queue import measured
from ctexp.queue.morning.documents import JobReport, NextStep
from ctexp.record.manifest import command_line
from ctexp.record.sweep import BestTrial, Sweep, SweepDir, SweepProgress


@dataclass(frozen=True)
class Search:
    """One sweep of a plan.

    Attributes:
        jobs: of it, which is one.
        runs: the folder of all runs.
        confirmed_by: experiments of the plan that begin with its best.
    """

    jobs: Sequence[JobReport]
    runs: Path
    confirmed_by: Sequence[str]

    def insight(self) -> list[str]:
        """What it has found, one line each."""
        return [line for one in self._found for line in self._insight(*one)] or ["nothing is known of it"]

    def next_steps(self) -> list[NextStep]:
        """What to do with it."""
        return [step for one in self._found for step in self._next(*one)]

    @property
    def _found(self) -> list[tuple[Sweep, SweepProgress]]:
        return [one for job in self.jobs if job.run and (one := _read(self.runs, job.run))]

    def _insight(self, sweep: Sweep, progress: SweepProgress) -> Iterator[str]:
        counts = ", ".join(f"{count} {state}" for state, count in progress.counts.items() if count)
        whole = sum(progress.counts.values())
        trials = many(whole, "trial")
        ended = f"; it ended: {progress.why}" if progress.ended and progress.why else ""
        yield f"{trials}: {counts}{ended}" if counts else "no trial of it was begun"
        if progress.best is None:
            return
        yield self._of(sweep, progress.best)
        chosen = progress.counts.get("finished", 0)
        if chosen > 1:
            by = f"{' and '.join(self.confirmed_by)} of this night" if self.confirmed_by else "fresh seeds"
            yield f"the best of {chosen}, chosen by the images that judge it: they flatter it; {by} can tell"

    def _of(self, sweep: Sweep, best: BestTrial) -> str:
        """The best trial, with the interval of its runs."""
        seen = measured.value(self.runs, sweep.id, sweep.metric) or {}
        value, low, high = (seen.get(name) for name in ("value", "low", "high"))
        interval = "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"
        figure = "" if value is None else f": {sweep.metric} {value:.3f}{interval}"
        words = " ".join(best.overrides) or "nothing changed"
        return f"trial {best.number} is best, with {words}{figure}"

    def _next(self, sweep: Sweep, progress: SweepProgress) -> Iterator[NextStep]:
        if progress.ended is None:
            yield NextStep(said="go on with it", command=command_line("sweep", ["--resume", sweep.id]))
        if progress.best is None:
            return
        said = "see whether its best is better than the next"
        yield NextStep(said=said, command=command_line("sweep-best", [sweep.id]))
        if not self.confirmed_by:
            said = "plan a night that tries its best with fresh seeds"
            yield NextStep(said=said, command=command_line("plan", ["--from", sweep.id]))


def _read(runs: Path, sweep: str) -> tuple[Sweep, SweepProgress] | None:
    """What it says of itself; None where that cannot be read."""
    place = SweepDir(runs / measured.SWEEPS / sweep)
    try:
        return Sweep.read(place.record), SweepProgress.read(place.progress)
    except DataError:
        return None
