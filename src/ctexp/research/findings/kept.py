"""Records that history cites, kept after newer ones have taken their place."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.research.figures import Figure
from ctexp.research.places import Places
from ctexp.research.record import Answer


def folder(places: Places, experiment: str) -> Path:
    """Where they lie: each named after its content."""
    return places.of(experiment) / "history"


def keep(places: Places, experiment: str, subs: Iterable[str]) -> None:
    """Keep the records of an experiment as they are now."""
    for sub in subs:
        content = places.record(experiment, sub).read_bytes()
        file = folder(places, experiment) / f"{sub}.{files.sha256_bytes(content)[:12]}.json"
        if not file.is_file():
            files.write_bytes(file, content)


def kept_files(places: Places, experiment: str) -> list[Path]:
    """All that are kept of an experiment."""
    return sorted(path for path in folder(places, experiment).glob("*.json") if path.is_file())


def read(file: Path) -> Answer:
    """A kept record.

    Raises:
        DataError: it is damaged, or not what its name says it was.
    """
    if file.name.split(".")[-2] != files.sha256_file(file)[:12]:
        raise DataError(f"{file}: was changed since it was kept")
    return Answer.read(file)


def figures(places: Places, experiment: str) -> dict[str, Figure]:
    """The figures of all kept records, by mark; records that were changed since have none."""
    known: dict[str, Figure] = {}
    for file in kept_files(places, experiment):
        with suppress(DataError):
            known |= read(file).by_mark()
    return known
