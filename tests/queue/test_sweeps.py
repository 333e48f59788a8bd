"""A job that is a sweep: found, waited for, gone on with, told, and its best begun with."""

import fcntl
import json
from pathlib import Path
from typing import Any

import pytest

from ctexp.core import clock
from ctexp.core.errors import Busy
from ctexp.planning.packing.pack import Length
from ctexp.queue import left, measured
from ctexp.queue import settle as settling
from ctexp.queue.attempting.beginning import beginning
from ctexp.queue.attempting.finished import finished_words
from ctexp.queue.deciding.decide import decision
from ctexp.queue.deciding.renewed import lengths
from ctexp.queue.deciding.verdicts import Decide
from ctexp.queue.ending import ending
from ctexp.queue.looking.status import look
from ctexp.queue.morning.page import render
from ctexp.queue.orders import Cost, Orders
from ctexp.queue.state import fold
from ctexp.record.manifest import Origin
from ctexp.record.sweep import BestTrial, Sweep, SweepDir, SweepProgress
from tests.judged import a_run
from tests.queue.morning.nights import Written, of
from tests.queue.written import HASH, Writer, based, job, queue

FLAGS = ("--config=lr", "--budget=30m", "--work", "--no-pilot")
SWEEP = job("lr", verb="sweep", own=("augment=none",), flags=FLAGS, budget_seconds=1800.0)
PLAN = """
baseline: plain
seeds: [1]
experiments:
  plain: {}
  lr: {kind: sweep, sweep: lr, budget: 30m, hypothesis: Some rate is best.}
  best:
    base: {best_of: [lr]}
    seeds: [2]
    success: {metric: val/macro_f1, better_than: baseline}
"""


def a_sweep(runs: Path, queue_id: str, **changes: Any) -> SweepDir:
    """The folder of a sweep of a queue's job."""
    place = SweepDir.create(runs, "night-lr")
    fields: dict[str, Any] = {
        "id": place.id,
        "name": "night-lr",
        "created": clock.iso(clock.now()),
        "command": "scripts/inv sweep --config=lr",
        "file": "conf/sweep/lr.yaml",
        "file_sha256": HASH,
        "overrides": ("data.name=tiny",),
        "common": ("optimizer=sgd",),
        "method": "grid",
        "metric": "val/macro_f1",
        "goal": "maximize",
        "backend": "optuna",
        "config_sha256": HASH,
        "dataset": "tiny",
        "catalog_sha256": HASH,
        "seed": 1,
        "origin": Origin(plan="night", queue=queue_id, job="lr-s1"),
    }
    Sweep(**fields | changes).write(place.record)
    return place


def came(place: SweepDir, *, best: BestTrial | None = None, why: str = "", **counts: int) -> None:
    """Write down how far it has come."""
    now = clock.iso(clock.now())
    SweepProgress(
        id=place.id, counts=counts, seconds=60.0, best=best, updated=now, ended=now if why else None, why=why
    ).write(place.progress)


def trials(runs: Path, place: SweepDir, *skills: float) -> BestTrial:
    """Whole runs of its first trial, a seed each."""
    origin = Origin(queue="q", job="lr-s1", parent=place.id)
    found = [a_run(runs, "night-lr-t0", 7 + n, skill=skill, origin=origin) for n, skill in enumerate(skills)]
    return BestTrial(
        number=0, overrides=("optimizer.lr=0.01",), value=0.5, runs=tuple(one.id for one in found)
    )


def test_what_it_says_of_itself(tmp_path: Path) -> None:
    one = queue(tmp_path, [SWEEP])
    place, other = a_sweep(tmp_path, one.id), a_sweep(tmp_path, "another")
    there = left.names(tmp_path, SWEEP)
    assert there == {place.id, other.id}
    assert left.made(tmp_path, SWEEP, one.id, there) == place.id
    assert left.resumable(tmp_path, SWEEP, place.id)

    begun = left.look(tmp_path, SWEEP, place.id)
    assert (begun.state, begun.mark, begun.seed) == (None, None, 1)
    came(place, finished=0, failed=3, why="the grid is done")
    lost = left.look(tmp_path, SWEEP, place.id)
    assert (lost.state, lost.message) == ("failed", "no trial of it has finished: 3 failed")
    assert ending(12, None, "", lost).cause == "other"

    best = trials(tmp_path, place, 2.0, 0.5)
    came(place, best=best, finished=1)
    assert left.look(tmp_path, SWEEP, place.id).state is None
    came(place, best=best, finished=1, why="budget")
    over = left.look(tmp_path, SWEEP, place.id)
    assert (over.state, ending(0, None, "", over).state) == ("finished", "done")
    seeds = [measured.value(tmp_path, run, "val/macro_f1") for run in best.runs]
    values = [seed["value"] for seed in seeds if seed]
    told = over.metrics["val/macro_f1"]
    assert told["value"] == pytest.approx(sum(v for v in values if v) / 2)
    assert told["low"] == min(seed["low"] for seed in seeds if seed)  # type: ignore[type-var]
    assert told["high"] == max(seed["high"] for seed in seeds if seed)  # type: ignore[type-var]
    assert over.since(over.mark).state is None


def test_its_best_is_begun_with(tmp_path: Path) -> None:
    plain = job("plain", own=("model.dropout=0.5",))
    one = queue(tmp_path, [SWEEP, plain, based("best", "lr", "plain")])
    place = a_sweep(tmp_path, one.id)
    came(place, best=trials(tmp_path, place, 3.0), finished=4, why="the grid is done")
    writer = Writer(one)
    writer.done("lr-s1", run=place.id)
    writer.done("plain-s1", run=a_run(tmp_path, "night-plain", 1, skill=0.1).id)
    orders = Orders.read(one.orders)
    decided = decision(orders, fold(orders, writer.journal.read()), Decide("base", "best"))
    assert decided["winner"] == "lr"
    assert decided["words"] == ["augment=none", "optimizer=sgd", "optimizer.lr=0.01"]
    argv = ["inv", "sweep-report", "--sweep", "night-lr"]
    assert finished_words(orders, fold(orders, writer.journal.read()), argv)[0] == [*argv[:3], place.id]


def test_it_is_gone_on_with_and_gets_what_is_left_of_the_window(tmp_path: Path) -> None:
    words = ["inv", "sweep", *FLAGS, "augment=none", "run.name=night-lr", "seed=1"]
    costs = {"lr-s1": Cost(1800.0, 2000.0), "plain-s1": Cost(100.0, 130.0)}
    for shorten, budget in ((False, "--budget=30m"), (True, "--budget=15m")):
        planned = job("lr", verb="sweep", flags=FLAGS, budget_seconds=1800.0, shorten=shorten)
        one = queue(tmp_path, [planned, job("plain")], costs)
        orders, writer = Orders.read(one.orders), Writer(one)
        writer.begin()
        first = beginning(orders, fold(orders, writer.journal.read()), "lr-s1", words, 1000.0)
        assert set(first.argv) == {budget if "budget" in word else word for word in words}
        assert first.shortened is shorten
    place = a_sweep(tmp_path, one.id)
    writer.start("lr-s1", run=None)
    writer.end("lr-s1", state="interrupted", cause="window", run=place.id, seconds=600.0)
    night = fold(orders, writer.journal.read())
    again = beginning(orders, night, "lr-s1", words, 1000.0)
    assert again.argv == ("inv", "sweep", "--resume", place.id)
    writer.start("lr-s1", 2, mode="resume", run=place.id)
    writer.end("lr-s1", 2, run=place.id, seconds=1200.0)
    # A sweep that takes its budget says nothing about how fast the night is.
    assert lengths(orders, fold(orders, writer.journal.read()))["plain-s1"] == Length(100.0, 130.0)


def test_who_was_killed_is_waited_for_until_its_trials_have_ended(tmp_path: Path) -> None:
    one = queue(tmp_path, [SWEEP], grace_seconds=0.0)
    place = a_sweep(tmp_path, one.id)
    (run,) = trials(tmp_path, place, 1.0).runs
    writer, orders = Writer(one), Orders.read(one.orders)
    writer.begin()
    writer.start("lr-s1")
    with (tmp_path / run / "lock").open("w") as held, pytest.MonkeyPatch.context() as patched:
        patched.setattr(settling, "_LONGER_THAN_GRACE", 0.1)
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Busy, match=f"{run} is still at work"):
            settling.settle(one, orders, fold(orders, writer.journal.read()))
    (end,) = settling.settle(one, orders, fold(orders, writer.journal.read()))
    assert (end["state"], end["run"]) == ("interrupted", place.id)


def test_a_look_counts_its_trials(tmp_path: Path) -> None:
    one = queue(tmp_path, [SWEEP])
    writer = Writer(one)
    writer.begin()
    writer.start("lr-s1")
    place = a_sweep(tmp_path, one.id)
    origin = Origin(plan="night", queue=one.id, job="lr-s1", parent=place.id)
    a_run(tmp_path, "night-lr-t3", 1, origin=origin)
    best = BestTrial(number=1, overrides=(), value=0.61, mean=0.62, runs=("gone",))
    came(place, best=best, finished=3, pruned=2, failed=1, running=1, waiting=0)
    with one.lock():
        (seen,) = look(one).jobs
    assert (seen.trials, seen.run) == (6, place.id)
    assert seen.metric == {"name": "val/macro_f1", "value": 0.62, "low": None, "high": None}


def test_the_morning_says_what_the_best_is_and_is_not(tmp_path: Path) -> None:
    night = Written(tmp_path, PLAN)
    place = a_sweep(night.runs, night.queue.id)
    best = trials(night.runs, place, 2.0)
    came(place, best=best, finished=5, pruned=3, failed=0, why="budget")
    night.begin()
    night.trained("plain", [1])
    night.start("lr-s1")
    night.end("lr-s1", run=place.id)
    orders = Orders.read(night.queue.orders)
    decided = decision(orders, fold(orders, night.journal.read()), Decide("base", "best"))
    night.journal.append("decision", **decided)
    told = night.report()
    assert of(told, "best").decided == ("began with the best trial of lr, optimizer=sgd optimizer.lr=0.01",)
    its = of(told, "lr")
    assert (its.kind, its.criterion, its.seeds) == ("sweep", None, ())
    assert its.insight[0] == "8 trials: 5 finished, 3 pruned; it ended: budget"
    assert its.insight[1].startswith("trial 0 is best, with optimizer.lr=0.01: val/macro_f1 0.")
    assert its.insight[2] == (
        "the best of 5, chosen by the images that judge it: they flatter it; best of this night can tell"
    )
    assert [step.command for step in its.next] == [f"scripts/inv sweep-best {place.id}"]
    page = render(told)
    assert "flatter it" in page
    assert json.loads(told.model_dump_json())["experiments"][1]["kind"] == "sweep"
    place.progress.unlink()
    assert of(night.report(), "lr").insight == ("nothing is known of it",)
