"""What a training's own events say of its health: what had begun and had not passed when it ended."""

from collections.abc import Iterable, Mapping
from typing import Any


def unresolved(events: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The events of what was wrong with a training until its end, by rule, in the order they began.

    Args:
        events: of a run, in their order.
    """
    holding: dict[str, Mapping[str, Any]] = {}
    for event in events:
        if event["kind"] != "health":
            continue
        rule = str(event.get("rule"))
        if event.get("state") == "began":
            holding[rule] = event
        else:
            holding.pop(rule, None)
    return holding
