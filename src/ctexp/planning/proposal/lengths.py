"""How long trainings that are only thought of will take: as `plan-check` says, or else by a stated guess."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctexp.planning.checking.images import Images
from ctexp.planning.past import Job, Past
from ctexp.planning.schedule.costs import START_SECONDS, bound, estimate_of
from ctexp.planning.schedule.measurements import Measurements
from ctexp.record.environment import computes_on

GUESS_SECONDS = 600.0
"""A training of which nothing at all is known: ten minutes, for a fine-tuning on a thousand slices."""

_GUESSED_P90 = 1.6
"""What a guess may be exceeded by: no less than a measurement of a few steps (`estimates.ASSUMED`)."""


@dataclass(frozen=True)
class Length:
    """Of one job, in seconds.

    Attributes:
        assumed: whether it is a guess: nothing like it was trained or measured.
    """

    p50: float
    p90: float
    assumed: bool


class Lengths:
    """The lengths of a project's trainings.

    Args:
        runs: the folder of all runs.
        reference: the configuration that guesses are multiples of, in plain values.
        images: that it is trained on; those of all others are as many.
    """

    def __init__(self, runs: Path, reference: Mapping[str, Any], images: Images) -> None:
        self._past = Past.load(runs)
        self._measured = Measurements.load(runs)
        self._images = images
        known = self._known(reference)
        self._reference = known or Length(GUESS_SECONDS, _GUESSED_P90 * GUESS_SECONDS, assumed=True)

    def of(self, resolved: Mapping[str, Any], factor: float = 1.0) -> Length:
        """The length of one job.

        Args:
            resolved: its configuration in plain values.
            factor: of the reference's length, where nothing is known of its own.
        """
        known = self._known(resolved)
        if known:
            return known
        reference = self._reference
        return Length(factor * reference.p50, factor * _GUESSED_P90 * reference.p50, assumed=True)

    def _known(self, resolved: Mapping[str, Any]) -> Length | None:
        images = self._images
        device = computes_on(resolved["trainer"]["accelerator"])
        found = estimate_of(Job.of(resolved, device, images.train, images.val), self._past, self._measured)
        if found is None:
            return None
        p50, p90 = (images.trainings * (START_SECONDS + seconds) for seconds in (found.seconds, bound(found)))
        return Length(p50, p90, assumed=False)
