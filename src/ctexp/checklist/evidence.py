"""What the directory of one run says, read once for all points."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctexp.core import files, yaml_file
from ctexp.core.errors import DataError, noting
from ctexp.record import git, history
from ctexp.record.history import Row
from ctexp.record.manifest import Manifest
from ctexp.record.result import Result, State
from ctexp.record.run_dir import RunDir

_TIMEOUT = 60.0


@dataclass(frozen=True)
class Evidence:
    """A run that says what it is.

    Attributes:
        result: how it ended; None while it runs and where nobody saw its end.
        config: its `config.yaml`; None where it is missing or damaged.
        rows: of its history; none where that is missing or damaged.
        metrics: `metrics.json`; empty likewise.
        problems: documents that cannot be read, one line each.
        commits: those of all audited runs that the repository has; None where there is no telling.
        thorough: whether checkpoints are read and compared with their hashes.
    """

    run: RunDir
    state: State
    manifest: Manifest
    result: Result | None
    config: Mapping[str, Any] | None
    rows: list[Row]
    metrics: Mapping[str, Any]
    problems: tuple[str, ...]
    commits: frozenset[str] | None
    thorough: bool

    @property
    def ended(self) -> bool:
        """Whether it has come to an end that was seen."""
        return self.result is not None

    @property
    def measured(self) -> bool:
        """Whether it was trained to an end that leaves weights and figures."""
        return self.state in {"finished", "timeout"}

    @property
    def config_sha256(self) -> str | None:
        """Of the configuration as it lies there now, as a manifest counts it."""
        if self.config is None:
            return None
        canonical = json.dumps(self.config, sort_keys=True, separators=(",", ":"))
        return files.sha256_bytes(canonical.encode())


def read(run: RunDir, commits: frozenset[str] | None, *, thorough: bool) -> Evidence:
    """Read a run's documents.

    Raises:
        DataError: it does not say what it is: no manifest, or one that cannot be read.
    """
    state, manifest, result, problems = run.read()
    if manifest is None:
        raise DataError(problems or f"{run.id}: no {run.manifest.name}")
    found = list(problems)
    config = noting(found, yaml_file.read_mapping, run.config)
    rows = noting(found, history.read, run.history) or []
    document = noting(found, files.read_json, run.metrics) if run.metrics.exists() else None
    metrics = document if isinstance(document, dict) else {}
    return Evidence(run, state, manifest, result, config, rows, metrics, tuple(found), commits, thorough)


def commits_here(root: Path, named: Iterable[str]) -> frozenset[str] | None:
    """Those of some commits that the project's repository has; None where git does not tell.

    Args:
        root: the project's folder.
        named: hashes; what is none is not asked for.
    """
    asked = sorted({one for one in named if one.isalnum()})
    if not asked:
        return frozenset()
    try:
        done = subprocess.run(
            ["git", "cat-file", "--batch-check"],
            cwd=root,
            env=git.environment(),
            input="".join(f"{one}^{{commit}}\n" for one in asked),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    answers = done.stdout.splitlines()
    return frozenset(one for one, said in zip(asked, answers, strict=False) if " commit " in said)
