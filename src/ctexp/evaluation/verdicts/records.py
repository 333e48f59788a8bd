"""Can a run be made again, and is everything there that it is said to have left? From its record alone."""

from collections.abc import Iterator
from pathlib import Path

from ctexp.config.compose import load
from ctexp.core import files
from ctexp.core.errors import CtexpError, DataError
from ctexp.evaluation.predictions import Predictions
from ctexp.record import pruned
from ctexp.record.calibration import Calibration
from ctexp.record.checkpoint_files import BEST, SUMS, listed
from ctexp.record.git import GitState
from ctexp.record.manifest import Attempt, Manifest
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import Subject

_ROUNDING = 1e-9


def commits(subject: Subject) -> str:
    """The code of a subject's runs: `ddf5b2c, 1a2b3c4 with changes`."""
    found = set()
    for run in subject.runs:
        manifest = run.read().manifest
        state = manifest.git if manifest else GitState()
        found.add(f"{(state.commit or 'unknown')[:7]}{' with changes' if state.dirty else ''}")
    return ", ".join(sorted(found))


def irreproducible(run: RunDir) -> list[str]:
    """What would keep somebody from making a run again, one line each; none for a sound record."""
    try:
        return list(_gaps(run, Manifest.read(run.manifest)))
    except CtexpError as error:
        return list(error.problems)


def lacking(subject: Subject, split: str, *, thorough: bool) -> list[str]:
    """What of a subject's files is missing or not what its record says, one line each.

    Args:
        subject: whose.
        split: the one that was judged.
        thorough: compare checkpoints with their hashes and figures with predictions, which reads all of them.
    """
    problems: list[str] = []
    for run in subject.runs:
        problems += _lacking(run, "val" if subject.place else split, thorough=thorough)
    place = subject.place
    if place is not None:
        whole = (place.predictions, place.metrics, place.calibration, place.ensemble)
        problems += [f"{place.id}: no {path.name}" for path in whole if not path.is_file()]
    return problems


def _gaps(run: RunDir, manifest: Manifest) -> Iterator[str]:
    yield from _source_gaps(run, 1, manifest.git)
    for number in run.attempt_numbers():
        if number > 1:
            yield from _source_gaps(run, number, Attempt.read(run.attempt(number)).git)
    try:
        settings = load(run.config, manifest.config_sha256)
        if settings.seed != manifest.seed:
            yield f"{run.id}: trained with seed {settings.seed}, and says {manifest.seed}"
    except CtexpError as error:
        yield from error.problems
    if not _is(run.environment, manifest.environment.packages_sha256):
        yield f"{run.id}: {run.environment.name} is missing, or not the one it says"
    if manifest.weights.sha256 is None and manifest.weights.source != "random":
        yield f"{run.id}: began with weights from {manifest.weights.source}, whose hash is not known"
    if manifest.dataset.split_sha256 is None:
        yield f"{run.id}: does not say which images were on which side (a record of an older ctexp)"


def _source_gaps(run: RunDir, attempt: int, git: GitState) -> Iterator[str]:
    start = f"{run.id}" if attempt == 1 else f"{run.id}, start {attempt}"
    if git.commit is None or git.dirty is None:
        yield f"{start}: its code is not known ({git.reason or 'no commit'})"
    if git.left_out:
        yield f"{start}: the patch of its code lacks {', '.join(git.left_out)}"
    patch = run.attempt_patch(attempt)
    if git.patch_sha256 is not None and not _is(patch, git.patch_sha256):
        yield f"{start}: {patch.name}, the patch of its code, is missing, or not the one it says"
    if git.dirty and git.patch_sha256 is None:
        yield f"{start}: its code differed from the commit, and no patch was kept"


def _lacking(run: RunDir, split: str, *, thorough: bool) -> Iterator[str]:
    sums = {digest for digest, name in listed(run.checkpoints) if name == BEST}
    best = run.checkpoints / BEST
    if not best.is_file():
        yield pruned.told(run, BEST) or f"{run.id}: no {BEST}"
    elif not sums:
        yield f"{run.id}: {SUMS} does not list {BEST}"
    elif thorough and files.sha256_file(best) not in sums:
        yield f"{run.id}: {BEST} is damaged: its hash is not the one it had"
    table = run.predictions(split)
    if not table.is_file():
        yield f"{run.id}: no {table.name}"
    try:
        stored = files.read_json(run.metrics)["splits"][split]["metrics"][f"{split}/accuracy"]["value"]
        if thorough and table.is_file() and not _agree(Predictions.read(table), stored):
            yield f"{run.id}: {run.metrics.name} and {table.name} are not of the same predictions"
    except (KeyError, TypeError):
        yield f"{run.id}: {run.metrics.name} has no figures of {split}"
    except DataError as error:
        yield from error.problems
    try:
        calibrated = Calibration.read(run.calibration).checkpoint_sha256
        if calibrated is not None and sums and calibrated not in sums:
            yield f"{run.id}: {run.calibration.name} is of other weights than {BEST}"
    except DataError as error:
        yield from error.problems
    pictures = (
        run.figures / f"{name}.png" for name in ("curves", f"confusion_{split}", f"reliability_{split}")
    )
    missing = [path.name for path in pictures if not path.is_file()]
    if missing:
        yield f"{run.id}: no figures {', '.join(missing)}"


def _agree(table: Predictions, accuracy: float) -> bool:
    return abs(float((table.logits.argmax(axis=1) == table.label).mean()) - accuracy) < _ROUNDING


def _is(path: Path, digest: str) -> bool:
    """Whether a file is there with that content."""
    return path.is_file() and files.sha256_file(path) == digest
