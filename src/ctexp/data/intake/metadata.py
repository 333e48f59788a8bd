"""A table of what people know of the images: CSV with a column `image` and any others.

    image,patient,acquired,age,sex,scanner
    train/normal/a.png,P-017,2021-03-04,63,F,Siemens Force

Commas, semicolons or tabs part the cells; the header tells which. Columns are called by their names in lower
case, with `_` for whatever is neither a letter a to z nor a digit. An empty cell says nothing. `patient` and
`acquired` have a meaning of their own: images of one patient stay on one side of every split, and dates (ISO,
or YYYYMMDD) order the split by time. Both are known by the other names of `ALIASES` too.
"""

import csv
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from ctexp.core.errors import DataError
from ctexp.core.wording import some
from ctexp.data.dates import iso_date
from ctexp.data.intake.listed import SHOWN, ImageNames, Mention, read_text
from ctexp.data.intake.people import PATIENT

IMAGE, ACQUIRED = "image", "acquired"

ALIASES = {
    **dict.fromkeys(("patient_id", "patientid", "subject", "subject_id", "subjectid"), PATIENT),
    **dict.fromkeys(("acquisition_date", "acquisitiondate", "study_date", "studydate"), ACQUIRED),
}
"""Other names of the columns that have a meaning of their own, those of DICOM among them."""

_DELIMITERS = (",", ";", "\t")
_HINT = "a table needs a line of column names, `image` among them, and a line for each image"


@dataclass(frozen=True)
class Line:
    """One line of a table: which image, and what is known of it by column."""

    image: Mention
    values: dict[str, str]


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Attributes:
        name: the file's.
        columns: in its order, without `image`: what each is called, and how the table writes it.
        lines: one for each that names an image.
    """

    name: str
    columns: Mapping[str, str]
    lines: tuple[Line, ...]


def read(file: Path) -> Table:
    """Read a table.

    Raises:
        DataError: the file cannot be read, has no column `image` or no other, two columns of one name, lines
            of another length than the header, or dates that are none; all such problems are listed.
    """
    text = read_text(file)
    records = _records(text, file.name)
    if not records:
        raise DataError(f"{file.name}: empty", _HINT)
    (_, header), *body = records
    columns = [ALIASES.get(snake(name), snake(name)) for name in header]
    problems = _header_problems(header, columns)
    if problems:
        raise DataError([f"{file.name}: {problem}" for problem in problems], _HINT)
    lines: list[Line] = []
    complaints: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for number, cells in body:
        where = f"{file.name}:{number}"
        if len(cells) != len(columns):
            complaints["cells"].append((where, f"{len(cells)} cells, the header has {len(columns)}"))
            continue
        values = {name: cell for name, cell in zip(columns, cells, strict=True) if cell}
        image = values.pop(IMAGE, "")
        values = {name: " ".join(cell.split()) for name, cell in values.items()}
        if not image:
            complaints[IMAGE].append((where, "names no image"))
        if ACQUIRED in values:
            date = iso_date(values[ACQUIRED])
            if not date:
                why = f"{values[ACQUIRED]!r} is no date; write 2021-03-04 or 20210304"
                complaints[ACQUIRED].append((where, why))
            values[ACQUIRED] = date
        lines.append(Line(Mention(image, where), values))
    if complaints:
        raise DataError(_summed_up(complaints.values()), f"correct {file}")
    written = dict(zip(columns, header, strict=True))
    del written[IMAGE]
    return Table(file.name, written, tuple(lines))


def _summed_up(complaints: Iterable[Sequence[tuple[str, str]]]) -> list[str]:
    """One line for each place and what is wrong there, or one for all where many have the same complaint."""
    problems: list[str] = []
    for kind in complaints:
        if len(kind) > SHOWN:
            problems.append(f"{some([where for where, _ in kind])}: {kind[0][1]}")
        else:
            problems += [f"{where}: {why}" for where, why in kind]
    return problems


def _records(text: str, name: str) -> list[tuple[int, list[str]]]:
    """Line number and cells of each line that has any, by the delimiter that gives a column `image`."""
    first_line = text.partition("\n")[0]
    try:
        parted = {cut: next(csv.reader([first_line], delimiter=cut), []) for cut in _DELIMITERS}
    except csv.Error as error:
        raise DataError(f"{name}:1: not CSV ({error})", _HINT) from error
    fitting = (delimiter for delimiter in _DELIMITERS if IMAGE in map(snake, parted[delimiter]))
    reader = csv.reader(StringIO(text, newline=""), delimiter=next(fitting, ","), strict=True)
    try:
        records = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise DataError(f"{name}:{reader.line_num}: not CSV ({error})", _HINT) from error
    return [(number, cells) for number, cells in records if any(cells)]


def _header_problems(header: Sequence[str], columns: Sequence[str]) -> list[str]:
    shown = ", ".join(header)
    problems = [] if IMAGE in columns else [f"no column {IMAGE!r} (columns found: {shown})"]
    if columns == [IMAGE]:
        problems.append(f"no column besides {IMAGE!r}")
    problems += [
        f"column {place} ({written!r}) has no name in letters a to z and digits"
        for place, (name, written) in enumerate(zip(columns, header, strict=True), 1)
        if not name
    ]
    problems += [
        f"{count} columns are called {name!r} (columns found: {shown})"
        for name, count in Counter(columns).items()
        if name and count > 1
    ]
    return problems


def match(table: Table, names: ImageNames) -> tuple[dict[str, dict[str, str]], list[str]]:
    """What a table says of each image that it names.

    Returns:
        Image id -> column -> value, nothing for what is empty; and the problems: images that cannot be found,
        and images named twice with different values.
    """
    told: dict[str, dict[str, str]] = {}
    first: dict[str, Line] = {}
    problems: list[str] = []
    for line in table.lines:
        try:
            image_id = names.find(line.image).image_id
        except DataError as error:
            problems += error.problems
            continue
        before = first.setdefault(image_id, line)
        if before.values != line.values:
            problems.append(
                f"{line.image.where}: {image_id} stands in {before.image.where} with other values"
            )
        told[image_id] = before.values
    return told, problems


def snake(name: str) -> str:
    """`Patient ID` -> `patient_id`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
