"""What was aimed at and what came of it, one line each: `inv bench` makes a table of these lines."""

from typing import Literal

MARK = "aim: "


def told(what: str, value: float, unit: str, bound: float, wanted: Literal["at most", "at least"]) -> None:
    """Print one aim with its figure, and whether it was reached.

    Args:
        what: the figure, named so that a table can stand alone.
        value: as measured, usually a median.
        unit: of both numbers; empty for a ratio.
        bound: what was aimed at.
        wanted: on which side of it.
    """
    reached = value <= bound if wanted == "at most" else value >= bound
    said = f" {unit}" if unit else ""
    outcome = "reached" if reached else "missed"
    print(f"{MARK}{what}: {value:.3g}{said}; {wanted} {bound:g}{said}: {outcome}")
