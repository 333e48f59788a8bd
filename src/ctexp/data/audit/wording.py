"""Numbers and names as they stand in a sentence."""

from ctexp.data.audit.findings import Estimate


def plain(class_name: str) -> str:
    """A class's name in a sentence."""
    return class_name.replace("_", " ")


def percent(estimate: Estimate) -> str:
    """`41 % (38 to 44)`, or `41 % (20 to 62, few)`."""
    value, low, high = (100 * figure for figure in (estimate.value, estimate.low, estimate.high))
    return f"{value:.0f} % ({low:.0f} to {high:.0f}{_few(estimate)})"


def area(estimate: Estimate) -> str:
    """`0.82 (0.79 to 0.85)`, or `0.82 (0.70 to 0.94, few)`."""
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f}{_few(estimate)})"


def _few(estimate: Estimate) -> str:
    return ", few" if estimate.few else ""
