"""A board as its agents use it."""

import shutil
from pathlib import Path

import pytest

from ctexp.core.errors import DataError, UsageError
from ctexp.record.manifest import Origin
from ctexp.record.run_dir import RunDir
from ctexp.record.sweep import SweepProgress
from ctexp.sweeps.board.dimensions import same
from ctexp.sweeps.file.expressions import read as condition
from ctexp.sweeps.file.spec import Early
from ctexp.sweeps.space import Choice, Parameter, Range, Space, Values
from ctexp.sweeps.trials import Over, Told, Wait
from tests.record import samples
from tests.sweeps.board.boards import SIX, WIDE, a_spec, make, taken, work

AT_ONCE = -1.0
"""A grace after which everybody else is dead."""


def score(values: Values) -> float:
    return float(str(values["a"])) + (0.5 if values["b"] == "y" else 0.0)


def test_agents_share_a_grid_and_every_cell_is_tried_once(tmp_path: Path) -> None:
    made = make(tmp_path)
    first, second = made.open(), made.open()
    trials = [taken(board, agent) for _ in range(3) for board, agent in ((first, "one"), (second, "two"))]
    assert [trial.number for trial in trials] == [0, 1, 2, 3, 4, 5]
    assert [(trial.values["a"], trial.values["b"]) for trial in trials] == [
        (1, "x"), (1, "y"), (2, "x"), (2, "y"), (3, "x"), (3, "y"),
    ]  # fmt: skip
    assert first.take("one") == Wait(6)
    for trial in trials:
        assert second.finish(trial, Told("finished", score(trial.values), seconds=2.0))
    assert first.take("one") == Over("the grid is done")

    rows = second.rows()
    assert [(row.state, row.value, row.agent) for row in rows][:2] == [
        ("finished", 1.0, "one"),
        ("finished", 1.5, "two"),
    ]
    progress = SweepProgress.read(made.place.progress)
    assert progress.counts["finished"] == 6
    assert progress.seconds == 12.0
    assert progress.best is not None
    assert (progress.best.number, progress.best.overrides) == (5, ("a=3", "b=y"))
    assert (progress.why, progress.ended is None) == ("the grid is done", False)


def test_a_dead_agents_trial_goes_on_with_its_runs_and_the_dead_has_no_say_any_more(tmp_path: Path) -> None:
    made = make(tmp_path)
    board = made.open()
    lost = taken(board)
    board.began(lost, "s42", "s-t0_20261121-050000_abcdef")
    board.report(lost, 1, 0.25)
    other = made.open(AT_ONCE)
    again = taken(other, "you")
    assert (again.number, again.attempt, again.values) == (0, 2, lost.values)
    assert again.runs == {"s42": "s-t0_20261121-050000_abcdef"}

    assert not board.beat(lost)
    assert other.beat(again)
    assert board.report(lost, 2, 0.5), "it should end"
    board.began(lost, "s42", "another")
    board.give_back(lost, "too late")
    assert not board.finish(lost, Told("finished", 9.0))
    assert other.finish(again, Told("finished", 1.0))
    assert not other.finish(again, Told("finished", 2.0)), "it has ended"
    row = board.rows()[0]
    assert (row.state, row.value, row.attempts, row.agent) == ("finished", 1.0, 2, "you")
    assert row.curve == ((1, 0.25),)


def test_nobody_takes_a_trial_whose_training_lives(tmp_path: Path) -> None:
    made = make(tmp_path)
    board = made.open(AT_ONCE)
    trial = taken(board)
    run = RunDir.create(tmp_path, "s-t0")
    board.began(trial, "s42", run.id)
    with run.lock():
        assert taken(board, "you").number == 1
    assert [taken(board, "you").number for _ in range(2)] == [0, 0]


def test_nobody_takes_a_trial_whose_training_has_begun_and_was_not_noted_yet(tmp_path: Path) -> None:
    """As when an agent is suspended while its training starts, which then waits for it."""
    made = make(tmp_path)
    board = made.open(AT_ONCE)
    taken(board)
    run = RunDir.create(tmp_path, "s-t0")
    samples.begun(run, origin=Origin(parent=made.place.id))
    with run.lock():
        assert taken(board, "you").number == 1
        samples.begun(run, origin=Origin(parent="another_sweep"))
        assert taken(board, "you").number == 0


def test_a_clock_that_is_set_back_makes_nobody_immortal(tmp_path: Path) -> None:
    board = make(tmp_path).open()
    taken(board)
    with board._storage.engine.begin() as database:
        database.exec_driver_sql("UPDATE trial_heartbeats SET heartbeat = datetime('now', '+1 hour')")
    assert (taken(board).number, taken(board).number) == (0, 1)


def test_a_sweep_that_reached_its_target_ends_although_an_agent_died(tmp_path: Path) -> None:
    made = make(tmp_path, a_spec(target=0.5))
    board = made.open()
    done = taken(board)
    taken(board, "you")
    board.finish(done, Told("finished", 0.6))
    assert board.take("me") == Over("the target is reached")
    assert SweepProgress.read(made.place.progress).ended is None
    assert made.open(AT_ONCE).take("me") == Over("the target is reached")
    assert SweepProgress.read(made.place.progress).ended is not None


@pytest.mark.parametrize("replaced", [False, True])
def test_agents_do_not_go_on_in_a_database_that_was_taken_away(tmp_path: Path, replaced: bool) -> None:
    made = make(tmp_path)
    board = made.open()
    trial = taken(board)
    made.place.trials.rename(tmp_path / "old")
    if replaced:
        shutil.copy(tmp_path / "old", made.place.trials)
    with pytest.raises(DataError, match="removed or replaced"):
        board.finish(trial, Told("finished", 1.0))


def test_a_trial_over_which_three_agents_die_has_failed(tmp_path: Path) -> None:
    board = make(tmp_path).open(AT_ONCE)
    assert [taken(board).number for _ in range(3)] == [0, 0, 0]
    assert taken(board).number == 1
    row = board.rows()[0]
    assert (row.state, row.attempts) == ("failed", 3)
    assert "3 agents died" in row.problem


def test_who_was_killed_while_claiming_leaves_a_trial_that_is_free(tmp_path: Path) -> None:
    board = make(tmp_path, a_spec(WIDE, method="random", run_cap=1)).open()
    board._storage.record_heartbeat = lambda _key: None  # type: ignore[method-assign,assignment]
    assert taken(board).attempt == 1
    del board._storage.record_heartbeat
    assert taken(board).attempt == 2
    assert board.take("me") == Wait(1)


def test_a_trial_that_is_given_back_waits_for_the_next_however_often(tmp_path: Path) -> None:
    board = make(tmp_path).open()
    for attempt in range(1, 6):
        trial = taken(board)
        assert (trial.number, trial.attempt, trial.seconds) == (0, attempt, 9.0 * (attempt - 1))
        board.give_back(trial, "stopped", seconds=9.0 * attempt)
        assert (board.rows()[0].state, board.rows()[0].seconds) == ("waiting", 9.0 * attempt)
    trial = taken(board)
    board.give_back(trial, "it cannot be", retry=False)
    assert (board.rows()[0].state, board.rows()[0].problem) == ("failed", "it cannot be")
    assert board.rows()[0].seconds == 45.0
    assert taken(board).number == 1


def test_an_identical_configuration_reuses_the_value_and_says_so(tmp_path: Path) -> None:
    made = make(tmp_path, identity=lambda values: str(values["a"]))
    board = made.open()
    one = taken(board)
    assert taken(board).values == {"a": 2, "b": "x"}, "1, y is the same as what is being trained"
    board.finish(one, Told("finished", 0.7, mean=0.8, error=0.1, seconds=3.0))
    assert taken(board).values == {"a": 3, "b": "x"}
    row = board.rows()[1]
    assert (row.state, row.reused, row.value, row.mean, row.error) == ("reused", 0, 0.7, 0.8, 0.1)
    assert SweepProgress.read(made.place.progress).seconds == 3.0


def test_a_failed_configuration_is_tried_again_under_other_values(tmp_path: Path) -> None:
    board = make(tmp_path, identity=lambda values: str(values["a"])).open()
    board.finish(taken(board), Told("failed", None, problem="oom"))
    assert taken(board).values == {"a": 1, "b": "y"}


def test_a_configuration_that_cannot_be_is_a_failed_trial(tmp_path: Path) -> None:
    def identity(values: Values) -> str:
        if values["b"] == "y":
            raise UsageError("b: y goes with nothing")
        return same(values)

    board = make(tmp_path, identity=identity).open()
    assert len(work(board, score)) == 3
    assert [row.state for row in board.rows()] == ["finished", "failed"] * 3
    assert board.rows()[1].problem == "b: y goes with nothing"

    never = make(tmp_path, a_spec(WIDE, method="random", run_cap=4), identity=lambda _: identity({"b": "y"}))
    assert never.open().take("me") == Over("run_cap is reached")
    assert [row.state for row in never.open().rows()] == ["failed"] * 4


@pytest.mark.parametrize(("method", "sampler"), [("random", "random"), ("bayes", "tpe")])
def test_a_finite_space_ends_when_all_of_it_was_tried(tmp_path: Path, method: str, sampler: str) -> None:
    board = make(tmp_path, a_spec(SIX, method=method, sampler=sampler)).open()
    done = work(board, score)
    assert len({same(trial.values) for trial in done}) == len(done) == 6
    assert board.take("me") == Over("nothing is left that was not tried")


def test_run_cap_counts_what_is_trained_by_all_together(tmp_path: Path) -> None:
    made = make(tmp_path, a_spec(WIDE, method="random", run_cap=3))
    one, two = made.open(), made.open()
    trials = [taken(one), taken(two), taken(one)]
    assert two.take("you") == Wait(3)
    for trial, state in zip(trials, ("finished", "pruned", "failed"), strict=True):
        one.finish(trial, Told(state, 0.5 if state == "finished" else None))  # type: ignore[arg-type]
    assert two.take("you") == Over("run_cap is reached")
    assert [row.state for row in two.rows()] == ["finished", "pruned", "failed"]


def test_no_trial_is_begun_beyond_the_budget_or_the_target(tmp_path: Path) -> None:
    board = make(tmp_path, a_spec(budget_seconds=5.0)).open()
    board.finish(taken(board), Told("failed", None, seconds=2.0))
    board.give_back(taken(board), "stopped by SIGINT", seconds=3.0)
    assert board.take("me") == Over("the budget is used up")

    board = make(tmp_path, a_spec(goal="minimize", target=0.4)).open()
    board.finish(taken(board), Told("finished", 0.5))
    board.finish(taken(board), Told("finished", 0.4))
    assert board.take("me") == Over("the target is reached")


@pytest.mark.parametrize(
    ("method", "sampler"),
    [
        ("random", "random"),
        pytest.param("random", "qmc", marks=pytest.mark.slow),
        pytest.param("bayes", "tpe", marks=pytest.mark.slow),
    ],
)
def test_draws_keep_the_constraints_and_conditions(tmp_path: Path, method: str, sampler: str) -> None:
    space = Space(
        (
            Parameter("opt", Choice(("sgd", "adam"))),
            Parameter("momentum", Range(0.0, 1.0), when=condition("opt == 'sgd'", lacking=False)),
            Parameter("lr", Range(0.0, 1.0)),
        ),
        (condition("lr < 0.2", lacking=True),),
    )
    board = make(tmp_path, a_spec(space, method=method, sampler=sampler, run_cap=8)).open()
    done = work(board, lambda values: float(str(values["lr"])))
    assert len(done) == 8
    assert all(float(str(trial.values["lr"])) < 0.2 for trial in done)
    assert {("momentum" in trial.values, trial.values["opt"]) for trial in done} == {
        (True, "sgd"),
        (False, "adam"),
    }

    never = Space((Parameter("lr", Range(0.0, 1.0)),), (condition("lr > 2", lacking=True),))
    with pytest.raises(UsageError, match="lr > 2"):
        make(tmp_path, a_spec(never, method="random")).open().take("me")


def test_a_sweep_by_one_agent_is_the_same_again(tmp_path: Path) -> None:
    spec = a_spec(WIDE, method="bayes", run_cap=3)
    tried = [
        [trial.values for trial in work(make(tmp_path, spec, seed=seed).open(), lambda _: 0.5)]
        for seed in (1, 1, 2)
    ]
    assert tried[0] == tried[1]
    assert tried[0] != tried[2]


def test_a_value_that_is_no_number_is_a_failure(tmp_path: Path) -> None:
    board = make(tmp_path).open()
    for value in (None, float("nan"), float("inf")):
        assert board.finish(taken(board), Told("finished", value))
    assert [row.state for row in board.rows()][:4] == ["failed", "failed", "failed", "waiting"]


def test_a_trial_that_falls_behind_is_pruned_and_keeps_its_curve(tmp_path: Path) -> None:
    made = make(tmp_path, a_spec(early=Early("asha", min_epochs=1, factor=2)))
    board = made.open()
    good, bad = taken(board), taken(made.open())
    for epoch in (1, 2, 3):
        assert not board.report(good, epoch, 0.5 + epoch / 10)
    assert made.open().report(bad, 1, 0.1)
    assert board.finish(bad, Told("pruned", None, seconds=1.0))
    row = board.rows()[1]
    assert (row.state, row.value, row.curve) == ("pruned", None, ((1, 0.1),))
    assert board.rows()[0].seen is not None


def test_a_trial_whose_values_somebody_else_chose_is_kept_too(tmp_path: Path) -> None:
    board = make(tmp_path, a_spec(WIDE, method="bayes")).open()
    for number in range(2):
        trial = board.enter("ray", {"lr": 0.01, "k": "y"})
        assert trial.number == number
        board.finish(trial, Told("finished", 0.5))
    assert [row.values for row in board.rows()] == [{"lr": 0.01, "k": "y"}] * 2
