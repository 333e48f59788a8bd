"""Out of memory in the middle of a night: told in figures, or survived in smaller parts."""

import json
import os
import signal

import pytest
import torch
from torch import Tensor

from ctexp.record.checkpoint_files import LAST
from ctexp.record.manifest import Attempt
from ctexp.record.run_dir import RunDir
from tests.faults.runs import essence
from tests.faults.starts import at_step, train
from tests.project import TINY

pytestmark = pytest.mark.usefixtures("blank_pictures", "project")

HALVES = ("data.batch_size=3", "trainer.accumulate_grad_batches=2")


def too_many(images: int) -> object:
    """A step that has no memory for more than so many images at a time."""

    def act(losses: Tensor) -> Tensor:
        if len(losses) > images:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return losses

    return act


def terminate(losses: Tensor) -> Tensor:
    """A step in which somebody asks for an end."""
    os.kill(os.getpid(), signal.SIGTERM)
    return losses


def words(*changes: str) -> list[str]:
    """The tiny training with some values replaced."""
    keys = {change.partition("=")[0] for change in changes}
    return [word for word in TINY if word.partition("=")[0] not in keys] + list(changes)


def parts(run: RunDir) -> list[tuple[int, int, int]]:
    """Each deviation of a run: before, after, from which step on."""
    result = run.read().result
    assert result is not None
    return [(each.before, each.after, each.step) for each in result.deviations]


def test_the_hint_has_figures(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    at_step(monkeypatch, 5, too_many(0))
    code, run = train(*TINY)
    assert code == 10
    result = run.read().result
    assert result is not None
    assert result.error is not None
    assert (result.state, result.epochs) == ("oom", 1)
    assert result.error.message == "the GPU ran out of memory in step 5 with 6 images at a time"
    assert result.error.hint.startswith("try data.batch_size=3 trainer.accumulate_grad_batches=2: ")
    assert "GiB)" in result.error.hint
    assert result.error.hint in capsys.readouterr().err
    assert "OutOfMemoryError" in run.train_log.read_text()


def test_a_retry_is_what_was_configured_with_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing had been saved yet: the run begins again, as one of half the batch and twice as many."""
    with monkeypatch.context() as patch:
        at_step(patch, 2, too_many(3))
        code, retried = train(*TINY, "trainer.on_oom=retry", "run.name=retried")
    assert code == 0
    assert parts(retried) == [(1, 2, 0)]
    _, configured = train(*words(*HALVES))
    assert parts(configured) == []
    assert essence(retried) == essence(configured)
    result = retried.read().result
    assert result is not None
    assert any("in 2 parts a step instead of 1" in warning for warning in result.warnings)
    assert any("batch normalisation" in warning for warning in result.warnings)
    events = [json.loads(line) for line in retried.events.read_text().splitlines()]
    (deviation,) = (event for event in events if event["kind"] == "deviation")
    assert (deviation["what"], deviation["before"], deviation["after"]) == ("parts a step", 1, 2)
    assert Attempt.read(retried.attempt(1)).deviations == result.deviations


def test_a_resumed_run_keeps_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        at_step(patch, 6, too_many(3))
        _, whole = train(*TINY, "trainer.on_oom=retry", "run.name=whole")
        at_step(patch, 9, terminate)
        code, stopped = train(*TINY, "trainer.on_oom=retry", "run.name=stopped")
    assert code == 143
    assert parts(whole) == parts(stopped) == [(1, 2, 4)]
    code, resumed = train(resume=stopped.id)
    assert (code, resumed.id) == (0, stopped.id)
    assert parts(resumed) == [(1, 2, 4)]
    assert essence(resumed) == essence(whole)


def test_no_part_is_small_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network normalises over at least two images, and a step has eleven."""
    at_step(monkeypatch, 3, too_many(0))
    code, run = train(*words("data.batch_size=11"), "trainer.on_oom=retry")
    assert (code, run.state()) == (10, "oom")
    assert parts(run) == [(1, 2, 2), (2, 4, 2), (4, 5, 2)]
    result = run.read().result
    assert result is not None
    assert result.error is not None
    assert "with 3 images at a time" in result.error.message
    assert result.error.hint.startswith("try data.batch_size=")
    assert (result.epochs, (run.checkpoints / LAST).exists()) == (1, True)


def test_an_evaluation_has_a_batch_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("ctexp.training.kernel.module.Classifier.validation_step", exhausted)
    code, run = train(*TINY, "trainer.on_oom=retry", "data.eval_batch_size=8")
    result = run.read().result
    assert result is not None
    assert result.error is not None
    assert (code, result.error.hint, parts(run)) == (10, "try data.eval_batch_size=4", [])
