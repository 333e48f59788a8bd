"""The monitor on real trainings that were made sick on purpose, and on healthy ones."""

from pathlib import Path

import pytest

from tests.monitor.histories import HISTORIES, Bench, Verdict, looked, verdict
from tests.project import HERE


def test_the_guide_tells_of_every_history() -> None:
    guide = (HERE / "docs" / "monitor.md").read_text()
    assert [name for name in HISTORIES if f"| {name} |" not in guide] == []


def test_of_twenty_or_more_at_least_seven_are_healthy() -> None:
    assert len(HISTORIES) >= 20
    assert sum(not history.rules for history in HISTORIES.values()) >= 7


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_at_most_one_is_missed_and_one_alarmed_without_a_reason(tmp_path: Path) -> None:
    made: dict[str, Verdict] = {}
    for name, history in HISTORIES.items():
        bench = Bench(tmp_path / name, draw=1)
        history.build(bench)
        made[name] = verdict(history, looked(history, bench.project))

    assert len([name for name, one in made.items() if one.missed]) <= 1, made
    assert len([name for name, one in made.items() if one.false]) <= 1, made
