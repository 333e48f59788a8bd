"""What trains, and what that will cost."""

from invoke.context import Context

from ctexp.cli.verb import verb


@verb(
    "train:train",
    warm=True,
    iterable=["override"],
    help={
        "cfg": "print the resolved configuration and stop",
        "dry-run": "check it and say what it would be and cost; make nothing",
        "resume": "go on with one: its id or its beginning, or latest",
    },
)
def train(
    _: Context,
    override: list[str] | None = None,
    cfg: bool = False,
    dry_run: bool = False,
    resume: str | None = None,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Train one model and write its record.

    Overrides stand bare, in Hydra's grammar; conf/ shows every choice:

        inv train model=resnet50 data.batch_size=32
        inv train data=phantom model=tiny_cnn trainer.max_epochs=3 --cfg
        inv train --resume latest
    """


@verb("estimate:estimate", iterable=["override"])
def estimate(_: Context, override: list[str] | None = None, json: bool = False) -> None:
    """Predict minutes, memory and disk of a training."""


@verb(
    "cross_validate:cross_validate",
    iterable=["override"],
    help={
        "seeds": "how many seeds of each fold, counted up from seed",
        "dry-run": "check it and say what it would be and cost; make nothing",
        "resume": "go on with one: its id or its beginning, or latest",
    },
)
def cross_validate(
    _: Context,
    override: list[str] | None = None,
    seeds: int = 1,
    dry_run: bool = False,
    resume: str | None = None,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Train every fold and judge all images out of fold."""


@verb(
    "prune:prune",
    help={
        "older-than": "only runs that ended so long ago: 12h, 2w; else 7d",
        "keep": "runs of each run.name, best first, whose weights stay; else 1",
        "apply": "delete; without it only what would be deleted is told",
    },
)
def prune(_: Context, older_than: str = "7d", keep: int = 1, apply: bool = False, json: bool = False) -> None:
    """Thin the checkpoints of old runs."""
