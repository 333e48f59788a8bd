"""What `evaluate` prints of a split: all metrics, those of each class, and cancer against normal."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from ctexp.cli.tables import plain
from ctexp.core import screen

_WHOLE = ("accuracy", "balanced_accuracy", "macro_f1", "mcc", "auroc", "auprc", "miss_rate")
_CALIBRATED = ("ece", "brier", "loss")
_OF_A_CLASS = {
    "recall": "sensitivity",
    "specificity": "specificity",
    "precision": "PPV",
    "npv": "NPV",
    "auroc": "AUROC",
    "auprc": "AUPRC",
}
_OF_CANCER = {"sensitivity": "sensitivity", "specificity": "specificity", "ppv": "PPV", "npv": "NPV"}


def show(run_id: str, summary: Mapping[str, Any], *, after_another: bool) -> None:
    """Print a split's summary as tables on stdout, and its notes on stderr.

    Args:
        run_id: the run's.
        summary: as it stands in `metrics.json`.
        after_another: whether something was printed before.
    """
    split = summary["split"]
    if after_another:
        print()
    print(f"{run_id}  {split}  {summary['n']} images; values with 95 % intervals")
    for table in (_metrics(summary), _classes(summary), _cancer(summary["cancer"])):
        print()
        screen.print_table(table)
    print()
    print(_cost(summary["speed"], summary["size"]))
    scaled = summary["calibrated"]
    if scaled is not None:
        how = f"logits divided by {scaled['temperature']:.3g}, fitted on {scaled['fitted_on']}"
        screen.note(f"{split}: calibrated by {how}")
    for line in [*summary["notes"], *(scaled["notes"] if scaled else []), *summary["cancer"]["notes"]]:
        screen.note(f"{split}: {line}")


def _metrics(summary: Mapping[str, Any]) -> Table:
    """The metrics over all classes, and what calibration makes of those that it changes."""
    split, scaled = summary["split"], summary["calibrated"]
    table = plain("metric", "value:", "", *(("calibrated:", "") if scaled else ()))
    for name in (*_WHOLE, *_CALIBRATED):
        full = f"{split}/{name}"
        after = scaled["metrics"].get(full) if scaled else None
        table.add_row(full, *_parts(summary["metrics"][full]), *(_parts(after) if after else ()))
    return table


def _classes(summary: Mapping[str, Any]) -> Table:
    heads = [part for said in _OF_A_CLASS.values() for part in (f"{said}:", "")]
    table = plain("class", "images:", *heads)
    for name, entries in summary["per_class"].items():
        cells = [part for metric in _OF_A_CLASS for part in _parts(entries[metric])]
        table.add_row(name.replace("_", " "), str(summary["support"][name]), *cells)
    return table


def _cancer(cancer: Mapping[str, Any]) -> Table:
    """Any cancer against normal: as answered, and at the threshold."""
    stated = cancer["prevalence"]
    where = f"as in the split, {cancer['share']:.3f}" if stated is None else f"of {stated:g}"
    heads = [part for said in _OF_CANCER.values() for part in (f"{said}:", "")]
    table = plain("cancer or normal", *heads)
    table.caption = f"PPV and NPV at a prevalence {where}"
    table.caption_justify = "left"
    table.add_row("as answered", *_four(cancer["answered"]))
    point = cancer["operating"]
    if point is not None:
        said = f"1 - p(normal) >= {point['threshold']:.4g}"
        table.add_row(f"{said}, specificity {point['specificity_asked']:g} on val", *_four(point))
    return table


def _four(entries: Mapping[str, Any]) -> list[str]:
    return [part for name in _OF_CANCER for part in _parts(entries[name])]


def _cost(speed: Mapping[str, Any], size: Mapping[str, Any]) -> str:
    views = f", {speed['views']} views each" if speed["views"] > 1 else ""
    return (
        f"{speed['images_per_second']:,.0f} images/s in batches of {speed['batch_size']}, "
        f"{speed['latency_ms']:.2f} ms for one image{views} ({speed['device']}, {speed['device_name']}); "
        f"{size['parameters']:,} parameters, checkpoint {size['checkpoint_bytes'] / 1e6:.1f} MB"
    )


def _parts(entry: Mapping[str, Any]) -> tuple[str, str]:
    """A value, and its interval."""
    value, low, high = entry["value"], entry["low"], entry["high"]
    interval = "" if low is None or high is None else f"{low:.3f}-{high:.3f}"
    return "-" if value is None else f"{value:.3f}", interval
