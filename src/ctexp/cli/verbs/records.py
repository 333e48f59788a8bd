"""What there is."""

from invoke.context import Context

from ctexp.cli.verb import verb
from ctexp.cli.verbs.flags import RUN, RUNS


@verb(
    "runs:runs",
    iterable=["tag"],
    help={
        "name": "only runs whose run.name has this in it",
        "tag": "only runs with this tag",
        "state": "only runs in this state: finished, interrupted, diverged, oom, timeout, pruned, failed, …",
        "sort": "started, duration, or a metric such as val/macro_f1",
        "limit": "how many at most; 0 for all",
    },
)
def runs(
    _: Context,
    name: str | None = None,
    tag: list[str] | None = None,
    state: str | None = None,
    sort: str = "started",
    limit: int = 20,
    json: bool = False,
) -> None:
    """List the runs, newest first."""


@verb("runs:show", positional=["run"], help=RUN)
def show(_: Context, run: str, json: bool = False) -> None:
    """Show one run or cross-validation: inv show RUN."""


@verb(
    "tracking:wandb_sync", positional=["run"], help={"run": f"{RUN['run']}; else every one that is offline"}
)
def wandb_sync(_: Context, run: str = "", json: bool = False) -> None:
    """Push runs tracked offline to Weights & Biases."""


@verb(
    "export_runs:export_runs",
    iterable=["runs"],
    help=RUNS
    | {
        "to": "the tracker: mlflow, tensorboard, wandb or comet",
        "url": "of MLflow: http://host:5000, or sqlite:////absolute/path.db; else runs/mlflow.db",
        "checkpoints": "the best weights too",
    },
)
def export_runs(
    _: Context,
    to: str | None = None,
    runs: list[str] | None = None,
    url: str | None = None,
    checkpoints: bool = False,
    json: bool = False,
) -> None:
    """Push ended runs to a tracker, from their directories."""
