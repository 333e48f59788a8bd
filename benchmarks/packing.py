"""What a night is worth by `planning.packing`, beside the order of the plan and beside the optimum.

    .venv/bin/python -m benchmarks.packing [--nights 200]

Small nights first, where the expected worth of every choice and the greatest of all can be computed exactly
(see `benchmarks.packing_nights`): experiments of one to three seeds, some with needs, gates, bases or seeds
done before, in the second table with priorities; p90 over p50 from 1.15 to 1.8; windows that hold between a
third and nine tenths of the work. All see the same: p50, p90 and the time that is left. The aim is 95 % of
the optimum. Where there are priorities, the optimum has the most worth of the greatest one, then the most of
the next, so that another choice may have more of the lesser.

Then whole nights of eight hours with thirty jobs or so, each gone through once with durations drawn; there
is no optimum to compare with. Then the time a choice takes.
Intervals are 95 % percentile bootstraps over nights.
"""

import argparse
import math
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.aims import told
from benchmarks.packing_nights import (
    Choice,
    SmallNight,
    State,
    Worth,
    by_pack,
    in_plan_order,
    small_night,
)
from ctexp.planning.packing.lengths import Z90
from ctexp.planning.packing.pack import Length, pack
from ctexp.planning.plan.jobs import GateRule, Job, in_order

AIM = 0.95
WINDOW, PAUSE = 8 * 3600.0, 30.0


def packed_once(night: SmallNight) -> Choice:
    """The order that is made at the beginning, kept all night."""
    done = {f"e{place}": one.begun for place, one in enumerate(night.trials)}
    order = pack(night.jobs, night.lengths, night.window, night.pause, done).order

    def choice(of: SmallNight, state: State, left: int) -> int | None:
        open_ = {job.id for job in of.left(state)}
        return of.first([job for job in order if job in open_], state, left)

    return choice


def small(nights: int, priorities: bool) -> None:
    """Tables of small nights."""
    drawn = (small_night(random.Random(2 * seed + priorities), priorities) for seed in range(nights))
    found: list[tuple[Worth, dict[str, Worth]]] = []
    for night in drawn:
        ways: dict[str, Choice] = {
            "the order of the plan": in_plan_order,
            "packed once, at the beginning": packed_once(night),
            "packed again after each job": by_pack,
        }
        found.append((night.optimum(), {name: night.worth(choice) for name, choice in ways.items()}))
    kind = "with priorities" if priorities else "without priorities"
    print(f"{nights} small nights {kind}: expected worth, of that of the optimum")
    for name in found[0][1]:
        _row(name, [(sum(reached[name]), sum(best)) for best, reached in found])
    worth = sum(sum(reached["packed again after each job"]) for _, reached in found)
    told(
        f"worth of small nights {kind} / the optimum",
        worth / sum(sum(best) for best, _ in found),
        "",
        AIM,
        "at least",
    )
    if priorities:
        of_first = [(reached["packed again after each job"][0], best[0]) for best, reached in found]
        print(f"  {'the same, of the greatest priority':<36}{_ratio(of_first)}", flush=True)


def _row(name: str, pairs: Sequence[tuple[float, float]]) -> None:
    """One way, beside the optimum."""
    ratios = [reached / best for reached, best in pairs if best]
    share = sum(ratio >= AIM for ratio in ratios) / len(ratios)
    tail = f"{share:4.0%} of nights reach {AIM:.0%}, the worst {min(ratios):.0%}"
    print(f"  {name:<36}{_ratio(pairs)}  {tail}", flush=True)


def _ratio(pairs: Sequence[tuple[float, float]]) -> str:
    """All of one over all of the other, with its interval."""
    values = np.array(pairs)
    chosen = np.random.default_rng(42).integers(0, len(values), (10_000, len(values)))
    sums = values[chosen].sum(axis=1)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], (0.025, 0.975))
    return f"{values[:, 0].sum() / values[:, 1].sum():6.1%} ({low:.1%} to {high:.1%})"


@dataclass(frozen=True)
class Night:
    """A night of which all that will happen is drawn.

    Attributes:
        jobs: in the order of running.
        lengths: what is known of them.
        takes: seconds, by job.
        passed: by experiment with a gate, whether it is passed.
    """

    jobs: Sequence[Job]
    lengths: Mapping[str, Length | None]
    takes: Mapping[str, float]
    passed: Mapping[str, bool]


def a_night(draw: random.Random, jobs: int, load: float) -> Night:
    """So many jobs or a few more, of which the window holds one part in `load`."""
    made: list[Job] = []
    lengths: dict[str, Length | None] = {}
    while len(made) < jobs:
        place = len({job.experiment for job in made})
        kind = draw.random() if place else 1.0
        other = f"e{draw.randrange(place)}" if place else ""
        needs, gate = (other,) if kind < 0.2 else (), GateRule(other, "val/macro_f1", ">=", 0.5)
        worth, p50, factor = (
            draw.lognormvariate(0.7, 0.8),
            draw.lognormvariate(0, 0.6),
            draw.uniform(1.15, 1.8),
        )
        for seed in range(draw.choice((1, 2, 3, 3))):
            job = _job(f"e{place}", seed, needs, gate if 0.2 <= kind < 0.35 else None, worth)
            made.append(job)
            lengths[job.id] = Length(p50, p50 * factor)
    unit = load * WINDOW / sum(one.p50 for one in lengths.values() if one)
    lengths = {name: Length(unit * one.p50, unit * one.p90) for name, one in lengths.items() if one}
    takes = {
        name: one.p50 * math.exp(draw.gauss(0, math.log(one.p90 / one.p50) / Z90))
        for name, one in lengths.items()
        if one
    }
    passed = {job.experiment: draw.random() < 0.5 for job in made if job.gate}
    return Night(in_order(made), lengths, takes, passed)


Way = Callable[[Night, Sequence[Job], float, Mapping[str, int]], Sequence[str]]
"""The order of the jobs that are left, by the seconds left and the seeds done."""


def worth_of(night: Night, way: Way) -> float:
    """What was done of a night is worth, where the jobs left are put in order before each one."""
    left, now, lost = list(night.jobs), 0.0, set[str]()
    done: dict[str, int] = {}
    while (job := _next(night, left, now, done, lost, way)) and now + night.takes[job.id] <= WINDOW:
        left.remove(job)
        done[job.experiment] = done.get(job.experiment, 0) + 1
        now += night.takes[job.id] + PAUSE
    seeds = Counter(job.experiment for job in night.jobs)
    worth = {job.experiment: job.worth for job in night.jobs}
    return sum(worth[name] * (1.0 if n == seeds[name] else 0.5 * n / seeds[name]) for name, n in done.items())


def _next(
    night: Night, left: list[Job], now: float, done: Mapping[str, int], lost: set[str], way: Way
) -> Job | None:
    """The first job that may be begun; those behind a gate that was not passed are taken out."""
    waiting = {job.experiment for job in left}
    for job in left:
        decided = job.gate is not None and job.gate.after not in waiting
        if (decided and not night.passed[job.experiment]) or lost.intersection(job.waits_for):
            lost.add(job.experiment)
    left[:] = [job for job in left if job.experiment not in lost]
    waiting -= lost
    jobs = {job.id: job for job in left}
    for name in way(night, left, WINDOW - now, done):
        length = night.lengths[name]
        if length and now + length.p90 <= WINDOW and not waiting.intersection(jobs[name].waits_for):
            return jobs[name]
    return None


def first_come(night: Night, jobs: Sequence[Job], seconds: float, done: Mapping[str, int]) -> list[str]:
    """The order of the plan."""
    del night, seconds, done
    return [job.id for job in jobs]


def packed(night: Night, jobs: Sequence[Job], seconds: float, done: Mapping[str, int]) -> Sequence[str]:
    """The best that is known of."""
    return pack(jobs, night.lengths, seconds, PAUSE, done).order


def whole(nights: int) -> None:
    """Table of whole nights."""
    print(f"{nights} nights of eight hours, some thirty jobs: worth, of that of the plan's order")
    for load in (1.1, 1.5, 2.5):
        drawn = [a_night(random.Random(seed), 30, load) for seed in range(nights)]
        pairs = [(worth_of(night, packed), worth_of(night, first_come)) for night in drawn]
        print(f"  {f'{load:.0%} of the window is asked for':<36}{_ratio(pairs)}", flush=True)


def speed() -> None:
    """Table of times."""
    print("processor milliseconds for one choice: median of twenty plans, and the longest")
    for jobs in (10, 30, 100, 1000):
        took = []
        for seed in range(20):
            night = a_night(random.Random(seed), jobs, 1.5)
            begin = time.process_time()
            pack(night.jobs, night.lengths, WINDOW, PAUSE)
            took.append(1000 * (time.process_time() - begin))
        print(f"  {f'{jobs} jobs':<36}{statistics.median(took):6.2f} {max(took):6.2f}", flush=True)


def main() -> None:
    """Everything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--nights", type=int, default=200)
    nights = parser.parse_args().nights
    for priorities in (False, True):
        small(nights, priorities)
    whole(nights)
    speed()


def _job(name: str, seed: int, needs: tuple[str, ...], gate: GateRule | None, worth: float) -> Job:
    return Job(
        id=f"{name}-s{seed}",
        experiment=name,
        seed=seed,
        verb="train",
        common=(),
        own=(),
        fixed=(),
        needs=needs,
        gate=gate,
        worth=worth,
    )


if __name__ == "__main__":
    main()
