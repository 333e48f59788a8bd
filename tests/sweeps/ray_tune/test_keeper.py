import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from ctexp.sweeps.agent.stopping import Stops
from ctexp.sweeps.agent.trial import Unfinished
from ctexp.sweeps.ray_tune.keeper import Line, carry_out
from ctexp.sweeps.trials import Taken, Told
from tests.sweeps.agent.benches import bench


class Actor:
    """The other end of a keeper's line."""

    def __init__(self) -> None:
        self.orders, self.to = os.pipe()
        self._heard, self.answers = os.pipe()
        self.line = Line(Stops(), self.orders, self.answers)

    def send(self, *messages: dict[str, Any]) -> None:
        os.write(self.to, b"".join(json.dumps(message).encode() + b"\n" for message in messages))

    def go(self) -> None:
        os.close(self.to)

    def heard(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in os.read(self._heard, 1 << 16).splitlines()]


@pytest.fixture
def actor() -> Actor:
    return Actor()


TRIAL = Taken(0, 0, 1, {"lr": 0.3})


def test_a_trial_is_told_as_it_goes_and_waits_for_an_answer_after_each_epoch(
    actor: Actor, tmp_path: Path
) -> None:
    actor.send({"prune": False}, {"prune": False}, {"prune": False})
    came = carry_out(bench(tmp_path), actor.line, TRIAL)
    assert isinstance(came, Told)
    assert (came.state, came.value) == ("finished", 0.3)
    began, *epochs = actor.heard()
    assert began["run"][0] == "s42"
    assert began["run"][1].startswith("tiny-t0_")
    assert [message["epoch"] for message in epochs] == [1, 2, 3]
    assert epochs[-1]["value"] == pytest.approx(0.3)


def test_left_behind_it_ends_pruned(actor: Actor, tmp_path: Path) -> None:
    actor.send({"prune": True})
    came = carry_out(bench(tmp_path), actor.line, TRIAL)
    assert isinstance(came, Told)
    assert came.state == "pruned"


def test_without_its_actor_the_training_is_saved_and_broken_off(actor: Actor, tmp_path: Path) -> None:
    its = bench(tmp_path, stops=actor.line)  # type: ignore[arg-type]  # all it asks for is whether to stop
    actor.send({"prune": False})
    threading.Timer(0.5, actor.go).start()
    came = carry_out(its, actor.line, Taken(0, 0, 1, {"lr": 0.3, "pause": 0.3}))
    assert isinstance(came, Unfinished)
    assert came.why == "the cluster has taken the place away"
    (run,) = tmp_path.glob("runs/tiny-t0_*")
    assert json.loads((run / "result.json").read_text())["state"] == "interrupted"
