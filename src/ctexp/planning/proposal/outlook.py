"""What a night can be expected to bring in all; and where that is little, what would bring more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

from ctexp.config.compose import resolve_paths
from ctexp.config.folds import FoldWords
from ctexp.core.classes import CLASSES
from ctexp.core.errors import CtexpError
from ctexp.core.paths import splits_folder
from ctexp.data import catalog as catalogs
from ctexp.data.splits import schemes, split_file
from ctexp.planning.proposal.assembling import Assembled
from ctexp.planning.proposal.candidates import Candidate
from ctexp.planning.proposal.considering import Considering
from ctexp.planning.proposal.ground import Ground
from ctexp.planning.proposal.seeds import Design, Question, Spread
from ctexp.planning.render.words import quoted
from ctexp.planning.study.study import Study

_LITTLE = 0.25
"""Of what is worthwhile: a night that is expected to bring less hardly decides anything about changes."""

_CLEARLY = 0.9
"""Of what would be noticed tonight: what notices no smaller gain than that is no better alternative."""

_KFOLD = "kfold"


def outlook(
    study: Study, looked: Considering, night: Assembled, chosen: Sequence[Candidate], name: str
) -> tuple[str, ...]:
    """A few sentences; none where nothing is to be gained, since nothing is compared.

    Args:
        study: what has been trained.
        looked: what was looked at.
        night: what is proposed.
        chosen: the changes that it tries.
        name: of the plan.
    """
    if not chosen:
        return ()
    expected = sum(one.expected_gain for one in chosen)
    worthwhile = looked.question.worthwhile
    told = (
        f"All changes together are expected to bring {expected:+.4f} in {looked.metric}: the gain of each "
        "times the chance that the comparison notices it, added up."
    )
    if expected >= _LITTLE * worthwhile:
        return (told,)
    ours = next((part.experiment for part in night.parts if part.name == night.baseline), None)
    sure = (
        f"what it will surely give is the noise floor, from {len(ours.seeds or night.seeds)} seeds of the "
        "baseline"
        if ours
        else "what it will surely give is how far seeds of each change lie apart"
    )
    little = (
        f"That is little beside the {worthwhile:g} that would be worthwhile: tonight will hardly decide "
        f"anything about changes; {sure}."
    )
    return (told, little, *_by_folds(study, looked, night.design, name))


@dataclass(frozen=True)
class _Folds:
    """All images that may be chosen by, in folds.

    Attributes:
        groups: independent images of each class; `judged` all of them.
        sealed: of all of them, those of the official test split.
        made: whether the division is there.
    """

    count: int
    groups: Mapping[str, int]
    judged: Mapping[str, int]
    sealed: int
    made: bool


def _by_folds(study: Study, looked: Considering, design: Design, name: str) -> tuple[str, ...]:
    """What a cross-validation would notice, and how it is done; nothing where it is no better."""
    if looked.ground.kind != "train" or design.detectable is None:
        return ()
    folds = _folds(study, looked.ground)
    if folds is None:
        return ()
    question = _question(looked.question, folds)
    noticed = question.design(design.seeds, design.hypotheses).detectable
    if noticed is None or noticed > _CLEARLY * design.detectable:
        return ()
    its = looked.ground.composed.resolved["data"]["name"]
    words = " ".join(map(quoted, (*FoldWords.of(_free(looked.ground.words)).kept, f"run.name={name}-folds")))
    divide = "" if folds.made else f"`{split_file.command(its, _KFOLD)}`, "
    return (
        f"Judged by cross-validation, on all {sum(folds.judged.values()):,} images "
        f"({sum(folds.groups.values()):,} independent) instead of "
        f"{sum(looked.ground.images.judged.values())}, a gain of about {noticed:.2f} would be noticed "
        f"instead of {design.detectable:.2f}, at {folds.count} trainings a seed: "
        f"{divide}`scripts/inv cross-validate {words} --seeds {design.seeds}`, then "
        f"`scripts/inv plan --from {name}-folds`."
        f"{_opened(folds.sealed)}",
    )


def _opened(sealed: int) -> str:
    """What has to be thought about first where folds hold images of the test split."""
    if not sealed:
        return ""
    return (
        f" {sealed:,} of these images are of the official test split: what is chosen by folds has looked at "
        "it, and the ledger counts that."
    )


def _free(words: Sequence[str]) -> list[str]:
    """Without what chooses the images of a fold."""
    return [word for word in words if word.lstrip("+").partition("=")[0] not in ("data.split", "data.fold")]


def _folds(study: Study, ground: Ground) -> _Folds | None:
    """The folds that there are, or would be; None where the set cannot be divided so."""
    name, splits = ground.composed.resolved["data"]["name"], splits_folder(study.root)
    made = split_file.split_file(splits, name, _KFOLD).is_file()
    try:
        catalog = catalogs.load(resolve_paths(study.root)[0], name)
        split = split_file.find(splits, catalog, _KFOLD)[0] if made else schemes.make(catalog, _KFOLD)
    except CtexpError:
        return None
    rows = [
        row for row in catalog.rows if split.part_of.get(row.image_id, schemes.LEFT_OUT) != schemes.LEFT_OUT
    ]
    return _Folds(
        count=split.folds,
        groups={its: len({row.group for row in rows if row.class_name == its}) for its in CLASSES},
        judged={its: sum(row.class_name == its for row in rows) for its in CLASSES},
        sealed=sum(row.split == "test" for row in rows),
        made=made,
    )


def _question(question: Question, folds: _Folds) -> Question:
    """The same question, asked of all images.

    The error of the images shrinks with the square root of their number; that of the seeds with that of the
    folds, each of which is a training of its own.
    """
    noise, images = question.spread.noise, question.spread.images
    more = sum(folds.groups.values()) / max(1, sum(question.groups.values()))
    spread = Spread(
        None if noise is None else replace(noise, sd=noise.sd / sqrt(folds.count)),
        None if images is None else images / sqrt(more),
    )
    return replace(question, groups=folds.groups, judged=folds.judged, spread=spread)
