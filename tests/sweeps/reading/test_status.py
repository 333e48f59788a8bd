"""How far a sweep has come, and how long the rest may take."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ctexp.core import clock
from ctexp.record.sweep import SweepProgress
from ctexp.sweeps.reading.opened import Opened
from ctexp.sweeps.reading.status import status
from ctexp.sweeps.trials import Row
from tests.sweeps.reading.samples import BEGIN, FILE, a_sweep, a_trial

MOMENT = BEGIN + timedelta(hours=1)


def working(number: int, agent: str, seconds_ago: float) -> Row:
    seen = clock.iso(MOMENT - timedelta(seconds=seconds_ago))
    return a_trial(number, {}, None, state="running", agent=agent, seen=seen)


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """Ten of forty trials, of a minute each; two at work, one silent for long."""
    ended = [a_trial(number, {}, 0.5, seconds=60.0) for number in range(6)]
    ended += [
        a_trial(6, {}, None, state="pruned", seconds=30.0),
        a_trial(7, {}, None, state="failed", seconds=5.0),
    ]
    ended += [a_trial(8, {}, 0.5, state="reused", seconds=60.0)]
    return a_sweep(tmp_path / "runs", [*ended, working(9, "a", 2), working(10, "b", 4), working(11, "c", 90)])


def test_trials_are_counted_and_the_rest_is_foretold_by_the_agents_that_live(opened: Opened) -> None:
    its = status(opened, MOMENT)
    assert (its.counts["finished"], its.counts["running"], its.counts["reused"]) == (6, 3, 1)
    assert (its.total, its.left) == (40, 31)
    assert its.spent == 6 * 60 + 30 + 5  # what was reused took no time
    assert its.usual == 60
    assert [agent.name for agent in its.agents if agent.lost] == ["c"]
    assert its.remaining == pytest.approx(31 * 60 / 2)
    assert its.over == ""


def test_a_budget_ends_it_before_its_trials_do(opened: Opened) -> None:
    short = replace(opened, sweep=opened.sweep.model_copy(update={"budget_seconds": 495.0}))
    assert status(short, MOMENT).remaining == pytest.approx((495 - 395) / 2)


def test_nothing_is_foretold_without_agents_or_of_one_trial(opened: Opened) -> None:
    still = replace(opened, rows=opened.rows[:9])
    assert status(still, MOMENT).remaining is None
    first = replace(opened, rows=(opened.rows[0], opened.rows[9]))
    assert status(first, MOMENT).remaining is None
    assert status(first, MOMENT).usual is None


def test_a_sweep_without_end_has_nothing_left_to_count(opened: Opened, tmp_path: Path) -> None:
    endless = a_sweep(tmp_path / "other", opened.rows, FILE.replace("run_cap: 40\n", ""))
    its = status(endless, MOMENT)
    assert (its.total, its.left, its.remaining) == (None, None, None)


def test_it_is_over_when_an_agent_said_so_or_nothing_is_left(opened: Opened, tmp_path: Path) -> None:
    told = SweepProgress(
        id=opened.sweep.id,
        counts={},
        seconds=0.0,
        updated=clock.iso(MOMENT),
        ended=clock.iso(MOMENT),
        why="the target is reached",
    )
    assert status(replace(opened, progress=told), MOMENT).over == "the target is reached"
    capped = a_sweep(tmp_path / "other", opened.rows[:9], FILE.replace("run_cap: 40", "run_cap: 9"))
    assert status(capped, MOMENT).over == "every trial has ended"
