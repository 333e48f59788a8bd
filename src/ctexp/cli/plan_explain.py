"""`plan --explain`: the ranking of moves with everything it rests on."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from ctexp.core import clock, screen

_Move = Mapping[str, Any]


def print_explained(document: Mapping[str, Any]) -> None:
    """For people what `planning.moves.explain` says: what applies, what was seen, what does not apply."""
    moves: Sequence[_Move] = document["moves"]
    applying = [one for one in moves if one["applies"]]
    print(f"moves by expected gain in {document['metric']} per minute; positive is better, ± one sd")
    seeds = document["seeds"]
    print("takes: of one seed\n" if seeds == 1 else f"takes: {seeds} seeds together\n" if seeds else "")
    screen.results().print(_table(moves))
    print(
        "added: to the catalogue's, for how bad the trouble is that the move is made for (a guess: "
        f"{document['mends']:.0%} of what it costs,\n"
        "less for moves of which the catalogue expects little; its own sd is twice as much).\n"
        "believed now: both together and what was seen, each by its weight (in brackets). That "
        f"{document['own_share']:.0%} of a prior's variance\n"
        "is particular to a recipe is stated, not measured: by it a comparison on one other recipe counts at "
        "most half."
    )
    if rooms := _headrooms(applying):
        print("\nwhat the troubles cost that moves are made for")
        for line in rooms:
            print(f"  {line}")
    seen = [line for one in moves for line in _seen(one)]
    print("\nwhat was seen here of single moves")
    for line in seen or ["nothing: no two recipes are one move apart"]:
        print(f"  {line}")
    if again := [f"{one['title']}: {one['again']}" for one in applying if one["again"]]:
        print("\nwhat failed elsewhere and may be tried here")
        for line in again:
            print(f"  {line}")
    if left := [one for one in moves if not one["applies"]]:
        print("\nwhat is not proposed, and why")
        for one in left:
            print(f"  {one['title']}: {one['why_not']}")
    print("\nwhere the priors come from")
    for name, source in {one["move"]: one["source"] for one in moves if one["prior"]}.items():
        print(f"  {name}: {source}")


def _table(moves: Sequence[_Move]) -> Table:
    """Those that change something and have a prior: what applies first, the others below the line."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("move", no_wrap=True)
    for heading in (
        "catalogue",
        "added",
        "seen here",
        "believed now",
        "P(better)",
        "expected gain",
        "takes",
        "per hour",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    believed = [one for one in moves if one["posterior"] is not None]
    for place, one in enumerate(believed):
        known, per_minute = one["posterior"], one["gain_per_minute"]
        if place and not one["applies"] and believed[place - 1]["applies"]:
            table.add_section()
        table.add_row(
            escape(one["title"]),
            _belief(one["catalogue"]),
            f"{one['bonus']:+.3f}" if one["bonus"] else "-",
            _share(known),
            _belief(known),
            f"{known['p_better']:.2f}",
            "" if one["expected_gain"] is None else f"{one['expected_gain']:+.4f}",
            "" if one["minutes"] is None else clock.duration(60 * one["minutes"]),
            "" if per_minute is None else f"{60 * per_minute:+.4f}",
        )
    return table


def _belief(said: Mapping[str, float]) -> str:
    return f"{said['gain']:+.3f} ± {said['sd']:.3f}"


def _share(known: Mapping[str, Any]) -> str:
    """What was seen, and how much it counts."""
    if known["seen"] is None:
        return "-"
    return f"{known['seen']:+.3f} ({known['weight']:.0%})"


def _headrooms(moves: Sequence[_Move]) -> list[str]:
    """What could be gained at most, and the moves whose priors know of it."""
    found: dict[float, list[str]] = {}
    for one in moves:
        if one["headroom"] is not None:
            found.setdefault(one["headroom"], []).append(one["title"])
    return [f"{room:+.3f} at most: {', '.join(found[room])}" for room in sorted(found, reverse=True)]


def _seen(one: _Move) -> list[str]:
    """A line for each pair of recipes that are this move apart."""
    lines = [f"{one['title']}: {_pair(past)}" for past in one["tried"]]
    for past in one["elsewhere"]:
        ground = ", ".join(f"{key} was {value}" for key, value in list(past["ground"].items())[:3])
        lines.append(f"{one['title']}: {_pair(past)}; not counted here, there {ground}")
    return lines


def _pair(past: Mapping[str, Any]) -> str:
    of = f"{past['before']} to {past['after']}"
    where = " (from the incumbent)" if past["from_the_incumbent"] else ""
    where += "" if past["exact"] else " (its number is near this move's, not the same)"
    ends = f"; {', '.join(past['lost'])}" if past["lost"] else ""
    if past["gain"] is None:
        return f"{of}{where}: no figure{ends}"
    error = "no error to go by" if past["se"] is None else f"± {past['se']:.3f}"
    before, after = past["seeds"]
    return f"{of}{where}: {past['gain']:+.3f} {error}, by {before} and {after} seeds{ends}"
