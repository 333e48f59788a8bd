"""Waiting for what another process does: never for a time that ought to be enough."""

import time
from collections.abc import Callable
from typing import Any


def until(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What is asked again and again, once it is true; the test fails where it does not become so."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it has not come true"
        time.sleep(0.01)
    return found
