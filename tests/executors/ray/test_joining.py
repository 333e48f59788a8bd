"""Words for who has no cluster."""

from typing import Any

import pytest

from ctexp.core.errors import PreflightError
from ctexp.executors.ray import joining


def test_who_has_no_cluster_is_told_how_to_start_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(**_: Any) -> None:
        raise ConnectionError("Could not find any running Ray instance.")

    monkeypatch.setattr("ray.init", init)
    with pytest.raises(PreflightError) as caught:
        joining.join("auto", "the Ray cluster auto")
    assert caught.value.lines() == [
        "PreflightError: no Ray cluster runs here (address: auto) -> start one: .venv/bin/ray start --head; "
        "or set RAY_ADDRESS"
    ]
