"""What a sweep says, and what it does not: the best of many is chosen by its luck as well."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctexp.config import verdict
from ctexp.core.errors import DataError
from ctexp.core.wording import many
from ctexp.record.grouped import name_of
from ctexp.record.run_dir import RUN_ID
from ctexp.record.sweep import SweepDir, sweeps
from ctexp.sweeps.reading import opened
from ctexp.sweeps.reading.opened import Opened
from ctexp.sweeps.reading.standing import Standing, standing
from ctexp.sweeps.reading.summary import Summary, Trial, summarised
from ctexp.sweeps.reading.telling import difference, lucky, measured, verdict_on


@dataclass(frozen=True)
class Found:
    """A sweep, read.

    Attributes:
        told: of its best and its runner-up.
        best: the best trial.
        established: what it says, one line each.
        not_established: what nobody knows after it, likewise.
    """

    its: Opened
    told: Summary
    best: Trial
    established: tuple[str, ...]
    not_established: tuple[str, ...]


def meant(runs: Path, word: str) -> str | None:
    """The sweep that a word means: its id, the beginning of one that holds its name, or its name.

    `latest` is the newest sweep where no other training is newer.

    Raises:
        UsageError: several are meant.
    """
    ids = sweeps(runs)
    if word == "latest":
        return ids[-1] if ids and _is_newest(runs, ids) else None
    if any(name_of(one) == word or _begins(one, word) for one in ids):
        return SweepDir.find(runs, word).id
    return None


def read(root: Path, runs: Path, sweep: str) -> Found:
    """Read a sweep; its trials may go on meanwhile.

    Raises:
        DataError: it is damaged, or no trial of it has finished.
        PreflightError: its database cannot be reached.
    """
    return of(opened.read(runs, sweep), verdict.load(root).alpha)


def of(its: Opened, alpha: float) -> Found:
    """What an opened sweep says; `alpha` is how often a winner may be called one that is none.

    Raises:
        DataError: no trial of it has finished.
    """
    stands = standing(its, alpha)
    told = summarised(its, stands)
    if stands is None or told.best is None:
        raise DataError(
            f"{told.id}: no trial of it has finished, so there is nothing to confirm",
            f"look at them: scripts/inv sweep-status {told.id}",
        )
    return Found(its, told, told.best, tuple(_says(its, stands, told.best)), tuple(_leaves(its, stands)))


def _says(its: Opened, stands: Standing, best: Trial) -> Iterator[str]:
    counts = Counter(row.state for row in its.rows)
    ends = ", ".join(f"{count} {state}" for state, count in counts.items())
    yield f"{many(len(its.rows), 'trial')} of {its.sweep.file}: {ends}"
    words = " ".join(best.words) or "nothing changed"
    figure = measured(best.mean, best.error, len(best.runs))
    yield f"trial {best.number}, with {words}, has the best {its.spec.metric}: {figure}"
    if stands.established:
        yield f"{verdict_on(stands)}; the difference is {difference(stands)}"


def _leaves(its: Opened, stands: Standing) -> Iterator[str]:
    if not stands.established:
        yield f"whether trial {stands.best.number} is the best: {stands.why}"
    if stands.trials > 1:
        yield lucky(its, stands)
    yield "whether it is better than what all trials began with: none of them is paired with that"


def _begins(sweep: str, word: str) -> bool:
    """Whether a word is the beginning of an id, beyond its name."""
    return sweep.startswith(word) and word.startswith(f"{name_of(sweep)}_")


def _is_newest(runs: Path, ids: Sequence[str]) -> bool:
    """Whether no training began after the newest sweep, trials of sweeps apart."""
    names = {name_of(one) for one in ids}
    found = (RUN_ID.fullmatch(path.name) for path in runs.glob("*_*_*"))
    others = (run["stamp"] for run in found if run and run["name"].rpartition("-t")[0] not in names)
    return max(others, default="") <= ids[-1].rsplit("_", 2)[1]
