"""One run, or one cross-validation, in full: the documents behind `inv show --json`."""

import contextlib
import math
from pathlib import Path
from typing import Literal

from pydantic import JsonValue
from pydantic_core import from_json

from ctexp.core import files
from ctexp.core.errors import DataError, noting
from ctexp.record import history, pruned
from ctexp.record.cross_validation import CrossValidation, CrossValidationDir
from ctexp.record.documents import Document, Text
from ctexp.record.manifest import Attempt, Manifest
from ctexp.record.result import Result, State
from ctexp.record.run_dir import RunDir

_State = Literal["running", "finished", "interrupted", "unreadable"]

HISTORY_TAIL = 10
"""Epochs of the history that the document repeats."""


class ShownRun(Document):
    """All that a run directory says.

    Attributes:
        manifest: null where the run ended before it was described, or cannot be read.
        result: null while it runs, and where nobody saw its end.
        metrics: `metrics.json` as it is; null where there is none.
        attempts: every start, in order.
        history_tail: the last epochs; null for a value that is missing or not finite.
        files: size in bytes of every file, by its path in the run directory.
        pruned: the checkpoints that were deleted to free disk, when and why, one line each.
        problems: what is damaged, one line each; empty for a sound record.
    """

    run_id: Text
    path: Text
    state: State
    manifest: Manifest | None
    result: Result | None
    metrics: dict[str, JsonValue] | None
    attempts: tuple[Attempt, ...]
    history_tail: tuple[dict[str, float | None], ...]
    files: dict[Text, int]
    pruned: tuple[Text, ...] = ()
    problems: tuple[Text, ...]


class ShownCrossValidation(Document):
    """All that the folder of a cross-validation says; its runs have directories of their own.

    Attributes:
        state: `running` while somebody is at it, `finished` when every fold is, else `interrupted`;
            `unreadable` where its record is damaged.
        record: null where it cannot be read.
        metrics: `metrics.json` as it is; null where nothing was measured yet.
        summary: what was printed; null likewise.
        files: size in bytes of every file, by its path in the folder.
        problems: what is damaged, one line each; empty for a sound record.
    """

    id: Text
    path: Text
    state: _State
    record: CrossValidation | None
    metrics: dict[str, JsonValue] | None
    summary: Text | None
    files: dict[Text, int]
    problems: tuple[Text, ...]


def describe_cross_validation(place: CrossValidationDir) -> ShownCrossValidation:
    """Read the folder of a cross-validation as far as it can be read; what cannot is told in `problems`."""
    running = place.lock().is_held()
    problems: list[str] = []
    record = noting(problems, CrossValidation.read, place.record)
    metrics = noting(problems, _json_object, place.metrics)
    summary = noting(problems, _text, place.summary)
    ended: _State = "unreadable" if record is None else "interrupted" if record.unfinished else "finished"
    return ShownCrossValidation(
        id=place.id,
        path=str(place.path),
        state="running" if running else ended,
        record=record,
        metrics=metrics,
        summary=summary,
        files=_sizes(place.path),
        problems=tuple(problems),
    )


def describe(run: RunDir) -> ShownRun:
    """Read a run directory as far as it can be read; what cannot is told in `problems`."""
    state, manifest, result, found = run.read()
    problems = list(found)
    attempts = [noting(problems, Attempt.read, run.attempt(number)) for number in run.attempt_numbers()]
    rows = noting(problems, history.read, run.history) or []
    metrics = noting(problems, _json_object, run.metrics)
    lost = noting(problems, pruned.all_told, run) or ()
    return ShownRun(
        run_id=run.id,
        path=str(run.path),
        state=state,
        manifest=manifest,
        result=result,
        metrics=metrics,
        attempts=tuple(filter(None, attempts)),
        history_tail=tuple(_finite(row) for row in rows[-HISTORY_TAIL:]),
        files=_sizes(run.path),
        pruned=lost,
        problems=tuple(problems),
    )


def _json_object(path: Path) -> dict[str, JsonValue] | None:
    """A JSON file that holds one object of finite numbers; None where it is missing."""
    try:
        document = from_json(files.read_regular(path), allow_inf_nan=False)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(document, dict):
        raise DataError(f"{path}: not a JSON object")
    return document


def _text(path: Path) -> str | None:
    """A file's text; None where it is missing."""
    try:
        return files.read_regular(path).decode(errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def _finite(row: history.Row) -> history.Row:
    """JSON has no NaN: a value that is not finite is shown as missing; `history.csv` tells them apart."""
    return {name: None if value is None or not math.isfinite(value) else value for name, value in row.items()}


def _sizes(folder: Path) -> dict[str, int]:
    """Every file below a folder, with its size; what a running training takes away meanwhile is left out."""
    sizes = {}
    for path in sorted(folder.rglob("*")):
        with contextlib.suppress(OSError):
            if path.is_file():
                sizes[path.relative_to(folder).as_posix()] = path.stat().st_size
    return sizes
