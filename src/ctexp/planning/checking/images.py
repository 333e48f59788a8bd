"""The images of a plan, each distinct selection read once: are they there, how many, do they leak?"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctexp.config.compose import Composed, paths_of
from ctexp.core.classes import CLASSES
from ctexp.core.files import sha256_bytes
from ctexp.core.paths import feature_lists_folder, splits_folder
from ctexp.data import catalog as catalogs
from ctexp.data.catalog import ImageRow
from ctexp.data.selection import Selection, select
from ctexp.data.splits import split_file

_Key = tuple[Path, str, str, int | None, int | None]


@dataclass(frozen=True)
class Images:
    """What one kind of job learns from and is judged on.

    Attributes:
        train: images that one training learns from; of a cross-validation, the most of its folds.
        val: images that it looks at besides, likewise.
        trainings: 1, or the number of folds.
        judged: images of each class that figures on validation rest on; all folds' of a cross-validation.
        groups: how many groups those of each class are in: images of one are no independent witnesses.
        identity: of the images judged; experiments can be compared where it is the same.
        said: what the selection is called: `phantom, split clean`.
        warnings: what a reader of its figures should know, one line each.
    """

    train: int
    val: int
    trainings: int
    judged: Mapping[str, int]
    groups: Mapping[str, int]
    identity: str
    said: str
    warnings: tuple[str, ...]

    @property
    def witnesses(self) -> int:
        """Independent images that figures rest on."""
        return sum(self.groups.values())


class ImagesOf:
    """Reads the images of configurations, each selection once.

    Files are looked at, not read: whether they are there and as large as when they were imported.

    Args:
        root: the project's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._selections: dict[_Key, tuple[Selection, ...]] = {}
        self._images: dict[_Key, Images] = {}
        self._features: dict[tuple[_Key, str], tuple[str, ...]] = {}

    def read(self, composed: Composed, verb: str) -> Images:
        """The images of a configuration.

        Args:
            composed: of the first fold, for a cross-validation.
            verb: `train` or `cross-validate`.

        Raises:
            DataError: they or their split are missing, damaged or changed.
            UsageError: there is no such fold.
        """
        key = self._key(composed, verb)
        if key not in self._images:
            self._images[key] = _summary(self._select(key, verb))
        return self._images[key]

    def features(self, composed: Composed, verb: str) -> tuple[str, ...]:
        """What a reader should know of the features that stand beside the images; nothing without any.

        Raises:
            DataError: the images or their features are missing, damaged or of other images.
        """
        name = composed.resolved["features"]["name"]
        if name == "none":
            return ()
        key = self._key(composed, verb)
        if (key, name) not in self._features:
            self._features[key, name] = self._warnings(key[0], self._select(key, verb), name)
        return self._features[key, name]

    def _key(self, composed: Composed, verb: str) -> _Key:
        data = composed.resolved["data"]
        fold = None if verb == "cross-validate" else data["fold"]
        return (
            paths_of(composed.settings.paths, self._root)[0],
            data["name"],
            data["split"],
            fold,
            data["sample"],
        )

    def _select(self, key: _Key, verb: str) -> tuple[Selection, ...]:
        """One selection a training."""
        if key not in self._selections:
            data_dir, name, split, fold, sample = key
            splits, folds = splits_folder(self._root), [fold]
            if verb == "cross-validate":
                count = split_file.find(splits, catalogs.load(data_dir, name), split)[0].folds
                folds = list(range(count))
            self._selections[key] = tuple(
                select(data_dir, splits, name, split, one, sample, hashed=False) for one in folds
            )
        return self._selections[key]

    def _warnings(self, data_dir: Path, selections: Sequence[Selection], name: str) -> tuple[str, ...]:
        from ctexp.data.radiomics.inputs import FeatureInputs  # with all that measures them: 0.4 s

        folder = feature_lists_folder(self._root)
        loaded = [FeatureInputs.load(data_dir, folder, one, name) for one in selections]
        return tuple(dict.fromkeys(line for one in loaded for line in one.warnings))


def _summary(selections: Sequence[Selection]) -> Images:
    judged = [row for one in selections for row in one.rows["val"]]
    return Images(
        train=max(len(one.rows["train"]) for one in selections),
        val=max(len(one.rows["val"]) for one in selections),
        trainings=len(selections),
        judged=_of_classes(judged),
        groups={name: len({row.group for row in judged if row.class_name == name}) for name in CLASSES},
        identity=sha256_bytes("\n".join(sorted(row.image_id for row in judged)).encode()),
        said=_said(selections[0], len(selections)),
        warnings=tuple(dict.fromkeys(line for one in selections for line in (*one.leaks, *one.warnings))),
    )


def _of_classes(rows: list[ImageRow]) -> dict[str, int]:
    counts = Counter(row.class_name for row in rows)
    return {name: counts[name] for name in CLASSES}


def _said(selection: Selection, trainings: int) -> str:
    fold = "" if selection.fold is None or trainings > 1 else f", fold {selection.fold}"
    sample = "" if selection.sample is None else f", a sample of {selection.sample}"
    return f"{selection.catalog.name}, split {selection.scheme}{fold}{sample}"
