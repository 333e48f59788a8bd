"""The experiments of a night, stage by stage: what is done, what is believed of it, and why it is there.

smoke          does the machinery work?
baseline       what does chance do?
coarse         one change at a time, or each value of a sweep with few seeds
confirmation   the best of them once more, with seeds that had no part in choosing it: of several that are
               looked at the best looks better than it is
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ctexp.core.metric_names import higher_is_better
from ctexp.core.wording import joined, some
from ctexp.planning.plan.document import Base, Experiment
from ctexp.planning.plan.jobs import LEAST_SECONDS
from ctexp.planning.proposal.candidates import Candidate, Way
from ctexp.planning.proposal.documents import Reason
from ctexp.planning.proposal.seeds import FEW
from ctexp.planning.proposal.sharing import Night
from ctexp.planning.proposal.wording import plain

_SMOKE, _BASELINE, _URGENT, _COARSE, _LAST = 100, 50, 20, 10, 0
"""Priorities: what everything else rests on comes first, then what is made for the worst that was seen; what
rests on everything comes last."""

_UNIT = 0.001
"""Of the metric: what one unit of worth is."""

_CITED = 4
"""Runs that a note names; the document beside the plan names all."""


@dataclass(frozen=True)
class Part:
    """An experiment with its reason."""

    name: str
    experiment: Experiment
    reason: Reason


def smoke(words: Sequence[str], seconds: float | None, cites: Sequence[str] = ()) -> Part:
    """The machinery, for a minute.

    Args:
        words: that make a training as small as can be.
        seconds: that others like it took; None where there was none.
        cites: what the night rests on.
    """
    return Part(
        "smoke",
        Experiment(
            hypothesis="Data, weights, device and tracker work together.",
            expected="One epoch on a sample ends within minutes; its figures mean nothing.",
            overrides=list(words),
            seeds=[1],
            priority=_SMOKE,
        ),
        Reason(
            stage="smoke",
            why="what fails at once should fail before the night is spent on it",
            refuted_by="it fails: nothing else is begun then",
            changes=tuple(words),
            minutes=(LEAST_SECONDS if seconds is None else seconds) / 60,
            assumed=True,
            cites=tuple(cites),
        ),
    )


def baseline(night: Night, title: str, seen: str, why: str, refuted: str, cites: Sequence[str]) -> Part:
    """The noise floor.

    Args:
        night: what is shared.
        title: of what is trained.
        seen: what is expected to be seen, a sentence.
        why: it is needed.
        refuted: what would be a surprise.
        cites: what it rests on.
    """
    count = len(night.first)
    return Part(
        night.baseline,
        Experiment(
            kind=night.kind,
            hypothesis=plain(
                f"The noise floor: {count} seeds of {title} say how far chance alone carries a figure."
            ),
            expected=plain(seen),
            notes=_notes(cites, refuted),
            seeds=list(night.first) if night.first != night.seeds else None,
            needs=["smoke"],
            track=_tracked(night.metric),
            priority=_BASELINE,
            worth=100.0,
        ),
        Reason(
            stage="baseline",
            why=why,
            refuted_by=refuted,
            minutes=count * night.minutes,
            assumed=night.assumed,
            cites=tuple(cites),
        ),
    )


def rival(night: Night, name: str, title: str, words: Sequence[str], why: str, cites: Sequence[str]) -> Part:
    """Another recipe with as many seeds as the baseline, and nothing claimed of it."""
    refuted = "its interval and the baseline's lie apart: then there is a difference after all"
    return Part(
        name,
        Experiment(
            kind=night.kind,
            hypothesis=plain(f"The recipe {title} and the incumbent differ by no more than chance does."),
            expected="With as many seeds on either side the interval of the difference holds zero.",
            notes=_notes(cites, refuted),
            overrides=list(words),
            needs=["smoke"],
            track=_tracked(night.metric),
            priority=_COARSE,
            worth=10.0,
        ),
        Reason(
            stage="baseline",
            why=why,
            refuted_by=refuted,
            changes=tuple(words),
            minutes=len(night.seeds) * night.minutes,
            assumed=night.assumed,
            cites=tuple(cites),
        ),
    )


def coarse(night: Night, one: Candidate) -> list[Part]:
    """One change: an experiment; of a sweep an experiment for each of its values, and the confirmation."""
    if not one.ways:
        return [_change(night, one)]
    values = [_value(night, one, way) for way in one.ways]
    return [*values, confirmation(night, f"{one.name}-winner", [part.name for part in values], one)]


def confirmation(night: Night, name: str, among: Sequence[str], best: Candidate) -> Part:
    """The best of several, with fresh seeds.

    Args:
        night: what is shared.
        name: of the experiment.
        among: experiments that it chooses from.
        best: the one that most is expected of.
    """
    refuted = night.refuted()
    why = f"of {len(among)} that are looked at the best looks better than it is; fresh seeds tell"
    return Part(
        name,
        Experiment(
            kind=night.kind,
            hypothesis=f"The best of {joined(among)} is better than the baseline with fresh seeds, too.",
            expected="Somewhat less than what made it the best, some of which was luck.",
            notes=_notes((), refuted),
            base=Base(best_of=list(among), by=night.metric),
            seeds=list(night.fresh),
            success=night.criterion,
            track=_tracked(night.metric, best.track),
            priority=_LAST,
            worth=_worth(best.expected_gain),
        ),
        Reason(
            stage="confirmation",
            why=why,
            refuted_by=refuted,
            expected_gain=best.expected_gain,
            minutes=len(night.fresh) * max(night.minutes, best.minutes),
            assumed=night.assumed or best.assumed,
            prior=best.prior,
            bonus=best.bonus,
            posterior=best.posterior,
        ),
    )


def _change(night: Night, one: Candidate) -> Part:
    move, refuted = one.instance.move, night.refuted()
    return Part(
        one.name,
        Experiment(
            kind=night.kind,
            hypothesis=plain(move.hypothesis),
            expected=plain(move.expected),
            notes=_notes(one.cites, refuted),
            overrides=list(one.instance.words),
            gate=night.gate,
            needs=night.needs,
            success=night.criterion,
            track=_tracked(night.metric, one.track),
            priority=_URGENT if one.urgent else _COARSE,
            worth=_worth(one.expected_gain),
            fallback=dict(one.fallback),
        ),
        _reason(one, len(night.seeds) * one.minutes, one.instance.words, refuted),
    )


def _value(night: Night, one: Candidate, way: Way) -> Part:
    """One value of a sweep: a look, with no criterion of its own."""
    move = one.instance.move
    refuted = "it is not the best of its sweep"
    return Part(
        way.name,
        Experiment(
            kind=night.kind,
            hypothesis=plain(move.hypothesis),
            expected=plain(move.expected),
            notes=_notes(one.cites, refuted),
            overrides=list(way.words),
            seeds=list(night.seeds[:FEW]),
            gate=night.gate,
            needs=night.needs,
            track=_tracked(night.metric, one.track),
            priority=_URGENT if one.urgent else _COARSE,
            worth=_worth(way.expected_gain / len(one.ways)),
            fallback=dict(one.fallback),
        ),
        replace(
            _reason(one, FEW * way.minutes, way.words, refuted),
            variant=way.variant,
            posterior=way.posterior,
            expected_gain=way.expected_gain,
        ),
    )


def _reason(one: Candidate, minutes: float, words: Sequence[str], refuted: str) -> Reason:
    return Reason(
        stage="coarse",
        why=f"{one.why}{one.learned}",
        refuted_by=refuted,
        move=one.instance.id,
        variant=one.instance.variant,
        changes=tuple(words),
        prior=one.prior,
        bonus=one.bonus,
        posterior=one.posterior,
        expected_gain=one.expected_gain,
        minutes=minutes,
        assumed=one.assumed,
        cites=one.cites,
    )


def _worth(expected: float) -> float:
    """In units of `_UNIT`: what is expected, and never nothing, since it was asked for."""
    return max(0.1, round(expected / _UNIT, 1))


def _tracked(metric: str, more: Iterable[str] = ()) -> list[str]:
    return list(dict.fromkeys((metric, *more, "val/balanced_accuracy", "val/miss_rate")))


def _notes(cites: Sequence[str], refuted: str) -> str:
    rests = f"Rests on {some(cites, _CITED)}. " if cites else ""
    return plain(f"{rests}Refuted if {refuted}.")


def better_than_nothing(metric: str, mean: float, sd: float | None) -> str:
    """`val/macro_f1 near 0.61 (sd 0.02 over seeds)`."""
    spread = "" if sd is None else f" (sd {sd:.3f} over seeds)"
    way = "" if higher_is_better(metric) else ", lower is better"
    return f"{metric} near {mean:.3f}{spread}{way}"


def words_of_smoke(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The overrides that make any recipe a smoke run: those of `conf/experiment/smoke.yaml`, one by one.

    The file itself would take the place of another experiment's file, and a recipe's own words would win
    over it: what is tried would not be what the night does.
    """
    words = []
    for section, values in document.items():
        if isinstance(values, Mapping):
            words += [f"{section}.{key}={_shown(value)}" for key, value in values.items()]
    return tuple(words)


def _shown(value: Any) -> str:
    return "null" if value is None else str(value)
