import json
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ctexp.core.referee import VARIABLE, Message, Watcher
from ctexp.record.history import read as read_history
from ctexp.record.prune import Rules, plan
from tests.faults.starts import train
from tests.project import TINY

pytestmark = pytest.mark.usefixtures("blank_pictures")


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch, stop_after: int) -> Iterator[list[Message]]:
    """A watcher of the trainings of this process, which lets them go on for so many epochs."""
    told: list[Message] = []
    over = threading.Event()

    def answer() -> None:
        while not over.is_set():
            if select.select([watcher], [], [], 0.05)[0]:
                for message in watcher.read():
                    told.append(message)
                    watcher.answer(go_on=message.epoch < stop_after)

    with Watcher("val/macro_f1") as watcher:
        monkeypatch.setenv(VARIABLE, watcher.variables[VARIABLE])
        thread = threading.Thread(target=answer)
        thread.start()
        yield told
        over.set()
        thread.join()
    monkeypatch.delenv(VARIABLE)


def test_a_training_that_is_told_to_stop_is_pruned_and_can_be_gone_on_with(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with watched(monkeypatch, stop_after=2) as told:
        code, run = train(*TINY)
    result = run.read().result
    assert result is not None
    assert (code, result.state, result.exit_code, result.metrics) == (12, "pruned", 12, {})
    assert result.error is not None
    assert result.error.message.startswith("behind the other trials after epoch 2, with val/macro_f1")
    assert told[0].run == run.id
    history = [(row["epoch"], row["val/macro_f1"]) for row in read_history(run.history)]
    assert [(one.epoch, one.value) for one in told[1:]] == history
    assert len(history) == 2
    assert not run.metrics.exists()  # it is not measured

    later = datetime.now(UTC) + timedelta(days=9)
    (doomed,) = plan(
        project / "runs", project / "baselines.json", Rules(timedelta(days=7), "7d", keep=1), later
    ).thinnings
    assert {file.name for file in doomed.files} == {"checkpoints/best.ckpt", "checkpoints/last.ckpt"}

    with watched(monkeypatch, stop_after=3) as told:
        code, same = train(resume=run.id)
    assert same.id == run.id
    assert code == 0  # to stop after the last epoch would save nothing
    assert [one.epoch for one in told[1:]] == [1, 2, 3]  # what it had come to before is told again
    assert json.loads(run.result.read_text())["state"] == "finished"
