"""`compare-baselines`: is it better than what we have, and should it take its place?"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ctexp.config import verdict
from ctexp.config.compose import resolve_paths
from ctexp.core import screen
from ctexp.core.errors import CriterionNotMet, CtexpError, DataError, UsageError
from ctexp.core.names import did_you_mean
from ctexp.core.paths import decisions_file, project_root, shown
from ctexp.data.versions import dvc
from ctexp.record import baselines, decisions, git, index
from ctexp.record.ledger import open_test
from ctexp.record.manifest import Dataset, Origin, command_line
from ctexp.record.subjects import Subject, subject

if TYPE_CHECKING:
    from ctexp.evaluation.verdicts.documents import Comparison
    from ctexp.evaluation.verdicts.promotion import Promoted

_SPLITS = ("val", "test")
_BETTER = "better"


def compare_baselines(
    candidate: Sequence[str],
    baseline: str,
    split: str,
    final: bool,
    intersect: bool,
    require: str | None,
    promote: bool,
    reason: str,
    json: bool,
) -> int:
    """Compare, decide, write the decisions down; 12 where what was required is not so."""
    _check_words(candidate, split, require, final=final)
    root = project_root()
    settings = verdict.load(root)
    data_dir, runs = resolve_paths(root)
    decisions.read(decisions_file(root))  # a damaged list refuses before anything is looked at
    with index.at_once(runs):
        subjects = _subjects(root, runs, [baseline, *candidate], settings.primary)
    _refuse_shared(subjects, require)

    from ctexp.evaluation import answers
    from ctexp.evaluation.verdicts import journal, promotion
    from ctexp.evaluation.verdicts.compare import compare

    if promote:
        promotion.refuse_early(root, runs, subjects[1:])
    if split == "test":
        _open_test(root, runs, subjects, final=final)
    first, *others = [answers.read(one, split) for one in subjects]
    with screen.steps() as progress:
        comparison = compare(first, others, settings, intersect=intersect, progress=progress)
    flags = {"--final": final, "--intersect": intersect, "--promote": promote}
    words = [
        *("--baseline", baseline),
        *(word for one in candidate for word in ("--candidate", one)),
        *(("--split", split) if split != "val" else ()),
        *(flag for flag, given in flags.items() if given),
        *(("--require", require) if require else ()),
    ]
    command = command_line("compare-baselines", words)
    source = git.capture(root, [data_dir, runs]).state
    lines = journal.decisions(comparison, command=command, reason=reason, source=source)
    decisions.append(decisions_file(root), lines)
    if not json:
        from ctexp.cli import comparison_tables

        comparison_tables.tell(comparison, promoting=promote)
        screen.note(f"written to {shown(decisions_file(root))}")
    promoted = None
    if promote and comparison.candidates[0].decision == "promote":
        why = lines[0].reason
        with screen.status("promoting") as follow:
            promoted = promotion.promote(
                root, subjects[1], comparison, command=command, reason=why, follow=follow
            )
        _tell_promoted(promoted)
    if json:
        new = promoted.baseline.model_dump(mode="json") if promoted else None
        screen.emit_json(comparison.document() | {"promoted": new})
    return _unmet(comparison, require, promote=promote)


def _check_words(candidate: Sequence[str], split: str, require: str | None, *, final: bool) -> None:
    problems = []
    if not candidate:
        problems.append("--candidate: missing; name a run, a run.name, best or a cross-validation")
    if split not in _SPLITS:
        problems.append(f"--split: {split!r} is no split to compare on; {did_you_mean(split, _SPLITS)}")
    elif final and split != "test":
        problems.append("--final opens the test split, and is for --split test alone")
    if require not in (None, _BETTER):
        problems.append(f"--require: {require!r} cannot be required; choose better")
    if problems:
        raise UsageError(problems)


def _subjects(root: Path, runs: Path, selectors: Sequence[str], primary: str) -> list[Subject]:
    """The baseline, then the candidates; everything wrong with them at once.

    Raises:
        UsageError: a word means several things, or the same is compared with itself.
        DataError: a word means nothing, or something unfinished.
    """
    current = baselines.current(root)
    tonight = Origin.of(os.environ).queue
    found: list[Subject] = []
    errors: list[CtexpError] = []
    like: Dataset | None = None
    for selector in selectors:
        try:
            one = subject(
                runs, selector, best_by=f"val/{primary}", baseline=current, like=like, queue=tonight
            )
        except CtexpError as error:
            errors.append(error)
            continue
        found.append(one)
        manifest = one.runs[0].read().manifest
        if len(found) == 1 and not errors and one.place is None and manifest:
            like = manifest.dataset
    if len(errors) == 1:
        raise errors[0]
    if errors:
        usage = any(isinstance(error, UsageError) for error in errors)
        raise (UsageError if usage else DataError)([line for error in errors for line in _with_hint(error)])
    return found


def _with_hint(error: CtexpError) -> list[str]:
    """Its problems, the last with what to do about them: several errors become one, which has one hint."""
    *lines, last = error.problems
    return [*lines, f"{last} ({error.hint})" if error.hint else last]


def _refuse_shared(subjects: Sequence[Subject], require: str | None) -> None:
    """Refuse a run on two sides: what it has in common with itself is no evidence.

    Raises:
        CriterionNotMet: the best or latest is the baseline itself, and it was required to be better.
        UsageError: a run stands on two sides.
    """
    first = subjects[0]
    same = [one for one in subjects[1:] if one.said in {"best", "latest"} and one.runs == first.runs]
    if same and require:
        raise CriterionNotMet(f"{same[0].said} is the baseline itself, {first.title}: nothing is {require}")
    problems = []
    for i, one in enumerate(subjects):
        for other in subjects[i + 1 :]:
            shared = {run.path.resolve() for run in one.runs} & {run.path.resolve() for run in other.runs}
            if shared:
                side = "the baseline" if i == 0 else "another candidate"
                names = ", ".join(sorted(path.name for path in shared))
                problems.append(f"--candidate {other.said}: {side} ({one.said}) has the same run: {names}")
    if problems:
        raise UsageError(problems, "name others; scripts/inv runs lists them")


def _open_test(root: Path, runs: Path, subjects: Sequence[Subject], *, final: bool) -> None:
    """Count the look, once nothing stands in its way.

    Raises:
        UsageError: it is not final, or only cross-validations are compared, which have no test split.
        DataError: predictions are missing.
    """
    from ctexp.evaluation.answers import commands, unpredicted

    trained = [run for one in subjects if one.place is None for run in one.runs]
    if not trained:
        raise UsageError("--split: cross-validations have no test split", "use --split val")
    lacking = [run for one in subjects if one.place is None for run in unpredicted(one, "test")]
    if final and lacking:
        raise DataError(
            [f"{run.id}: no predictions of the test split" for run in lacking],
            f"make them: {commands(lacking, 'test')}",
        )
    open_test(root, runs, kind="compare", subjects=trained, final=final)


def _tell_promoted(promoted: "Promoted") -> None:
    before = f", instead of {promoted.before}" if promoted.before else ""
    if promoted.before not in (None, promoted.baseline.over):
        before += f", with which it was not compared, but with {promoted.baseline.over}"
    screen.note(f"{promoted.baseline.title} is the baseline now{before}: {promoted.baseline.folder}")
    if promoted.commit:
        screen.note(f"commit them: git add {' '.join(promoted.commit)}")
    screen.note(f"where there is a DVC remote: {dvc.typed('push', promoted.push)}")


def _unmet(comparison: "Comparison", require: str | None, *, promote: bool) -> int:
    """Tell what was asked for and is not so; the exit code."""
    from ctexp.evaluation.verdicts.promotion import failing

    problems = []
    for candidate in comparison.candidates:
        verdict_of = candidate.metrics[comparison.primary].verdict
        if require and verdict_of != require:
            problems.append(f"{candidate.title}: {comparison.primary} is {verdict_of}, not {require}")
        if promote:
            problems += failing(candidate)
    if not problems:
        return 0
    error = CriterionNotMet(problems, "nothing was promoted" if promote else "")
    for line in error.lines():
        screen.note(line)
    return error.exit_code
