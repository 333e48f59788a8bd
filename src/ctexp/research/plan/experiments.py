"""Experiments and their parts, as people write them: by id, or as lists."""

import re
from collections.abc import Iterator
from typing import Any, get_args

from ctexp.core import yaml_file
from ctexp.core.yaml_parts import Part, Place, told
from ctexp.research.places import module_name
from ctexp.research.plan.content import Experiment, Kind, SubExperiment
from ctexp.research.plan.criteria import criteria

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""What may name an experiment, a part of one, or a gate: safe in paths everywhere."""

EVERY = "all"
"""What stands for every experiment where one can be named, and so names none."""

_EXPERIMENT = (
    "id",
    "name",
    "type",
    "phase",
    "status",
    "description",
    "outcome",
    "achieved",
    "replaces",
    "sub_experiments",
    "success_criteria",
    "dependencies",
)
_SUB = ("id", "name", "description")
_NO_ID = re.compile(r"[^A-Za-z0-9_.-]+")


def entries(file: Part, key: str) -> Iterator[tuple[str, Part]]:
    """What stands below a key, by id: keys are ids, or each item of a list says its own."""
    said = file.data.get(key)
    known: set[str] = set()
    for name, part in _listed(file, key, said) if isinstance(said, list) else _keyed(file, key):
        if not ID.fullmatch(name):
            part.mistakes.say(part.place, bad_id(name))
        elif name in known:
            part.mistakes.say(part.place, f"{name} is given twice")
        else:
            known.add(name)
            yield name, part


def bad_id(name: str) -> str:
    """What is wrong with an id that is none."""
    return (
        f"{told(name)} is no id: letters, digits, '_', '-' and '.', at most 64, "
        "beginning with a letter or digit"
    )


def experiments(file: Part) -> dict[str, Experiment]:
    """All of them, in the order of the file."""
    found: dict[str, Experiment] = {}
    folders: dict[str, str] = {}
    for name, part in entries(file, "experiments"):
        if name == EVERY:
            part.mistakes.say(part.place, f"{EVERY} stands for every experiment; take another id")
        twin = folders.setdefault(module_name(name), name)
        if twin != name:
            part.mistakes.say(part.place, f"its handlers would lie in the folder of {twin}; rename one")
        found[name] = _experiment(name, part)
    return found


def text(value: Any) -> str:
    """What somebody wrote, in one piece, whatever it is."""
    if value is None or isinstance(value, str):
        return (value or "").strip()
    return yaml_file.dump(value).removesuffix("...\n").strip()


def texts(part: Part, key: str) -> tuple[str, ...]:
    """A list of words, or one alone."""
    said = part.data.get(key)
    if said is None:
        return ()
    items = said if isinstance(said, list) else [said]
    found: list[str] = []
    for number, one in enumerate(items):
        place: Place = (*part.place, key, number) if isinstance(said, list) else (*part.place, key)
        if isinstance(one, dict | list) or not text(one):
            part.mistakes.say(place, f"expected a name, got {told(one)}")
        elif text(one) not in found:
            found.append(text(one))
    return tuple(found)


def _listed(file: Part, key: str, items: list[Any]) -> Iterator[tuple[str, Part]]:
    for number, item in enumerate(items):
        part = Part(item, (*file.place, key, number), file.mistakes)
        if "id" in part:
            yield text(part.data["id"]), part
        elif isinstance(item, dict):
            part.mistakes.say(part.place, "its id is missing")


def _keyed(file: Part, key: str) -> Iterator[tuple[str, Part]]:
    section = file.part(key)
    for name, data in section.data.items():
        part = Part(data, (*section.place, name), file.mistakes)
        if text(part.data.get("id", name)) != name:
            part.say("id", f"it is called {name} here; leave this out")
        yield name, part


def _experiment(name: str, part: Part) -> Experiment:
    extra = part.others(*_EXPERIMENT)
    achieved = part.data.get("achieved")
    if achieved is not None and not isinstance(achieved, dict):
        extra["achieved"], achieved = achieved, None
    required = criteria(part)
    return Experiment(
        id=name,
        name=text(part.data.get("name")) or name,
        kind=_kind(part, bool(required)),
        phase=text(part.data.get("phase")),
        said_status=text(part.data.get("status")),
        description=text(part.data.get("description")),
        outcome=text(part.data.get("outcome")),
        achieved=achieved or {},
        replaces=text(part.data.get("replaces")) or None,
        subs=tuple(_subs(part).values()),
        criteria=required,
        dependencies=texts(part, "dependencies"),
        extra=extra,
        line=part.mistakes.line(part.place),
    )


def _kind(part: Part, judged: bool) -> Kind:
    """What is said; else a pivot replaces something, a claim has criteria."""
    kinds: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}
    likely: Kind = "pivot" if part.data.get("replaces") else "claim" if judged else "question"
    return kinds.get(text(part.data.get("type")).lower()) or part.one_of("type", get_args(Kind), likely)


def _subs(part: Part) -> dict[str, SubExperiment]:
    """The parts of an experiment by id: names, or names with what they are about."""
    found: dict[str, SubExperiment] = {}
    files: dict[str, str] = {}
    for place, data in _described(part):
        named = Part(data, place, part.mistakes)
        said = text(data.get("id")) or text(data.get("name"))
        name = said if ID.fullmatch(said) else _NO_ID.sub("_", said).strip("_.-")[:64]
        twin = files.setdefault(module_name(name), name)
        if not ID.fullmatch(name):
            part.mistakes.say(place, bad_id(said) if said else "its id is missing")
        elif name in found:
            part.mistakes.say(place, f"{name} is given twice")
        elif twin != name:
            part.mistakes.say(place, f"its handler would be the file of {twin}; rename one")
        else:
            if name != said:
                part.mistakes.note(place, f"{told(said)} is called {name} here")
            about = text(data.get("description"))
            found[name] = SubExperiment(name, text(data.get("name")) or said, about, named.others(*_SUB))
    return found


def _described(part: Part) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Each part's place and what stands there, as keys and values."""
    said = part.data.get("sub_experiments")
    place = (*part.place, "sub_experiments")
    if isinstance(said, dict):
        for name, about in said.items():
            yield (*place, name), {"id": name, **_about(about)}
        return
    items = said if isinstance(said, list) else [] if said is None else [said]
    for number, one in enumerate(items):
        here = (*place, number)
        if isinstance(one, dict) and len(one) == 1 and not one.keys() & set(_SUB):
            ((name, about),) = one.items()
            yield here, {"id": name, **_about(about)}
        else:
            yield here, one if isinstance(one, dict) else {"id": one}


def _about(value: Any) -> dict[str, Any]:
    """What stands beside a part's name: keys and values, or words."""
    return value if isinstance(value, dict) else {"description": value}
