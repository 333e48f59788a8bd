"""The night: a plan, checked and rendered, and the queue that carries it out."""

from invoke.context import Context

from ctexp.cli.verb import verb
from ctexp.cli.verbs.flags import DEBUG, JSON

QUEUE = {"queue": "a queue's id, the beginning of one, a plan's name or latest, given bare"}


@verb(
    "plan_check:plan_check",
    positional=["plan"],
    help={
        "plan": "a plan file, or the name of one in research/plans, given bare",
        "measure": "run `inv estimate` where nothing is known, and have every pretrained weight on disk",
    }
    | JSON
    | DEBUG,
)
def plan_check(_: Context, plan: str, measure: bool = False, json: bool = False, debug: bool = False) -> None:
    """Check a plan, estimate it, fit it into its window.

    Tells everything that is wrong at once, with line numbers; then what the night will hold:

        inv plan-check research/plans/backbones.yaml
        inv plan-check backbones --measure
    """


@verb(
    "plan_render:plan_render",
    positional=["plan"],
    help={
        "plan": "a plan file, or the name of one in research/plans, given bare",
        "target": "bash, or slurm for an array script",
        "output": "where to write it; else scripts/<plan>.sh",
    }
    | JSON
    | DEBUG,
)
def plan_render(
    _: Context,
    plan: str,
    target: str = "bash",
    output: str | None = None,
    json: bool = False,
    debug: bool = False,
) -> None:
    """Write the script of a plan: inv plan-render PLAN."""


@verb("queue:status", name="queue-status", positional=["queue"], help=QUEUE | JSON | DEBUG)
def queue_status(_: Context, queue: str = "latest", json: bool = False, debug: bool = False) -> None:
    """Show a queue's jobs and their states."""


@verb(
    "queue:watch",
    name="queue-watch",
    positional=["queue"],
    help=QUEUE | {"every": "seconds between two looks"} | JSON | DEBUG,
)
def queue_watch(
    _: Context, queue: str = "latest", every: float = 2.0, json: bool = False, debug: bool = False
) -> None:
    """Watch a queue: job, epoch, loss, time left, GPU, disk."""


@verb(
    "queue:cancel",
    name="queue-cancel",
    positional=["job"],
    help={"job": "the job to drop, given bare", "queue": "of which queue; else the latest"} | JSON | DEBUG,
)
def queue_cancel(
    _: Context, job: str, queue: str = "latest", json: bool = False, debug: bool = False
) -> None:
    """Drop a job of a queue; a running one is stopped."""
