"""What a record gives to make its run again with, and the runs that cannot be made again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ctexp.core import yaml_file
from ctexp.core.dotted import flattened
from ctexp.core.errors import CtexpError, DataError, PreflightError
from ctexp.core.files import read_regular
from ctexp.record.manifest import Attempt, Manifest
from ctexp.record.result import Result
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import JUDGED


@dataclass(frozen=True)
class Recorded:
    """A run that can be made again.

    Attributes:
        config: by dotted key.
        patch: of what was not committed; empty where all was.
        packages: `name==version` of each.
        notes: what makes this run special, one line each.
    """

    run: RunDir
    manifest: Manifest
    result: Result
    config: Mapping[str, Any]
    commit: str
    patch: bytes
    packages: tuple[str, ...]
    notes: tuple[str, ...]


def recorded(run: RunDir) -> Recorded:
    """Read what is needed.

    Raises:
        DataError: the record is damaged, or the run did not come to an end that can be compared.
        PreflightError: its source is not known, or its starts had different ones.
    """
    state, manifest, result, problems = run.read()
    if manifest is None or (result is None and problems):
        raise DataError(problems)
    if result is None or state not in JUDGED:
        way = f"finish it: scripts/inv train --resume {run.id}" if state == "interrupted" else "name another"
        raise DataError(f"{run.id}: {state}, there is no result to compare with", way)
    if manifest.git.commit is None:
        why = manifest.git.reason or "no reason is recorded"
        raise PreflightError(
            f"{run.id}: its source is not known ({why})", "name a run of a committed project"
        )
    try:
        config = flattened(yaml_file.read_mapping(run.config))
        patch = read_regular(run.git_diff) if manifest.git.patch else b""
    except OSError as error:
        raise DataError(f"{run.git_diff}: cannot be read ({error.strerror})") from error
    except CtexpError as error:
        raise DataError(error.problems) from error
    return Recorded(
        run,
        manifest,
        result,
        config,
        manifest.git.commit,
        patch,
        packages_of(run),
        tuple(_notes(run, manifest, result)),
    )


def packages_of(run: RunDir) -> tuple[str, ...]:
    """`name==version` of each package that a run had.

    Raises:
        DataError: the list is gone or damaged.
    """
    try:
        return tuple(read_regular(run.environment).decode().split())
    except OSError as error:
        raise DataError(f"{run.environment}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{run.environment}: cannot be read ({error})") from error


def _notes(run: RunDir, manifest: Manifest, result: Result) -> Iterator[str]:
    """What makes a run special.

    Raises:
        PreflightError: its starts had different sources: no single one makes it again.
    """
    starts = [Attempt.read(run.attempt(number)) for number in run.attempt_numbers()]
    sources = {(start.git.commit, start.git.patch_sha256) for start in starts}
    if len(sources) > 1:
        raise PreflightError(
            f"{run.id}: was resumed with another source: no single one makes it again",
            "name a run that was trained in one go",
        )
    if len(starts) > 1:
        yield f"it was started {len(starts)} times; made again in one go"
    if result.state == "timeout":
        yield "it ended by its time budget: how many epochs fit depends on the machine"
    for deviation in result.deviations:
        yield f"it departed from its configuration: {deviation.what} {deviation.before} -> {deviation.after}"
    if manifest.git.left_out:
        yield f"the patch lacks {', '.join(manifest.git.left_out)}: the source is not quite the recorded one"
    if manifest.origin.parent is not None:
        yield f"it is a part of {manifest.origin.parent}, made again on its own"
