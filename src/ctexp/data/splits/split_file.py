"""A split as a small text file that is committed: `research/splits/<data set>/<scheme>.txt`.

    # ctexp split: 1
    # dataset: chest_ct
    # fingerprint: 5f2c…                        what images it is of
    # scheme: grouped
    # seed: 42
    # ratios: 70/15/15
    # images in train: adenocarcinoma 236, …    for readers; never read back
    …
    train<TAB>test/adenocarcinoma/000108 (3).png
    …

One line an image that is not excluded, in the order of their ids; the parts are train, val, test and
left_out, or the numbers of folds. The same split is the same text, and its SHA-256 is its identity; a byte
order mark and the line ends of Windows are no part of it.

What `official` and `clean` say follows from the catalog, so a file of theirs that says anything else is
refused. The others' files are the only source: what people change in them by hand is read as it stands, as
long as it divides these very images, keeps groups whole, leaves no fold empty and, for `time`, keeps to the
dates.
"""

import re
from codecs import BOM_UTF8
from pathlib import Path

from ctexp.core.errors import DataError
from ctexp.core.files import read_regular, sha256_bytes
from ctexp.core.wording import many
from ctexp.data.catalog import Catalog, per_class
from ctexp.data.splits.by_date import out_of_order
from ctexp.data.splits.schemes import LEFT_OUT, OF_THE_CATALOG, Split, make

_VERSION = "1"
_NAMED = 10


def split_file(splits: Path, name: str, scheme: str) -> Path:
    """Where the split of a data set by a scheme is kept, below the folder of all splits."""
    return splits / name / f"{scheme}.txt"


def as_text(catalog: Catalog, split: Split) -> str:
    """The file's content."""
    head = {
        "ctexp split": _VERSION,
        "dataset": catalog.name,
        "fingerprint": catalog.fingerprint,
        "scheme": split.scheme,
        **({"folds": str(split.folds)} if split.folds else {}),
        **split.made_with,
    }
    for part, rows in split.rows(catalog).items():
        if rows or part != LEFT_OUT:
            listed = ", ".join(f"{name} {count}" for name, count in per_class(rows).items())
            head[f"images in {part}"] = f"{listed}; {len(rows)} in all"
    lines = [f"# {key}: {value}" for key, value in head.items()]
    lines += [f"{part}\t{image_id}" for image_id, part in sorted(split.part_of.items())]
    return "\n".join(lines) + "\n"


def find(splits: Path, catalog: Catalog, scheme: str) -> tuple[Split, str]:
    """The split of a data set by a scheme, and its SHA-256: from its file, or made where it needs none.

    Raises:
        DataError: there is no file and one is needed, it is not what follows from the catalog, or it is not a
            division of these images; the problems are listed.
    """
    file = split_file(splits, catalog.name, scheme)
    content = read(file)
    if scheme in OF_THE_CATALOG:
        split = make(catalog, scheme)
        follows = as_text(catalog, split).encode()
        if content not in {None, follows}:
            way = f"make it anew: {command(catalog.name, scheme)}"
            raise DataError(f"{file}: differs from what the catalog says", way)
        return split, sha256_bytes(follows)
    if content is None:
        raise DataError(f"{file}: there is no such split yet", f"make it: {command(catalog.name, scheme)}")
    return _Reading(catalog, scheme, file).read(content), sha256_bytes(content)


def read(file: Path) -> bytes | None:
    """The text of a file, without byte order mark and with plain line ends; None where there is no file.

    Raises:
        DataError: it cannot be read: a folder, say.
    """
    try:
        return read_regular(file).removeprefix(BOM_UTF8).replace(b"\r\n", b"\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        way = "move it away, or make it readable"
        raise DataError(f"{file}: cannot be read ({error.strerror})", way) from error


def command(name: str, scheme: str) -> str:
    """What makes a split anew."""
    return f"scripts/inv data-split --dataset {name} --scheme {scheme}"


class _Reading:
    """One file read back: what it says, and all that is wrong with it."""

    def __init__(self, catalog: Catalog, scheme: str, file: Path) -> None:
        self._catalog = catalog
        self._scheme = scheme
        self._file = file
        self._problems: list[str] = []
        self._head: dict[str, str] = {}
        self._part_of: dict[str, str] = {}

    def read(self, content: bytes) -> Split:
        """The split.

        Raises:
            DataError: it is not one of these images.
        """
        try:
            self._read_lines(content.decode())
        except UnicodeDecodeError:
            self._problems.append("not UTF-8 text")
            self._refuse()
        folds = self._check_head()
        split = Split(self._scheme, self._part_of, folds)
        self._check_images(split)
        self._check_groups(split)
        self._refuse()
        if self._scheme == "time":
            self._problems += out_of_order(split.rows(self._catalog))
            self._refuse()
        return split

    def _refuse(self) -> None:
        if self._problems:
            more = len(self._problems) - _NAMED
            listed = self._problems[:_NAMED] + ([f"and {many(more, 'more problem')}"] if more > 0 else [])
            way = f"restore it from git, or make it anew: {command(self._catalog.name, self._scheme)}"
            raise DataError([f"{self._file}: {problem}" for problem in listed], way)

    def _read_lines(self, text: str) -> None:
        for number, line in enumerate(text.split("\n"), 1):
            if line.startswith("# "):
                key, _, value = line.removeprefix("# ").partition(": ")
                self._head[key] = value
            elif line:
                part, tab, image_id = line.partition("\t")
                if not tab:
                    self._problems.append(f"line {number}: not a part and an image id with a tab between")
                elif image_id in self._part_of:
                    self._problems.append(f"line {number}: {image_id} a second time")
                else:
                    self._part_of[image_id] = part

    def _check_head(self) -> int:
        """The number of folds, 0 but for kfold."""
        expected = {
            "ctexp split": (_VERSION, "a format that this version does not read"),
            "dataset": (self._catalog.name, "the split of another data set"),
            "fingerprint": (self._catalog.fingerprint, "made of other images than the data set has now"),
            "scheme": (self._scheme, "a split by another scheme"),
        }
        for key, (value, otherwise) in expected.items():
            if self._head.get(key) != value:
                said = f"'# {key}: {self._head[key]}'" if key in self._head else f"no line '# {key}: …'"
                self._problems.append(f"{otherwise} ({said})")
        if self._scheme != "kfold":
            return 0
        folds = self._head.get("folds", "")
        if re.fullmatch("[0-9]{1,9}", folds) and 1 < int(folds) <= len(self._catalog.rows):
            return int(folds)
        self._problems.append("no line '# folds: …' with a number of folds that can be")
        return 0

    def _check_images(self, split: Split) -> None:
        allowed = {*split.parts, *([] if split.folds else [LEFT_OUT])}
        rows = {row.image_id: row for row in self._catalog.rows}
        for image_id, part in self._part_of.items():
            if part not in allowed:
                self._problems.append(f"{image_id}: there is no part {part!r}")
            elif image_id not in rows:
                self._problems.append(f"{image_id}: not in the data set")
            elif rows[image_id].excluded:
                self._problems.append(f"{image_id}: excluded from the data set")
        self._problems += [
            f"{image_id}: in no part"
            for image_id, row in rows.items()
            if not row.excluded and image_id not in self._part_of
        ]
        if split.folds:
            used = set(self._part_of.values())
            self._problems += [f"fold {fold} has no image" for fold in split.parts if fold not in used]

    def _check_groups(self, split: Split) -> None:
        """No group on two sides."""
        example: dict[str, dict[str, str]] = {}
        for row in self._catalog.rows:
            part = self._part_of.get(row.image_id)
            if part in split.parts:
                example.setdefault(row.group, {}).setdefault(part, row.image_id)
        for group, its in example.items():
            if len(its) > 1:
                where = ", ".join(f"{image_id} in {part}" for part, image_id in its.items())
                self._problems.append(f"group {group} is on more than one side: {where}")
