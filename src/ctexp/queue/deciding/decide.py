"""Gates and bases: decided once all they stand on is over, by the runs that finished, and journalled."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ctexp.core import metric_names
from ctexp.planning.plan.jobs import last_words
from ctexp.queue import measured
from ctexp.queue.deciding.verdicts import Decide
from ctexp.queue.orders import Orders
from ctexp.queue.state import Night, finished

_PASSES: dict[str, Callable[[float, float], bool]] = {
    ">=": float.__ge__,
    ">": float.__gt__,
    "<=": float.__le__,
    "<": float.__lt__,
}


def decision(orders: Orders, night: Night, wanted: Decide) -> dict[str, Any]:
    """The fields of the event `decision`; its `runs` are those it was made from."""
    return _gate(orders, night, wanted) if wanted.what == "gate" else _base(orders, night, wanted)


def _gate(orders: Orders, night: Night, wanted: Decide) -> dict[str, Any]:
    rule = orders.of(wanted.experiment)[0].gate
    assert rule is not None  # noqa: S101 - only experiments with a gate have it decided
    observed = _mean(orders, night, rule.after, rule.metric)
    return {
        "what": "gate",
        "experiment": wanted.experiment,
        "after": rule.after,
        "metric": rule.metric,
        "op": rule.op,
        "value": rule.value,
        "observed": observed,
        "passed": observed is not None and _PASSES[rule.op](observed, float(rule.value)),
        "runs": finished(night.of(orders, rule.after)),
    }


def _base(orders: Orders, night: Night, wanted: Decide) -> dict[str, Any]:
    """The best mean wins, the first named of equal ones."""
    rule = orders.of(wanted.experiment)[0].base
    assert rule is not None  # noqa: S101 - likewise
    by = rule.by or f"val/{orders.primary}"
    scores = {name: _mean(orders, night, name, by) for name in rule.best_of}
    known = {name: score for name, score in scores.items() if score is not None}
    best = max if metric_names.higher_is_better(by) else min
    winner = best(known, key=lambda name: known[name]) if known else None
    return {
        "what": "base",
        "experiment": wanted.experiment,
        "winner": winner,
        "by": by,
        "scores": scores,
        "words": [] if winner is None else words_of(orders, night, winner),
        "runs": finished(job for name in rule.best_of for job in night.of(orders, name)),
    }


def words_of(orders: Orders, night: Night, experiment: str) -> list[str]:
    """An experiment's own overrides; where it began with another's, those come before.

    Those of a sweep end with what its file says of all trials, and what sets the best apart.
    """
    before = night.decisions.get(("base", experiment), {}).get("words", [])
    return list(last_words([*before, *orders.of(experiment)[0].own, *_chosen(orders, night, experiment)]))


def _chosen(orders: Orders, night: Night, experiment: str) -> list[str]:
    """The words of the best trial of a sweep, beside what was typed; nothing of any other experiment."""
    if not orders.of(experiment)[0].is_sweep:
        return []
    (sweep,) = finished(night.of(orders, experiment))  # it has won: it is done
    return measured.chosen_by(Path(orders.runs) / measured.SWEEPS / sweep)


def _mean(orders: Orders, night: Night, experiment: str, metric: str) -> float | None:
    """Over the finished seeds that tell it."""
    runs = Path(orders.runs)
    done = finished(night.of(orders, experiment))
    found = [told["value"] for run in done if (told := measured.value(runs, run, metric))]
    values = [one for one in found if one is not None]
    return sum(values) / len(values) if values else None
