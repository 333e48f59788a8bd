import json
from pathlib import Path

import pytest

from ctexp.research.places import Places
from ctexp.research.runner.logbook import FILE
from tests.research.runner.desks import Said, order
from tests.research.running.carried import artifacts, carried

GOOD = """
def e_spread(runner):
    made = runner.count(3)
    runner.results.save_artifact("a.txt", "a")
    return {"finding": f"There are {made}, and {runner.count(4)}.", "metrics": {"made": made}}
"""


def test_what_a_handler_found_is_its_answer(tmp_path: Path) -> None:
    answer = carried(tmp_path, GOOD)
    assert (answer.state, answer.function, answer.error, answer.stub) == (
        "completed",
        "e_spread",
        None,
        False,
    )
    assert answer.metrics["made"].value == 3
    assert [figure.value for figure in answer.cited] == [4]
    assert {mark: figure.value for mark, figure in answer.by_mark().items()} == {
        answer.metrics["made"].mark: 3,
        answer.cited[0].mark: 4,
    }
    assert answer.finding.startswith("There are 3[^")
    assert [one.name for one in answer.artifacts] == artifacts(tmp_path) == ["a.txt"]
    assert answer.basis == order(tmp_path).basis


@pytest.mark.parametrize(
    ("body", "kind", "message", "hint"),
    [
        ("raise KeyError('no such column')", "KeyError", "'no such column'", "spread.py:2: raise KeyError"),
        ("raise SystemExit(0)", "SystemExit", "called sys.exit(0) instead of returning", "return {…}"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", "without a word", "spread.py:2"),
        ("return {'finding': 3}", "BadReturn", "finding: a sentence is expected, got 3", "return {"),
        ("pass", "BadReturn", "the handler returned nothing", "return {"),
        ("import no_such_thing", "ModuleNotFoundError", "No module named", "no_such_thing is not installed"),
        ("runner.results.save_artifact('x', bytes(2**24))", "UsageError", "x: 16.0 MB", "save less"),
        ("e_spread(runner)", "RecursionError", "maximum recursion depth", "calls itself"),
        ("runner.figure('net_1', 'val/macro_f1')", "DataError", "no runs yet", "make one"),
    ],
)
def test_a_handler_that_fails_is_told_with_where_and_what_to_do(
    tmp_path: Path, body: str, kind: str, message: str, hint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = carried(tmp_path, f"def e_spread(runner):\n    {body}\n")
    assert answer.error is not None
    assert (answer.state, answer.error.kind) == ("failed", kind)
    assert message in answer.error.message
    assert hint in answer.error.hint
    assert not answer.metrics
    trace = answer.error.traceback
    assert trace.startswith("Traceback")
    assert "Carrying" not in trace
    assert kind in capfd.readouterr().err  # the log has all of it


def test_a_file_that_cannot_be_imported_is_a_failed_answer(tmp_path: Path) -> None:
    answer = carried(tmp_path, "def e_spread(runner)\n")
    assert answer.error is not None
    assert (answer.error.kind, answer.function) == ("SyntaxError", "")
    assert answer.error.hint == "look at research/handlers/noise/spread.py:1: def e_spread(runner)"


def test_what_was_saved_before_a_failure_is_told(tmp_path: Path) -> None:
    answer = carried(tmp_path, GOOD.replace("return {", "1 / 0\n    return {"))
    assert answer.error is not None
    assert answer.error.kind == "ZeroDivisionError"
    assert [one.name for one in answer.artifacts] == ["a.txt"]


def test_a_message_as_long_as_an_array_is_cut(tmp_path: Path) -> None:
    answer = carried(tmp_path, "def e_spread(runner):\n    raise ValueError('x' * 1_000_000)\n")
    assert answer.error is not None
    assert len(answer.model_dump_json()) < 100_000


def test_a_stub_run_calls_nothing_and_writes_apart(tmp_path: Path) -> None:
    declared = "STUB = {'finding': 'fine', 'metrics': {'made': 0.9, 'low': (0.5, 0.4, 0.6)}}\n"
    said = Said()
    answer = carried(tmp_path, f"{declared}def e_spread(runner):\n    1 / 0\n", said, stub=True)
    assert (answer.state, answer.stub) == ("completed", True)
    assert answer.finding == "Made up, to try the wiring: fine"
    assert {name: figure.value for name, figure in answer.metrics.items()} == {"made": 0.9, "low": 0.5}
    assert artifacts(tmp_path) == ["stub.json"]
    assert not Places(tmp_path).results.exists()
    (line,) = (Path(order(tmp_path).folder) / FILE).read_text().splitlines()
    assert json.loads(line)["e_spread/low"] == 0.5


def test_a_tracker_that_fails_fails_nothing(tmp_path: Path) -> None:
    said = Said()  # this project has no configuration that could name one
    text = "def e_spread(runner):\n    runner.log_metrics({'a': 1})\n    return {'finding': 'logged'}\n"
    assert carried(tmp_path, text, said).state == "completed"
    assert any("the tracker is not told" in line for line in said)
