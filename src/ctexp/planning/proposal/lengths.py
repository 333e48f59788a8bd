"""How long trainings that are only thought of will take: as `plan-check` says, or else by a stated guess.

A guess is what runs of the incumbent took, or `GUESS_SECONDS`. Its epochs cost in proportion to their number
and to the pixels of an image; what else a move changes costs what it is said to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from ctexp.core.dotted import flattened
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
class Took:
    """What a training took, in seconds: its `epochs`, and the `rest`.

    Attributes:
        settings: its configuration, flat.
    """

    epochs: float
    rest: float
    settings: Mapping[str, Any]

    def of(self, resolved: Mapping[str, Any]) -> float:
        """The seconds of one with other epochs and images."""
        return self.rest + self.epochs * _work(flattened(resolved)) / _work(self.settings)


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
        reference: the configuration that guesses are multiples of, in plain values; all are logged as it is.
        images: that it is trained on; those of all others are as many.
        took: runs that come nearest to it, whatever they were computed on.
    """

    def __init__(
        self, runs: Path, reference: Mapping[str, Any], images: Images, took: Sequence[Took] = ()
    ) -> None:
        self._past = Past.load(runs)
        self._measured = Measurements.load(runs)
        self._images = images
        self._words = reference
        guess = median(one.of(reference) for one in took) if took else GUESS_SECONDS - START_SECONDS
        seconds = self._whole(guess)
        self._reference = self._known(reference) or Length(seconds, _GUESSED_P90 * seconds, assumed=True)

    def of(self, resolved: Mapping[str, Any], factor: float = 1.0) -> Length:
        """The length of one job.

        Args:
            resolved: its configuration in plain values.
            factor: of the reference's length, where nothing is known of its own and it has as much to do.
        """
        known = self._known({**resolved, "logger": self._words["logger"]})
        if known:
            return known
        more = _work(flattened(resolved)) / _work(flattened(self._words))
        guess = (factor if more == 1 else more) * self._reference.p50
        return Length(guess, _GUESSED_P90 * guess, assumed=True)

    def trial(self, resolved: Mapping[str, Any]) -> float | None:
        """Seconds of a short training on a sample, by others of as many epochs on no more images.

        None where there was none.
        """
        data, epochs = resolved["data"], resolved["trainer"]["max_epochs"]
        most = data["sample"] or self._images.train
        alike = [one.seconds for one in self._past.runs if one.job.epochs == epochs and one.job.train <= most]
        return START_SECONDS + median(alike) if alike else None

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


def _work(settings: Mapping[str, Any]) -> float:
    """What a training has to do, in pixels of one image over all epochs, of a flat configuration."""
    return float(settings["trainer.max_epochs"] * settings["data.image_size"] ** 2)
