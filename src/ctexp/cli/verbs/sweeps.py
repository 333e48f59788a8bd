"""Sweeps: one is made, agents work on it, and what it taught is read; and the warm trainer."""

from invoke.context import Context

from ctexp.cli.verb import verb
from ctexp.cli.verbs.flags import AGENTS, EXECUTOR, NAMED, OVERWRITE, SWEEP, SWEEP_ID


@verb(
    "sweep:sweep",
    positional=["config"],
    iterable=["override"],
    help=EXECUTOR
    | AGENTS
    | {
        "config": "the sweep's file, or the name of one in conf/sweep",
        "no-pilot": "make it without running a first trial",
        "work": "be its agent as well, until nothing is left",
        "resume": f"go on working on one: {NAMED}",
        "budget": "minutes or hours of training that agents may spend: 90m, 2h; else what the file says",
        "dry-run": "check it and say what it would be and cost; make nothing",
    },
)
def sweep(
    _: Context,
    config: str = "",
    override: list[str] | None = None,
    no_pilot: bool = False,
    work: bool = False,
    resume: str | None = None,
    budget: str | None = None,
    dry_run: bool = False,
    executor: str | None = None,
    agents: int | None = None,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Make a sweep from a file in W&B's format.

    Everything is checked, and a first trial run, before agents can work on it. Overrides say what every
    trial has in common:

        inv sweep --config lr_wd data=phantom experiment=smoke
        inv sweep --config conf/sweep/backbones.yaml --work --budget 2h
        inv sweep --config lr_wd --work --executor ray --agents 8
    """


@verb(
    "sweep_agent:sweep_agent",
    positional=["sweep_id"],
    help=SWEEP_ID
    | EXECUTOR
    | AGENTS
    | {
        "count": "end after so many trials, each agent",
        "until": "begin no trial that may not end by then: 07:00, or 2h from now",
        "gpu": "the GPU to train on, by its number",
        "storage": "the database of a sweep of another machine",
        "fresh": "a fresh process for every trial, instead of a warm one",
    },
)
def sweep_agent(
    _: Context,
    sweep_id: str = "latest",
    count: int | None = None,
    until: str | None = None,
    gpu: int | None = None,
    storage: str | None = None,
    fresh: bool = False,
    executor: str | None = None,
    agents: int | None = None,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Work on a sweep; start as many as you like.

    inv sweep-agent lr_wd
    inv sweep-agent lr_wd --agents 2
    inv sweep-agent lr_wd --executor slurm --agents 20
    """


@verb("sweep_status:sweep_status", positional=["sweep"], help=SWEEP)
def sweep_status(_: Context, sweep: str = "latest", json: bool = False) -> None:
    """Show a sweep's trials and agents."""


@verb("sweep_best:sweep_best", positional=["sweep"], help=SWEEP)
def sweep_best(_: Context, sweep: str = "latest", json: bool = False) -> None:
    """Show the best trial, and whether it really is."""


@verb(
    "sweep_report:sweep_report",
    positional=["sweep"],
    help=SWEEP | {"output": "where to write it; else sweep.html in the sweep's folder"},
)
def sweep_report(_: Context, sweep: str = "latest", output: str | None = None, json: bool = False) -> None:
    """Write a page about a sweep."""


@verb(
    "sweep_refine:sweep_refine",
    positional=["sweep"],
    help=SWEEP
    | OVERWRITE
    | {"name": "what to call it, conf/sweep/NAME.yaml; else the sweep's name and _fine"},
)
def sweep_refine(
    _: Context, sweep: str = "latest", name: str | None = None, overwrite: bool = False, json: bool = False
) -> None:
    """Write a narrower sweep around the optimum."""


@verb(
    "warm:warm",
    help={
        "socket": "where it listens; else a socket of this project in the person's runtime folder",
        "owner": "the process it ends with, by number",
    },
)
def warm(_: Context, socket: str | None = None, owner: int | None = None, json: bool = False) -> None:
    """Keep a trainer warm: runs begin at once.

    It prints the line that makes `inv train` use it:

        inv warm &
        export CTEXP_WARM=...
    """
