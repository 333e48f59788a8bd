"""Research: a plan of experiments, their handlers, and what was found."""

from invoke.context import Context

from ctexp.cli.verb import verb
from ctexp.cli.verbs.flags import EXECUTOR


@verb("research_status:research_status")
def research_status(_: Context, json: bool = False) -> None:
    """What is open, blocked, met, with the numbers.

    Gates and statuses are computed from the records of handlers, whatever research/research_plan.yaml says.
    """


@verb(
    "research_new:research_new",
    positional=["experiment_id"],
    help={
        "experiment-id": "the new experiment: letters, digits, '_', '-' and '.'",
        "name": "what to call it",
        "kind": "claim, question or pivot",
    },
)
def research_new(
    _: Context, experiment_id: str, name: str = "", kind: str = "question", json: bool = False
) -> None:
    """Begin an experiment: its page and a handler."""


@verb(
    "research_run:research_run",
    positional=["experiment_id"],
    iterable=["override"],
    help=EXECUTOR
    | {
        "experiment-id": "the experiment, or 'all' for every one in the order of dependencies",
        "only": "one part of it alone",
        "rerun-failed": "only what has failed",
        "force": "also what is done and up to date",
        "stub-mode": "try the wiring with made-up figures; nothing of it counts",
    },
)
def research_run(
    _: Context,
    experiment_id: str = "",
    only: str | None = None,
    override: list[str] | None = None,
    rerun_failed: bool = False,
    force: bool = False,
    stub_mode: bool = False,
    executor: str = "local",
    yes: bool = False,
    json: bool = False,
) -> None:
    """Run what an experiment lacks, or what has changed.

    Overrides say what every training of its handlers has in common: `inv research-run noise_floor`.
    """


@verb("findings_check:findings_check")
def findings_check(_: Context, json: bool = False) -> None:
    """Recompute every number that findings cite."""
