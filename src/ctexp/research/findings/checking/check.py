"""The whole check: records against runs, files and pages against records."""

from collections.abc import Callable, Iterator
from pathlib import Path

from ctexp.core.errors import DataError
from ctexp.core.wording import many
from ctexp.research.findings import kept, results
from ctexp.research.findings.checking.generated import check_file
from ctexp.research.findings.checking.pages import check_page
from ctexp.research.findings.checking.records import check_answer
from ctexp.research.findings.checking.report import Report
from ctexp.research.findings.write import of_experiment, of_project
from ctexp.research.places import Places
from ctexp.research.plan.content import ResearchPlan
from ctexp.research.recompute import Altered, Gone, Recomputing
from ctexp.research.record import Answer
from ctexp.research.standing.standing import Stands, standing


def check(
    root: Path,
    runs: Path,
    plan: ResearchPlan,
    data_dir: Path,
    *,
    progress: Callable[[str, int, int], None] = lambda _step, _done, _total: None,
) -> Report:
    """Recompute every number that records, results and pages of findings tell."""
    places = Places(root)
    found = standing(root, plan, data_dir)
    recomputing, report = Recomputing(root, runs), Report()
    lost = 0
    for done, its in enumerate(found.experiments.values(), start=1):
        lost += _experiment(places, its, recomputing, report)
        progress("recomputing", done, len(found.experiments))
    if not lost and (report.files or places.findings.is_file() or places.summary.is_file()):
        check_file(places.summary, results.of_project(found), root, report)
        check_page(places.findings, of_project(places, found), root, report)
    _strangers(places, plan, report)
    return report


def _experiment(places: Places, its: Stands, recomputing: Recomputing, report: Report) -> bool:
    """Check one; whether a record of it is lost, so that nothing made from it can be held against it."""
    name = its.experiment.id
    lost = list(_lost(places, its))
    for missing in lost:
        report.differs(
            missing,
            0,
            "the record is missing, although findings were made from it: what they say cannot be checked; "
            "get it back from git, or run its part again",
        )
    for sub, part in its.parts.items():
        file = places.record(name, sub)
        if part.answer is not None:
            check_answer(part.answer, file, places.root, recomputing, report)
        elif part.state == "damaged":
            report.differs(file.relative_to(places.root).as_posix(), 0, part.said)
    answered = any(part.answer is not None for part in its.parts.values())
    page, summary = places.experiment_findings(name), places.experiment_results(name)
    if not lost and (answered or summary.is_file()):
        check_file(summary, results.of_experiment(its), places.root, report)
    if not lost and (answered or page.is_file()):
        check_page(page, of_experiment(places, its), places.root, report)
    _history(places, name, recomputing, report)
    return bool(lost)


def _lost(places: Places, its: Stands) -> Iterator[str]:
    """Records that an experiment's page names as its sources, and that are no longer there."""
    page = places.experiment_findings(its.experiment.id)
    text = page.read_text(errors="replace") if page.is_file() else ""
    for sub in its.parts:
        record = places.record(its.experiment.id, sub)
        if not record.is_file() and f"\n- `{sub}.json`: " in text:
            yield record.relative_to(places.root).as_posix()


def _history(places: Places, experiment: str, recomputing: Recomputing, report: Report) -> None:
    """Records that history cites: unchanged, and worked out again as far as their runs are still there."""
    lost = 0
    for file in kept.kept_files(places, experiment):
        said = file.relative_to(places.root).as_posix()
        report.files.add(said)
        try:
            answer = kept.read(file)
        except DataError as error:
            report.differs(said, 0, "; ".join(error.problems).removeprefix(f"{file}: "))
            continue
        now = places.record(experiment, answer.sub)
        replaced = not now.is_file() or now.read_bytes() != file.read_bytes()
        lost += replaced and not _still_there(answer, recomputing)
    if lost:
        report.notes.append(
            f"{experiment}: history cites {many(lost, 'earlier record')} whose runs have changed or gone "
            "since; nothing was changed in what they say"
        )


def _still_there(answer: Answer, recomputing: Recomputing) -> bool:
    """Whether everything an answer cites can still be worked out."""
    try:
        for figure in answer.figures:
            recomputing.figure(figure)
    except (Gone, Altered):
        return False
    return True


def _strangers(places: Places, plan: ResearchPlan, report: Report) -> None:
    """Say what lies among the results and belongs to nothing in the plan."""
    for file in sorted(places.results.glob("*/*.json")):
        experiment = plan.experiments.get(file.parent.name)
        if experiment is None or file.stem not in {sub.id for sub in experiment.subs}:
            report.notes.append(f"{file.relative_to(places.root).as_posix()}: not in the plan, not checked")
