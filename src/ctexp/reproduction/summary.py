"""A verdict for people: one line, and the block that `summary.txt` holds."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ctexp.core.paths import shown
from ctexp.reproduction.verdict import Compared, Difference, Outcome, Verdict

_LABEL = 13

IMAGES = {"here": "the images here, each as recorded", "dvc": "the recorded version, from DVC"}
"""What an origin of data means."""


def said(outcome: Outcome, differences: Sequence[Difference], compared: Sequence[Compared]) -> str:
    """The verdict in one line."""
    counted = [one for one in differences if one.counts]
    areas = ", ".join(dict.fromkeys(one.area for one in counted))
    match outcome:
        case "equal":
            return f"equal: {', '.join(one.what for one in compared)}, bit for bit"
        case "within_tolerance":
            apart = ", ".join(one.what for one in compared if not one.identical)
            return f"equal within the tolerance: {apart} are not the same bits"
        case "not_made":
            return f"not made again, since what it was made from has changed: {areas}"
        case _:
            return f"different: {areas}"


def summary(verdict: Verdict, place: Path) -> str:
    """The whole verdict, a few words a line."""
    lines = [f"{verdict.run_id}, made again: {verdict.said}"]
    for label, values in _sections(verdict, place):
        for row, value in enumerate(values):
            lines.append(f"  {label if row == 0 else '':<{_LABEL}}{value}")
    return "\n".join(lines) + "\n"


def _sections(verdict: Verdict, place: Path) -> Iterator[tuple[str, list[str]]]:
    yield "command", [verdict.command]
    if verdict.source is not None:
        patch = verdict.source.patch_sha256
        patched = f" with the patch {patch[:12]}" if patch else ""
        yield "source", [f"{verdict.source.commit[:12]}{patched}"]
    if verdict.packages is not None:
        its = verdict.packages
        how = f"{its.lock} of that commit, by uv" if its.made_by == "uv" else "this project's own environment"
        yield "environment", [f"Python {its.python}, {how}"]
    if verdict.images is not None:
        yield "data", [f"{verdict.images.name}, {IMAGES[verdict.images.origin]}"]
    if verdict.reproduction is not None:
        how = "every bit" if verdict.strict else f"tolerance {verdict.tolerance:g}"
        because = (
            f", since this is on {'; '.join(verdict.lenient_because)}" if verdict.lenient_because else ""
        )
        yield "held to", [f"{how}{because}"]
    yield "compared", [_compared(one) for one in verdict.compared]
    yield "differs", [_difference(one) for one in verdict.differences if one.counts]
    yield "listed", [_difference(one) for one in verdict.differences if not one.counts]
    yield "notes", list(verdict.notes)
    if verdict.reproduction is not None:
        yield "second run", [shown(place / verdict.reproduction)]
    yield "verdict", [shown(place / "verdict.json")]


def _compared(one: Compared) -> str:
    if one.identical:
        return f"{one.what}: {one.number:,} {one.unit}, identical"
    apart = f", up to {one.largest:.3g} apart" if one.largest is not None else ""
    what = "with another class" if one.unit == "images" else "differ"
    return f"{one.what}: {one.changed:,} of {one.number:,} {one.unit} {what}{apart}"


def _difference(one: Difference) -> str:
    """`data: image a.png: recorded as it was imported, now 12 bytes`."""
    sides = [f"recorded {one.recorded}" if one.recorded else "", f"now {one.found}" if one.found else ""]
    if one.recorded and one.found is None:
        sides[1] = "now none"
    told = ", ".join(filter(None, sides))
    return f"{one.area}: {one.what}{f': {told}' if told else ''}"
