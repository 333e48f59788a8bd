"""A plan that searches: its sweeps are read and composed, and what begins with their best is looked at."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ctexp.planning.checking.check import check
from ctexp.planning.plan.load import read
from tests.planning.checking.plans import COMMON, SHOWN, Check, lines

LR = """\
method: grid
metric: {name: val/accuracy, goal: maximize}
parameters:
  optimizer.lr: {values: [0.01, 0.001]}
  model.dropout: {values: [0.0, 0.5]}
ctexp:
  overrides: [optimizer.weight_decay=0.02]
"""
SEARCHED = (
    COMMON
    + """\
baseline: plain
experiments:
  plain: {seeds: [1]}
  lr: {kind: sweep, sweep: lr, budget: 10m, overrides: [augment=none]}
  best:
    base: {best_of: [lr]}
    seeds: [1]
    success: {metric: val/accuracy, better_than: baseline}
"""
)


@pytest.fixture
def lr(root: Path) -> Iterator[Path]:
    file = root / "conf" / "sweep" / "lr.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(LR)
    yield file
    file.unlink()


@pytest.mark.usefixtures("lr")
def test_a_sweep_is_one_job_and_its_best_a_base(checked: Check) -> None:
    found = checked(SEARCHED.replace("baseline: plain", "baseline: plain\nseeds: [7, 8]"))
    assert (found.problems, found.missing) == ((), ())
    jobs = {one.job.id: one for one in found.jobs}
    assert list(jobs) == ["plain-s1", "lr-s7", "best-s1"]
    sweep = jobs["lr-s7"]
    assert sweep.job.flags == ("--config=lr", "--budget=10m", "--work", "--no-pilot")
    assert sweep.job.overrides()[-3:] == ("augment=none", "run.name=night-lr", "seed=7")
    assert sweep.searched is not None
    assert (sweep.searched.most, sweep.searched.trainings) == (4, 1)
    tried = {(one.settings.optimizer.lr, one.settings.model.dropout) for one in sweep.searched.trials}
    assert {lr for lr, _ in tried} == {0.01, 0.001}
    assert {dropout for _, dropout in tried} == {0.0, 0.5}
    assert all(one.settings.optimizer.weight_decay == 0.02 for one in sweep.every)

    best = jobs["best-s1"]
    on = [(one.settings.optimizer.lr, one.resolved["augment"]) for one in best.bases.values()]
    assert {lr for lr, _ in on} == {0.01, 0.001}
    assert all(augment == found.jobs[1].composed.resolved["augment"] for _, augment in on)
    assert best.composed.settings.optimizer.weight_decay == 0.02


@pytest.mark.usefixtures("lr")
def test_what_a_sweep_cannot_have_and_what_it_needs(checked: Check) -> None:
    text = (
        COMMON
        + """\
baseline: lr
experiments:
  lr:
    {kind: sweep, sweep: lr, budget: 10m, seeds: [1, 2], success: {metric: val/accuracy, op: ">", value: 0.5}}
  other: {kind: sweep, fallback: {oom: [data.batch_size=2]}}
  plain: {budget: 1h}
"""
    )
    assert lines(checked(text).problems) == [
        "2: baseline: lr is a sweep: nothing can be compared with many trials",
        "5: experiments.lr.success: a sweep chooses, it proves nothing; give it to an experiment with it as "
        "base and fresh seeds",
        "5: experiments.lr.seeds: a sweep is one job; how many seeds each trial has says its file",
        "6: experiments.other.sweep: missing: the file that is searched by, or its name in conf/sweep",
        "6: experiments.other.budget: missing: say how long it may search, 2h",
        "6: experiments.other.fallback: a trial that fails ends no sweep; leave it out",
        "7: experiments.plain.budget: only a sweep has it; is kind: sweep meant?",
    ]


@pytest.mark.usefixtures("lr")
def test_a_budget_that_is_none_is_not_called_missing(root: Path) -> None:
    file = root / SHOWN
    file.write_text(SEARCHED.replace("budget: 10m", "budget: 90"))
    (problem,) = lines(check(read(file, SHOWN), root).problems)
    assert problem.startswith("5: experiments.lr.budget: '90' has no unit")


def test_mistakes_of_the_sweep_are_told_with_both_lines(checked: Check, lr: Path) -> None:
    lr.write_text(LR.replace("optimizer.lr", "optimizer.lrr").replace("method: grid", "method: grib"))
    problem, *_ = lines(checked(SEARCHED).problems)
    assert problem.startswith("5: experiments.lr.sweep: conf/sweep/lr.yaml:1: method: ")
    lr.write_text(LR.replace("optimizer.lr", "optimizer.lrr"))
    (problem,) = lines(checked(SEARCHED).problems)
    assert problem.startswith("5: experiments.lr.sweep: conf/sweep/lr.yaml:4: parameters")
    assert "optimizer.lr" in problem
    lr.write_text(LR)
    long = "lr-" + 50 * "x"
    (named,) = lines(checked(SEARCHED.replace("  lr:", f"  {long}:").replace("[lr]", f"[{long}]")).problems)
    assert "a sweep's name has at most 56 lower-case letters" in named
    missing = checked(SEARCHED.replace("sweep: lr", "sweep: lrr"))
    assert lines(missing.problems)[0].startswith("5: experiments.lr.sweep: lrr: there is no such sweep")


@pytest.mark.usefixtures("lr")
def test_the_best_of_a_sweep_is_judged_by_other_seeds_than_chose_it(checked: Check) -> None:
    fair = checked(SEARCHED).warnings
    assert not [line for line in fair if "flatters" in line]
    (said,) = [line for line in lines(fair) if "controlled" in line]
    assert "differs from the baseline plain in 2 things (augment, the best of lr)" in said

    unfair = checked(
        SEARCHED.replace("    seeds: [1]\n", "").replace("best_of: [lr]", "best_of: [lr, plain]")
    )
    assert [line for line in lines(unfair.warnings) if "flatters" in line] == [
        "6: experiments.best.seeds: lr chooses its best by seed 42, which flatters that: judge it by others",
        "7: experiments.best.base.best_of.0: lr: its best was chosen among many, which flatters it beside "
        "the others; confirm each by itself",
    ]
