"""Research: a plan of experiments, their handlers, and what was found."""

from invoke.context import Context

from ctexp.cli.verb import verb
from ctexp.cli.verbs.flags import DEBUG, JSON


@verb("research_status:research_status", help=JSON | DEBUG)
def research_status(_: Context, json: bool = False, debug: bool = False) -> None:
    """What is open, blocked, met, with the numbers.

    Gates and statuses are computed from the records of handlers, whatever research/research_plan.yaml says.
    """


@verb(
    "research_new:research_new",
    positional=["experiment_id"],
    help={
        "experiment-id": "letters, digits, '_', '-' and '.', given bare",
        "name": "what to call it",
        "kind": "claim, question or pivot",
    }
    | JSON
    | DEBUG,
)
def research_new(
    _: Context,
    experiment_id: str,
    name: str = "",
    kind: str = "question",
    json: bool = False,
    debug: bool = False,
) -> None:
    """Begin an experiment: its page and a handler."""


@verb(
    "research_run:research_run",
    positional=["experiment_id"],
    iterable=["override"],
    help={
        "experiment-id": "the experiment, given bare, or 'all' for every one in the order of dependencies",
        "only": "one part of it alone",
        "override": "the same as a bare KEY=VALUE: what every training of the handlers has in common",
        "rerun-failed": "only what has failed",
        "force": "also what is done and up to date",
        "stub-mode": "try the wiring with made-up figures; nothing of it counts",
        "executor": "where handlers run: a name in conf/executor",
        "yes": "train with uncommitted changes without being asked",
    }
    | JSON
    | DEBUG,
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
    debug: bool = False,
) -> None:
    """Run what an experiment lacks, or what has changed.

    For example `inv research-run --experiment-id noise_floor`.
    """


@verb("findings_check:findings_check", help=JSON | DEBUG)
def findings_check(_: Context, json: bool = False, debug: bool = False) -> None:
    """Recompute every number that findings cite."""
