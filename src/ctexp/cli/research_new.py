"""`research-new`: an experiment in the plan, its page, and a handler to be written for each of its parts."""

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from ctexp.core import files, screen
from ctexp.core.errors import UsageError
from ctexp.core.names import did_you_mean
from ctexp.core.paths import project_root
from ctexp.record.manifest import command_line
from ctexp.research.places import Places, module_name
from ctexp.research.plan import adding, skeletons
from ctexp.research.plan.content import Experiment, Kind, ResearchPlan
from ctexp.research.plan.experiments import EVERY, ID, bad_id
from ctexp.research.plan.load import parse


def research_new(experiment_id: str, name: str, kind: str, json: bool) -> None:
    """Begin an experiment: write what is missing of it, and nothing over what is there."""
    places = Places(project_root().resolve())
    content, plan = _plan(places)
    planned = plan.experiments.get(experiment_id)
    if planned is None:
        experiment = _begun(plan, experiment_id, name, kind)
        proposed = adding.added(content, plan.shown, experiment_id, experiment.name, experiment.kind)
    else:
        experiment, proposed = planned, None
        if name and name != planned.name:
            screen.warn(f"the plan calls {experiment_id} {planned.name}; that is left as it is")
    texts = {path: text for path, text in _texts(places, experiment).items() if not path.exists()}
    if planned and not texts:
        raise UsageError(
            f"{experiment_id} is in the plan, and its page and all its handlers are there",
            f"nothing is overwritten; run it: {_run(experiment_id)}",
        )
    _write(texts, places.plan.resolve(), proposed)
    paste = None if planned or proposed else adding.entry(experiment_id, experiment.name, experiment.kind)
    written = [path.relative_to(places.root).as_posix() for path in texts]
    if json:
        screen.emit_json(
            {
                "experiment": experiment_id,
                "written": written,
                "plan": plan.shown,
                "added": proposed is not None,
                "paste": paste,
            }
        )
    else:
        _tell(experiment_id, written, plan.shown, added=proposed is not None, paste=paste)


def _plan(places: Places) -> tuple[bytes, ResearchPlan]:
    """The plan's text and what it says; that of a new one where there is none."""
    shown = places.plan.relative_to(places.root).as_posix()
    try:
        content = places.plan.read_bytes()
    except FileNotFoundError:
        content = adding.beginning(places.root.name)
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read ({error.strerror})") from error
    plan = parse(content, shown)
    for line in plan.warnings:
        screen.warn(line)
    return content, plan


def _begun(plan: ResearchPlan, experiment: str, name: str, kind: str) -> Experiment:
    """A new experiment, as the plan will have it.

    Raises:
        UsageError: it cannot be called so, or is of no kind.
    """
    problems = []
    if not ID.fullmatch(experiment) or experiment == EVERY:
        problems.append(f"{EVERY} stands for every experiment" if experiment == EVERY else bad_id(experiment))
    twins = [other for other in plan.experiments if module_name(other) == module_name(experiment)]
    if twins:
        problems.append(f"{experiment}: its handlers would lie in the folder of {twins[0]}")
    kinds: dict[str, Kind] = {known: known for known in get_args(Kind)}
    if kind not in kinds:
        problems.append(f"--kind {kind} is none it can be; {did_you_mean(kind, kinds)}")
    if problems:
        raise UsageError(problems)
    lines = adding.entry(experiment, name or experiment, kinds[kind])
    return parse("\n".join(["experiments:", *(f"  {line}" for line in lines)]).encode(), "").experiments[
        experiment
    ]


def _texts(places: Places, experiment: Experiment) -> dict[Path, str]:
    """All files of an experiment, and what a new one says."""
    handlers = {
        places.handler(experiment.id, sub.id): skeletons.handler(experiment, sub) for sub in experiment.subs
    }
    return {places.page(experiment.id): skeletons.page(experiment)} | handlers


def _write(texts: Mapping[Path, str], plan: Path, proposed: bytes | None) -> None:
    """The new files and the plan, or nothing where one cannot be written or somebody asked for an end."""
    written: list[Path] = []
    try:
        for path, text in texts.items():
            written.append(path)
            files.write_text(path, text)
        if proposed is not None:
            files.write_bytes(plan, proposed)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def _tell(experiment: str, written: list[str], shown: str, *, added: bool, paste: list[str] | None) -> None:
    for path in written:
        print(f"written: {path}")
    if added:
        print(f"added to {shown}: {experiment}")
    if paste:
        screen.warn(
            f"{shown}: nothing can be added without rewriting what is there; put this below experiments:"
        )
        print("\n".join(paste))
    print(f"next: write the handler, then {_run(experiment)}")


def _run(experiment: str) -> str:
    return command_line("research-run", ["--experiment-id", experiment])
