"""Metric names, their directions and their old spellings."""

import pytest

from ctexp.core.errors import UsageError
from ctexp.core.metric_names import METRICS, canonical, higher_is_better


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("val_acc", "val/accuracy"),
        ("val_loss", "val/loss"),
        ("val/acc", "val/accuracy"),
        ("val_f1", "val/macro_f1"),
        ("test_recall_normal", "test/recall_normal"),
        ("train/loss", "train/loss"),
    ],
)
def test_old_spellings(written: str, name: str) -> None:
    assert canonical(written) == name


def test_every_metric_is_its_own_name_and_has_a_direction() -> None:
    for name, end in METRICS.items():
        assert canonical(f"val/{name}") == f"val/{name}"
        assert higher_is_better(f"val/{name}") == (end == "max")
    assert {name for name, end in METRICS.items() if end == "min"} == {"loss", "miss_rate", "ece", "brier"}


@pytest.mark.parametrize("name", ["accuracy", "val", "val/", "val/accuracyy", "dev/loss", ""])
def test_no_metric(name: str) -> None:
    with pytest.raises(UsageError, match="is no metric; "):
        canonical(name)
