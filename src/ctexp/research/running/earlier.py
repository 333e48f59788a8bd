"""What had been known of a part before it was answered again: kept, and held against what is asked now."""

from contextlib import suppress

from ctexp.core.errors import DataError
from ctexp.research.findings import kept
from ctexp.research.places import Places
from ctexp.research.record import Answer


def keep(places: Places, experiment: str, sub: str) -> Answer | None:
    """Keep the record that another will take the place of; it, or None where none can be read."""
    with suppress(DataError):
        answer = Answer.read(places.record(experiment, sub))
        kept.keep(places, experiment, [sub])
        return answer
    return None


def seen(places: Places, answer: Answer) -> str | None:
    """When figures of a part were first seen while the plan asked something else of it; None where never."""
    moments = []
    for file in kept.kept_files(places, answer.experiment):
        with suppress(DataError):
            one = kept.read(file)
            if one.sub == answer.sub and one.state == "completed" and one.basis.plan != answer.basis.plan:
                moments.append(one.ended)
    return min(moments, default=None)
