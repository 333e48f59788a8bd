"""From coarse to fine: narrower where the best trials say so, and a file that loads."""

import itertools
import math
from dataclasses import replace
from pathlib import Path

import pytest

from ctexp.core.errors import CriterionNotMet, DataError
from ctexp.sweeps.file.load import load
from ctexp.sweeps.file.spec import Spec
from ctexp.sweeps.reading.narrowing import best_few, narrowed
from ctexp.sweeps.reading.opened import Opened
from ctexp.sweeps.reading.refining import refined
from ctexp.sweeps.space import Choice, Range, Values
from tests.judged import refusal
from tests.sweeps.reading.samples import FILE, a_sweep, a_trial, searched

GRID = """\
method: grid
metric: {name: val/macro_f1}
parameters:
  optimizer.lr: {values: [0.0001, 0.001, 0.01]}
  data.batch_size: {values: [8, 16, 32]}
  augment: {values: [none, flip_rotate]}
  seed: {value: 3}
"""


def at(optimum: float, values: Values) -> float:
    lr = values["optimizer.lr"]
    assert isinstance(lr, float)
    return 0.9 - 0.1 * abs(math.log10(lr / optimum))


def again(opened: Opened, tmp_path: Path) -> Spec:
    """The refined file, read as a sweep's file."""
    path = tmp_path / "fine.yaml"
    path.write_text(refined(opened).text)
    return load(path, "conf/sweep/fine.yaml")


def a_grid(tmp_path: Path, best: tuple[float, int, str]) -> Opened:
    its = a_sweep(tmp_path / "runs", file=GRID)
    cells = itertools.product((0.0001, 0.001, 0.01), (8, 16, 32), ("none", "flip_rotate"))
    rows = [
        a_trial(
            number,
            {"optimizer.lr": lr, "data.batch_size": size, "augment": augment},
            0.9
            - 0.1 * abs(math.log10(lr / best[0]))
            - 0.02 * abs(math.log2(size / best[1]))
            - 0.5 * (augment != best[2]),
        )
        for number, (lr, size, augment) in enumerate(cells)
    ]
    return replace(its, rows=tuple(rows))


@pytest.mark.parametrize("seed", range(4))
def test_a_range_shrinks_around_the_optimum_and_keeps_it(tmp_path: Path, seed: int) -> None:
    its = a_sweep(tmp_path / "runs")
    rows = searched(its, 60, lambda values: at(6e-4, values), 0.001, seed)
    spec = again(replace(its, rows=tuple(rows)), tmp_path)
    lr = spec.space.parameters[0].dimension
    assert isinstance(lr, Range)
    assert lr.log
    assert 1e-5 <= lr.low < 6e-4 < lr.high <= 1e-2
    assert math.log(lr.high / lr.low) < 0.75 * math.log(1e-2 / 1e-5)


def test_everything_else_of_the_file_stays_but_its_name(tmp_path: Path) -> None:
    its = a_sweep(tmp_path / "runs", file=f"name: first\n{FILE}")
    spec = again(replace(its, rows=tuple(searched(its, 60, lambda v: at(6e-4, v), 0.001))), tmp_path)
    before = its.spec
    assert spec.name == "fine"
    assert before.name == "first"
    for kept in ("method", "metric", "goal", "overrides", "seeds", "early", "run_cap", "sampler"):
        assert getattr(spec, kept) == getattr(before, kept)
    assert [one.key for one in spec.space.parameters] == [one.key for one in before.space.parameters]


def test_what_says_nothing_stays_as_it_was(tmp_path: Path) -> None:
    its = a_sweep(tmp_path / "runs")
    its = replace(its, rows=tuple(searched(its, 60, lambda v: at(6e-4, v), 0.001)))
    _, decay, loss = narrowed(its, best_few(its))
    assert not decay.changed
    assert decay.why == "the best are spread over all of it"
    assert not loss.changed
    noise = replace(its, rows=tuple(searched(its, 60, lambda _: 0.5, 0.1)))
    assert len(best_few(noise)) == math.ceil(len(noise.ranked) / 2)  # seeds alone do not tell them apart
    assert "spread over all that was searched" in refusal(lambda: refined(noise), CriterionNotMet)


def test_too_few_trials_are_refused_with_how_to_go_on(tmp_path: Path) -> None:
    its = a_sweep(tmp_path / "runs")
    few = replace(its, rows=tuple(searched(its, 4, lambda v: at(6e-4, v), 0.001)))
    said = refusal(lambda: refined(few), DataError)
    assert "4 finished trials of the 5 that it takes to say where the optimum lies" in said
    assert f"scripts/inv sweep-agent --sweep-id {its.sweep.id}" in said


def test_trials_that_tie_are_equally_good_and_nothing_is_narrowed_on_their_order(tmp_path: Path) -> None:
    """One trial in front of five that all guess."""
    its = a_sweep(tmp_path / "runs")
    rows = searched(its, 4, lambda v: at(6e-4, v), 0.001)
    rows = [a_trial(number, rows[number % 4].values, 0.25 + 0.0179 * (number == 1)) for number in range(6)]
    its = replace(its, rows=tuple(rows))
    assert len(best_few(its)) == 6
    said = refusal(lambda: refined(its), CriterionNotMet)
    assert "5 of its 6 finished trials have the same value, 0.25; nothing says where to look closer" in said


def test_a_range_is_cut_only_where_worse_trials_lie_beyond_its_best(tmp_path: Path) -> None:
    its = a_sweep(tmp_path / "runs")
    rows = [
        a_trial(number, {"optimizer.lr": lr, "optimizer.weight_decay": 0.01 * number, "loss": "focal"}, -lr)
        for number, lr in enumerate((1e-4, 1.5e-4, 2e-4, 3e-3, 4e-3, 5e-3))
    ]
    lr, decay, loss = narrowed(replace(its, rows=tuple(rows)), rows[:3])
    assert isinstance(lr.after, Range)
    assert lr.after.low == 1e-5  # nobody tried a lower one than the best
    assert lr.after.high < 1e-3
    assert isinstance(decay.after, Range)
    assert decay.after.low == 0
    assert not loss.changed  # the other losses were not tried


def test_without_an_error_of_a_trial_the_file_says_that_chance_is_not_known(tmp_path: Path) -> None:
    its = a_sweep(tmp_path / "runs")
    rows = searched(its, 40, lambda v: at(6e-4, v), 0.001)
    known = refined(replace(its, rows=tuple(rows)))
    assert known.cautions == ()
    assert "# Mind" not in known.text
    once = refined(replace(its, rows=tuple(replace(row, error=None) for row in rows)), ["the best guesses"])
    assert once.cautions[0].startswith("every trial was trained once")
    for line in once.cautions:
        assert f"# Mind: {line}.\n" in once.text
    assert "# Mind: the best guesses.\n" in once.text


def test_a_grid_stays_a_grid_between_the_neighbours_of_its_best(tmp_path: Path) -> None:
    spec = again(a_grid(tmp_path, (0.0009, 16, "flip_rotate")), tmp_path)
    lr, size, augment = (one.dimension for one in spec.space.parameters)
    assert spec.method == "grid"
    assert lr == Choice((0.0001, 0.000316, 0.001, 0.00316))  # 0.0001 is among the four best, 0.01 is not
    assert size == Choice((8, 16, 32))
    assert augment == Choice(("flip_rotate",))
    assert spec.seeds == (3,)


def test_whole_numbers_of_a_grid_stay_whole(tmp_path: Path) -> None:
    file = GRID.replace("[8, 16, 32]", "[4, 8, 16, 32, 64, 128, 256]").replace(
        "[0.0001, 0.001, 0.01]", "[0.001]"
    )
    its = a_sweep(tmp_path / "runs", file=file)
    rows = [
        a_trial(number, {"optimizer.lr": 0.001, "data.batch_size": size, "augment": augment}, -abs(size - 15))
        for number, (size, augment) in enumerate(
            itertools.product((4, 8, 16, 32, 64, 128, 256), ("none", "flip_rotate"))
        )
    ]
    lr, size, _ = narrowed(its, best_few(replace(its, rows=tuple(rows))))
    assert lr.why == "a constant"
    assert size.after == Choice((6, 8, 11, 16, 23))


def test_an_optimum_at_the_end_is_said_to_lie_there(tmp_path: Path) -> None:
    its = a_grid(tmp_path, (0.0001, 32, "none"))
    lr, size, _ = narrowed(its, best_few(its))
    assert (lr.edge, size.edge) == ("lowest", "highest")
    assert lr.after == Choice((0.0001, 0.000316, 0.001, 0.00316))
    assert not size.changed
    assert refined(its).text.count("the optimum may lie beyond") == 2


def test_conditions_and_constraints_are_kept_and_what_hardly_applies_is_left_alone(tmp_path: Path) -> None:
    file = FILE.replace(
        "ctexp:\n",
        "ctexp:\n  conditions: {optimizer.weight_decay: \"loss == 'focal'\"}\n"
        '  constraints: ["optimizer.lr < 0.009"]\n',
    )
    its = a_sweep(tmp_path / "runs", file=file)
    rows = [
        replace(
            row,
            values={key: value for key, value in row.values.items() if "decay" not in key}
            | {"loss": "cross_entropy"},
        )
        for row in searched(its, 40, lambda v: at(6e-4, v), 0.001)
    ]
    its = replace(its, rows=tuple(rows))
    spec = again(its, tmp_path)
    decay = next(one for one in spec.space.parameters if one.key == "optimizer.weight_decay")
    assert decay.dimension == Range(0.0, 0.1)
    assert decay.when is not None
    assert [one.text for one in spec.space.constraints] == ["optimizer.lr < 0.009"]


def test_every_distribution_is_written_so_that_it_reads_back(tmp_path: Path) -> None:
    file = """\
method: random
metric: {name: val/macro_f1}
parameters:
  optimizer.lr: {distribution: log_normal, mu: -7.0, sigma: 1.0}
  optimizer.weight_decay: {distribution: q_uniform, min: 0.0, max: 0.5, q: 0.01}
  data.batch_size: {min: 4, max: 64}
  loss.gamma: {distribution: q_normal, mu: 2.0, sigma: 1.0, q: 0.5}
  loss: {values: [focal, cross_entropy], probabilities: [0.25, 0.75]}
  trainer.max_epochs: {distribution: q_log_uniform_values, min: 8, max: 128, q: 8}
"""
    its = a_sweep(tmp_path / "runs", file=file)
    rows = [
        a_trial(
            number,
            {
                "optimizer.lr": math.exp(-7 + 0.1 * (number % 5)),
                "optimizer.weight_decay": 0.1 + 0.01 * (number % 3),
                "data.batch_size": 8 + number % 4,
                "loss.gamma": 1.5 + 0.5 * (number % 2),
                "loss": ("focal", "cross_entropy")[number % 2],
                "trainer.max_epochs": 16 + 8 * (number % 2),
            },
            1 - number / 100,
        )
        for number in range(20)
    ]
    its = replace(its, rows=tuple(rows))
    after = {one.before.key: one.after for one in narrowed(its, best_few(its))}
    read = {one.key: one.dimension for one in again(its, tmp_path).space.parameters}
    assert read == after
    assert read["loss"] == Choice(("focal", "cross_entropy"), (0.25, 0.75))
    size = read["data.batch_size"]
    assert isinstance(size, Range)
    assert size.integer
    assert (size.low, size.high) < (8, 64)


def test_which_of_equally_good_trials_came_first_says_nothing(tmp_path: Path) -> None:
    its = a_sweep(tmp_path / "runs")
    lrs = [10 ** (-5 + 3 * number / 19) for number in range(20)]
    values: list[Values] = [
        {"optimizer.lr": lr, "optimizer.weight_decay": 0.1 * (number % 2), "loss": "focal"}
        for number, lr in enumerate(lrs)
    ]
    rows = [a_trial(number, one, 0.5) for number, one in enumerate(values)]
    alike = replace(its, rows=tuple(rows))
    assert len(best_few(alike)) == 20
    assert not any(one.changed for one in narrowed(alike, best_few(alike))[:2])
    apart = replace(its, rows=tuple(replace(row, value=0.5 - 0.01 * row.number) for row in rows))
    assert len(best_few(apart)) == 4


def test_a_narrow_range_is_drawn_closer_too(tmp_path: Path) -> None:
    file = FILE.replace("{min: 0.0, max: 0.1}", "{min: 0.999, max: 0.9999}")
    its = a_sweep(tmp_path / "runs", file=file)
    rows = [
        a_trial(
            number,
            {"optimizer.lr": 1e-4, "optimizer.weight_decay": 0.999 + 0.00009 * number, "loss": "focal"},
            0.9 - 0.1 * abs(number - 7),
        )
        for number in range(11)
    ]
    decay = again(replace(its, rows=tuple(rows)), tmp_path).space.parameters[1].dimension
    assert isinstance(decay, Range)
    assert (decay.low, decay.high) == (0.999428, 0.999832)
