"""Reading a study: which images, which trainings on them, which of them later work is compared with."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ctexp.config import verdict
from ctexp.config.compose import compose
from ctexp.config.paths import resolve_paths
from ctexp.core.errors import DataError, UsageError
from ctexp.core.wording import many
from ctexp.planning.study import data, incumbent, records
from ctexp.planning.study.data import DataFacts
from ctexp.planning.study.grouping import grouped
from ctexp.planning.study.meant import Meant, Words
from ctexp.planning.study.nights import newest_night
from ctexp.planning.study.recipes import Recipe
from ctexp.planning.study.records import Records, stamp
from ctexp.planning.study.sets import ImageSet, counted, of_run
from ctexp.planning.study.study import Study
from ctexp.record import baselines
from ctexp.record.run_dir import RunDir

NEWEST = 300
"""Trainings that are looked at: more than a person would look back at, and read in a second."""


def read(
    root: Path,
    runs: Path,
    named: Sequence[str] = (),
    start: str | None = None,
    *,
    data_dir: Path | None = None,
) -> Study:
    """What has been trained and judged on one set of images.

    Args:
        root: the project's folder.
        runs: the folder of all runs.
        named: only these: words as `meant.Words` takes them; none for everything on the newest images.
        start: what later work is to be compared with, likewise: of a night its baseline, or what of it is
            established to be better than that. None for the promoted baseline, else that of the newest
            night, unless another recipe is established to be better, else the best so far.
        data_dir: the folder of data; what the configuration says by default.

    Raises:
        UsageError: `named` and `start` are of several sets of images, or mean several things.
        DataError: one of them means nothing that was judged; the folder or the baselines cannot be read.
    """
    settings = verdict.load(root)
    every = records.read(runs)
    words = Words(root, runs, every)
    asked = [words.meant(word) for word in named]
    begin = words.meant(start) if start else None
    data_dir = data_dir or resolve_paths(root)[0]
    images = _named_images([*asked, *([begin] if begin else [])]) or _newest_images(every)
    if images is None:
        said = (*every.notes, *_samples(every))
        return Study(root, runs, None, None, (), None, "", _untrained(root, data_dir), settings, said)
    ids = {one for its in asked for one in its.ids}
    judged = [run for run in every.judged if of_run(run) == images and (not ids or run.id in ids)]
    folds = [one for one in every.folds if one.images == images and (not ids or one.id in ids)]
    lost = [run for run in every.lost if of_run(run) == images]
    elsewhere = {run.name for run in every.judged if of_run(run) != images}
    trained = grouped(judged[:NEWEST], lost[:NEWEST], folds[:NEWEST], elsewhere)
    older = len(judged) - NEWEST
    notes = [
        *every.notes,
        *_samples(every),
        *_other_images(every, images),
        *([f"{many(older, 'training')} older than the newest {NEWEST} left out"] if older > 0 else []),
        *trained.notes,
    ]
    study = Study(
        root=root,
        runs=runs,
        dataset=images.dataset,
        split=images.split,
        recipes=trained.recipes,
        incumbent=None,
        why_incumbent="",
        data=data.of_set(root, data_dir, images, [RunDir(run.path) for run in (*judged, *lost)[:1]]),
        settings=settings,
        notes=tuple(notes),
        failed=() if ids else trained.failed,
    )
    return _with_incumbent(study, begin, words)


def _untrained(root: Path, data_dir: Path) -> DataFacts | None:
    """The images that a first training would see, as they were delivered."""
    try:
        name = compose([], root).settings.data.name
    except UsageError:
        return None
    return data.of_catalog(data_dir, name)


def _with_incumbent(study: Study, begin: Meant | None, words: Words) -> Study:
    """The study with what later work is compared with."""
    if begin is None:
        study, promoted = _promoted(study)
        if promoted is not None:
            return replace(study, incumbent=promoted, why_incumbent="the promoted baseline")
    elif not begin.night and (found := _of_ids(study, begin.base)) is not None:
        return replace(study, incumbent=found, why_incumbent="named as what to begin with")
    chosen = _of_night(study, begin, words)
    best, why = chosen if chosen is not None else incumbent.best(study)
    return replace(study, incumbent=best, why_incumbent=why)


def _promoted(study: Study) -> tuple[Study, Recipe | None]:
    """The promoted baseline, where it is of the study; and the study, with a note where it is not."""
    try:
        promoted = baselines.current(study.root)
    except DataError as error:
        return replace(study, notes=(*study.notes, *error.problems)), None
    if promoted is None:
        return study, None
    found = _of_ids(study, promoted.runs)
    if found is None:
        note = f"the promoted baseline {promoted.title} is not among these trainings"
        study = replace(study, notes=(*study.notes, note))
    return study, found


def _of_night(study: Study, begin: Meant | None, words: Words) -> tuple[Recipe, str] | None:
    """The baseline of a night, or what is established to be better; None without a night, or its baseline.

    Of the night that is named, its own trainings may take the baseline's place; of the newest one, where
    nothing is named, any of the study.
    """
    night = begin
    if night is None:
        newest = newest_night(study.recipes)
        night = words.night(newest) if newest else None
    before = _of_ids(study, night.base) if night else None
    if night is None or before is None:
        return None
    rivals = [
        one
        for one in study.recipes
        if one is not before and one.verb == before.verb and (begin is None or _ids(one) & set(night.ids))
    ]
    better = incumbent.established_over(study, before, rivals)
    if better is None:
        return before, f"the baseline of {night.night}"
    why = f"established to be better than {before.title}, the baseline of {night.night}"
    if max(map(stamp, _ids(better))) < min(map(stamp, night.ids)):
        why += ", and trained before that night"
    return better, why


def _ids(recipe: Recipe) -> set[str]:
    return {*recipe.cross_validations, *(one.run.id for one in recipe.runs)}


def _of_ids(study: Study, ids: Sequence[str]) -> Recipe | None:
    """The recipe that most of these are of; the newer of two."""
    counts = [(len(_ids(one) & set(ids)), -place, one) for place, one in enumerate(study.recipes)]
    most = max(counts, key=lambda its: its[:2], default=None)
    return most[2] if most and most[0] else None


def _named_images(asked: Sequence[Meant]) -> ImageSet | None:
    """The one set of images that all words are about.

    Raises:
        UsageError: they are about several.
    """
    found = list(dict.fromkeys(images for its in asked for images in its.images))
    if len(found) > 1:
        raise UsageError(
            [f"{its.said}: {images}" for its in asked for images in its.images],
            "figures on different images cannot be compared: name trainings on one set of them",
        )
    return found[0] if found else None


def _newest_images(every: Records) -> ImageSet | None:
    """What the newest training was judged on; None where there is none on all images of a set.

    A single cross-validation has nothing to be compared with: it gives way to older trainings that have.
    """
    units = [(run.id, of_run(run), 1) for run in every.judged]
    units += [(one.id, one.images, len({run.seed for run in one.judged})) for one in every.folds]
    sets: dict[ImageSet, int] = {}
    whole = {one.images for one in every.folds}
    for _, images, seeds in sorted(units, key=lambda unit: stamp(unit[0]), reverse=True):
        if images is not None and images.sample is None:
            sets[images] = sets.get(images, 0) + seeds
    several = [images for images, seeds in sets.items() if seeds > 1 or images not in whole]
    failed = [its for run in every.lost if (its := of_run(run)) is not None and its.sample is None]
    return next(iter([*several, *sets, *failed]), None)


def _samples(every: Records) -> list[str]:
    count = sum(run.sample is not None for run in every.judged)
    return [f"{many(count, 'training')} on a sample of the images left out"] if count else []


def _other_images(every: Records, images: ImageSet) -> list[str]:
    """A line for each set of images that this study is not about."""
    others = [of_run(run) for run in every.judged] + [one.images for one in every.folds]
    counts = counted(its for its in others if its and its != images and its.sample is None)
    left_out = ((many(count, "training"), _apart(its, images)) for its, count in counts.items())
    return [f"{trainings} on other images left out: {its}" for trainings, its in left_out]


def _apart(its: ImageSet, images: ImageSet) -> str:
    """What a set is called beside another that may be called the same."""
    if str(its) != str(images):
        return str(its)
    changed = "data set" if its.catalog_sha256 != images.catalog_sha256 else "split"
    return f"{its}, another version of the {changed}"
