"""`research/decisions.jsonl`: lines are added, whole, and never over damage."""

from pathlib import Path

import pytest

from ctexp.core.errors import Busy, DataError
from ctexp.core.locks import FileLock
from ctexp.record import decisions
from ctexp.record.decisions import Decision, Gate, PrimaryFigures
from tests import judged
from tests.record import samples


def a_decision(candidate: str = "net") -> Decision:
    figures = PrimaryFigures(
        metric="macro_f1",
        baseline=0.8,
        candidate=0.9,
        difference=0.1,
        low=0.02,
        high=None,
        p_holm=0.01,
        verdict="better",
    )
    return Decision(
        time=samples.BEGIN,
        command="scripts/inv compare-baselines --candidate net",
        baseline="old",
        baseline_runs=("old_20261121-050417_ab2cd3",),
        candidate=candidate,
        candidate_runs=("net_20261121-050417_ab2cd3",),
        split="val",
        images=80,
        image_set=samples.HASH,
        alpha=0.05,
        decision="promote",
        primary=figures,
        gates=(Gate(name="no leakage", passed=True, evidence='a line "quoted"\nand broken'),),
        reason="it is better",
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "research" / "decisions.jsonl"


def test_lines_are_added_behind_those_there_are(file: Path) -> None:
    assert decisions.read(file) == []
    decisions.append(file, [a_decision("a"), a_decision("b")])
    before = file.read_bytes()
    decisions.append(file, [a_decision("c")])
    assert file.read_bytes().startswith(before)
    assert [one.candidate for one in decisions.read(file)] == ["a", "b", "c"]
    assert decisions.read(file)[0] == a_decision("a")
    assert len(file.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda lines: lines + b'{"schema_version":1', "line 3 is cut off in its middle"),
        (lambda lines: lines + b"garbage\n", "line 3 is no decision"),
        (lambda lines: b"<<<<<<< HEAD\n" + lines, "line 1 is no decision"),
        (lambda lines: lines[:-1], "line 2 is cut off in its middle"),
    ],
)
def test_a_damaged_file_is_refused_and_stays_as_it_is(file: Path, damage: object, told: str) -> None:
    decisions.append(file, [a_decision(), a_decision()])
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    before = file.read_bytes()
    refused = judged.refusal(lambda: decisions.append(file, [a_decision()]), DataError)
    assert told in refused
    assert "git checkout -- " in refused
    assert file.read_bytes() == before


def test_two_writers_do_not_lose_each_others_lines(file: Path) -> None:
    decisions.append(file, [a_decision()])
    with FileLock(file.with_name(".decisions.lock"), "the list"), pytest.raises(Busy):
        decisions.append(file, [a_decision()])
    assert len(decisions.read(file)) == 1
