"""What to do about a job whose run says nothing of its end: it began none, or was killed in the middle."""

import os
import re
from pathlib import Path
from typing import get_args

from ctexp.core import errors
from ctexp.core.errors import CtexpError
from ctexp.core.failures.catalogue import explain
from ctexp.queue.ending import Stop
from ctexp.queue.state import JobNow

_TAIL = 64 * 1024
_KINDS = [
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, CtexpError)
]
_OWN_WORDS = re.compile(rf"^(?:bug|{'|'.join(_KINDS)}): .+", re.MULTILINE)
"""How ctexp tells a failure: what is wrong, and mostly what to do."""


def advice(job: JobNow, log: Path | None) -> list[str]:
    """One line: the error that its program ended with, or what is known of such an end; or none."""
    if job.kind in get_args(Stop) or not job.attempts:  # it was asked to end, and the reason says why
        return []
    said = _end_of(log) if log else ""
    if own := _OWN_WORDS.findall(said):
        return [" ".join(own[-1].split())]
    end = job.attempts[-1].end or {}
    code = end.get("exit_code")
    # What was killed for its flood of words, for example, was killed by us.
    unexplained = code if job.kind == "killed" or (code or 0) > 0 else None
    remedy = explain(said, unexplained)
    return [remedy.hint] if remedy else []


def _end_of(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
