"""Thinning old runs: which checkpoints may go, by rule, and how they go.

    finished                   last and the one before, since there is nothing to resume; best too, unless it
                               is among the best of its name
    diverged, failed, oom,     all of them
    pruned by its sweep
    interrupted, timeout       none: they can be resumed
    running, unreadable        none

Runs that a baseline, a promotion or an ensemble stands on lose nothing, and records stay whatever happens:
only checkpoints, and what killed writers left behind, are ever deleted.

How they go, and how a run remembers it, is told in `pruned`.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ctexp.core import files
from ctexp.core.errors import Busy, DataError, UsageError
from ctexp.core.metric_names import canonical, higher_is_better
from ctexp.record.checkpoint_files import BEFORE_LAST, BEST, LAST
from ctexp.record.cross_validation import FOLDER
from ctexp.record.find import run_paths
from ctexp.record.manifest import Manifest
from ctexp.record.pruned import Doomed, delete
from ctexp.record.result import Result
from ctexp.record.run_dir import Reading, RunDir
from ctexp.record.values import value_of

PROTECTED_TAGS = ("baseline", "promoted")


@dataclass(frozen=True)
class Rules:
    """What may go.

    Attributes:
        age: only runs that ended longer ago than this.
        said: the same as the user said it.
        keep: runs of each name, best first, that keep their best weights.
    """

    age: timedelta
    said: str
    keep: int


@dataclass(frozen=True)
class Thinning:
    """What one run would lose.

    Attributes:
        result: how the run had ended when this was decided.
    """

    run: RunDir
    state: str
    result: Result | None
    files: tuple[Doomed, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Plan:
    """What all runs would lose.

    Attributes:
        looked_at: how many runs there are.
        protected: those that lose nothing because something stands on them.
    """

    looked_at: int
    protected: tuple[str, ...]
    thinnings: tuple[Thinning, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(thinning.size for thinning in self.thinnings)


def plan(runs: Path, baselines: Path, rules: Rules, now: datetime) -> Plan:
    """Decide what may go; nothing is changed.

    Args:
        runs: the folder of all runs.
        baselines: the file that names the baselines; there need not be one.
        rules: what may go.
        now: this moment, aware.

    Raises:
        DataError: what names protected runs cannot be read.
    """
    # A run that is linked from elsewhere is not ours to thin.
    found = [RunDir(path) for path in run_paths(runs) if not path.is_symlink()]
    readings = [(run, run.read()) for run in found]
    named = _naming(runs, baselines)
    protected = {run.id for run, reading in readings if _is_protected(run, reading, named)}
    kept = _best_of_each_name(readings, rules.keep)
    thinnings = []
    for run, reading in readings:
        if run.id in protected or reading.state in {"running", "unreadable"}:
            continue
        doomed = (*_checkpoints(run, reading, rules, now, keep=run.id in kept), *_leftovers(run))
        if doomed:
            thinnings.append(Thinning(run, reading.state, reading.result, doomed))
    return Plan(len(found), tuple(sorted(protected)), tuple(thinnings))


def carry_out(decided: Plan) -> dict[str, str]:
    """Delete what was decided; run id -> why it was passed over, for those that changed in the meantime.

    Raises:
        StorageError: a folder cannot be written; what was deleted until then is recorded.
    """
    passed_over = {}
    for thinning in decided.thinnings:
        try:
            with thinning.run.lock():
                if thinning.run.read().result == thinning.result:
                    delete(thinning.run, thinning.files)
                else:
                    passed_over[thinning.run.id] = "resumed in the meantime"
        except Busy:
            passed_over[thinning.run.id] = "in use"
    return passed_over


def _naming(runs: Path, baselines: Path) -> str:
    """The text of all files in which the name of a run protects it."""
    texts = []
    for file in (baselines, *sorted((runs / FOLDER).glob("*/*.json"))):
        try:
            texts.append(files.read_regular(file).decode(errors="replace"))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise DataError(
                f"{file}: cannot be read ({error.strerror}): nobody could tell which runs it protects",
                "make it readable, or move it away",
            ) from error
    return "\n".join(texts)


def _is_protected(run: RunDir, reading: Reading, named: str) -> bool:
    manifest = reading.manifest
    ids = {run.id} | ({manifest.run_id} if manifest else set())
    return any(name in named for name in ids) or (
        manifest is not None and not set(PROTECTED_TAGS).isdisjoint(manifest.tags)
    )


def _best_of_each_name(readings: Iterable[tuple[RunDir, Reading]], keep: int) -> set[str]:
    """The finished runs that keep their best weights; those that cannot be ranked do.

    Runs of one name are ranked where the same metric was monitored on the same validation images.
    """
    kept = set()
    ranked: dict[tuple[object, ...], list[tuple[float, str, str]]] = defaultdict(list)
    for run, reading in readings:
        manifest = reading.manifest
        if reading.state != "finished" or manifest is None:
            continue
        metric = _monitored(manifest)
        value = value_of(run, reading.result, metric) if metric else None
        if metric is None or value is None:
            kept.add(run.id)
            continue
        data = manifest.dataset
        comparable = (manifest.name, metric, data.name, data.split, data.fold, data.sample, data.split_sha256)
        ranked[comparable].append((-value if higher_is_better(metric) else value, manifest.created, run.id))
    for its in ranked.values():
        kept |= {run_id for _, _, run_id in sorted(its)[:keep]}
    return kept


def _monitored(manifest: Manifest) -> str | None:
    try:
        return canonical(str(manifest.hyperparameters.get("trainer.monitor")))
    except UsageError:
        return None


def _checkpoints(run: RunDir, reading: Reading, rules: Rules, now: datetime, *, keep: bool) -> list[Doomed]:
    """The checkpoints of a run that may go."""
    result = reading.result
    if run.checkpoints.is_symlink():  # they may be another run's, which something stands on
        return []
    if result is None or now - datetime.fromisoformat(result.ended) <= rules.age:
        return []
    ago = f"{result.state} over {rules.said} ago"
    if result.state == "finished":
        reasons = dict.fromkeys((LAST, BEFORE_LAST), f"{ago}, nothing to resume")
        if not keep:
            reasons[BEST] = f"{ago}, not among the best {rules.keep} of its name" if rules.keep else ago
    elif result.state in {"diverged", "failed", "oom", "pruned"}:
        reasons = dict.fromkeys((BEST, LAST, BEFORE_LAST), ago)
    else:
        reasons = {}
    found = ((name, run.checkpoints / name) for name in (BEST, LAST, BEFORE_LAST) if name in reasons)
    return [
        Doomed(f"checkpoints/{name}", path.lstat().st_size, reasons[name])
        for name, path in found
        if path.is_file()
    ]


def _leftovers(run: RunDir) -> list[Doomed]:
    """What killed writers left; whoever writes now holds the run's lock."""
    return [
        Doomed(
            path.relative_to(run.path).as_posix(), path.lstat().st_size, "left by a writer that was killed"
        )
        for path in sorted(files.temporaries(run.path))
    ]
