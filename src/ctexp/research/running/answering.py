"""What every record of a handler says, whoever writes it: the process itself, or who has seen it die."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ctexp.core import clock
from ctexp.research.runner.order import Order


def begun(order: Order, began: datetime, *, data: Mapping[str, str]) -> dict[str, Any]:
    """The fields that are known from the start.

    Args:
        order: whose handler.
        began: when.
        data: SHA-256 of the catalogs its runs were made on.
    """
    return {
        "experiment": order.experiment,
        "sub": order.sub,
        "stub": order.stub,
        "basis": order.basis.model_copy(update={"data": dict(data)}),
        "git": order.git,
        "command": order.command,
        "started": clock.iso(began),
    }


def ended(since: float) -> dict[str, Any]:
    """The fields of its end.

    Args:
        since: when it began, by the clock that nobody sets.
    """
    return {"ended": clock.iso(clock.now()), "seconds": max(0.0, time.monotonic() - since)}
