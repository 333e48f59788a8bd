"""What a trouble costs: macro F1 with the errors taken away by hand, by scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from ctexp.planning.diagnosis.headroom import of_missed, of_pair
from tests.planning.diagnosis.made import table

LABEL = np.repeat([0, 1, 2, 3], [20, 10, 10, 20])


def called(*changes: tuple[slice, int]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """All right, but for these images, which are called another class."""
    found = LABEL.astype(np.int64).copy()
    for where, label in changes:
        found[where] = label
    return found


def macro_f1(calls: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> float:
    return float(f1_score(LABEL, calls, average="macro"))


def test_a_class_that_is_missed_costs_what_finding_it_like_the_others_would_bring() -> None:
    # Of class 2 two of ten are found, of the others nine of ten: seven more would be.
    ill = called((slice(0, 2), 3), (slice(20, 21), 0), (slice(30, 38), 0), (slice(40, 42), 0))
    well = called((slice(0, 2), 3), (slice(20, 21), 0), (slice(30, 31), 0), (slice(40, 42), 0))
    found = of_missed(table(LABEL, 5 * np.eye(4)[ill]), [2], recall=0.9)
    assert found == pytest.approx(macro_f1(well) - macro_f1(ill))
    assert found > 0.15


def test_a_pair_costs_what_it_would_bring_to_confuse_it_as_seldom_as_the_next() -> None:
    ill = called((slice(0, 8), 1), (slice(20, 24), 0), (slice(40, 43), 2))  # 8 + 4, the next pair 3
    well = called((slice(0, 2), 1), (slice(20, 21), 0), (slice(40, 43), 2))  # 2 + 1
    found = of_pair(table(LABEL, 5 * np.eye(4)[ill]), (0, 1), errors=3)
    assert found == pytest.approx(macro_f1(well) - macro_f1(ill))


def test_where_nothing_is_wrong_nothing_is_to_be_gained() -> None:
    right = table(LABEL, 5 * np.eye(4)[LABEL])
    assert of_missed(right, [2], recall=1.0) == 0.0
    assert of_pair(right, (0, 1), errors=0) == 0.0
