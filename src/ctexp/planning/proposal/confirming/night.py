"""The plan of the night after a sweep."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from statistics import mean

from ctexp.config.compose import Composer, resolve_paths
from ctexp.config.folds import FoldWords
from ctexp.core import clock
from ctexp.core.dotted import flattened
from ctexp.core.errors import DataError, UsageError
from ctexp.planning.plan.document import Base, Experiment, Improvement, Limits, Plan, Reserve
from ctexp.planning.plan.jobs import last_words
from ctexp.planning.proposal import writing
from ctexp.planning.proposal.confirming.found import Found
from ctexp.planning.proposal.documents import Wishes
from ctexp.planning.proposal.filling import room
from ctexp.planning.proposal.ground import Kind
from ctexp.planning.proposal.page.markdown import sentence
from ctexp.planning.proposal.rereading import reread
from ctexp.planning.proposal.seeds import FEWEST, MOST
from ctexp.planning.proposal.wording import plain
from ctexp.planning.schedule.night import schedule
from ctexp.planning.schedule.schedule import Schedule
from ctexp.record.subjects import differing_keys
from ctexp.sweeps.reading.summary import fresh_seeds

BASELINE, BEST, FINER, FINER_BEST = "baseline", "best", "finer", "finer-best"

_LEAST_TRIALS = 8
"""Of a finer sweep: with fewer there is hardly anything to choose from."""

_CITED = 4
"""Runs that a note names."""

_ABOVE = {
    BEST: "What the sweep chose; all of it together is one change.",
    FINER: "In the time that is left: closer around the best, and its best judged anew.",
}


@dataclass(frozen=True)
class Night:
    """What is proposed.

    Attributes:
        plan: as it will be read back from its file.
        text: the file.
        schedule: in its window.
        warnings: of the check, one line each.
        seeds: of the confirmation.
        no_finer: why there is no finer sweep in it; empty where there is one.
    """

    plan: Plan
    text: str
    schedule: Schedule
    warnings: tuple[str, ...]
    seeds: tuple[int, ...]
    no_finer: str = ""


class Confirming:
    """Proposes nights after a sweep.

    Args:
        found: the sweep.
        wishes: whose name, window, goal, target and overrides hold.
        root: of the project.
        now: aware; a window that ends by the clock is counted from then.

    Raises:
        UsageError: what is wanted is not what a sweep can be followed by, or does not compose.
        DataError: the best trial is what all trials began with: there is nothing to confirm.
    """

    def __init__(self, found: Found, wishes: Wishes, root: Path, now: datetime) -> None:
        self._found, self._wishes, self._root, self._now = found, wishes, root, now
        self._metric = found.told.metric
        self._there = room(wishes.window, now)
        took = [row.seconds / max(1, len(row.runs)) for row in found.its.ranked if row.seconds]
        self._training = mean(took) if took else 0.0
        self._kind: Kind = "cross-validate" if found.its.spec.folds else "train"
        words = last_words([*found.told.base, *wishes.overrides])
        self._common = tuple(FoldWords.of(words).kept if self._kind == "cross-validate" else words)
        self._refuse_other_wishes()
        self._refuse_nothing()

    def confirm(self) -> Night:
        """The best of the sweep against what all trials began with: as many fresh seeds as there is time for.

        Raises:
            UsageError: the window is too short.
            DataError: there are no images.
        """
        for count in range(MOST, FEWEST - 1, -1):
            night = self._night(fresh_seeds(self._found.its, count), {})
            if _fits(night) and self._needed(night) <= self._there.seconds:
                return night
        raise UsageError(
            f"--window {self._wishes.window}: too short for {FEWEST} seeds a side",
            f"give it more: --window {self._shortest(night)}",
        )

    def with_finer(self, night: Night, sweep: str) -> Night:
        """The same with a finer sweep in the time that is left, and its best judged too.

        Args:
            night: that has been proposed without.
            sweep: the name of the finer one's file, which is there.
        """
        left = self._there.seconds - self._needed(night)
        trial = self._training * max(1, len(self._found.best.runs))
        # Its last trial may begin just before its budget is used up, and its best has to be judged.
        minutes = int((left - self._needed(night) - 2 * trial) // 60)
        if not trial or 60 * minutes < _LEAST_TRIALS * trial or minutes < 1:
            return replace(
                night, no_finer=f"no room: {clock.duration(max(0.0, left))} are left of the window"
            )
        whole = self._night(night.seeds, self._finer(sweep, f"{minutes}m"))
        if _fits(whole):
            return whole
        return replace(night, no_finer="no room beside the confirmation, were its trials to take their p90")

    def _needed(self, night: Night) -> float:
        """Seconds of its trainings, were all to take their p90, and no less than those of trials took."""
        costs = [
            entry.cost.seconds_p90 or entry.cost.seconds for entry in night.schedule.entries if entry.cost
        ]
        jobs = len(night.schedule.entries)
        folds = self._found.its.spec.folds or 1
        return max(sum(costs), jobs * folds * self._training)

    def _shortest(self, night: Night) -> str:
        """The shortest window that would do, in minutes."""
        fitted = night.schedule
        return f"{int((self._needed(night) + fitted.grace_seconds + fitted.analysis_seconds) // 60) + 1}m"

    def _refuse_other_wishes(self) -> None:
        problems, sweep = [], self._found.told.id
        if self._wishes.focus:
            problems.append("--focus: a sweep has chosen already; leave it out")
        if self._wishes.metric not in (None, self._metric):
            problems.append(f"--goal: {sweep} chose by {self._metric}, and is confirmed by that")
        if problems:
            raise UsageError(problems)

    def _refuse_nothing(self) -> None:
        composer = Composer(self._root)
        both = (self._common, last_words([*self._common, *self._found.best.words]))
        before, after = (flattened(composer.compose(words).resolved) for words in both)
        if not differing_keys(before, after):
            raise DataError(
                f"{self._found.told.id}: its best trial is what all trials began with: nothing is to confirm",
                f"search elsewhere, or closer: scripts/inv sweep-refine {self._found.told.id}",
            )

    def _first(self) -> dict[str, Experiment]:
        best, sweep = self._found.best, self._found.told.id
        return {
            BASELINE: Experiment(
                kind=self._kind,
                hypothesis="What all trials began with, by seeds that had no part in choosing.",
                expected=f"Its seeds say how far chance alone carries {self._metric}.",
                track=[self._metric, "val/miss_rate"],
                priority=20,
            ),
            BEST: Experiment(
                kind=self._kind,
                hypothesis=plain(
                    f"Trial {best.number} ({' '.join(best.words)}) is better than the baseline."
                ),
                expected="Somewhat less than what made it the best, some of which was luck.",
                notes=plain(f"Rests on {', '.join(best.runs[:_CITED])} of {sweep}."),
                overrides=list(best.words),
                success=Improvement(metric=self._metric, better_than="baseline"),
                track=[self._metric, "val/miss_rate"],
                priority=10,
            ),
        }

    def _finer(self, sweep: str, budget: str) -> dict[str, Experiment]:
        return {
            FINER: Experiment(
                kind="sweep",
                sweep=sweep,
                budget=budget,
                notes=plain(f"Closer around the best trials of {self._found.told.id}."),
                seeds=[self._found.its.sweep.seed],
            ),
            FINER_BEST: Experiment(
                kind=self._kind,
                hypothesis="The best of the finer sweep is better than the baseline.",
                expected="Somewhat less than what made it the best, some of which was luck.",
                base=Base(best_of=[FINER]),
                success=Improvement(metric=self._metric, better_than="baseline"),
                track=[self._metric, "val/miss_rate"],
            ),
        }

    def _night(self, seeds: tuple[int, ...], more: Mapping[str, Experiment]) -> Night:
        wishes, told = self._wishes, self._found.told
        plan = Plan(
            name=wishes.name,
            goal=wishes.goal.strip() or f"Know whether the best of {told.name} is better, in {self._metric}.",
            notes=plain(f"After {told.id}. {' '.join(map(sentence, self._found.not_established))}"),
            baseline=BASELINE,
            window=wishes.window,
            seeds=list(seeds),
            common=list(self._common),
            reserve=Reserve(analysis=self._there.analysis),
            limits=Limits(grace=self._there.grace),
            target=wishes.target,
            experiments={**self._first(), **more},
        )
        head = f"Proposed by inv plan after a sweep; {plan.name}.md says what that established, and what not."
        text = writing.text(plan, (head, *writing.commands(plan.name)), _ABOVE)
        _, checked = reread(text, plan.name, self._root)
        checked.refuse()
        fitted = schedule(checked.jobs, plan, resolve_paths(self._root)[1], self._now)
        return Night(plan, text, fitted, checked.warnings, seeds)


def _fits(night: Night) -> bool:
    return all(entry.fits != "no" for entry in night.schedule.entries)
