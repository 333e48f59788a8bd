"""Numbers and names as they stand in a sentence."""

from collections.abc import Sequence

from ctexp.data.audit.findings import Estimate


def plain(class_name: str) -> str:
    """A class's name in a sentence."""
    return class_name.replace("_", " ")


def amount(number: int, what: str) -> str:
    """`1 image`, `1,000 images`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def percent(estimate: Estimate) -> str:
    """`41 % (38 to 44)`."""
    return f"{100 * estimate.value:.0f} % ({100 * estimate.low:.0f} to {100 * estimate.high:.0f})"


def area(estimate: Estimate) -> str:
    """`0.82 (0.79 to 0.85)`."""
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"


def some(named: Sequence[str], most: int = 3) -> str:
    """The first few of a list, and how many more there are."""
    more = f" and {len(named) - most:,} more" if len(named) > most else ""
    return ", ".join(named[:most]) + more
