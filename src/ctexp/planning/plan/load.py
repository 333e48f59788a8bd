"""From a plan's file to a `Plan`: where it is, what it says, and on which line each part of it stands."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ctexp.core import files, yaml_file
from ctexp.core.errors import UsageError
from ctexp.core.names import ID_PATTERN, check_id, did_you_mean
from ctexp.planning.plan import mistakes
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.mistakes import Place

FOLDER = Path("research") / "plans"
"""Where plans are, below the project's folder."""

__all__ = ["FOLDER", "Loaded", "Place", "load", "locate", "read"]


@dataclass(frozen=True)
class Loaded:
    """A plan and its file.

    Attributes:
        plan: what it says.
        sha256: of the file's bytes.
        path: the file, absolute.
        shown: the file as a person would type it.
        lines: where in it everything stands.
        mistakes: what else it says, wrongly, each with its place; `plan` is without it.
    """

    plan: Plan
    sha256: str
    path: Path
    shown: str
    lines: yaml_file.Lines
    mistakes: tuple[tuple[Place, str], ...] = ()

    def line_of(self, place: Place) -> int:
        """The line of a part of the plan, or of what is around it where it is not written."""
        return self.lines.of(place)

    def at(self, place: Place) -> str:
        """`research/plans/x.yaml:12: experiments.x.gate`, what a problem there begins with."""
        return _at(self.shown, self.lines, place)


def locate(root: Path, said: str) -> Path:
    """The file of a plan, absolute.

    Args:
        root: the project's folder.
        said: a path, from here or from the project's folder; or the name of a plan in `research/plans`.

    Raises:
        UsageError: there is none, or it is outside the project.
    """
    if "\0" in said or not said:
        raise UsageError(f"{said!r} is no plan", "name a file in research/plans")
    folder = root / FOLDER
    for path in (Path(said), root / said, folder / f"{said}.yaml"):
        if os.path.isfile(path):  # noqa: PTH113 (pathlib's fails on names that no file can have)
            resolved = path.resolve()
            if not resolved.is_relative_to(root.resolve()):
                raise UsageError(f"{said}: outside the project", f"plans are committed with it, in {FOLDER}")
            return resolved
    plans = [
        file.stem for file in folder.glob("*.yaml") if ID_PATTERN.fullmatch(file.stem) and file.is_file()
    ]
    near = did_you_mean(Path(said).stem, plans)
    raise UsageError(f"{said}: there is no such plan", near or f"write one: {FOLDER}/<name>.yaml")


def load(path: Path, shown: str) -> Loaded:
    """Read a plan.

    Args:
        path: the file.
        shown: what to call it; its stem names the plan, also where `path` is a copy of it.

    Raises:
        UsageError: everything that is wrong with it, with its line.
    """
    loaded = read(path, shown)
    if loaded.mistakes:
        raise UsageError(_told(loaded.mistakes, shown, loaded.lines))
    return loaded


def read(path: Path, shown: str) -> Loaded:
    """Read as much of a plan as can be understood, so that the rest can be checked all the same.

    Args:
        path: the file.
        shown: what to call it; its stem names the plan, also where `path` is a copy of it.

    Returns:
        The plan, less its mistakes.

    Raises:
        UsageError: it is no YAML, or nothing sensible would be left without its mistakes.
    """
    try:
        with path.open("rb") as file:
            content = file.read(yaml_file.MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read ({error.strerror})") from error
    name = check_id(Path(shown).stem, f"{shown}: the name of the file")
    data, lines = yaml_file.parse_mapping(content, shown)
    found = mistakes.found_in(data, name)
    rest = mistakes.without(data, [place for place, _ in found]) if found else data
    if "name" in data and data["name"] != name and not any(place == ["name"] for place, _ in found):
        found.append((["name"], f"{data['name']} is not what the file is called; leave it out"))
    if rest is None or mistakes.found_in(rest, name):
        raise UsageError(_told(found, shown, lines))
    plan = Plan.model_validate(rest, context={"name": name})
    return Loaded(plan, files.sha256_bytes(content), path, shown, lines, tuple(found))


def _told(found: Sequence[tuple[Place, str]], shown: str, lines: yaml_file.Lines) -> list[str]:
    """Mistakes in the order of the file."""
    in_order = sorted(found, key=lambda mistake: lines.of(mistake[0]))
    return [f"{_at(shown, lines, place)}: {said}" for place, said in in_order]


def _at(shown: str, lines: yaml_file.Lines, place: Place) -> str:
    said = f"{shown}:{lines.of(place)}"
    return f"{said}: {'.'.join(str(part) for part in place)}" if place else said
