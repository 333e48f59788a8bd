"""Orders that somebody has changed are refused, or can be counted with; never believed halfway."""

import json
from pathlib import Path
from typing import Any

import pytest

from ctexp.core.errors import DataError
from ctexp.queue import __main__ as program
from ctexp.queue.folder import QueueDir
from ctexp.queue.looking.status import look
from ctexp.queue.orders import Cost
from tests.queue.written import Writer, based, gated, job, queue

WRONG: list[Any] = [None, -1, 10**400, float("nan"), "x", [1], {"a": None}]


@pytest.fixture
def begun(tmp_path: Path) -> QueueDir:
    made = queue(tmp_path, [job("a"), gated("b", "a"), based("c", "a")], {"a-s1": Cost(10.0, 20.0)})
    writer = Writer(made)
    writer.begin()
    writer.done("a-s1")
    return made


def test_whatever_a_value_is_a_look_at_it_answers(begun: QueueDir) -> None:
    document = json.loads(begun.orders.read_text())
    places = [(document, key) for key in document]
    places += [(document["jobs"][1], key) for key in document["jobs"][1]]
    places += [(document["costs"]["a-s1"], key) for key in document["costs"]["a-s1"]]
    refused = 0
    for owner, key in places:
        before = owner[key]
        for owner[key] in WRONG:
            begun.orders.write_text(json.dumps(document))
            try:
                look(begun).document()
            except DataError:
                refused += 1
        owner[key] = before
    assert refused > len(places)


def test_a_program_that_no_night_has_started_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CTEXP_QUEUE_DIR", raising=False)
    for words in (["next"], ["base", "a-s1"], ["run", "a-s1", "--", "inv", "train"], ["hold", "a-s1"]):
        assert program.main(words) == 2
        assert "no night has started this program" in capsys.readouterr().err
