"""What every record of a handler says, whoever writes it: the process itself, or who has seen it die."""

import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ctexp.core import clock
from ctexp.record import git
from ctexp.research.basis import handler_hash
from ctexp.research.record import Basis
from ctexp.research.runner.order import Order


def begun(order: Order, began: datetime, *, data: Mapping[str, str]) -> dict[str, Any]:
    """The fields that are known from the start.

    Args:
        order: whose handler.
        began: when.
        data: SHA-256 of the catalogs its runs were made on.
    """
    root = Path(order.root)
    basis = Basis(
        handler=handler_hash(order.places, order.experiment, order.sub),
        plan=order.plan_sha256,
        data=dict(data),
        overrides=order.overrides,
    )
    return {
        "experiment": order.experiment,
        "sub": order.sub,
        "stub": order.stub,
        "basis": basis,
        "git": git.capture(root, [Path(order.data), Path(order.runs)], counts=_counts).state,
        "command": order.command,
        "started": clock.iso(began),
    }


def ended(since: float) -> dict[str, Any]:
    """The fields of its end.

    Args:
        since: when it began, by the clock that nobody sets.
    """
    return {"ended": clock.iso(clock.now()), "seconds": max(0.0, time.monotonic() - since)}


def _counts(path: str) -> bool:
    """Whether a changed file makes an answer one of uncommitted source: handlers do, which train nothing."""
    return git.is_source(path) or (path.startswith("research/handlers/") and path.endswith(".py"))
