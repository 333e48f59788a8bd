"""What trackers are told in tests."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ctexp.config.schema.running import LoggerSettings
from ctexp.trackers.protocol import Outcome, TrackedRun

BEGAN = datetime(2026, 11, 21, 5, 4, 17, 123000, UTC)
ENDED = datetime(2026, 11, 21, 5, 16, 22, 456000, UTC)


def logger(name: str, **changes: object) -> LoggerSettings:
    document = {
        "name": name,
        "also": [],
        "mode": "offline",
        "project": "ctexp",
        "entity": None,
        "url": None,
        "log_model": "none",
        "timeout": 30.0,
        **changes,
    }
    return LoggerSettings.model_validate(document)


def tracked(folder: Path, **changes: Any) -> TrackedRun:
    fields: dict[str, Any] = {
        "tracker_id": "tiny-1",
        "name": "tiny",
        "group": "group",
        "tags": ("a",),
        "description": "why",
        "config": {"seed": 1},
        "folder": folder,
        "runs": folder,
        "began": BEGAN,
    }
    return TrackedRun(**fields | changes)


def outcome(metrics: Mapping[str, float | None], **changes: Any) -> Outcome:
    fields: dict[str, Any] = {
        "metrics": metrics,
        "confusion": None,
        "figures": (),
        "documents": (),
        "best_checkpoint": None,
        "exit_code": 0,
        "ended": ENDED,
    }
    return Outcome(**fields | changes)


NOTHING = outcome({})
