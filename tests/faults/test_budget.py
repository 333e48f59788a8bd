"""`trainer.max_minutes`: a night that ends in time, on a checkpoint, evaluated, and can go on."""

from collections.abc import Callable
from functools import partial

import pytest
from torch import Tensor

from ctexp.training.kernel.budget import TimeBudget
from ctexp.training.kernel.checkpoints import newest
from tests.faults.runs import essence
from tests.faults.starts import at_step, train
from tests.project import TINY

pytestmark = pytest.mark.usefixtures("blank_pictures", "project")


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def passing(self, seconds: float) -> Callable[[Tensor], Tensor]:
        """Something for `at_step`: the step takes so long."""

        def act(losses: Tensor) -> Tensor:
            self.now += seconds
            return losses

        return act


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("ctexp.training.attempt.TimeBudget", partial(TimeBudget, now=clock))
    return clock


def test_time_is_over_in_the_middle_of_an_epoch(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, whole = train(*TINY)
    at_step(monkeypatch, 5, clock.passing(600))
    code, run = train(*TINY, "trainer.max_minutes=10")
    assert code == 124
    result = run.read().result
    assert result is not None
    assert result.error is not None
    assert (result.state, result.exit_code, result.epochs) == ("timeout", 124, 1)
    assert result.metrics["val/accuracy"].value is not None
    assert run.predictions("val").exists()
    assert "trainer.max_minutes=10 is used up after 10 min 00 s" in result.error.message
    assert f"scripts/inv train --resume {run.id}" in result.error.hint
    found = newest(run.checkpoints)
    assert found is not None
    assert (found.epoch, found.step) == (1, 6)
    assert result.error.hint in capsys.readouterr().err

    code, again = train(resume=run.id)
    assert (code, again.id) == (0, run.id)
    assert essence(again) == essence(whole)


def test_each_attempt_has_the_time_anew(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    at_step(monkeypatch, 1, clock.passing(60))
    at_step(monkeypatch, 6, clock.passing(60))
    _, run = train(*TINY, "trainer.max_minutes=1")
    result = run.read().result
    assert result is not None
    assert result.error is not None
    assert (result.state, result.metrics) == ("timeout", {})
    assert "no epoch was finished: there is nothing to evaluate" in result.error.message
    code, _ = train(resume=run.id)
    assert (code, run.state()) == (124, "timeout")
    code, _ = train(resume=run.id)
    assert (code, run.state()) == (0, "finished")


def test_time_that_is_over_with_the_last_epoch_ends_nothing(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_step(monkeypatch, 11, clock.passing(60))
    code, run = train(*TINY, "trainer.max_minutes=1")
    assert (code, run.state()) == (0, "finished")
