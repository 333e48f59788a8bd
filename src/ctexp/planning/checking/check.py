"""A plan as a whole: everything wrong with it, and its jobs with what they are made of."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ctexp.config import verdict
from ctexp.config.advice import advice
from ctexp.config.compose import resolve_paths
from ctexp.core.errors import CtexpError, DataError
from ctexp.core.names import did_you_mean
from ctexp.core.wording import some
from ctexp.planning.checking.checked import Checked, CheckedJob
from ctexp.planning.checking.composition import Configured, configure, firsts, trials
from ctexp.planning.checking.criteria import Criteria
from ctexp.planning.checking.data import read_data
from ctexp.planning.checking.findings import Findings
from ctexp.planning.checking.images import Images
from ctexp.planning.checking.likeness import check_likeness
from ctexp.planning.checking.references import check_references
from ctexp.planning.checking.searching import check_seeds, searches
from ctexp.planning.checking.sweeps import check_sweeps
from ctexp.planning.checking.words import check_words
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.jobs import jobs_of
from ctexp.planning.plan.load import Loaded
from ctexp.record import baselines
from ctexp.record.environment import computes_on
from ctexp.record.subjects import subject


def check(loaded: Loaded, root: Path) -> Checked:
    """Look at everything a plan says; nothing is made or changed, and torch is not loaded.

    Args:
        loaded: the plan.
        root: the project's folder.

    Raises:
        UsageError: conf/verdict.yaml is wrong, or where the runs are is not known.
    """
    plan, found = loaded.plan, Findings(loaded)
    settings = verdict.load(root)
    for place, said in loaded.mistakes:
        found.problem(place, said)
    check_references(plan, found)
    check_words(plan, found)
    check_sweeps(plan, found)
    jobs = jobs_of(plan)
    read = searches(plan, jobs, root, found)
    check_seeds(plan, read, found)
    configured = configure(plan, jobs, read, root, found)
    images, lacking = read_data(plan, configured, root, found)
    trying = trials(plan, configured)
    _advise([one for one in configured if one.job.experiment not in trying], found)
    check_likeness(plan, configured, found)
    _check_baseline(plan, root, settings.primary, found)
    Criteria(plan, images, settings, found).check()
    return Checked(
        problems=found.problems,
        missing=found.missing_data,
        wrong=found.wrong,
        warnings=found.warnings,
        jobs=_jobs([one for one in configured if one.job.experiment not in lacking], images),
        hint=next(iter(found.hints)) if len(found.hints) == 1 else "",
    )


def _advise(configured: Sequence[Configured], found: Findings) -> None:
    """What trainings would warn of, each line once."""
    told: dict[str, list[str]] = {}
    for one in firsts(configured):
        for line in advice(one.composed.settings):
            told.setdefault(line, []).append(one.job.experiment)
    for line, names in told.items():
        found.warning(("experiments", names[0]), f"{line} ({some(names)})" if len(names) > 1 else line)


def _check_baseline(plan: Plan, root: Path, primary: str, found: Findings) -> None:
    """One from elsewhere has to be there: nothing would be compared in the morning."""
    name = plan.baseline
    if name is None or name in plan.experiments:
        return
    try:
        runs = resolve_paths(root)[1]
        subject(runs, name, best_by=f"val/{primary}", baseline=baselines.current(root))
    except CtexpError as error:
        near = did_you_mean(name, plan.experiments)
        for problem in error.problems:
            said = f"{name} is no experiment of this plan, and {problem}"
            if near.startswith("did"):
                found.problem(("baseline",), f"{said}; {near}")
            elif isinstance(error, DataError):
                found.missing(("baseline",), said, error.hint)
            else:
                found.problem(("baseline",), f"{said}; {error.hint}".rstrip("; "))


def _jobs(configured: Sequence[Configured], images: Mapping[str, Images]) -> tuple[CheckedJob, ...]:
    devices: dict[str, str] = {}
    jobs = []
    for one in configured:
        its = images[one.job.experiment]
        accelerator = one.composed.resolved["trainer"]["accelerator"]
        if accelerator not in devices:
            devices[accelerator] = computes_on(accelerator)
        jobs.append(
            CheckedJob(
                **vars(one),
                train_images=its.train,
                val_images=its.val,
                trainings=its.trainings,
                device=devices[accelerator],
            )
        )
    return tuple(jobs)
