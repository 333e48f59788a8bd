"""What a night stands on: the recipe its changes are made to, the words all jobs share, the images."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ctexp.config.compose import Composed, Composer, paths_of, resolve_paths
from ctexp.config.folds import FoldWords
from ctexp.core.dotted import flattened
from ctexp.core.errors import DataError
from ctexp.core.paths import splits_folder
from ctexp.data import catalog as catalogs
from ctexp.data.selection import select
from ctexp.data.splits.split_file import split_file
from ctexp.planning.checking.images import Images, ImagesOf
from ctexp.planning.moves.instances import imagined
from ctexp.planning.plan.jobs import key_of, last_words
from ctexp.planning.proposal.documents import Wishes
from ctexp.planning.study.configurations import typed
from ctexp.planning.study.recipes import Recipe
from ctexp.planning.study.records import stamp
from ctexp.planning.study.study import Study
from ctexp.record.subjects import differing_keys

FIRST = ("experiment=recommended",)
"""What the first night begins with."""

_RAREST = 5
"""Independent validation images of the rarest class, below which a clean split is too small to judge by."""

_CHOOSE_DATA = ("data", "data.name", "experiment")


Kind = Literal["train", "cross-validate"]
"""Of an experiment."""


@dataclass(frozen=True)
class Ground:
    """What the night stands on.

    Attributes:
        recipe: what changes are made to: the incumbent, or the same with other words, which nobody trained.
        incumbent: what was trained and it comes from; None before anything was.
        same: whether it is the incumbent itself, so that what was seen of that holds.
        elsewhere: whether what was seen was seen on other images than those of the night.
        kind: `train` or `cross-validate`.
        words: what all jobs have in common.
        composed: the configuration they give.
        images: that the jobs learn from and are judged on.
        assumptions: what was decided here, one line each.
    """

    recipe: Recipe
    incumbent: Recipe | None
    same: bool
    elsewhere: bool
    kind: Kind
    words: tuple[str, ...]
    composed: Composed = field(hash=False)
    images: Images = field(hash=False)
    assumptions: tuple[str, ...] = ()


def lay(study: Study, wishes: Wishes, composer: Composer, *, leaky: bool) -> Ground:
    """Find what the night stands on.

    Args:
        study: what has been trained.
        wishes: whose overrides win over the incumbent's words.
        composer: of the project.
        leaky: whether training has seen what the incumbent is judged on: it moves to another split then.

    Raises:
        UsageError: the words do not compose; every problem a line.
        DataError: there are no images, or no way to divide them without leaks.
    """
    incumbent = study.incumbent
    before = (*incumbent.words, *_logged(incumbent)) if incumbent else FIRST
    kind: Kind = "cross-validate" if incumbent and incumbent.cross_validations else "train"
    told: list[str] = []
    if incumbent is None and not _chosen(wishes.overrides):
        own, told = _data_there(study.root, composer)
        before = (*before, *own)
    words = last_words([*before, *wishes.overrides])
    reader = ImagesOf(study.root)
    if leaky and "data.split" not in map(key_of, wishes.overrides):
        kind, words, images, said = _without_leaks(study, words, composer, reader)
        told.append(said)
    else:
        images = reader.read(_composed(composer, words, kind), kind)
    name = incumbent.title if incumbent else "the recommended recipe"
    composed = _composed(composer, words, kind)
    elsewhere = incumbent is not None and _elsewhere(study, incumbent, composed, kind)
    alike = incumbent is not None and _alike(incumbent, words, composer)
    same = alike and not elsewhere
    if alike and elsewhere:
        told.append(
            f"the images are other ones than {name} was trained and judged on: its figures are of those"
        )
    recipe = incumbent if incumbent and same else imagined(name, words, composer)
    return Ground(
        recipe=recipe,
        incumbent=incumbent,
        same=same,
        elsewhere=elsewhere,
        kind=kind,
        words=tuple(words),
        composed=composed,
        images=images,
        assumptions=tuple(told),
    )


def _logged(incumbent: Recipe) -> tuple[str, ...]:
    """How the newest run of a recipe was logged: no part of it, but a choice that somebody made."""
    newest = max(incumbent.runs, key=lambda one: stamp(one.run.id))
    return tuple(word for word in last_words(typed(newest.run)) if key_of(word).partition(".")[0] == "logger")


def _composed(composer: Composer, words: Sequence[str], kind: str) -> Composed:
    """The configuration; of a cross-validation, that of its first fold."""
    return composer.compose(FoldWords.of(words).first if kind == "cross-validate" else words)


def _elsewhere(study: Study, incumbent: Recipe, composed: Composed, kind: Kind) -> bool:
    """Whether a configuration means other images than the incumbent was judged on, by what is there today."""
    if kind != incumbent.verb:
        return True
    data, was = composed.resolved["data"], incumbent.runs[0].summary
    folder, splits = resolve_paths(study.root)[0], splits_folder(study.root)
    its = select(folder, splits, data["name"], data["split"], data["fold"], data["sample"], hashed=False)
    whole = kind == "cross-validate"
    now = (
        its.catalog.name,
        its.catalog.sha256,
        its.sha256,
        None if whole else its.fold,
        data["sample"],
    )
    split = was.split_sha256 or its.sha256  # records from before there were split files do not say
    return now != (was.dataset, was.catalog_sha256, split, None if whole else was.fold, was.sample)


def _alike(incumbent: Recipe, words: Sequence[str], composer: Composer) -> bool:
    """Whether words give what the incumbent's give today, but for what leaves an experiment the same."""
    its, ours = (flattened(composer.compose(one).resolved) for one in (incumbent.words, words))
    return not differing_keys(its, ours)


def _chosen(overrides: Sequence[str]) -> bool:
    """Whether the user says which data set."""
    return any(key_of(word) in _CHOOSE_DATA for word in overrides)


def _data_there(root: Path, composer: Composer) -> tuple[tuple[str, ...], list[str]]:
    """Overrides that choose the data set that is there, where the default one is not."""
    composed = composer.compose(FIRST)
    data_dir = paths_of(composed.settings.paths, root)[0]
    wanted = composed.resolved["data"]["name"]
    there = catalogs.available(data_dir)
    if wanted in there:
        return (), []
    if not there:
        raise DataError(
            "there are no images yet",
            f"bring them in: scripts/inv data-import PATH --name {wanted}; or make some: scripts/inv "
            "data-phantom",
        )
    if len(there) > 1:
        raise DataError(
            f"there is no data set {wanted!r}, and several others: {', '.join(there)}",
            f"say which one: scripts/inv plan data.name={there[0]}",
        )
    name = there[0]
    preset = (root / "conf" / "data" / f"{name}.yaml").is_file()
    word = f"data={name}" if preset else f"data.name={name}"
    return (word,), [f"the data set {name} is used, the only one there is"]


def _without_leaks(
    study: Study, words: Sequence[str], composer: Composer, reader: ImagesOf
) -> tuple[Kind, tuple[str, ...], Images, str]:
    """The kind, words and images of the first split that holds no copies and leaves enough to judge by."""
    data_dir = resolve_paths(study.root)[0]
    name = _composed(composer, words, "train").resolved["data"]["name"]
    catalogs.load(data_dir, name)  # that it is missing is not a reason to divide it otherwise
    others = [word for word in words if key_of(word) not in ("data.split", "data.fold")]
    small = ""
    ways: tuple[tuple[str, Kind], ...] = (
        ("clean", "train"),
        ("grouped", "train"),
        ("kfold", "cross-validate"),
    )
    for scheme, kind in ways:
        if scheme != "clean" and not split_file(splits_folder(study.root), name, scheme).is_file():
            continue
        split = () if scheme == "kfold" else (f"data.split={scheme}",)
        chosen = last_words([*others, *split])
        try:
            images = reader.read(_composed(composer, chosen, kind), kind)
        except DataError as error:
            said = error.problems[0].replace(f"{study.root}/", "")
            small = small or f"the {scheme} split cannot be used ({said})"
            continue
        rarest = min(images.groups.values())
        if rarest >= _RAREST:
            said = f"the night moves to {images.said}: no image of it has a copy in training"
            return kind, chosen, images, f"{said}; {small}" if small else said
        small = small or f"the {scheme} split leaves {rarest} independent images of the rarest class"
    raise DataError(
        f"training holds copies of what it is judged on, and {small or 'no other split is there'}",
        f"divide the set anew: scripts/inv data-split --dataset {name} --scheme grouped",
    )
