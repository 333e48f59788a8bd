"""Runs as the rules see them, of epochs and answers that a test makes up."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ctexp.core.classes import CLASSES
from ctexp.evaluation.health.facts import Facts
from ctexp.monitor.finding import Finding, Unknown
from ctexp.monitor.seen import Seen
from ctexp.record.run_dir import RunDir

COUNTS = {"train": (50, 50, 50, 50), "val": (30, 30, 30, 30)}
CALM = {"augment.horizontal_flip": 0.0, "model.dropout": 0.0, "averaging.name": "none"}
RUN = RunDir(Path("net_20261121-050417_ab2cd3"))


def rows(epochs: int, **columns: Any) -> list[dict[str, float | None]]:
    """A training that goes well, with other columns in its place; `val__loss` is `val/loss`."""
    t = np.arange(1, epochs + 1)
    learned = 1 - np.exp(-t / (0.25 * epochs))
    well: dict[str, Any] = {
        "epoch": t,
        "train/loss": 1.386 - 1.1 * learned,
        "train/accuracy": 0.25 + 0.62 * learned,
        "train/gradient_norm": 2.0,
        "train/gradient_norm_max": 4.0,
        "val/loss": 1.386 - 0.9 * learned,
        "val/accuracy": 0.25 + 0.55 * learned,
        "val/macro_f1": 0.24 + 0.55 * learned,
        "val/auroc": 0.5 + 0.45 * learned,
        "val/ece": 0.05 + 0.01 * np.sin(t),
        "learning_rate": 1e-3 * np.cos(1.5 * t / epochs),
        "seconds": 2.0,
        "images_per_second": 100.0,
        "input_seconds": 0.2,
    }
    well |= {f"val/recall_{name}": columns.get("val__accuracy", well["val/accuracy"]) for name in CLASSES}
    changed = well | {name.replace("__", "/"): values for name, values in columns.items()}
    shaped = {name: np.broadcast_to(np.asarray(values, float), epochs) for name, values in changed.items()}
    return [{name: float(values[i]) for name, values in shaped.items()} for i in range(epochs)]


def seen(history: list[dict[str, float | None]], **changes: Any) -> Seen:
    """A finished run with these epochs, whose training is not disturbed."""
    facts = Facts("val/macro_f1", COUNTS, len(history))
    return replace(Seen(RUN, "finished", None, None, CALM, history, facts), **changes)


def told(found: Any) -> dict[str, Finding]:
    """The findings that hold, by rule."""
    return {one.rule: one for one in found if isinstance(one, Finding) and not one.passed}


def unknown(found: Any) -> set[str]:
    """The rules of which nobody can tell."""
    return {one.rule for one in found if isinstance(one, Unknown)}
