"""Records that history cites, kept after newer ones have taken their place."""

from collections.abc import Iterable, Iterator
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
    """Keep the records of an experiment as they are now.

    Args:
        places: of the project.
        experiment: its id.
        subs: the parts that have a record.
    """
    for sub in subs:
        content = places.record(experiment, sub).read_bytes()
        file = folder(places, experiment) / f"{sub}.{files.sha256_bytes(content)[:12]}.json"
        if not file.is_file():
            files.write_bytes(file, content)


def figures(places: Places, experiment: str) -> Iterator[tuple[str, Figure]]:
    """The figures of all kept records, by mark; those that were changed since are passed over."""
    for file in sorted(folder(places, experiment).glob("*.json")):
        content = file.read_bytes()
        if file.name.split(".")[-2] != files.sha256_bytes(content)[:12]:
            continue
        try:
            yield from Answer.read(file).by_mark().items()
        except DataError:
            continue
