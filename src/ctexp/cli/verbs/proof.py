"""Whether runs are healthy, how two of them differ, and whether one can be made again."""

from invoke.context import Context

from ctexp.cli.verb import verb
from ctexp.cli.verbs.flags import LATEST, RUN


@verb(
    "monitor:monitor",
    positional=["run"],
    help=LATEST
    | {
        "all": "every run",
        "live": "follow what trains now, until it has ended",
        "strict": "exit 12 where anything is at least a warning",
    },
)
def monitor(
    _: Context,
    run: str = "latest",
    all: bool = False,
    live: bool = False,
    strict: bool = False,
    json: bool = False,
) -> None:
    """Say what looks wrong with runs, with evidence and advice."""


@verb(
    "audit_tracking:audit_tracking",
    positional=["run"],
    help={"run": f"{RUN['run']}; else the whole project"},
)
def audit_tracking(_: Context, run: str = "", json: bool = False) -> None:
    """Score records against what reproducing them takes."""


@verb(
    "reproduce:reproduce",
    positional=["run"],
    help=RUN
    | {
        "here": "in this project's own environment; every package that differs is listed",
        "tolerance": "how far metrics may be apart on another processor or GPU; 0.02 by default",
        "keep": "keep the worktree",
    },
)
def reproduce(
    _: Context,
    run: str = "",
    here: bool = False,
    tolerance: str = "",
    keep: bool = False,
    json: bool = False,
) -> None:
    """Make a run again from its record, and compare."""


@verb(
    "diff:diff",
    positional=["a", "b"],
    help={"a": f"the first run: {RUN['run']}", "b": "the second run: likewise"},
)
def diff(_: Context, a: str, b: str, json: bool = False) -> None:
    """What differs between two runs: inv diff A B."""
