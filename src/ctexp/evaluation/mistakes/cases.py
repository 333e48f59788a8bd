"""What was said of each image, as sure as it has a right to be: what all about mistakes starts from."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES, NORMAL
from ctexp.core.errors import CtexpError
from ctexp.evaluation import entries, temperature
from ctexp.evaluation.answers import Answers
from ctexp.record.calibration import Calibration
from ctexp.record.checkpoint_files import BEST, read_sums
from ctexp.record.documents import Part
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import Subject


class Share(Part):
    """A share of images with its 95 % interval.

    Attributes:
        value: 0 to 1; null where there are no such images, as the bounds are then.
        n: images it is a share of.
        method: how the interval was made.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str


@dataclass(frozen=True, eq=False)
class Cases:
    """The images of a split in the order of their ids, and the answers of a run, or of all seeds together.

    Attributes:
        out_of_sample: whether the networks have not learned from these images.
        sha256: of each image file.
        group: images of one group are look-alikes, 0..G-1, `(N,)`.
        label: true classes, `(N,)`.
        called: the classes they were given, `(N,)`.
        probabilities: calibrated where `temperature` is known, `(N, 4)`.
        temperature: what logits were divided by; None where none belongs to the weights.
    """

    split: str
    out_of_sample: bool
    image_id: tuple[str, ...]
    sha256: tuple[str, ...]
    group: NDArray[np.int64]
    label: NDArray[np.int64]
    called: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    temperature: float | None

    def __len__(self) -> int:
        return len(self.image_id)

    @cached_property
    def wrong(self) -> NDArray[np.bool_]:
        """Which images were called another class than they have, `(N,)`."""
        return np.asarray(self.label != self.called)

    @cached_property
    def cancer(self) -> NDArray[np.bool_]:
        """Which images show a cancer, `(N,)`."""
        return np.asarray(self.label != NORMAL)

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """The probability of the class that an image was given, `(N,)`."""
        return np.asarray(self.probabilities.max(axis=1))

    def share(self, name: str, hits: NDArray[np.bool_], among: NDArray[np.bool_]) -> Share:
        """The share of `hits` among some images, `(N,)` each: Wilson, widened where images come in groups."""
        counted = hits[among]
        value = float(counted.mean()) if len(counted) else float("nan")
        return Share.model_validate(entries.of_proportion(name, value, counted, self.group[among]))

    def accuracy(self, among: NDArray[np.bool_]) -> Share:
        """The share of right answers among some images `(N,)`."""
        return self.share("accuracy", ~self.wrong, among)

    def miss_rate(self, among: NDArray[np.bool_]) -> Share:
        """The share of cancers called normal, of the cancers among some images `(N,)`."""
        return self.share("miss_rate", self.called == NORMAL, among & self.cancer)


def of(answers: Answers) -> Cases:
    """The cases of what was read of a subject.

    The class an image is given is that of `answers.joint`, as in every other verdict. Several seeds share one
    temperature, the geometric mean of theirs, since one alone leaves those classes as they are.
    """
    joint = answers.joint
    found = temperature_of(answers.subject)
    return Cases(
        split=answers.split,
        out_of_sample=answers.split != "train",
        image_id=joint.image_id,
        sha256=joint.sha256,
        group=joint.groups,
        label=joint.label,
        called=joint.logits.argmax(axis=1),
        probabilities=temperature.calibrated(joint.logits, found or 1.0),
        temperature=found,
    )


def temperature_of(subject: Subject) -> float | None:
    """The temperature of a subject's networks; None where one of them has none of its own weights."""
    try:
        if subject.place is not None:
            return Calibration.read(subject.place.calibration).temperature
        found = [_temperature(run) for run in subject.runs]
    except CtexpError:
        return None
    known = [value for value in found if value is not None]
    return float(np.exp(np.mean(np.log(known)))) if known and len(known) == len(found) else None


def _temperature(run: RunDir) -> float | None:
    kept = Calibration.read(run.calibration)
    return kept.temperature if kept.checkpoint_sha256 == read_sums(run.checkpoints).get(BEST) else None


def class_name(label: int) -> str:
    """The class with this label."""
    return CLASSES[int(label)]
