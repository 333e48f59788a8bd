"""The training that every way of carrying out trials calls: a whole run with its whole record, tiny."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.project import TINY

WORDS = (*(word for word in TINY if not word.startswith("logger=")), "logger=csv")
"""Overrides that all trials have in common."""

KEY = "optimizer.weight_decay"
"""What a trial chooses."""

FITS = "CTEXP_BENCHMARK_FITS"
"""Environment variable: the file that gets the seconds of each training's fit."""


def decay(number: int) -> float:
    """What a trial chooses, by its number."""
    return (number + 1) / 1000


def own(number: int) -> tuple[str, str]:
    """A trial's own overrides."""
    return f"{KEY}={decay(number)}", f"run.name=t{number:03d}"


def train(number: int) -> float:
    """What `inv train` does, in this process.

    Returns:
        The best epoch's validation metric.
    """
    from ctexp.cli.train import start
    from ctexp.config.compose import compose

    root = Path(os.environ["CTEXP_ROOT"])
    composed = compose((*WORDS, *own(number)), root)
    with _last_fit_told():
        start(root, composed, dry_run=False, yes=True, json=False)
    (result,) = root.glob(f"runs/t{number:03d}_*/result.json")
    value: float = json.loads(result.read_bytes())["metrics"]["val/macro_f1"]["value"]
    return value


@contextmanager
def _last_fit_told() -> Iterator[None]:
    """Write down what the last `fit` of Lightning's takes; those before it are a try of a few steps."""
    import pytorch_lightning as pl

    usual, seconds = pl.Trainer.fit, 0.0

    def timed(*arguments: Any, **options: Any) -> None:
        nonlocal seconds
        began = time.perf_counter()
        usual(*arguments, **options)
        seconds = time.perf_counter() - began

    pl.Trainer.fit = timed  # type: ignore[method-assign]
    try:
        yield
    finally:
        pl.Trainer.fit = usual  # type: ignore[method-assign]
    with Path(os.environ[FITS]).open("a") as file:
        file.write(f"{seconds}\n")
