"""A comparison as a document: plain JSON, finite numbers or null, for screens, reports and programs."""

from typing import Literal

from pydantic import JsonValue

from ctexp.core.errors import UsageError
from ctexp.evaluation.comparison.delong import DeLong
from ctexp.evaluation.comparison.exact import McNemar
from ctexp.evaluation.comparison.needed import Needed
from ctexp.evaluation.comparison.verdict import Call
from ctexp.record.decisions import Choice, Gate
from ctexp.record.documents import Document, Part, Sha256, Text


class Spread(Part):
    """One side's values of a metric.

    Attributes:
        values: by seed; undefined ones are null.
        sd: of the sample over seeds; null for fewer than two. It is apart from the error of the images.
    """

    values: dict[str, float | None]
    sd: float | None


class MetricVerdict(Part):
    """One metric of one candidate; the fields of `comparison.Verdict` mean the same here.

    Attributes:
        of_baseline: the baseline's values, by seed.
        of_candidate: the candidate's.
    """

    baseline: float | None
    candidate: float | None
    difference: float | None
    low: float | None
    high: float | None
    image_se: float | None
    seed_se: float | None
    seed_source: str
    p_images: float | None
    p: float
    p_holm: float
    verdict: Call
    needed: Needed | None
    detectable: float | None
    reason: str
    of_baseline: Spread
    of_candidate: Spread


class BeforeAfter(Part):
    """The same number of the baseline and of the candidate; null where undefined."""

    baseline: float | None
    candidate: float | None


class ClassChange(Part):
    """One class, by the joint answers: what of it is found, and what of that is it."""

    images: int
    recall: BeforeAfter
    precision: BeforeAfter
    f1: BeforeAfter
    newly_right: int
    newly_wrong: int


class Cost(Part):
    """What one side takes; null where its records do not say.

    Attributes:
        training_minutes: of a run, all its starts together; the mean over runs.
        training_minutes_total: of all its runs.
        devices: what they computed on.
        parameters: how many numbers the network has.
        latency_ms: of one image, as `evaluate` measured it.
        images_per_second: in batches, likewise.
        memory_mb: the peak in training: of the GPU, or of the process where there is none.
    """

    training_minutes: float | None
    training_minutes_total: float | None
    devices: tuple[Text, ...]
    parameters: int | None
    latency_ms: float | None
    images_per_second: float | None
    memory_mb: float | None


class Costs(Part):
    """Cost, side by side."""

    baseline: Cost
    candidate: Cost


class Target(Part):
    """What a run is for, and whether it is that.

    Attributes:
        metric: with its split.
        value: what it should be, at least (for metrics that fall: at most).
        measured: the mean over seeds of what their records say; null where they do not.
        low: the lowest end of the seeds' 95 % intervals.
        high: the highest.
        said: why it is so, one line.
    """

    metric: str
    value: float
    status: Literal["met", "missed", "undecided"]
    measured: float | None = None
    low: float | None = None
    high: float | None = None
    said: str


class Side(Part):
    """One of what is compared.

    Attributes:
        said: what the user called it.
        title: what to call it.
        notes: what was left out of it, one line each.
    """

    said: Text
    title: Text
    kind: Literal["run", "name", "cross-validation"]
    seeds: tuple[int, ...]
    runs: tuple[Text, ...]
    notes: tuple[Text, ...] = ()


class Candidate(Side):
    """A candidate, and what became of it.

    Attributes:
        metrics: of the family, in its order, without their split.
        mcnemar: of the joint answers, as `delong`.
        delong: by class.
        classes: by class.
        newly_wrong: ids of images that the baseline's joint answer has right and the candidate's has not.
        newly_right: the other way round.
        differing: settings of the two sides by dotted key, baseline first; null for one that a side lacks.
        identical: whether predictions are the same, byte by byte, as some of the baseline.
        warnings: what a reader must know before believing this, one line each.
        gates: what a new baseline must be.
        reason: what decided.
        next: what to do now, one line each.
        scope: what the verdicts are about, one sentence.
    """

    metrics: dict[str, MetricVerdict]
    mcnemar: McNemar
    delong: dict[str, DeLong]
    classes: dict[str, ClassChange]
    newly_wrong: tuple[str, ...]
    newly_right: tuple[str, ...]
    cost: Costs
    differing: dict[str, tuple[JsonValue, JsonValue]]
    identical: bool
    target: Target
    warnings: tuple[Text, ...]
    gates: tuple[Gate, ...]
    decision: Choice
    reason: Text
    next: tuple[Text, ...]
    scope: str


class Comparison(Document):
    """One baseline, one or more candidates, the same images.

    Attributes:
        split: of the images; `oof` where any of them was judged out of fold.
        image_set: SHA-256 over their ids and contents.
        left_out: title -> images of it that not all have judged.
        family: the metrics that got verdicts; the more there are, the more each had to show.
        primary: the one that decides.
    """

    split: str
    images: int
    groups: int
    image_set: Sha256
    left_out: dict[str, int]
    alpha: float
    family: tuple[str, ...]
    primary: str
    worthwhile: float
    baseline: Side
    candidates: tuple[Candidate, ...]

    def of(self, title: str) -> Candidate:
        """The candidate of a title.

        Raises:
            UsageError: there is none.
        """
        for candidate in self.candidates:
            if candidate.title == title:
                return candidate
        raise UsageError(f"{title}: not compared")
