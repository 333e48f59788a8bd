"""What the trainings of an answer said of their own health when they ended, summed up over all of them."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from ctexp.core.errors import DataError
from ctexp.evaluation.health.told import unresolved
from ctexp.record import events
from ctexp.record.run_dir import RunDir


def ailments(runs: Sequence[RunDir]) -> tuple[str, ...]:
    """`overfitting in 10 of 15 trainings: inv monitor says more`, a line for each rule."""
    ailing: Counter[str] = Counter()
    for run in runs:
        with suppress(DataError):
            ailing.update(unresolved(events.read(run.events).events).keys())
    whole = f"{len(runs)} trainings" if len(runs) > 1 else "1 training"
    return tuple(
        f"{rule.replace('_', ' ')} in {number} of {whole}: scripts/inv monitor says more"
        for rule, number in ailing.most_common()
    )
