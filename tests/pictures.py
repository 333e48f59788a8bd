"""Trainings whose pictures are blank: to draw them takes twice as long as the smallest training itself.

Each kind of picture is drawn by `tests/evaluation/test_figures.py`, and all those of a run by every training
that a test starts as a process of its own.
"""

import base64
from pathlib import Path
from typing import Any

import pytest

from ctexp.core import files
from ctexp.evaluation import figures

_BLANK = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mP4DwABAQEAG7buVgAAAABJRU5ErkJggg=="
)


def leave_blank(patch: pytest.MonkeyPatch) -> None:
    """Let curves, confusion matrices and reliability diagrams be a white pixel each."""
    for name in ("curves", "confusion", "reliability"):
        patch.setattr(figures, name, _white)


def _white(*given: Any, **named: Any) -> None:
    (path,) = (value for value in (*given, *named.values()) if isinstance(value, Path))
    files.write_bytes(path, _BLANK)
