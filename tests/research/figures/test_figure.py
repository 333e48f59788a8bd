"""Sources that contradict themselves are no sources."""

from typing import Any

import pytest
from pydantic import ValidationError

from ctexp.research.figures import Cited, Compared
from tests.record import samples


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"file": "b_2/result.json"}, "no file of the run a_1"),
        ({"file": "a_1/../b_2/result.json"}, "leads elsewhere"),
        ({"run": None, "file": "/etc/hosts"}, "leads elsewhere"),
        ({"key": ("splits", "test", "metrics", "macro_f1")}, "stays sealed"),
        ({"key": ("metrics", "test/macro_f1")}, "stays sealed"),
    ],
)
def test_a_cited_number_stands_in_a_file_of_its_run(changes: dict[str, Any], why: str) -> None:
    its = {
        "file": "a_1/result.json",
        "run": "a_1",
        "sha256": samples.HASH,
        "key": ("metrics", "val/macro_f1"),
    }
    assert Cited(**its)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match=why):
        Cited(**its | changes)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"files": {}}, "hashes the predictions of its runs"),
        ({"files": {"a_1": samples.HASH, "c_3": samples.HASH}}, "hashes the predictions of its runs"),
        ({"candidate": ("a_1",), "files": {"a_1": samples.HASH}}, "on both sides"),
        ({"metric": "accuracy"}, "none of the metrics"),
        ({"family": ("mcc", "bogus")}, "bogus is no metric"),
        ({"baseline": (), "candidate": (), "files": {}}, "has no runs"),
        ({"split": "test"}, "stays sealed"),
        ({"split": "../val"}, "leads elsewhere"),
        ({"baseline": ("../a",), "files": {"../a": samples.HASH, "b_2": samples.HASH}}, "leads elsewhere"),
    ],
)
def test_a_comparison_says_what_it_was_made_of(changes: dict[str, Any], why: str) -> None:
    its: dict[str, Any] = {
        "baseline": ("a_1",),
        "candidate": ("b_2",),
        "split": "val",
        "metric": "mcc",
        "files": {"a_1": samples.HASH, "b_2": samples.HASH},
        "family": ("mcc",),
        "alpha": 0.05,
        "verdict": "better",
    }
    assert Compared(**its)
    with pytest.raises(ValidationError, match=why):
        Compared(**its | changes)
