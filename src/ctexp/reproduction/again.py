"""The recorded command, given once more: its words, its variables, and a process that is watched."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ctexp.config.overrides import Override, assignment, parse_one
from ctexp.core.errors import (
    Busy,
    CtexpError,
    DataError,
    MemoryExhausted,
    PreflightError,
    StorageError,
    UsageError,
)
from ctexp.core.parent_death import tied_to_this
from ctexp.record.environment import relevant
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from ctexp.reproduction.place import Place
from ctexp.reproduction.recorded import Recorded

_NOT_OF_IT = ("logger", "paths", "git")
"""Settings of where a run lies and who is told of it: this one lies elsewhere, and nobody is told twice."""

_NOT_REPEATED = ("CTEXP_", "WANDB_", "SLURM_", "CUDA_VISIBLE_DEVICES")
"""Variables that say where a run belongs and which device is whose, not how it computes."""

_REFUSALS: Mapping[int, type[CtexpError]] = {
    kind.exit_code: kind
    for kind in (UsageError, DataError, PreflightError, StorageError, MemoryExhausted, Busy)
}
_PATIENCE = 60.0


def words(of: Recorded, place: Place, data_dir: Path) -> list[str]:
    """The words of `inv` that train it again, into `place`."""
    kept = [text for text in of.manifest.overrides if not _is_elsewhere(parse_one(text))]
    ours = [assignment("paths.data", str(data_dir)), assignment("paths.runs", str(place.path))]
    return ["train", *kept, *ours, "logger=none", "git.dirty=warn", "--yes", "--json"]


def _is_elsewhere(override: Override | str) -> bool:
    return isinstance(override, Override) and override.key.partition(".")[0] in _NOT_OF_IT


def variables(of: Recorded, project: Path) -> dict[str, str]:
    """The environment of the process: this one's, with the recorded variables that change results."""
    recorded = of.manifest.environment.variables
    strange = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", *relevant(os.environ)} - {"CUDA_VISIBLE_DEVICES"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in strange and not name.startswith(("CTEXP_", "WANDB_"))
    }
    repeated = {name: value for name, value in recorded.items() if not name.startswith(_NOT_REPEATED)}
    return kept | repeated | {"PYTHONPATH": str(project / "src")}


def train(
    python: Path,
    words: Sequence[str],
    environment: Mapping[str, str],
    project: Path,
    place: Place,
    follow: Callable[[str], None] | None,
) -> RunDir:
    """Train, and wait for it; the run that it made.

    Raises:
        CtexpError: it was refused before a run was made; the kind is that of its exit code.
    """
    with tempfile.TemporaryFile("w+") as answer, place.log.open("ab") as log:
        child = subprocess.Popen(
            [str(python), "-m", "invoke", *words],
            cwd=project,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=log,
            start_new_session=True,
            preexec_fn=tied_to_this(),
        )
        try:
            code = _watch(child, place.log, follow)
        except BaseException:
            _end(child)
            raise
        made = run_paths(place.path)
        if made:
            return RunDir(made[-1])
        answer.seek(0)
        raise _refusal(code, answer.read(), place.log)


def _watch(child: subprocess.Popen[bytes], log: Path, follow: Callable[[str], None] | None) -> int:
    with log.open(errors="replace") as lines:
        while True:
            try:
                return child.wait(0.2)
            except subprocess.TimeoutExpired:
                if follow is not None and (
                    said := [line for line in lines.read().splitlines() if line.strip()]
                ):
                    follow(said[-1])


def _end(child: subprocess.Popen[bytes]) -> None:
    """Have it end as a signal ends a training; by force where it does not."""
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _refusal(code: int, answer: str, log: Path) -> CtexpError:
    """What it was refused with, in its own words."""
    kind = _REFUSALS.get(code, CtexpError)
    try:
        error = json.loads(answer)["error"]
        return kind([f"made again, it is refused: {line}" for line in error["problems"]], error["hint"])
    except (ValueError, KeyError, TypeError):
        said = [line for line in log.read_text(errors="replace").splitlines() if line.strip()][-1:] or [
            "nothing"
        ]
        return kind(f"made again, it ended with exit code {code} before a run was made: {said[0]}")
