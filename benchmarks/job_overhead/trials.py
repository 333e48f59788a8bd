"""What a trial of a sweep costs beyond its training, in our way and in others'.

All carry out the same trainings, tiny ones, one after another on the processor: a whole `inv train` with its
whole record and a table as tracker (`logger=csv`). One process that calls that function again and again, and
has nothing else to do, is what every way is measured against:

    beyond = seconds a trial of a way - seconds a trial of that one process

once over a short sweep, with all that comes before its first and after its last trial shared out among them,
and once at the margin: the median time from one trial's end to the next one's, in a long sweep after the
length of the short one, its spread the least and the most. Processors' seconds are told too, the long sweep's
less the short one's: they depend less on what else the machine does; those of daemons are not known.

What is left beyond the fit (`Trainer.fit`: epochs with their validation and checkpoints) is the whole of it:
composing, checking, environment, network, measuring with intervals, calibration, figures, writing, and what
the way adds.
"""

import shutil
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.aims import told
from benchmarks.job_overhead.ways import LOOP, WAYS, WITH_DAEMONS, Measured, fits, measure

AIM_SECONDS = 0.25
AIM_TIMES = 20
OURS = "ours"


@dataclass(frozen=True)
class Cost:
    """What a way costs a trial, in seconds.

    Attributes:
        few: over a short sweep, its beginning and end shared out.
        gaps: from one trial's end to the next one's, in a long sweep after the length of the short one.
        processor: of one trial more; None where it is not known.
    """

    few: float
    gaps: tuple[float, ...]
    processor: float | None

    @classmethod
    def of(cls, short: Measured, long: Measured, *, daemons: bool) -> "Cost":
        """From a short sweep and a long one."""
        few = len(short.ends)
        later = long.ends[few - 1 :]
        return cls(
            few=short.whole / few,
            gaps=tuple(after - before for before, after in pairwise(later)),
            processor=None if daemons else (long.processor - short.processor) / (len(long.ends) - few),
        )

    @property
    def margin(self) -> float:
        """Of one trial more."""
        return statistics.median(self.gaps)


def compare(folder: Path, names: Sequence[str], counts: tuple[int, int]) -> None:
    """Measure in an empty folder, and print.

    Args:
        folder: for a project of each way and length; what has been measured is removed at once.
        names: of ways; `LOOP` is always measured.
        counts: trials of the short and the long sweep.
    """
    few, many = counts
    costs: dict[str, Cost] = {}
    fit = 0.0
    print(f"tiny trainings, logger=csv; sweeps of {few} and of {many} trials, one after another", flush=True)
    for name in [LOOP, *(name for name in WAYS if name in names and name != LOOP)]:
        roots = [folder / f"{name.partition(',')[0].replace(' ', '-')}-{count}" for count in counts]
        short, long = (measure(WAYS[name], root, count) for root, count in zip(roots, counts, strict=True))
        costs[name] = Cost.of(short, long, daemons=name in WITH_DAEMONS)
        if name == LOOP:
            fit = statistics.median(fits(roots[1]))
            _say_base(costs[LOOP], fit)
            print(f"{'seconds a trial beyond it':26}{f'first {few}':>10}{'margin':>10}", end="")
            print(f"{'spread':>20}{'processor':>11}{'beyond fit':>12}", flush=True)
        else:
            _say(name, costs[name], costs[LOOP], fit)
        for root in roots:
            shutil.rmtree(root, ignore_errors=True)
    if OURS in costs:
        _say_times(costs)


def _say_base(base: Cost, fit: float) -> None:
    low, high = min(base.gaps), max(base.gaps)
    print(f"{LOOP}: {base.margin:.3f} s a trial ({low:.3f} to {high:.3f}),", end=" ")
    print(f"{base.processor:.3f} s of a processor; {fit:.3f} s of it in the fit")


def _say(name: str, cost: Cost, base: Cost, fit: float) -> None:
    low, high = min(cost.gaps) - base.margin, max(cost.gaps) - base.margin
    known = cost.processor is not None and base.processor is not None
    processor = f"{cost.processor - base.processor:.3f}" if known else "-"  # type: ignore[operator]
    print(f"{name:26}{cost.few - base.margin:10.3f}{cost.margin - base.margin:10.3f}", end="")
    print(f"{f'{low:.3f} to {high:.3f}':>20}{processor:>11}{cost.margin - fit:12.3f}", flush=True)


def _say_times(costs: dict[str, Cost]) -> None:
    """How many times ours the others cost at the margin, by the clock and by processors."""
    print(f"\n{'times ours, at the margin':26}{'clock':>10}{'processor':>30}")
    for name, cost in costs.items():
        if name not in (LOOP, OURS):
            clock = _times(cost.margin, costs[OURS].margin, costs[LOOP].margin)
            processor = _times(cost.processor, costs[OURS].processor, costs[LOOP].processor)
            print(f"{name:26}{clock:>10}{processor:>30}")
    ours = costs[OURS].margin - costs[LOOP].margin
    told("a warm trial of a sweep beyond its fit", ours, "s", AIM_SECONDS, "at most")
    for name, cost in costs.items():
        if name not in (LOOP, OURS) and cost.margin is not None:
            times = (cost.margin - costs[LOOP].margin) / ours
            told(f"a trial by {name} / a warm one", times, "", AIM_TIMES, "at least")


def _times(theirs: float | None, ours: float | None, base: float | None) -> str:
    """A ratio of what is beyond the base; none where it is unknown, or lost in what else the machine does."""
    if theirs is None or ours is None or base is None or ours <= base:
        return "-"
    return f"{(theirs - base) / (ours - base):.1f}"
