"""What a training is expected to cost, told before it begins; a long one asks whether it is meant."""

import json
from collections.abc import Iterator
from pathlib import Path

from ctexp.config.compose import compose
from ctexp.config.overrides import Override, parse
from ctexp.core import gpu, screen, yaml_file
from ctexp.core.dotted import flattened
from ctexp.core.errors import PreflightError, UsageError
from ctexp.planning import estimates
from ctexp.planning.past import Job
from ctexp.record.environment import computes_on
from ctexp.record.manifest import Estimate, command_line
from ctexp.training.order import Order

LONG_SECONDS = 600
"""A run that is expected to take longer says so before it begins."""

_KEPT_GROUPS = {"model", "data", "features", "paths"}
_KEPT_KEYS = {"trainer.accelerator", "trainer.precision"}
_SMOKE_DECIDES = {"data.sample", "data.batch_size", "data.eval_batch_size"}


def job_of(order: Order) -> Job:
    """What an order has to do, for an estimate.

    The configuration is dumped, not read: a key that only the estimate looked at would count as used.
    """
    document = order.settings.model_dump(mode="json")
    train, val = (len(order.selection.rows[split]) for split in ("train", "val"))
    return Job.of(document, computes_on(document["trainer"]["accelerator"]), train, val)


def cost(estimate: Estimate, accelerator: str) -> str:
    """An estimate in a line; see `estimates.cost`."""
    return estimates.cost(estimate, on_gpu=accelerator != "cpu" and bool(gpu.detect_gpus().gpus))


def heed_cost(order: Order, estimate: Estimate, yes: bool) -> None:
    """Say what a long run costs and what to try first; on a terminal ask whether to go on.

    Raises:
        PreflightError: the person asked said no.
    """
    if estimate.seconds <= LONG_SECONDS:
        return
    what = f"this run takes {cost(estimate, order.settings.trainer.accelerator)} ({estimate.basis})"
    smoke = smoke_test(order)
    screen.note(f"{what}\ntry it first, in a minute or two: {smoke}" if smoke else what)
    if not yes and screen.can_ask() and not screen.ask("Train now?"):
        raise PreflightError(what, f"try it first: {smoke}" if smoke else "")


def smoke_test(order: Order) -> str:
    """The command that tries the same network, images and device in a minute; empty for what is that test."""
    overrides, _ = parse(order.overrides)
    if any((override.key, override.value) == ("experiment", "smoke") for override in overrides):
        return ""
    typed = [
        override.text
        for override in overrides
        if (override.key.partition(".")[0] in _KEPT_GROUPS and override.key not in _SMOKE_DECIDES)
        or override.key in _KEPT_KEYS
    ]
    theirs = [word for override in overrides for word in _of_experiment(override, order.root)]
    known = {word.partition("=")[0] for word in typed}
    kept = [*(word for word in theirs if word.partition("=")[0] not in known), *typed]
    try:
        compose(["experiment=smoke", *kept], order.root)
    except UsageError:  # what was left out was needed: the test in its own words, then
        kept = []
    return command_line("train", ["experiment=smoke", *kept])


def _of_experiment(override: Override, root: Path) -> Iterator[str]:
    """What an experiment says of network and images, as words: a smoke test has another in its place."""
    if override.key != "experiment":
        return
    says = dict(yaml_file.read_mapping(root / "conf" / "experiment" / f"{override.value}.yaml"))
    for default in says.pop("defaults", []):
        for group, name in default.items() if isinstance(default, dict) else ():
            if (group := group.rpartition("/")[2]) in _KEPT_GROUPS:
                yield f"{group}={name}"
    for key, value in flattened(says).items():
        if key.partition(".")[0] in _KEPT_GROUPS and key not in _SMOKE_DECIDES:
            yield f"{key}={json.dumps(value)}"
