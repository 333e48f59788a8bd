"""Making a candidate the baseline: its files under DVC, its name in `research/baselines.yaml`.

`research/baselines/<title>/` gets what it takes to use it without its runs: the best seed's checkpoint,
configuration, temperature and model card; of a cross-validation, those of each fold, and the ensemble's list.
`baselines.yaml` is written last: until then the old baseline is the baseline.
"""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ctexp.core import clock, files, folders
from ctexp.core.errors import Busy, CriterionNotMet, DataError, PreflightError, UsageError
from ctexp.core.locks import FileLock
from ctexp.core.metric_names import METRICS
from ctexp.core.paths import baselines_file
from ctexp.data.versions import dvc
from ctexp.evaluation.verdicts.documents import Candidate, Comparison
from ctexp.record import baselines
from ctexp.record.baselines import Baseline
from ctexp.record.checkpoint_files import BEST
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import Subject
from ctexp.record.values import entry_of

CARD = "MODEL_CARD.md"
"""What a person should read before using a promoted network."""


@dataclass(frozen=True)
class Promoted:
    """What a promotion did.

    Attributes:
        before: the title of the old baseline; None for the first.
        commit: the files to commit, relative to the project.
        push: the DVC file that a remote gets, relative to the project.
    """

    baseline: Baseline
    before: str | None
    commit: tuple[str, ...]
    push: str


def refuse_early(root: Path, runs: Path, candidates: Sequence[Subject]) -> None:
    """Refuse before anything is compared what could not be promoted afterwards.

    Raises:
        UsageError: several candidates were named, or one outside the folder of all runs, or the baseline.
        PreflightError: DVC is not set up in the project.
        DataError: `baselines.yaml` is damaged.
    """
    if len(candidates) != 1:
        raise UsageError(f"--promote: {len(candidates)} candidates, and one can be the baseline", "name one")
    outside = [run.path for run in candidates[0].runs if (runs / run.id).resolve() != run.path.resolve()]
    if outside:
        problems = [
            f"--promote: {path} is not in {runs}, where the baseline is looked for" for path in outside
        ]
        raise UsageError(problems, "move it there, and name it by its id")
    if not (root / ".dvc").is_dir():
        raise PreflightError(f"--promote: DVC is not set up in {root}", f"set it up: {dvc.typed('init')}")
    standing = baselines.current(root)
    if standing is not None and standing.runs == tuple(run.id for run in candidates[0].runs):
        raise UsageError(f"--promote: {standing.title} is the baseline already", "leave --promote out")


def failing(candidate: Candidate) -> list[str]:
    """The gates that do not pass, each with its evidence; none for what may be promoted."""
    return [f"{candidate.title}: {gate.name}: {gate.evidence}" for gate in candidate.gates if not gate.passed]


def promote(
    root: Path,
    subject: Subject,
    comparison: Comparison,
    *,
    command: str,
    reason: str,
    follow: dvc.Follow | None = None,
) -> Promoted:
    """Make the only candidate of a comparison the baseline.

    Args:
        root: the project's folder.
        subject: the candidate.
        comparison: what it won.
        command: what asked for it.
        reason: why.
        follow: told of DVC's progress.

    Raises:
        CriterionNotMet: it is not to be promoted, or another has become the baseline since.
        Busy: another promotion, or another DVC, is at work.
        DataError: a file of it is missing.
        PreflightError: DVC fails.
        StorageError: the disk is full.
    """
    (candidate,) = comparison.candidates
    if problems := failing(candidate):
        raise CriterionNotMet(problems, "nothing was promoted")
    figures = candidate.metrics[comparison.primary]
    if figures.candidate is None or figures.difference is None:
        raise ValueError("a metric without a value cannot be better")
    file = baselines_file(root)
    folder = file.parent / "baselines" / subject.title
    baseline = Baseline(
        title=subject.title,
        kind=subject.kind,
        runs=candidate.runs,
        folder=folder.relative_to(root).as_posix(),
        promoted=clock.iso(clock.now()),
        command=command,
        over=comparison.baseline.title,
        split=comparison.split,
        metric=comparison.primary,
        value=figures.candidate,
        difference=figures.difference,
        difference_low=figures.low,
        difference_high=figures.high,
        reason=reason,
    )
    with FileLock(file.with_name(f".{file.stem}.lock"), "the baselines"):
        known = baselines.read(root)
        _refuse_overtaken(known.current, comparison)
        _fill(folder, root, subject, _kept(subject, comparison.primary))
        dvc.run(root, "add", baseline.folder, follow=follow)
        baselines.write(root, known.then(baseline))
    return Promoted(
        baseline=baseline,
        before=known.current.title if known.current else None,
        commit=tuple(_uncommitted(root)),
        push=f"{baseline.folder}.dvc",
    )


def _refuse_overtaken(current: Baseline | None, comparison: Comparison) -> None:
    """Refuse one that beat a baseline which is none any more: another promotion was faster."""
    before = comparison.baseline
    if before.said == "baseline" and current is not None and current.runs != before.runs:
        raise Busy(
            f"{current.title} has become the baseline while {before.title} was compared with",
            "nothing was promoted: compare again",
        )


def _kept(subject: Subject, primary: str) -> tuple[RunDir, ...]:
    """The runs whose networks are kept: the best seed's on validation, whatever was judged; of folds, all."""
    if subject.place is not None:
        return subject.runs
    sign = 1 if METRICS[primary] == "max" else -1

    def worth(run: RunDir) -> float:
        entry = entry_of(run.metrics, "val", primary)
        return float("-inf") if entry is None or entry.value is None else sign * entry.value

    return (max(subject.runs, key=worth),)


def _fill(folder: Path, root: Path, subject: Subject, runs: tuple[RunDir, ...]) -> None:
    """Put a whole new folder in the place of an old one; the caller keeps others away."""
    from ctexp.evaluation.model_card import text

    with folders.replacing(folder) as new:
        for run in runs:
            into = new / run.id if subject.place else new
            into.mkdir(exist_ok=True)
            _copy((run.checkpoints / BEST, run.config, run.calibration), into)
            files.write_text(into / CARD, text(run, root))
        if subject.place:
            _copy((subject.place.ensemble, subject.place.calibration), new)


def _copy(wanted: Sequence[Path], into: Path) -> None:
    for source in wanted:
        try:
            shutil.copyfile(source, into / source.name)
        except FileNotFoundError as error:
            raise DataError(f"{source}: no such file", "nothing was promoted") from error


def _uncommitted(root: Path) -> list[str]:
    """What git does not have as it is, below `research/`."""
    done = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all", "-z", "--", "research"],
        cwd=root,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    ours = ("research/baselines", "research/decisions.jsonl", "research/test_ledger.jsonl")
    return [line[3:] for line in done.stdout.split("\0") if line[3:].startswith(ours)]
