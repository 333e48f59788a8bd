"""What an audit finds, as it stands in `audit.json`. Nothing in it depends on when or where it was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ctexp.data.duplicates.find import Kind

ProblemKind = Literal["missing", "empty", "changed", "unreadable", "unknown"]
Table = Mapping[str, Mapping[str, int]]
"""Split -> class -> how many."""


@dataclass(frozen=True)
class Problem:
    """A file that is not what the catalog says.

    Attributes:
        image_id: of the image; the path for a file that the catalog does not know.
        kind: missing; empty; changed since the import; unreadable (truncated, damaged, too large, of a mode
            that is refused) although its bytes are those imported; unknown to the catalog.
        reason: one line.
    """

    image_id: str
    kind: ProblemKind
    reason: str


@dataclass(frozen=True)
class Integrity:
    """Whether the files are the ones that were imported, and what kinds of files they are.

    Attributes:
        problems: every file that is not as it should be; those of excluded images are not among them.
        excluded: image id -> what is known of an image that the user left out.
        modes: Pillow's mode of the file -> images.
        file_types: suffix without its dot, in lower case -> images.
    """

    problems: tuple[Problem, ...]
    excluded: Mapping[str, str]
    modes: Mapping[str, int]
    file_types: Mapping[str, int]


@dataclass(frozen=True)
class Rare:
    """A class that a split cannot measure.

    Attributes:
        groups: how many independent groups of it there are.
        clean: how many of them do not touch training.
    """

    split: str
    class_name: str
    images: int
    groups: int
    clean: int


@dataclass(frozen=True)
class Counts:
    """How much there is, excluded images left out.

    Attributes:
        images: files.
        groups: groups of images that belong together; a class's groups are those with an image of it.
        rare: classes with too few clean groups in val or test.
    """

    images: Table
    groups: Table
    rare: tuple[Rare, ...]


@dataclass(frozen=True)
class Member:
    """One image of a group of copies."""

    image_id: str
    split: str
    class_name: str
    excluded: bool


@dataclass(frozen=True)
class CopyGroup:
    """Images that show the same picture.

    Attributes:
        group: as in the catalog.
        kind: the loosest likeness in it: the same bytes, the same pixels, or nearly the same picture.
        similarity: the lowest of any pair that was found, 1 for the same pixels.
        splits: where its images are used, in the order of the splits; one of them when it does not leak.
        classes: of its images; more than one is a conflict of labels.
    """

    group: str
    kind: Kind
    similarity: float
    splits: tuple[str, ...]
    classes: tuple[str, ...]
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Leak:
    """Images of one split and class that belong together with training images.

    Attributes:
        images: of this split and class.
        exact: those whose bytes or pixels are in training.
        exact_distinct: how many different pictures these are.
        near: those of which training holds an altered copy.
        near_distinct: how many different pictures these are.
        related: those joined to training only otherwise: by a patient.
    """

    split: str
    class_name: str
    images: int
    exact: int
    exact_distinct: int
    near: int
    near_distinct: int
    related: int

    @property
    def leaking(self) -> int:
        """All that training touches."""
        return self.exact + self.near + self.related


@dataclass(frozen=True)
class Patients:
    """What the patients say, where somebody knows them.

    Attributes:
        known: images whose patient is known.
        people: different patients.
        across: patient -> splits, for those with images in more than one.
    """

    known: int
    people: int
    across: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Names:
    """Names that can be mistaken for one another.

    Attributes:
        shared_stems: how many file names (without suffix) stand in several folders.
        examples: those in most places -> in how many.
        alike: ids that are equal but for case or the way Unicode composes letters.
    """

    shared_stems: int
    examples: Mapping[str, int]
    alike: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval.

    Attributes:
        alarm: whether the interval lies well above what a guess reaches, and the images are not few.
        few: whether there are too few independent images for an alarm.
    """

    value: float
    low: float
    high: float
    alarm: bool
    few: bool


@dataclass(frozen=True)
class Answer:
    """How well one question is answered without looking at the picture.

    Attributes:
        question: `class`: which of the classes; `cancer`: cancer or normal.
        accuracy: cross-validated, with the Wilson interval.
        majority: the share of the most frequent answer, which a guess reaches.
        auroc: of the out-of-fold scores, one against the rest on average, 0.5 for a guess.
    """

    question: Literal["class", "cancer"]
    accuracy: Estimate
    majority: float
    auroc: Estimate


@dataclass(frozen=True)
class Baseline:
    """A small classifier on what surrounds the picture."""

    family: str
    measures: tuple[str, ...]
    answers: tuple[Answer, ...]

    @property
    def alarm(self) -> bool:
        """Whether it answers a question well enough to matter."""
        return any(answer.accuracy.alarm or answer.auroc.alarm for answer in self.answers)


@dataclass(frozen=True)
class Shortcuts:
    """Whether metadata alone tell the class.

    Attributes:
        images: how many independent ones were used, one a group and class.
        of: how many there were; more than `images` where the number was capped.
        left_out: class -> its independent images, where they were too few.
        withheld: why there are no baselines; empty when there are.
    """

    images: int
    of: int
    left_out: Mapping[str, int]
    withheld: str
    baselines: tuple[Baseline, ...]


@dataclass(frozen=True)
class Telling:
    """How far one statistic alone tells two splits apart.

    Attributes:
        auroc: 0.5 when it does not; above it the values of the other split are larger, below smaller.
        train: median in training.
        other: median in the other split.
    """

    statistic: str
    auroc: float
    train: float
    other: float


@dataclass(frozen=True)
class Comparison:
    """Whether the images of a split look as if they came from elsewhere than the training images.

    Attributes:
        split: compared with training.
        among: `all` images, `cancers` or `normals`.
        train: training images used.
        other: images of the split used.
        withheld: why there is no figure; empty when there is one.
        auroc: cross-validated, of telling the split's images from training images; 0.5 when they are alike.
        telling: the statistics that tell most, best first.
    """

    split: str
    among: Literal["all", "cancers", "normals"]
    train: int
    other: int
    withheld: str
    auroc: Estimate | None
    telling: tuple[Telling, ...]


@dataclass(frozen=True)
class Findings:
    """All that an audit finds.

    Attributes:
        catalog_sha256: of the catalog's file.
        fingerprint: of the images, whatever else is known of them.
        images: in the catalog, excluded ones too.
        examined: those that could be decoded and are the ones imported; copies, shortcuts and shifts are
            looked for among them.
        test_in_val: test images that belong together with validation images and with none of training.
        unknown: what is not known of all images -> what cannot be assessed for that.
    """

    dataset: str
    synthetic: bool
    catalog_sha256: str
    fingerprint: str
    images: int
    examined: int
    integrity: Integrity
    counts: Counts
    copies: tuple[CopyGroup, ...]
    leaks: tuple[Leak, ...]
    test_in_val: int
    patients: Patients
    names: Names
    shortcuts: Shortcuts
    shift: tuple[Comparison, ...]
    unknown: Mapping[str, str]
