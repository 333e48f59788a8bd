"""What is guessed of trainings that nobody has timed."""

from types import SimpleNamespace
from typing import Any

import pytest

from ctexp.planning.past import Past
from ctexp.planning.proposal import lengths as module
from ctexp.planning.proposal.lengths import Lengths, Took
from ctexp.planning.schedule.costs import START_SECONDS
from ctexp.planning.schedule.measurements import Measurements


@pytest.fixture
def lengths(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Lengths:
    """Those of a project whose incumbent took 200 s for a hundred epochs at 96 pixels, and 10 s besides."""
    monkeypatch.setattr(module, "estimate_of", lambda *_: None)
    monkeypatch.setattr(Lengths, "_job", lambda *_: None)
    monkeypatch.setattr(Past, "load", lambda _: Past((smoke(11.0), smoke(9.0), smoke(10.0))))
    monkeypatch.setattr(Measurements, "load", lambda _: None)
    took = Took(200.0, 10.0, {"trainer.max_epochs": 100, "data.image_size": 96})
    return Lengths(tmp_path, of(100, 96), SimpleNamespace(train=600, val=100, trainings=1), [took])  # type: ignore[arg-type]


def smoke(seconds: float) -> Any:
    return SimpleNamespace(seconds=seconds, job=SimpleNamespace(kind=(), epochs=1, train=64))


def of(epochs: int, side: int, sample: int | None = None) -> dict[str, Any]:
    return {
        "trainer": {"max_epochs": epochs},
        "data": {"image_size": side, "sample": sample},
        "logger": {"name": "none"},
    }


def test_a_guess_goes_with_epochs_and_pixels(tmp_path: Any, lengths: Lengths) -> None:
    assert lengths.of(of(100, 96)).p50 == START_SECONDS + 210
    assert lengths.of(of(50, 48)).p50 == pytest.approx((START_SECONDS + 210) / 8)
    assert lengths.of(of(100, 96), 1.5).p50 == pytest.approx(1.5 * (START_SECONDS + 210))

    took = Took(200.0, 10.0, {"trainer.max_epochs": 100, "data.image_size": 96})
    images = SimpleNamespace(train=600, val=100, trainings=1)
    short = Lengths(tmp_path, of(6, 48), images, [took])  # type: ignore[arg-type]
    assert short.of(of(6, 48)).p50 == pytest.approx(START_SECONDS + 10 + 200 * 0.06 / 4)
    assert short.of(of(6, 48)).assumed


def test_a_smoke_job_is_guessed_by_smoke_runs(lengths: Lengths) -> None:
    assert lengths.trial(of(1, 48, sample=64)) == START_SECONDS + 10
    assert lengths.trial(of(2, 48, sample=64)) is None
