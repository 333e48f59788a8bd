"""What a handler logs as it goes: a line of JSON at once, and to the tracker, which can fail nothing."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctexp.core import clock, files
from ctexp.core.errors import UsageError
from ctexp.research.runner.telling import Follower
from ctexp.research.runner.values import Warn, number

FILE = "metrics.jsonl"
"""In the folder of a start of an experiment; the handlers of one start share it."""


class Logbook:
    """The metrics a handler logs."""

    def __init__(self, folder: Path, prefix: str, follower: Follower, warn: Warn) -> None:
        self._file = folder / FILE
        self._prefix = prefix
        self._follower = follower
        self._warn = warn
        self._steps = 0

    def log(self, metrics: Mapping[str, Any], step: int | None) -> None:
        """Write some numbers down.

        Raises:
            UsageError: something is no number, or what is no name; all are told.
        """
        if not isinstance(metrics, Mapping):
            raise UsageError(
                f"log_metrics: names and numbers are expected, got {type(metrics).__qualname__}",
                'write log_metrics({"loss": 0.3})',
            )
        problems, values = [], {}
        for name, value in metrics.items():
            if not isinstance(name, str) or not name.strip():
                problems.append(f"log_metrics: {name!r} is no name")
                continue
            try:
                values[f"{self._prefix}/{name}"] = number(value, f"log_metrics: {name}", self._warn)
            except UsageError as error:
                problems += error.problems
        if problems:
            raise UsageError(problems, "log one number under each name")
        self._steps = self._steps + 1 if step is None else int(step)
        line = {"time": clock.iso(clock.now()), "step": self._steps, **values}
        files.append_line(self._file, json.dumps(line, ensure_ascii=False, allow_nan=False))
        self._follower.log(values, self._steps)
