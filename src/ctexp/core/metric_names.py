"""The metrics' names, which way each is better, and the old spellings people bring along.

A metric is `<split>/<name>`, for example `val/macro_f1`. The names are those of `METRICS`; every split has
all of them. Of a class, `recall` is what clinicians call sensitivity, `precision` the positive predictive
value (PPV) and `npv` the negative one.
"""

from ctexp.core.classes import CLASSES, SPLITS
from ctexp.core.errors import UsageError
from ctexp.core.names import did_you_mean

METRICS: dict[str, str] = {
    "loss": "min",
    "accuracy": "max",
    "balanced_accuracy": "max",
    "macro_f1": "max",
    "mcc": "max",
    "auroc": "max",
    "auprc": "max",
    **{
        f"{kind}_{name}": "max"
        for kind in ("precision", "npv", "recall", "specificity", "f1")
        for name in CLASSES
    },
    "miss_rate": "min",
    "ece": "min",
    "brier": "min",
}
"""Name without its split -> `min` or `max`, whichever is the better end."""

_ALIASES = {"acc": "accuracy", "f1": "macro_f1", "auc": "auroc"}


def canonical(metric: str) -> str:
    """The one spelling of a metric: `val_acc`, `val/acc` and `val_accuracy` are `val/accuracy`.

    Raises:
        UsageError: there is no metric of that name; the nearest one is named.
    """
    for split in SPLITS:
        for separator in ("/", "_"):
            if metric.startswith(split + separator):
                name = metric.removeprefix(split + separator)
                name = _ALIASES.get(name, name)
                if name in METRICS:
                    return f"{split}/{name}"
    hint = did_you_mean(metric, [f"{split}/{name}" for split in SPLITS for name in METRICS])
    raise UsageError(
        f"{metric!r} is no metric; {hint or 'metrics are <split>/<name>, for example val/macro_f1'}"
    )


def higher_is_better(metric: str) -> bool:
    """Whether the larger value of `val/macro_f1` or the like is the better one.

    Raises:
        UsageError: there is no such metric.
    """
    return METRICS[canonical(metric).partition("/")[2]] == "max"
