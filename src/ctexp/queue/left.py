"""What the program of a job has left behind: its run, and what that says of itself. Plain JSON, no schema.

A job of `train` leaves a run directory, one of `cross-validate` a folder below `cross-validations/`, whose
folds are runs, one of `sweep` a folder below `sweeps/`, whose trials are runs. Each names the queue and the
job it belongs to. Nothing here is ever raised: what cannot be read is not there, and a job whose end cannot
be read has not ended well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from ctexp.planning.plan.jobs import Job
from ctexp.queue import measured
from ctexp.queue.measured import document

Document = dict[str, Any]

_Value = TypeVar("_Value")

_FOLDERS = {"cross-validate": measured.CROSS_VALIDATIONS, "sweep": measured.SWEEPS}
_RECORDS = {"cross-validate": "cross_validation.json", "sweep": "sweep.json"}

_WORST_FIRST = ("oom", "diverged", "failed", "timeout")
"""Which of several folds that failed a cross-validation takes its own state from."""

_ENDED = frozenset({"finished", "interrupted", "diverged", "oom", "timeout", "pruned", "failed"})


@dataclass(frozen=True)
class Left:
    """What a run, a cross-validation or a sweep says of itself.

    Attributes:
        mark: tells the end of one start of it from that of another; None while it has no end.
        state: how it ended, as in `result.json`; None where it did not.
        failure: the kind of a `failed` one.
        exit_code: as its record has it.
        message: what went wrong, one line.
        metrics: the headline ones, each `{value, low, high}`.
        deviations: from its configuration, one line each.
        tracker: the tracker's id of its newest start.
    """

    run: str
    mark: str | None = None
    state: str | None = None
    failure: str | None = None
    exit_code: int | None = None
    message: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()
    seed: int | None = None
    commit: str | None = None
    dirty: bool | None = None
    patch_sha256: str | None = None
    tracker: str | None = None

    def since(self, mark: str | None) -> "Left":
        """The same without an end that it had already when its mark was this."""
        if self.mark != mark:
            return self
        return replace(self, mark=None, state=None, failure=None, message="", metrics={})


def folder(runs: Path, job: Job) -> Path:
    """Where the programs of such jobs leave what they make."""
    return runs / _FOLDERS.get(job.verb, "")


def names(runs: Path, job: Job) -> frozenset[str]:
    """What lies there now."""
    try:
        return frozenset(path.name for path in folder(runs, job).iterdir())
    except OSError:
        return frozenset()


def made(runs: Path, job: Job, queue: str, among: Iterable[str]) -> str | None:
    """The newest of some directories that says to belong to this job of this queue."""
    mine = [name for name in among if _is_of(folder(runs, job) / name, job, queue)]
    return max(mine, key=lambda name: name.rsplit("_", 2)[-2:], default=None)


def resumable(runs: Path, job: Job, run: str) -> bool:
    """Whether it says what it is, without which nothing can go on with it."""
    return bool(document(_about(folder(runs, job) / run, job)))


def look(runs: Path, job: Job, run: str) -> Left:
    """Read what it says of itself."""
    path = folder(runs, job) / run
    try:
        if job.is_sweep:
            return _sweep(runs, path)
        return _folds(runs, path) if job.verb == "cross-validate" else _run(path)
    except (AttributeError, KeyError, TypeError, ValueError):  # JSON, but not of this shape
        return Left(run)


def _about(path: Path, job: Job) -> Path:
    return path / _RECORDS.get(job.verb, "manifest.json")


def _is_of(path: Path, job: Job, queue: str) -> bool:
    origin = document(_about(path, job)).get("origin")
    if not isinstance(origin, dict):
        return False
    return (origin.get("queue"), origin.get("job"), origin.get("parent")) == (queue, job.id, None)


def _run(path: Path) -> Left:
    """A run directory; its newest start is the page with the greatest number."""
    result, manifest = document(path / "result.json"), document(path / "manifest.json")
    page = document(path / "attempts" / f"{_newest_start(path)}.json")
    git, tracker = page.get("git") or manifest.get("git") or {}, page.get("tracker") or {}
    about: Document = {
        "run": path.name,
        "seed": _a(int, manifest.get("seed")),
        "commit": _a(str, git.get("commit")),
        "dirty": _a(bool, git.get("dirty")),
        "patch_sha256": _a(str, git.get("patch_sha256")),
        "tracker": _a(str, tracker.get("run_id")),
        "deviations": tuple(
            _deviation(one) for one in result.get("deviations") or page.get("deviations", ())
        ),
    }
    if result.get("run_id") != path.name or result.get("state") not in _ENDED:
        return Left(**about)
    return Left(
        mark=f"{result.get('attempt')} {result.get('ended')}",
        state=result["state"],
        failure=_a(str, result.get("failure")),
        exit_code=_a(int, result.get("exit_code")),
        message=_one_line((result.get("error") or {}).get("message", "")),
        metrics={name: measured.figures(its) for name, its in (result.get("metrics") or {}).items()},
        **about,
    )


def _folds(runs: Path, path: Path) -> Left:
    """A cross-validation: finished when all its folds are and they have been judged together."""
    record = document(path / "cross_validation.json")
    members = record.get("members") or []
    begun = [member["run_id"] for member in members if member.get("run_id")]
    newest = _run(runs / begun[-1]) if begun else Left("")
    about: Document = {
        "run": path.name,
        "seed": _a(int, members[0].get("seed")) if members else None,
        "commit": newest.commit,
        "dirty": newest.dirty,
        "patch_sha256": newest.patch_sha256,
        "tracker": newest.tracker,
        "deviations": tuple(line for run in begun for line in _run(runs / run).deviations),
    }
    if not members:
        return Left(**about)
    unfinished = [member for member in members if member.get("state") != "finished"]
    if not unfinished:
        if not (path / "summary.txt").is_file():  # the last thing it writes
            return Left(**about)
        metrics, mark = _out_of_fold(path), str(record.get("ended"))
        return Left(mark=mark, state="finished", exit_code=0, metrics=metrics, **about)
    if any(member.get("state") not in _WORST_FIRST for member in unfinished):
        return Left(**about)  # it did not come to its own end: that tries every fold
    worst = min(unfinished, key=lambda member: _WORST_FIRST.index(member["state"]))
    where = f"fold {worst.get('fold')}, seed {worst.get('seed')}"
    ran = _run(runs / worst["run_id"]) if worst.get("run_id") else Left("")
    return Left(
        mark=f"{record.get('ended')} {[(one.get('state'), one.get('seconds')) for one in members]}",
        state=worst["state"],
        failure=ran.failure,
        exit_code=_a(int, worst.get("exit_code")),
        message=_one_line(f"{where} {worst['state']}: {worst.get('problem') or 'it says no more'}"),
        **about,
    )


def _sweep(runs: Path, path: Path) -> Left:
    """A sweep: finished when nothing was left to try, and any of its trials has a value.

    The figure of its best trial is told with the interval of its runs; that it was chosen for being the best
    is for whoever tells it to people.
    """
    record, progress = document(path / "sweep.json"), document(path / "progress.json")
    best = progress.get("best") or {}
    tried = _run(runs / best["runs"][0]) if best.get("runs") else Left("")
    about: Document = {
        "run": path.name,
        "seed": _a(int, record.get("seed")),
        "commit": tried.commit,
        "dirty": tried.dirty,
        "patch_sha256": tried.patch_sha256,
    }
    if progress.get("id") != path.name or not progress.get("ended"):
        return Left(**about)
    mark = str(progress["ended"])
    if not best:
        counts = ", ".join(f"{count} {state}" for state, count in progress["counts"].items() if count)
        message = f"no trial of it has finished: {counts or 'there was none'}"
        return Left(mark=mark, state="failed", exit_code=12, message=message, **about)
    seen = measured.value(runs, path.name, record["metric"])
    metrics = {record["metric"]: seen} if seen else {}
    return Left(mark=mark, state="finished", exit_code=0, metrics=metrics, **about)


def _out_of_fold(path: Path) -> Document:
    """The headline metrics over all images; each was judged by networks that had it for validation."""
    told = document(path / "metrics.json")
    entries = ((told.get("splits") or {}).get("oof") or {}).get("metrics") or {}
    headline = (told.get("spread") or {}).get("folds") or {}
    return {
        f"val/{name}": measured.figures(entries[f"oof/{name}"])
        for name in headline
        if f"oof/{name}" in entries
    }


def _a(kind: type[_Value], value: Any) -> _Value | None:
    """A value, if it is of this kind: whoever reads the journal relies on that."""
    return value if isinstance(value, kind) else None


def _newest_start(path: Path) -> int:
    numbers = [int(page.stem) for page in (path / "attempts").glob("*.json") if page.stem.isdecimal()]
    return max(numbers, default=1)


def _deviation(one: Document) -> str:
    return _one_line(
        f"{one.get('after')} {one.get('what')} instead of {one.get('before')},"
        f" from step {one.get('step')} on: {one.get('reason')}"
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
