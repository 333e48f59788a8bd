"""The catalogue of moves: `conf/moves/*.yaml`, data that anybody may add to; a file holds moves by id."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ctexp.core import files, yaml_file
from ctexp.core.errors import UsageError
from ctexp.planning.moves.mistakes import found_in
from ctexp.planning.moves.move import Move

FOLDER = Path("conf") / "moves"
"""Where it stands, below the project's folder."""


@dataclass(frozen=True)
class Catalogue:
    """All moves.

    Attributes:
        moves: by id, in the order of files and lines.
        places: id -> `conf/moves/data.yaml:12`.
    """

    moves: Mapping[str, Move]
    places: Mapping[str, str]


def load(root: Path) -> Catalogue:
    """Read a project's catalogue.

    Args:
        root: the project's folder.

    Raises:
        UsageError: anything in any of its files is wrong; every problem with its file and line.
    """
    moves: dict[str, Move] = {}
    places: dict[str, str] = {}
    problems: list[str] = []
    for file in sorted((root / FOLDER).glob("*.yaml")):
        shown = (FOLDER / file.name).as_posix()
        try:
            content = files.read_regular(file, yaml_file.MAX_BYTES)
            document, lines = yaml_file.parse_mapping(content, shown)
        except OSError as error:
            problems.append(f"{shown}: cannot be read ({error.strerror})")
            continue
        except UsageError as error:
            problems += error.problems
            continue
        for name, said in document.items():
            place = f"{shown}:{lines.of([name])}"
            wrong = [
                f"{shown}:{lines.of(where)}: {'.'.join(map(str, where))}: {what}"
                for where, what in found_in(name, said)
            ]
            if name in places:
                wrong.append(f"{place}: {name}: there is one of this name already, {places[name]}")
            problems += wrong
            places.setdefault(name, place)
            if not wrong:
                moves[name] = Move.model_validate(said)
    if problems:
        raise UsageError(problems, f"docs/planner.md says what {FOLDER.as_posix()} may hold")
    return Catalogue(moves, places)
