"""Everything about a run's mistakes in one document: what `errors.json` holds and `--json` prints."""

from collections.abc import Sequence

import numpy as np

from ctexp.data.catalog import ImageRow
from ctexp.evaluation import intervals
from ctexp.evaluation.answers import Answers
from ctexp.evaluation.mistakes import cases as cases_of
from ctexp.evaluation.mistakes import images
from ctexp.evaluation.mistakes.attributes import Attributes, attributes
from ctexp.evaluation.mistakes.cases import Cases, Share
from ctexp.evaluation.mistakes.fairness import Fairness, fairness
from ctexp.evaluation.mistakes.images import Judged
from ctexp.evaluation.mistakes.mislabelled import Mislabelled, mislabelled
from ctexp.evaluation.mistakes.pairs import Confusion, confusions
from ctexp.evaluation.mistakes.slices import Slice, slices
from ctexp.evaluation.mistakes.stability import Stability, stability
from ctexp.evaluation.out_of_fold import OOF
from ctexp.record.documents import Document, Part

LISTED = 50
"""Confident mistakes and ambiguous images that a document names; it counts the others."""


class Picture(Part):
    """An image of the gallery.

    Attributes:
        judged: what was said of it.
        run: whose network was asked why.
        picture: the image's file, in the folder of the document.
        overlay: the file with the map upon it; empty where there is no map.
        outside: the share of the map's mass outside the body, 0 to 1; null where there is no map or no body.
        area_outside: the share of the picture outside the body, which an even gaze would give.
        looks_away: whether the network looks outside the body no less than an even gaze.
        facts: what is known of the image, by attribute; only where images differ.
    """

    judged: Judged
    run: str
    picture: str
    overlay: str
    outside: float | None
    area_outside: float | None
    looks_away: bool
    facts: dict[str, str]


class Explanation(Part):
    """What the networks looked at.

    Attributes:
        method: how the maps were made.
        layers: run -> the layer whose maps were taken, and their grid.
        images: explained ones.
        empty: those whose map is nothing at all: no place speaks for the class.
        sanity: mean rank correlation of the maps to those of the same networks with their weights dealt anew;
            null where no two maps could be compared.
        threshold: above this the maps do not depend on what was learned.
        suspicious: whether `sanity` is.
        compared: pairs of maps behind `sanity`, of so many; the others hold a map without any difference.
        outside: mean share of the maps' mass outside the body.
        area_outside: mean share of the pictures outside the body.
        looks_away: whether the first is not smaller than the second.
    """

    method: str
    layers: dict[str, str]
    images: int
    empty: int
    sanity: float | None
    threshold: float
    suspicious: bool
    compared: int
    of: int
    outside: float | None
    area_outside: float | None
    looks_away: bool


class Mistakes(Document):
    """`errors.json`.

    Attributes:
        title: of the subject: a run's id, a name, or a cross-validation's id.
        kind: run, name or cross-validation.
        split: train, val, test, or oof for a cross-validation.
        dataset: its name, with `(synthetic)` where it is.
        groups: of look-alikes, which are no independent images.
        temperature: by which probabilities are calibrated; null where they are not.
        confident: mistakes, the surest first, `LISTED` at most.
        undecided: how many images are ambiguous.
        ambiguous: the closest first, `LISTED` at most.
        facts_unknown: images that the catalog does not hold as they were judged.
        stability: null with a single seed.
        explanation: null without maps.
        gallery: the worst images with their pictures.
        notes: what a reader should know, one line each.
    """

    title: str
    kind: str
    split: str
    runs: tuple[str, ...]
    seeds: tuple[int, ...]
    dataset: str
    images: int
    groups: int
    errors: int
    accuracy: Share
    miss_rate: Share
    temperature: float | None
    confusions: tuple[Confusion, ...]
    confident: tuple[Judged, ...]
    undecided: int
    ambiguous: tuple[Judged, ...]
    mislabelled: Mislabelled
    facts_unknown: int
    slices: tuple[Slice, ...]
    fairness: Fairness
    stability: Stability | None
    explanation: Explanation | None = None
    gallery: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()


def mistakes(answers: Answers, rows: Sequence[ImageRow], dataset: str) -> tuple[Mistakes, Cases, Attributes]:
    """All that follows from stored predictions and the catalog; the gallery is added by who can look.

    Args:
        answers: of the subject.
        rows: the catalog's; none where it is gone.
        dataset: what to call it.

    Returns:
        The document, and what it was made of.
    """
    subject, cases = answers.subject, cases_of.of(answers)
    known = attributes(cases, rows)
    everything = np.ones(len(cases), dtype=bool)
    undecided = images.ambiguous(cases)
    document = Mistakes(
        title=subject.title,
        kind=subject.kind,
        split=answers.split,
        runs=tuple(run.id for run in subject.runs),
        seeds=tuple(answers.seeds),
        dataset=dataset,
        images=len(cases),
        groups=int(cases.group.max()) + 1,
        errors=int(cases.wrong.sum()),
        accuracy=cases.accuracy(everything),
        miss_rate=cases.miss_rate(everything),
        temperature=cases.temperature,
        confusions=confusions(cases),
        confident=images.judged(cases, images.confident_mistakes(cases)[:LISTED]),
        undecided=len(undecided),
        ambiguous=images.judged(cases, undecided[:LISTED]),
        mislabelled=mislabelled(cases),
        facts_unknown=known.unknown,
        slices=slices(cases, known),
        fairness=fairness(cases, known),
        stability=stability(answers.seeds),
        notes=(*subject.notes, *_notes(cases, known)),
    )
    return document, cases, known


def _notes(cases: Cases, known: Attributes) -> list[str]:
    """What a reader should know of the tables."""
    notes = []
    if cases.temperature is None:
        notes.append("no temperature belongs to these weights: probabilities are as the network gives them")
    if not cases.wrong.any():
        notes.append("no image is called wrong: there are no mistakes to look at")
    elif len(np.unique(cases.group[cases.wrong])) < intervals.FEW:
        notes.append("the errors are so few that what they have in common may be chance")
    if known.unknown:
        notes.append(
            f"{known.unknown:,} of {len(cases):,} images are not in the catalog as they were judged: "
            "the slices of what it tells are without them"
        )
    if cases.split == OOF and "test" in known.columns.get("official split", ()):
        notes.append(
            "official test images are among them: what is changed because of these mistakes has looked at "
            "that split"
        )
    if cases.split == "val":
        notes.append("the best epoch was chosen on these images: figures on them flatter a little")
    if cases.split == "train":
        notes.append("the networks have learned from these images: the errors are those that were left")
    return notes
