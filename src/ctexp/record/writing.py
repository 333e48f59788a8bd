"""The order in which a record is written, so that every beginning of it is a record of its own.

A document comes after the files it speaks of, and `result.json` after everything: whenever the power fails,
what is there is true, and what is missing shows how far the run came. Each file is replaced as a whole; only
`events.jsonl` and `train.log` grow. docs/decisions/0002-order-of-writes.md gives the reasons.
"""

import contextlib
from collections.abc import Sequence

import yaml

from ctexp.core import files
from ctexp.core.errors import DataError, StorageError
from ctexp.record.documents import is_newer
from ctexp.record.manifest import Attempt, Manifest
from ctexp.record.result import Deviation, Result
from ctexp.record.run_dir import RunDir


def begin(
    run: RunDir,
    *,
    config_yaml: str,
    overrides: Sequence[str],
    patch: bytes,
    packages: str,
    manifest: Manifest,
    attempt: Attempt,
) -> None:
    """Write down a new run before it trains; its lock is held by the caller.

    Args:
        run: the directory, fresh from `RunDir.create`.
        config_yaml: the resolved configuration.
        overrides: what the user typed.
        patch: the uncommitted change; empty where there is none.
        packages: the text whose hash the environment carries.
        manifest: what the run is.
        attempt: its first start.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    files.write_text(run.config, config_yaml)
    typed = yaml.safe_dump(list(overrides), allow_unicode=True, width=float("inf")) if overrides else "[]\n"
    files.write_text(run.overrides, typed)
    if patch:
        files.write_bytes(run.git_diff, patch)
    files.write_text(run.environment, packages)
    manifest.write(run.manifest)
    attempt.write(run.attempt(attempt.number))


def resume(run: RunDir, attempt: Attempt, patch: bytes) -> None:
    """Write down that a run starts again; the result of its last start moves to `attempts/`.

    Args:
        run: the directory, whose lock is held by the caller.
        attempt: the new start, numbered by `next_attempt`.
        patch: the change that is uncommitted now; empty where there is none.

    Raises:
        DataError: the result is of a newer ctexp, which alone may resume the run.
        StorageError: the disk is full or the folder cannot be written.
    """
    if is_newer(run.result):
        raise DataError(f"{run.result}: written by a newer ctexp", "update ctexp to resume this run")
    # First of all: from here on the run has not ended.
    if run.result.exists():
        with files.storage_errors(run.result):
            run.result.rename(run.attempt_result(attempt.number - 1))
            files.fsync_directory(run.attempts)
            files.fsync_directory(run.path)
    if patch:
        files.write_bytes(run.attempt_patch(attempt.number), patch)
    attempt.write(run.attempt(attempt.number))


def end(run: RunDir, *, attempt: Attempt, result: Result, summary: str) -> None:
    """Write down how a run ended, after everything its result speaks of.

    Where a run failed, its result matters more than its other pages: those may fail then, on a full disk.

    Args:
        run: the directory, whose lock is held by the caller.
        attempt: the start that ended, its end filled in.
        result: the end.
        summary: the blocks as printed.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    forgiven = () if result.state == "finished" else (StorageError,)
    with contextlib.suppress(*forgiven):
        files.write_text(run.summary, summary)
    with contextlib.suppress(*forgiven):
        attempt.write(run.attempt(attempt.number))
    result.write(run.result)


def next_attempt(run: RunDir) -> int:
    """The number of the start that comes next; 1 for a new run."""
    return max(run.attempt_numbers(), default=0) + 1


def departures(run: RunDir) -> tuple[Deviation, ...]:
    """How the starts so far departed from the configuration, in order.

    Raises:
        DataError: the page of a start cannot be read.
    """
    pages = (Attempt.read(run.attempt(number)) for number in run.attempt_numbers())
    return tuple(deviation for page in pages for deviation in page.deviations)
