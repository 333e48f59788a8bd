"""What every record of a handler says, whoever writes it: the process itself, or who has seen it die."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ctexp.core import clock
from ctexp.research.runner.order import Order


def told(order: Order, began: datetime, since: float, data: Mapping[str, str]) -> dict[str, Any]:
    """The fields of an answer that ends now, whatever came of it."""
    return {
        "experiment": order.experiment,
        "sub": order.sub,
        "stub": order.stub,
        "basis": order.basis.model_copy(update={"data": dict(data)}),
        "git": order.git,
        "command": order.command,
        "started": clock.iso(began),
        "ended": clock.iso(clock.now()),
        "seconds": max(0.0, time.monotonic() - since),
    }
