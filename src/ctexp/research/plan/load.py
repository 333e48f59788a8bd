"""From the file of a plan to what it says: everything wrong at once, everything unknown kept and told."""

from pathlib import Path
from typing import Any

from ctexp.core import files, yaml_file
from ctexp.core.errors import UsageError
from ctexp.core.yaml_parts import Mistakes, Part
from ctexp.research.plan.content import Gate, ResearchPlan
from ctexp.research.plan.experiments import entries, experiments, text, texts
from ctexp.research.plan.references import check

_TOP = ("project", "experiments", "gates")
_REST = ("archived", "links", "last_updated", "future_research")
_GATE = ("id", "name", "description", "experiments", "unlocks", "status", "note")


def load(path: Path, shown: str) -> ResearchPlan:
    """Read a plan.

    Args:
        path: the file.
        shown: what to call it in messages.

    Raises:
        UsageError: everything that is wrong with it, with its line.
    """
    try:
        content = files.read_regular(path, yaml_file.MAX_BYTES)
    except FileNotFoundError as error:
        raise UsageError(
            f"{shown}: there is none", "begin an experiment: scripts/inv research-new ID"
        ) from error
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read ({error.strerror})") from error
    return parse(content, shown)


def parse(content: bytes, shown: str) -> ResearchPlan:
    """What a plan's text says; see `load`."""
    data, lines = yaml_file.parse_mapping(content, shown)
    mistakes = Mistakes(shown, lines)
    file = Part(data, (), mistakes)
    rest = {key: data[key] for key in _REST if key in data} | file.others(*_TOP, *_REST)
    found = experiments(file)
    gates = {name: _gate(name, part) for name, part in entries(file, "gates")}
    check(found, gates, rest.get("archived"), mistakes)
    project = _project(file)
    mistakes.refuse()
    return ResearchPlan(shown, project, found, gates, rest, mistakes.notes)


def _project(file: Part) -> dict[str, Any]:
    """What the project is about; a name alone is one, too."""
    said = file.data.get("project")
    return {"name": said} if isinstance(said, str) else dict(file.part("project").data)


def _gate(name: str, part: Part) -> Gate:
    extra = part.others(*_GATE)
    required = texts(part, "experiments")
    if not required:
        part.mistakes.note(part.place, "names no experiments, so nothing opens it")
    return Gate(
        id=name,
        name=text(part.data.get("name")) or name,
        description=text(part.data.get("description")),
        experiments=required,
        unlocks=texts(part, "unlocks"),
        said_status=text(part.data.get("status")),
        note=text(part.data.get("note")),
        extra=extra,
        line=part.mistakes.line(part.place),
    )
