"""`research-run`: carry out what an experiment lacks, what has failed, and what has changed."""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence

from ctexp.cli.research_run_tables import document, tell
from ctexp.cli.train import heed_changes
from ctexp.config.compose import compose, resolve_paths
from ctexp.core import screen
from ctexp.core.errors import CriterionNotMet, CtexpError, DataError, PreflightError, Stopped, UsageError
from ctexp.core.names import did_you_mean
from ctexp.core.paths import project_root
from ctexp.executors.carry import PASSED_ON
from ctexp.executors.opening import open_executor
from ctexp.executors.settings import DEFAULT, LocalSettings
from ctexp.executors.settings import load as load_executor
from ctexp.record import git
from ctexp.record.manifest import command_line, flag_words
from ctexp.research.basis import why_beyond
from ctexp.research.places import Places
from ctexp.research.plan.content import ResearchPlan
from ctexp.research.plan.load import load
from ctexp.research.plan.references import in_order
from ctexp.research.running.experiment import Start
from ctexp.research.running.several import Outcome, carry_out
from ctexp.research.running.supervising import Bench
from ctexp.research.running.wanted import Asked
from ctexp.research.standing.standing import standing
from ctexp.sweeps.agent.stopping import Stops

ALL = "all"
"""Every experiment, in the order of what they wait for."""


class HandlerFailed(CriterionNotMet):
    """Handlers have failed; why stands behind the name of each, and in its log."""


def research_run(
    experiment_id: str,
    only: str | None,
    override: Sequence[str],
    rerun_failed: bool,
    force: bool,
    stub_mode: bool,
    executor: str,
    yes: bool,
    json: bool,
) -> int:
    """Carry out an experiment, or all; the exit code.

    Raises:
        UsageError: the words are wrong, or the plan is.
        Busy: somebody else carries it out.
        Stopped: a signal asked for an end; what has ended is written down.
    """
    root = project_root().resolve()
    data, runs = resolve_paths(root)
    places = Places(root)
    plan = load(places.plan, places.plan.relative_to(root).as_posix())
    for line in plan.warnings:
        screen.warn(line)
    asked = Asked(only, rerun_failed, force, tuple(override))
    chosen = _chosen(plan, experiment_id, asked)
    here = isinstance(load_executor(root, executor), LocalSettings)
    where = open_executor(root, executor, stub=stub_mode)
    if not stub_mode:
        if why := why_beyond(asked.overrides):
            screen.warn(f"the answers will not count: {why}")
        source = git.capture(root, [data, runs])
        heed_changes(source, compose([], root).settings.git.dirty if source.state.dirty else "warn", yes)
    room = where.resources()
    if not here:
        screen.note(f"--executor {executor}: {room.said}")
    threads = None if "OMP_NUM_THREADS" in os.environ else room.threads
    # Elsewhere a handler has one place, in which its trainings follow each other.
    slots = room.slots if here else 1
    gpu = not stub_mode and "trainer.accelerator=cpu" not in asked.overrides
    start = Start(root, data, runs, stub_mode, asked.overrides, slots, threads, gpu)
    with Stops() as stops, _warm(start) if here else _elsewhere(start) as environment:
        outcomes = carry_out(start, plan, chosen, asked, Bench(where, stops, screen.note, environment))
    found = standing(root, plan, data, stub=stub_mode)
    code = _code(outcomes, several=experiment_id == ALL)
    if json:
        screen.emit_json(document(outcomes, found, start.places))
    else:
        tell(outcomes, found, start.places)
    if stops.signum is not None:
        place = None if executor == DEFAULT else executor
        flags = {
            "--only": only,
            "--executor": place,
            "--rerun-failed": rerun_failed,
            "--stub-mode": stub_mode,
        }
        words = ["--experiment-id", experiment_id, *flag_words(flags), *override]
        again = command_line("research-run", words)
        raise Stopped(stops.signum, "", f"go on with it: {again}")
    return code


def _chosen(plan: ResearchPlan, experiment: str, asked: Asked) -> tuple[str, ...]:
    """The experiments that are meant, in their order.

    Raises:
        UsageError: everything that is wrong with the words.
    """
    known = [*plan.experiments, ALL]
    problems = []
    if not experiment:
        problems.append(f"--experiment-id: missing; {plan.shown} has {', '.join(known)}")
    elif experiment not in known:
        near = did_you_mean(experiment, known)
        problems.append(f"--experiment-id: {plan.shown} has no {experiment!r}; {near}".rstrip("; "))
    elif experiment == ALL and asked.only is not None:
        problems.append("--only: a part of one experiment is meant; name it: --experiment-id ID")
    elif experiment != ALL and not plan.experiments[experiment].subs:
        problems.append(f"{experiment}: {plan.shown} names no parts of it; list them: sub_experiments: […]")
    if asked.failed and asked.again:
        problems.append("--rerun-failed and --force contradict each other")
    for word in asked.overrides:
        key = word.lstrip("+~").partition("=")[0]
        if key in ("seed", "run.name", "run.tags", "paths.runs", "paths.data"):
            problems.append(f"{word}: handlers set {key} themselves")
    if problems:
        raise UsageError(problems)
    return in_order(plan) if experiment == ALL else (experiment,)


@contextlib.contextmanager
def _warm(start: Start) -> Iterator[Callable[[], Mapping[str, str]]]:
    """What handlers of this machine are given: from the first on, a warm trainer waits for trainings."""
    environment = _variables(start)
    fresh = start.stub or "SLURM_JOB_ID" in os.environ or "CTEXP_WARM" in os.environ
    with contextlib.ExitStack() as stack:

        @functools.cache
        def given() -> Mapping[str, str]:
            if fresh:
                return environment
            from ctexp.warm.parent import Parent

            try:
                parent = stack.enter_context(Parent(start.root, {**os.environ, **environment}))
            except PreflightError as error:
                screen.warn(f"every training in a fresh process: {error}")
                return environment
            return {**environment, "CTEXP_WARM": str(parent.socket)}

        yield given


@contextlib.contextmanager
def _elsewhere(start: Start) -> Iterator[Callable[[], Mapping[str, str]]]:
    """What handlers of other machines are given, which share no more than files with this one."""
    inherited = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    yield lambda: {**inherited, **_variables(start)}


def _variables(start: Start) -> dict[str, str]:
    threads = {} if start.threads is None else {"OMP_NUM_THREADS": str(start.threads)}
    return {**threads, "CTEXP_ROOT": str(start.root)}


def _code(outcomes: Sequence[Outcome], *, several: bool) -> int:
    """Tell what is not as it was asked for; the exit code.

    Of several experiments some may wait for others: that is how the plan is meant.
    """
    errors: list[CtexpError] = []
    failed = [
        f"{its.experiment.id}/{one.sub}" for its in outcomes for one in its.parts if one.state == "failed"
    ]
    if failed:
        errors.append(HandlerFailed(f"failed: {', '.join(failed)}", "mend them, then --rerun-failed"))
    if not several:
        errors += [
            CriterionNotMet(
                [f"{its.experiment.id}: {line}" for line in its.waits], "run that first, or --force"
            )
            for its in outcomes
            if its.waits
        ]
    errors += [DataError(its.unwritten, its.hint) for its in outcomes if its.unwritten]
    for error in errors:
        for line in error.lines():
            screen.note(line)
    return errors[0].exit_code if errors else 0
