"""What `inv plan --explain` tells: of every move its prior, what was seen, what is believed and what for."""

from collections.abc import Mapping, Sequence
from typing import Any

from ctexp.planning.moves.history import Tried
from ctexp.planning.moves.learning import OWN, SETTLED, error
from ctexp.planning.moves.survey import MENDS, Considered
from ctexp.planning.moves.value import Belief, Offer, ranked
from ctexp.planning.study.noise import Noise


def explain(
    considered: Sequence[Considered],
    offers: Mapping[str, Offer],
    metric: str,
    noise: Noise | None = None,
    left_out: Mapping[str, str] | None = None,
    seeds: int | None = None,
) -> dict[str, Any]:
    """All that a ranking rests on, as plain JSON values.

    Args:
        considered: every move; see `survey`.
        offers: by title, what those that could be tried would cost and show.
        metric: that was looked at.
        noise: over seeds, that the survey was given.
        left_out: by title, why moves that apply are not proposed all the same; a sweep's by its id alone.
        seeds: that the minutes of each offer are for.

    Returns:
        The moves that are proposed, the best offer first; then the others, as the catalogue has them.
    """
    others = left_out or {}
    why_not = {
        one.title: one.why_not or others.get(one.title, "") or others.get(one.id, "") for one in considered
    }
    order = {one.title: place for place, one in enumerate(ranked(offers.values()))}
    moves = sorted(considered, key=lambda one: (bool(why_not[one.title]), order.get(one.title, len(order))))
    return {
        "metric": metric,
        "own_share": OWN,
        "settled_below": SETTLED,
        "mends": MENDS,
        "seeds": seeds,
        "moves": [_move(one, why_not[one.title], offers.get(one.title), noise) for one in moves],
    }


def _move(one: Considered, why_not: str, offer: Offer | None, noise: Noise | None) -> dict[str, Any]:
    known = one.posterior
    return {
        "title": one.title,
        "move": one.id,
        "variant": one.variant,
        "category": one.move.category,
        "applies": not why_not,
        "why_not": why_not,
        "reasons": list(one.reasons),
        "again": one.again,
        "words": list(one.instance.words) if one.instance else [],
        "changes": {key: list(pair) for key, pair in one.instance.changes.items()} if one.instance else {},
        "headroom": one.headroom,
        "catalogue": _belief(one.catalogue),
        "bonus": one.bonus,
        "prior": _belief(one.prior),
        "source": one.move.source,
        "tried": [_tried(past, noise) for past in known.tried] if known else [],
        "elsewhere": [_tried(past, noise) | {"ground": dict(past.ground)} for past in one.elsewhere],
        "posterior": {
            "gain": known.belief.mean,
            "sd": known.belief.sd,
            "weight": known.weight,
            "seen": known.seen,
            "p_better": known.p_better,
            "p_worthwhile": known.p_worthwhile,
            "said": known.said,
        }
        if known
        else None,
        "expected_gain": offer.expected_gain if offer else None,
        "minutes": offer.minutes if offer else None,
        "gain_per_minute": offer.per_minute if offer else None,
    }


def _belief(one: Belief | None) -> dict[str, float] | None:
    return None if one is None else {"gain": one.mean, "sd": one.sd}


def _tried(past: Tried, noise: Noise | None) -> dict[str, Any]:
    return {
        "before": past.before,
        "after": past.after,
        "from_the_incumbent": past.here,
        "exact": past.exact,
        "gain": past.gain,
        "se": error(past, noise),
        "seeds": list(past.seeds),
        "lost": list(past.lost),
        "cites": list(past.cites),
    }
