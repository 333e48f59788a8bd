"""What a catalogue says wrongly, in the words of people: its form, and its keys, words and values."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from ctexp.config.keys import GROUPS, keys, nearest_key
from ctexp.config.overrides import parse_one
from ctexp.core.names import ID_PATTERN, did_you_mean
from ctexp.planning.moves.move import Effect, Move, Way
from ctexp.planning.plan.mistakes import Place, told

_SELF = ("seed", "run.name", "experiment")
"""What tells runs apart, and what a recipe begins with: no move's business."""


def found_in(name: str, said: Any) -> list[tuple[Place, str]]:
    """Every mistake of a move, with its place.

    Args:
        name: its id.
        said: what stands under it.
    """
    found: list[tuple[Place, str]] = []
    if not ID_PATTERN.fullmatch(name):
        found.append(((name,), "ids are at most 64 lower-case letters, digits, '_' and '-'"))
    if not isinstance(said, dict):
        return [*found, ((name,), "expected keys and values")]
    try:
        move = Move.model_validate(said)
    except ValidationError as error:
        wrong = told(error, said, _keys_at)
    else:
        wrong = list(_unusable(move))
    return [*found, *(((name, *place), what) for place, what in wrong)]


def _keys_at(place: Place, _: Any) -> list[str]:
    parts: dict[str | int, type[Move | Effect | Way]] = {"effects": Effect, "variants": Way}
    return list(parts.get(place[0], Move).model_fields if place else Move.model_fields)


def _unusable(move: Move) -> Iterator[tuple[Place, str]]:
    """Words that are no overrides, and keys that no configuration has."""
    parts: list[tuple[Place, Way]] = [((), move)]
    parts += [(("variants", name), way) for name, way in move.variants.items()]
    for place, way in parts:
        yield from _words((*place, "overrides"), way.overrides)
        for key in way.scale:
            if key not in keys():
                yield (*place, "scale", key), f"unknown key; {nearest_key(key)}"
    for kind, words in move.fallback.items():
        yield from _words(("fallback", kind), words)
    for key, wanted in move.only_if.items():
        if key not in keys():
            yield ("only_if", key), f"unknown key; {nearest_key(key)}"
            continue
        options = keys()[key].options
        for value in wanted if isinstance(wanted, list) else [wanted]:
            if options and value is not None and str(value) not in options:
                yield ("only_if", key), f"never {value!r}; {did_you_mean(str(value), options)}"


def _words(place: Place, words: list[str]) -> Iterator[tuple[Place, str]]:
    for index, word in enumerate(words):
        here = (*place, str(index))
        read = parse_one(word)
        if isinstance(read, str):
            yield here, read
        elif read.key in _SELF or read.key.startswith("run."):
            yield here, f"{word}: no move changes {read.key}"
        elif read.chooses_a_group and read.key not in GROUPS:
            yield here, f"{word}: a move chooses files of {', '.join(GROUPS)}"
