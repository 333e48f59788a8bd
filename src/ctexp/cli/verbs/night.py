"""The night: a plan, checked and rendered, and the queue that carries it out."""

from invoke.context import Context

from ctexp.cli.verb import verb
from ctexp.cli.verbs.flags import EXECUTOR, OVERWRITE, PLAN, QUEUE, RUNS


@verb(
    "plan_check:plan_check",
    positional=["plan"],
    help=PLAN
    | EXECUTOR
    | {"measure": "run `inv estimate` where nothing is known, and have every pretrained weight on disk"},
)
def plan_check(
    _: Context, plan: str, measure: bool = False, executor: str = "local", json: bool = False
) -> None:
    """Check a plan, estimate it, fit it into its window.

    Tells everything that is wrong at once, with line numbers; then what the night will hold:

        inv plan-check research/plans/backbones.yaml
        inv plan-check backbones --measure
    """


@verb(
    "plan_render:plan_render",
    positional=["plan"],
    help=PLAN
    | EXECUTOR
    | {
        "target": "bash or slurm, the same as --executor local or slurm",
        "output": "where to write it; else scripts/<plan>.sh",
    },
)
def plan_render(
    _: Context,
    plan: str,
    target: str | None = None,
    executor: str | None = None,
    output: str | None = None,
    json: bool = False,
) -> None:
    """Write the script of a plan: inv plan-render PLAN."""


@verb("queue:status", name="queue-status", positional=["queue"], help=QUEUE)
def queue_status(_: Context, queue: str = "latest", json: bool = False) -> None:
    """Show a queue's jobs and their states."""


@verb(
    "queue:watch",
    name="queue-watch",
    positional=["queue"],
    help=QUEUE | {"every": "seconds between two looks"},
)
def queue_watch(_: Context, queue: str = "latest", every: float = 2.0, json: bool = False) -> None:
    """Watch a queue: job, epoch, loss, time left, GPU, disk."""


@verb("queue:cancel", name="queue-cancel", positional=["job"], help=QUEUE | {"job": "the job to drop"})
def queue_cancel(_: Context, job: str, queue: str = "latest", json: bool = False) -> None:
    """Drop a job of a queue; a running one is stopped."""


@verb("diagnose:diagnose", iterable=["runs"], help=RUNS)
def diagnose(_: Context, runs: list[str] | None = None, json: bool = False) -> None:
    """Name the bottleneck, with its evidence."""


@verb(
    "plan:plan",
    positional=["name"],
    iterable=["override", "focus"],
    help=OVERWRITE
    | {
        "name": "of the plan: research/plans/NAME.yaml and NAME.md; else the next free night-N",
        "window": "8h, until 07:00, overnight, workday, weekend, or from 22:00 for 8h; else 8h",
        "focus": "architecture, training, data or sweep",
        "goal": "a metric to improve (val/miss_rate), a target (val/accuracy>=0.9), or words",
        "from": "begin with this run, name, cross-validation or queue, or confirm the best of this sweep",
        "explain": "show prior, data and posterior of every move; write nothing",
    },
)
def plan(
    _: Context,
    name: str = "",
    override: list[str] | None = None,
    window: str = "8h",
    focus: list[str] | None = None,
    goal: str = "",
    from_: str | None = None,
    explain: bool = False,
    overwrite: bool = False,
    json: bool = False,
) -> None:
    """Propose a plan from what has been learned.

    With no history it proposes the first night. Overrides say what every job has in common:

        inv plan --window overnight
        inv plan calibrated --focus training --goal val/ece
        inv plan data=phantom experiment=quickstart
    """
