import os
import threading
from collections.abc import Callable

import pytest

from ctexp.core.errors import UsageError
from ctexp.core.referee import VARIABLE, Message, Player, Watcher


def play(watcher: Watcher, act: Callable[[Player], None]) -> threading.Thread:
    """The training's side, on a descriptor of its own as a child has it."""
    player = Player("val/loss", os.dup(watcher.descriptor))
    watcher.passed()

    def training() -> None:
        act(player)
        os.close(player._descriptor)

    thread = threading.Thread(target=training)
    thread.start()
    return thread


def heard(watcher: Watcher) -> list[Message]:
    found: list[Message] = []
    while not found and not watcher.closed:
        found = watcher.read()
    return found


def test_each_message_is_told_and_answered_once() -> None:
    answers: list[bool] = []

    def training(player: Player) -> None:
        player.begin("net_20261121-050417_ab2cd3")
        answers.extend(player.epoch(epoch, value) for epoch, value in ((1, 0.5), (2, None), (3, 0.25)))

    told = []
    with Watcher("val/loss") as watcher:
        thread = play(watcher, training)
        for go_on in (True, True, True, False):
            told += heard(watcher)
            watcher.answer(go_on=go_on)
        thread.join()
    assert told == [
        Message(run="net_20261121-050417_ab2cd3"),
        Message(epoch=1, value=0.5),
        Message(epoch=2, value=None),
        Message(epoch=3, value=0.25),
    ]
    assert answers == [True, True, False]


def test_a_watcher_that_is_gone_stops_nobody() -> None:
    answers: list[bool] = []
    watcher = Watcher("val/loss")
    thread = play(watcher, lambda player: answers.extend(player.epoch(n, 0.1) for n in (1, 2)))
    assert heard(watcher)
    watcher.close()  # without an answer
    thread.join(5)
    assert answers == [True, True]


def test_a_training_that_is_gone_is_seen() -> None:
    with Watcher("val/loss") as watcher:
        watcher.passed()
        assert watcher.read() == []
        assert watcher.closed
        watcher.answer(go_on=True)


def test_without_a_watcher_there_is_nobody_to_tell_and_a_wrong_one_is_refused() -> None:
    assert Player.of({}) is None
    for said in ("", "x val/loss", "9999 val/loss", "1 val/loss"):
        if said:
            with pytest.raises(UsageError, match="no line to a watcher"):
                Player.of({VARIABLE: said})
