"""What there is."""

from invoke.context import Context

from ctexp.cli.verb import verb
from ctexp.cli.verbs.flags import DEBUG, JSON


@verb(
    "runs:runs",
    iterable=["tag"],
    help={
        "name": "only runs whose run.name has this in it",
        "tag": "only runs with this tag; may be repeated",
        "state": "only runs in this state: finished, interrupted, diverged, oom, timeout, pruned, failed, …",
        "sort": "started, duration, or a metric such as val/macro_f1",
        "limit": "how many at most; 0 for all",
    }
    | JSON
    | DEBUG,
)
def runs(
    _: Context,
    name: str | None = None,
    tag: list[str] | None = None,
    state: str | None = None,
    sort: str = "started",
    limit: int = 20,
    json: bool = False,
    debug: bool = False,
) -> None:
    """List the runs, newest first."""


@verb(
    "runs:show",
    positional=["run"],
    help={"run": "a run, a name, best, baseline, latest or a cross-validation, given bare"} | JSON | DEBUG,
)
def show(_: Context, run: str, json: bool = False, debug: bool = False) -> None:
    """Show one run or cross-validation: inv show RUN."""


@verb("tracking:wandb_sync", help={"run": "one run alone, instead of every offline one"} | JSON | DEBUG)
def wandb_sync(_: Context, run: str | None = None, json: bool = False, debug: bool = False) -> None:
    """Push runs tracked offline to Weights & Biases."""


@verb(
    "export_runs:export_runs",
    iterable=["runs"],
    help={
        "to": "the tracker: mlflow, tensorboard, wandb or comet",
        "runs": "a run, a name, a cross-validation or a sweep; may be given again; else all",
        "url": "of MLflow: http://host:5000, or sqlite:////absolute/path.db; else runs/mlflow.db",
        "checkpoints": "the best weights too",
    }
    | JSON
    | DEBUG,
)
def export_runs(
    _: Context,
    to: str | None = None,
    runs: list[str] | None = None,
    url: str | None = None,
    checkpoints: bool = False,
    json: bool = False,
    debug: bool = False,
) -> None:
    """Push ended runs to a tracker, from their directories."""
