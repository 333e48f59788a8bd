"""The source of two runs: commits, patches, and the files that are not the same in what they trained with."""

import os
from collections.abc import Sequence

from ctexp.core.errors import PreflightError
from ctexp.core.files import read_regular
from ctexp.record.git import GitState, is_source
from ctexp.record.manifest import Manifest
from ctexp.record.run_dir import RunDir
from ctexp.reproduction.repository import Repository
from ctexp.reproduction.rows import Row, differing


def code(
    runs: Sequence[RunDir], manifests: Sequence[Manifest], repository: Repository
) -> tuple[list[Row], list[str]]:
    """In what the sources differ.

    Returns:
        Rows: commit, branch, patch, and each file of code or configuration whose content differs, with the
        lines that are gone and those that are new. And what could not be looked at, one line each.
    """
    one, other = (manifest.git for manifest in manifests)
    rows = differing(_state(one), _state(other))
    if not any(row.what in ("commit", "patch") for row in rows):
        return rows, []
    notes = [
        f"{run.id}: its patch lacks {', '.join(state.left_out)}"
        for run, state in zip(runs, (one, other), strict=True)
        if state.left_out
    ]
    if one.commit is None or other.commit is None:
        return rows, [*notes, "which files differ is not known: the source of one was not recorded"]
    try:
        sources = [
            (state.commit or "", read_regular(run.git_diff) if state.patch else b"")
            for run, state in zip(runs, (one, other), strict=True)
        ]
        return rows + _files(repository, sources), notes
    except PreflightError as error:
        why = error.problems
    except OSError as error:
        why = (f"{error.filename}: cannot be read ({error.strerror})",)
    return rows, [*notes, *(f"which files differ is not known: {line}" for line in why)]


def _state(state: GitState) -> dict[str, str | None]:
    return {
        "commit": state.commit and state.commit[:12],
        "branch": state.branch,
        "patch": state.patch_sha256[:12] if state.patch_sha256 else "none",
    }


def _files(repository: Repository, sources: Sequence[tuple[str, bytes]]) -> list[Row]:
    """A row a file, with the number of lines that only one of the two has."""
    with repository.trees(*sources) as (trees, variables):
        numbers = ("diff", "--numstat", "--no-renames", "-z", "--relative", *trees)
        told = repository.ask(*numbers, variables=variables)
    rows = []
    for entry in filter(None, told.split(b"\0")):
        new, gone, path = os.fsdecode(entry).split("\t", 2)
        if is_source(path):
            rows.append(Row(path, _lines(gone), _lines(new)))
    return rows


def _lines(count: str) -> str:
    """What only one side has: `-` stands for bytes that are no text."""
    return "other bytes" if count == "-" else f"{count} line{'' if count == '1' else 's'}"
