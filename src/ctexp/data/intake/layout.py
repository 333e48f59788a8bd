"""Finding images in a folder tree and reading split and class from the folders' names.

Two layouts are understood, each with any number of wrapping folders around it:

    train|valid|val|validation|test / <class> / <image>      Kaggle's, or any set that comes split
    <class> / <image>                                        unsplit

A class folder begins with the class's name, in any case, its words apart by `.`, `_`, `-` or a space; what
follows (`adenocarcinoma_left.lower.lobe_T2_N0_M0_Ib`) is not read. DICOM images may lie one folder deeper, a
folder for each series; they are known by `.dcm`, `.dicom` or the mark inside, since many come without a
suffix. Everything else in the tree is a problem with a name, but for the droppings of operating systems and
tools listed in `DROPPINGS`, which are counted.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from ctexp.core.classes import CLASSES, SPLITS
from ctexp.data.images import DICOM_MAGIC, DICOM_MAGIC_AT

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
"""What the name of an image file ends in, in any case, unless it is a DICOM file."""

DICOM_SUFFIXES = (".dcm", ".dicom")
"""What a DICOM file's name ends in, in any case, if it has a suffix."""

DROPPINGS = (
    ".DS_Store",
    "._*",
    "__MACOSX",
    ".Spotlight-V100",
    ".Trashes",
    ".fseventsd",
    "Thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "@eaDir",
    ".directory",
    ".ipynb_checkpoints",
)
"""Names that file managers, indexers and notebooks leave behind: skipped, and listed in the summary."""

_SPLIT_NAMES = {"train": "train", "valid": "val", "val": "val", "validation": "val", "test": "test"}
_REQUIRED_SPLITS = ("train", "val")
EXPECTED = (
    "expected <split>/<class>/ or <class>/ folders; splits: train, val (valid, validation), test; classes "
    "begin with: adenocarcinoma, large.cell.carcinoma, squamous.cell.carcinoma, normal"
)
"""What to do about the problems of a layout."""

_STRANGE_HINT = "remove the files that are no images from the folder or zip"


@dataclass(frozen=True)
class FoundImage:
    """One image file and what its folders say of it.

    Attributes:
        file: where it lies in the source tree.
        image_id: its path inside the data set to be made, `<split>/<folder>/<file>` or `<folder>/<file>`; the
            series folder stands before the file if there is one.
        split: train, val or test; None when the tree is unsplit.
        class_name: one of `CLASSES`.
    """

    file: Path
    image_id: str
    split: str | None
    class_name: str


@dataclass(frozen=True)
class Layout:
    """What a tree holds.

    Attributes:
        images: in the order of their ids; where there are problems, those that were found all the same.
        ignored: the droppings that were passed over.
        problems: what is out of place, one line each.
        hint: what to do about them.
    """

    images: tuple[FoundImage, ...]
    ignored: tuple[str, ...]
    problems: tuple[str, ...]
    hint: str


def class_of(folder_name: str) -> str | None:
    """The class that a folder's name begins with, or None."""
    words = re.sub(r"[._\-\s]+", "_", folder_name.casefold())
    return next((name for name in CLASSES if words == name or words.startswith(f"{name}_")), None)


def split_of(folder_name: str) -> str | None:
    """The split that a folder's name stands for, or None."""
    return _SPLIT_NAMES.get(folder_name.casefold())


def scan(source: Path, called: str = "") -> Layout:
    """Map every file below `source` to a split and a class.

    Messages call the top of the tree `called`, or by its own name.
    """
    search = _Search(source, called or source.name)
    search.run()
    images = sorted(search.images, key=lambda image: image.image_id)
    # Where single files alone are strange, the folders are as they should be.
    hint = EXPECTED if len(search.problems) > search.strange else _STRANGE_HINT
    return Layout(tuple(images), tuple(sorted(search.ignored)), tuple(search.problems), hint)


class _Search:
    """One walk over a tree: what it found, passed over and objects to. Never deeper than a class folder."""

    def __init__(self, source: Path, called: str) -> None:
        self.source = source
        self.called = called
        self.images: list[FoundImage] = []
        self.ignored: list[str] = []
        self.problems: list[str] = []
        self.strange = 0

    def run(self) -> None:
        """Find the layout below any wrapping folders, then read it."""
        root = self.source
        folders, files = self._children(root)
        while len(folders) == 1 and not files and not _means_something(folders[0]):
            root = folders[0]
            folders, files = self._children(root)
        self._refuse_files(files, "lies outside the class folders")
        if any(split_of(folder.name) for folder in folders):
            self._read_splits(folders)
        elif any(class_of(folder.name) for folder in folders):
            self._read_classes(root, None, folders)
        else:
            found = ", ".join(folder.name for folder in folders) or "none"
            self.problems.append(f"{self._name(root)}: no split or class folders (folders found: {found})")

    def _read_splits(self, folders: Sequence[Path]) -> None:
        of_split: dict[str, list[Path]] = defaultdict(list)
        for folder in folders:
            split = split_of(folder.name)
            if split is None:
                self.problems.append(f"{self._name(folder)}: not a split folder")
            else:
                of_split[split].append(folder)
        for split in SPLITS:
            found = of_split[split]
            if len(found) > 1:
                self.problems.append(f"{self._names(found)}: more than one folder for the {split} split")
            if not found and split in _REQUIRED_SPLITS:
                self.problems.append(f"{self._name(folders[0].parent)}: no folder for the {split} split")
            for folder in found:
                inner, files = self._children(folder)
                self._refuse_files(files, "lies outside the class folders")
                self._read_classes(folder, split, inner)

    def _read_classes(self, parent: Path, split: str | None, folders: Sequence[Path]) -> None:
        of_class: dict[str, list[Path]] = defaultdict(list)
        for folder in folders:
            class_name = class_of(folder.name)
            if class_name is None:
                self.problems.append(f"{self._name(folder)}: not one of the four classes")
            else:
                of_class[class_name].append(folder)
        for class_name in CLASSES:
            found = of_class[class_name]
            if len(found) > 1:
                self.problems.append(f"{self._names(found)}: more than one folder for {class_name}")
            if not found:
                self.problems.append(f"{self._name(parent)}: no folder for {class_name}")
            for folder in found:
                self._read_images(folder, split, class_name)

    def _read_images(self, folder: Path, split: str | None, class_name: str) -> None:
        inner, files = self._children(folder)
        images: list[Path] = []
        for file in files:
            if file.suffix.lower() in SUFFIXES or is_dicom(file):
                images.append(file)
            else:
                self._refuse_files([file], "not a PNG, JPEG, TIFF or DICOM file")
        for series in inner:
            images += self._slices(series)
        if not images:
            self.problems.append(f"{self._name(folder)}: holds no image")
        for file in images:
            parts = [*([split] if split else []), folder.name, *file.relative_to(folder).parts]
            self.images.append(FoundImage(file, "/".join(parts), split, class_name))

    def _slices(self, series: Path) -> list[Path]:
        """The DICOM files of a folder inside a class folder; nothing else may lie that deep."""
        inner, files = self._children(series)
        dicom = {file: is_dicom(file) for file in files}
        if not any(dicom.values()):
            self.problems.append(f"{self._name(series)}: a folder inside a class folder, but no DICOM series")
            return []
        self.problems += [f"{self._name(nested)}: a folder inside a DICOM series" for nested in inner]
        self._refuse_files(
            [file for file in files if not dicom[file]], "lies in a DICOM series, but is no DICOM"
        )
        return [file for file in files if dicom[file]]

    def _refuse_files(self, files: Sequence[Path], why: str) -> None:
        self.problems += [f"{self._name(file)}: {why}" for file in files]
        self.strange += len(files)

    def _children(self, folder: Path) -> tuple[list[Path], list[Path]]:
        """Folders and regular files of `folder`; droppings are noted, links and odd things objected to."""
        folders: list[Path] = []
        files: list[Path] = []
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            self.problems.append(f"{self._name(folder)}: cannot be listed ({error.strerror})")
            return folders, files
        for entry in entries:
            if is_dropping(entry.name):
                self.ignored.append(self._name(entry))
            elif entry.is_symlink():
                self.problems.append(f"{self._name(entry)}: a symbolic link; copy what it points at instead")
            elif not is_plain(entry.name):
                self.problems.append(f"{self._name(entry)}: control or undecodable characters in the name")
            elif entry.name.startswith("."):
                self.problems.append(f"{self._name(entry)}: hidden; rename or remove it")
            elif entry.is_dir():
                folders.append(entry)
            elif entry.is_file():
                files.append(entry)
            else:
                self.problems.append(f"{self._name(entry)}: neither a file nor a folder")
        return folders, files

    def _name(self, path: Path) -> str:
        """How a message calls `path`: relative to the source, fit for one line."""
        return printable(path.relative_to(self.source).as_posix() if path != self.source else self.called)

    def _names(self, paths: Sequence[Path]) -> str:
        return ", ".join(self._name(path) for path in paths)


def _means_something(folder: Path) -> bool:
    """Whether a lone folder is part of the layout rather than a wrapping around it."""
    return bool(split_of(folder.name) or class_of(folder.name))


def is_dicom(file: Path) -> bool:
    """Whether a file is DICOM by its name or by the mark inside."""
    suffix = file.suffix.lower()
    if suffix in SUFFIXES or suffix in DICOM_SUFFIXES:
        return suffix in DICOM_SUFFIXES
    try:
        with file.open("rb") as opened:
            return opened.read(DICOM_MAGIC_AT + len(DICOM_MAGIC)).startswith(DICOM_MAGIC, DICOM_MAGIC_AT)
    except OSError:
        return False


def is_dropping(name: str) -> bool:
    """Whether a file or folder of this name is one of `DROPPINGS`."""
    return any(fnmatchcase(name, pattern) for pattern in DROPPINGS)


def printable(name: str) -> str:
    """A name as it can stand in one line, whatever it is."""
    return name if is_plain(name) else ascii(name)


def is_plain(name: str) -> bool:
    """Whether a name fits into one line of UTF-8 text, as the catalog and every message need."""
    return not any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in name)
