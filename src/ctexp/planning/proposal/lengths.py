"""How long trainings that are only thought of will take: as `plan-check` says, or else by a stated guess.

A guess is what runs of the incumbent took, or `GUESS_SECONDS`, times what a move is said to cost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
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
        took: seconds of runs that come nearest to it, whatever they were computed on.
    """

    def __init__(
        self, runs: Path, reference: Mapping[str, Any], images: Images, took: Sequence[float] = ()
    ) -> None:
        self._past = Past.load(runs)
        self._measured = Measurements.load(runs)
        self._images = images
        guess = self._whole(median(took)) if took else images.trainings * GUESS_SECONDS
        assumed = Length(guess, _GUESSED_P90 * guess, assumed=True)
        self._reference = self._known(reference) or assumed

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
        found = estimate_of(self._job(resolved), self._past, self._measured)
        if found is None:
            return None
        p50, p90 = (self._whole(seconds) for seconds in (found.seconds, bound(found)))
        return Length(p50, p90, assumed=False)

    def _job(self, resolved: Mapping[str, Any]) -> Job:
        device = computes_on(resolved["trainer"]["accelerator"])
        return Job.of(resolved, device, self._images.train, self._images.val)

    def _whole(self, seconds: float) -> float:
        """Of all the trainings of a job, each a process of its own."""
        return self._images.trainings * (START_SECONDS + seconds)
