"""Every move of the catalogue, looked at: whether it applies to the incumbent, and what is believed of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import hypot
from typing import Any

from ctexp.config.compose import Composer
from ctexp.planning.diagnosis.findings import Finding
from ctexp.planning.moves.catalogue import Catalogue
from ctexp.planning.moves.history import Tried
from ctexp.planning.moves.instances import Instance, instances, title
from ctexp.planning.moves.learning import Posterior, failed, posterior
from ctexp.planning.moves.move import ALIKE, PRIMARY, Move
from ctexp.planning.moves.value import Belief
from ctexp.planning.study.noise import Noise
from ctexp.planning.study.recipes import Recipe

MENDS = 0.05
"""The share of what a trouble costs that a move made for it is believed to win back, on average, give or take
twice as much: a guess. The catalogue's priors know nothing of how bad a trouble is here."""

FULL = 0.01
"""The gain of the catalogue from which on a move has all of that share, smaller ones a part in proportion: a
control, of which no gain is expected, has nothing of it however bad the trouble."""


@dataclass(frozen=True)
class Considered:
    """A move, or one variant of it, and what was found out about it.

    Attributes:
        id: of the move; `variant` of it.
        move: what the catalogue says.
        instance: it on the incumbent; None where it makes nothing of it.
        reasons: what was seen that it is for, or that it is asked for; empty where it is for anything.
        why_not: why it is not to be proposed, a few words; empty where it is.
        headroom: what could be gained at most of what was seen that it is for; None where nobody can tell.
        catalogue: what the catalogue says of its effect on the metric; None where it says nothing.
        bonus: what is added to that for how bad the trouble is: see `MENDS`.
        prior: of its effect, both together; None as `catalogue`.
        posterior: None likewise, and where there is no instance.
        elsewhere: where it was tried on recipes that had another value of what it changes: not counted.
        again: why it may be tried although it failed elsewhere, a few words; empty where it did not.
    """

    id: str
    variant: str | None
    move: Move = field(hash=False)
    instance: Instance | None
    reasons: tuple[str, ...]
    why_not: str
    headroom: float | None
    catalogue: Belief | None
    bonus: float
    prior: Belief | None
    posterior: Posterior | None
    elsewhere: tuple[Tried, ...] = ()
    again: str = ""

    @property
    def title(self) -> str:
        """`lower_lr`, or `learning_rate/third`."""
        return title(self.id, self.variant)

    @property
    def applies(self) -> bool:
        """Whether it may be proposed."""
        return not self.why_not


def survey(
    start: Recipe,
    catalogue: Catalogue,
    composer: Composer,
    *,
    seen: Sequence[Finding],
    tried: Sequence[Tried],
    metric: str,
    worthwhile: float,
    noise: Noise | None = None,
) -> tuple[Considered, ...]:
    """Look at every move.

    Args:
        start: the recipe that moves are made on: the incumbent, or one `imagined`.
        catalogue: the moves.
        composer: of the project.
        seen: the findings of the diagnosis that were seen.
        tried: what `history.tried` found of this metric.
        metric: `val/macro_f1` or the like, which is to become better.
        worthwhile: the smallest gain of it that matters.
        noise: of it over seeds; None where nobody knows.

    Returns:
        In the catalogue's order. Two may come to the same configuration: see `Instance.changes`.

    Raises:
        UsageError: the recipe's own words no longer compose.
    """
    made = instances(start, catalogue, composer)
    found = []
    for name, move in catalogue.moves.items():
        reasons, against = _reasons(move, seen, metric)
        headroom, stated = _headroom(move, seen, metric), move.prior(metric)
        bonus = _bonus(stated, headroom)
        prior = None if stated is None else Belief(stated.mean + bonus, hypot(stated.sd, 2 * bonus))
        for variant in move.ways:
            called = title(name, variant)
            one, unusable = (its, "") if isinstance(its := made[called], Instance) else (None, its)
            pasts = [past for past in tried if past.title == called]
            here = [past for past in pasts if one is not None and past.is_about(one)]
            elsewhere = tuple(past for past in pasts if past not in here)
            known = None
            if one is not None and prior is not None:
                known = posterior(prior, here, worthwhile, noise)
            found.append(
                Considered(
                    id=name,
                    variant=variant,
                    move=move,
                    instance=one,
                    reasons=reasons,
                    why_not=_why_not(unusable, against, known, metric, move),
                    headroom=headroom,
                    catalogue=stated,
                    bonus=bonus,
                    prior=prior,
                    posterior=known,
                    elsewhere=elsewhere,
                    again=_again(one, elsewhere, prior, worthwhile, noise),
                )
            )
    return tuple(found)


def _reasons(move: Move, seen: Sequence[Finding], metric: str) -> tuple[tuple[str, ...], str]:
    """What was seen that a move is for; and why what was seen speaks against it."""
    its = tuple(f"{one.kind}: {one.said}" for one in seen if one.kind in move.when)
    if against := [one.kind for one in seen if one.kind in move.unless]:
        return (), f"it would make worse what was seen: {', '.join(against)}"
    if its or not move.when:
        return its, ""
    if metric != PRIMARY and metric in move.effects:
        return (f"its effect on {metric} is what is asked for",), ""
    return (), f"it is for {', '.join(move.when)}, which was not seen"


def _headroom(move: Move, seen: Sequence[Finding], metric: str) -> float | None:
    """The most that any of what was seen and the move is for costs; what is but a guess costs nothing."""
    if metric not in (PRIMARY, *ALIKE):
        return None
    sure = [one for one in seen if one.kind in move.when and one.confidence != "low"]
    costs = [one.headroom for one in sure if one.headroom is not None]
    return max(costs, default=None)


def _bonus(stated: Belief | None, headroom: float | None) -> float:
    """`MENDS` of the headroom, by how much of a gain the catalogue expects."""
    if stated is None or headroom is None:
        return 0.0
    return MENDS * headroom * min(1.0, max(0.0, stated.mean) / FULL)


def _why_not(unusable: str, against: str, known: Posterior | None, metric: str, move: Move) -> str:
    if unusable:
        return unusable
    if move.changes_images:
        return against or "it changes which images are judged: a step of its own, not a gain"
    if known is None:
        return f"the catalogue says nothing of its effect on {metric}"
    return failed(known) or against


def _again(
    one: Instance | None,
    elsewhere: Sequence[Tried],
    prior: Belief | None,
    worthwhile: float,
    noise: Noise | None,
) -> str:
    """Why a move that failed elsewhere is another one here: what it changes has another value now."""
    if one is None or prior is None or not elsewhere:
        return ""
    grounds: list[Mapping[str, Any]] = []
    for past in elsewhere:
        alike = [replace(other, here=True) for other in elsewhere if other.ground == past.ground]
        if past.ground not in grounds and failed(posterior(prior, alike, worthwhile, noise)):
            grounds.append(past.ground)
    if not grounds:
        return ""
    there = " and ".join(_settings(ground, one.ground, "was") for ground in grounds)
    return f"it failed where {there}; here {_settings(one.ground, grounds[0], 'is')}"


def _settings(ground: Mapping[str, Any], other: Mapping[str, Any], verb: str) -> str:
    """The settings of one ground that another has otherwise."""
    differing = [key for key, value in ground.items() if other.get(key) != value] or list(ground)
    return ", ".join(f"{key} {verb} {ground[key]}" for key in differing[:3])
