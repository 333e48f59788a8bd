"""The rules on histories that went well, which must hear nothing, and on those that went wrong in one way."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ctexp.evaluation.health.facts import Facts
from ctexp.evaluation.health.monitor import Change, Monitor

Rows = list[dict[str, float | None]]

COUNTS = {"train": (195, 115, 155, 148), "val": (23, 21, 15, 13)}  # of the public chest CT set
MAJORITY = 195 / 613


def facts(epochs: int, **changes: Any) -> Facts:
    return replace(Facts("val/macro_f1", COUNTS, epochs), **changes)


def healthy(seed: int, epochs: int = 30) -> Rows:
    """A training that learns, with the noise of 72 validation images and a validation loss that ends flat."""
    rng = np.random.default_rng(seed)
    t = np.arange(1, epochs + 1)
    tau = epochs * rng.uniform(0.1, 0.35)
    floor, excess = rng.uniform(0.02, 0.4), rng.uniform(0.05, 0.35)
    train = (floor + (1.386 - floor) * np.exp(-t / tau)) * (1 + rng.normal(0, 0.04, epochs))
    slower = np.exp(-t / (tau * rng.uniform(0.9, 1.3)))
    late = rng.uniform(0, 0.15) * (floor + excess) * np.clip(t / epochs - 0.6, 0, 1) / 0.4
    val = floor + excess + (1.386 - floor - excess) * slower + late
    val *= 1 + rng.normal(0, rng.uniform(0.02, 0.1), epochs)
    top = rng.uniform(0.7, 0.97)
    right = np.clip(MAJORITY + (top - MAJORITY) * (1 - slower) + rng.normal(0, 0.02, epochs), 0, 1)
    accuracy = rng.binomial(72, right) / 72
    fitted = rng.binomial(613, MAJORITY + (0.99 - MAJORITY) * (1 - np.exp(-t / tau))) / 613
    gradient = (0.5 + 2 * np.exp(-t / tau) + rng.uniform(-0.5, 1.5) * t / epochs).clip(0.02)
    gradient *= np.exp(rng.normal(0, 0.25, epochs))
    columns = {
        "epoch": t,
        "train/loss": train,
        "train/accuracy": fitted,
        "train/gradient_norm": gradient,
        "train/gradient_norm_max": gradient * np.exp(np.abs(rng.normal(1, 0.6, epochs))),
        "val/loss": val,
        "val/accuracy": accuracy,
        "val/macro_f1": accuracy - 0.01,
        "val/auroc": np.clip(0.5 + 0.48 * (1 - slower) + rng.normal(0, 0.02, epochs), 0, 1),
        "learning_rate": 1e-4 * (0.5 * (1 + np.cos(np.pi * t / epochs)) + 0.01),
    }
    return [{name: float(values[i]) for name, values in columns.items()} for i in range(epochs)]


def heard(rows: Rows, known: Facts | None = None) -> list[Change]:
    changes: list[Change] = []
    monitor = Monitor(known or facts(len(rows)), [], [], changes.append)
    for row in rows:
        monitor.see(row)
    monitor.end()
    return changes


def changed(rows: Rows, after: int, change: Callable[[int, dict[str, float | None]], Any]) -> Rows:
    """The rows with those past an epoch updated by what `change` gives for (epochs past it, row)."""
    return [
        row | (change(i + 1 - after, row) if i + 1 > after else {}) for i, row in enumerate(map(dict, rows))
    ]


@pytest.mark.parametrize(("epochs", "most"), [(6, 0), (15, 1), (30, 1), (60, 2)])
def test_of_fifty_trainings_that_go_well_hardly_any_hears_a_word(epochs: int, most: int) -> None:
    alarmed = [seed for seed in range(50) if heard(healthy(seed, epochs))]
    assert len(alarmed) <= most


@pytest.mark.parametrize("epochs", [1, 2, 3, 4])
def test_nothing_is_said_of_a_few_epochs_however_bad(epochs: int) -> None:
    awful = changed(healthy(0, epochs), 0, lambda n, _: {"train/loss": 9.0**n, "train/gradient_norm": 9.0**n})
    assert heard(awful) == []


def at_chance(n: int, _: Any) -> Any:
    rng = np.random.default_rng(n)
    guessed = {split: rng.binomial(sum(COUNTS[split]), MAJORITY) / sum(COUNTS[split]) for split in COUNTS}
    return {
        "train/loss": 1.37 + rng.normal(0, 0.01),
        "val/loss": 1.38,
        "train/accuracy": guessed["train"],
        "val/accuracy": guessed["val"],
        "val/macro_f1": 0.12,
        "val/auroc": 0.5 + rng.normal(0, 0.02),
    }


WRONG: dict[str, tuple[int, Callable[[int, Any], Any]]] = {
    "at_chance": (0, at_chance),
    "divergence": (12, lambda n, row: {"train/loss": row["train/loss"] + 0.5 * n}),
    "exploding_gradients": (12, lambda n, _: {"train/gradient_norm": 40.0 + n}),
    "vanishing_gradients": (12, lambda *_: {"train/gradient_norm": 1e-4, "train/accuracy": 0.5}),
    "overfitting": (
        12,
        lambda n, _: {"val/loss": 0.7 + 0.08 * n, "val/macro_f1": 0.6, "val/accuracy": 0.6},
    ),
    "plateau": (
        8,
        lambda n, _: {"val/macro_f1": 0.55 + 0.02 * (-1) ** n, "learning_rate": 1e-4},
    ),
    "underfitting": (
        0,
        lambda *_: {"train/loss": 1.2, "train/accuracy": 0.41, "val/accuracy": 0.4, "val/macro_f1": 0.3},
    ),
}


@pytest.mark.parametrize("rule", WRONG)
@pytest.mark.parametrize("seed", range(5))
def test_what_goes_wrong_is_told_once_with_figures_and_what_to_do(rule: str, seed: int) -> None:
    after, change = WRONG[rule]
    began = [told for told in heard(changed(healthy(seed), after, change)) if told.finding.rule == rule]
    assert [told.state for told in began] == ["began"]
    finding = began[0].finding
    assert after < finding.epoch <= 30
    assert all(np.isfinite(value) for value in finding.evidence.values())
    assert finding.message
    assert finding.advice
    assert "!" not in finding.message + finding.advice


def test_a_loss_that_rose_is_not_said_to_have_fallen() -> None:
    rows = changed(
        healthy(1), 0, lambda n, _: WRONG["underfitting"][1](n, {}) | {"train/loss": 1.3 + n / 100}
    )
    (told,) = (one.finding.message for one in heard(rows) if one.finding.rule == "underfitting")
    assert "fell" not in told
    assert "train/loss went from 1." in told


def test_what_has_passed_is_said_to_have_passed_and_may_come_again() -> None:
    rows = healthy(1, 40)
    spells = {*range(13, 16), *range(25, 41)}
    rows = [row | ({"train/gradient_norm": 100.0} if row["epoch"] in spells else {}) for row in rows]
    told = [(change.state, change.finding.epoch) for change in heard(rows)]
    assert told == [("began", 13), ("passed", 15), ("began", 25)]


def test_one_calm_epoch_is_not_the_end_of_it() -> None:
    rows = healthy(1)
    rows = [row | ({"train/gradient_norm": 100.0} if row["epoch"] in (13, 15, 17) else {}) for row in rows]
    assert [(change.state, change.finding.epoch) for change in heard(rows)] == [("began", 13), ("passed", 17)]


def test_a_resumed_training_says_nothing_twice() -> None:
    """The first attempt told of epoch 13 and was killed in 15; its checkpoint is of epoch 12."""
    rows = changed(healthy(2), 12, WRONG["exploding_gradients"][1])
    changes: list[Change] = []
    first = Monitor(facts(30), [], [], changes.append)
    for row in rows[:14]:
        first.see(row)
    events = [{"kind": "health", **change.event()} for change in changes]
    assert [event["epoch"] for event in events] == [13]
    second = Monitor(facts(30), rows[:12], events, changes.append)
    for row in rows[12:]:
        second.see(row)
    assert len(changes) == 1
    assert [finding.rule for finding in second.holding] == ["exploding_gradients"]
    third = Monitor(facts(30), rows[:20], events, changes.append)
    assert [finding.epoch for finding in third.holding] == [20]
    assert len(changes) == 1


def test_an_epoch_that_is_trained_again_takes_the_place_of_the_first_try() -> None:
    rows = healthy(3)
    changes: list[Change] = []
    monitor = Monitor(facts(30), [], [], changes.append)
    for row in [*rows[:10], rows[8], *rows[9:]]:
        monitor.see(row)
    assert changes == []


def test_first_epochs_with_a_frozen_backbone_mislead_no_rule() -> None:
    """The head alone has short gradients and learns little; unfreezing makes them fifty times as long."""
    frozen = {"train/gradient_norm": 0.02, "train/gradient_norm_max": 0.05} | at_chance(1, {})
    rows = [frozen | {"epoch": float(n), "learning_rate": 1e-4} for n in range(1, 7)]
    rows += [row | {"epoch": row["epoch"] + 6} for row in map(dict, healthy(4, 24))]  # type: ignore[operator]
    assert [change.finding.rule for change in heard(rows)] != []
    assert heard(rows, facts(30, settled=6)) == []


def test_gradients_nobody_measured_are_no_vanished_ones() -> None:
    rows = changed(healthy(5), 0, lambda *_: {"train/gradient_norm": 0.0, "train/gradient_norm_max": 0.0})
    rows = [row | {"train/accuracy": min(0.8, row["train/accuracy"] or 0)} for row in rows]
    assert heard(rows, facts(30, gradients=False)) == []
    assert {change.finding.rule for change in heard(rows)} == {"vanishing_gradients"}


def test_an_old_history_without_the_newer_columns_is_judged_by_what_it_has() -> None:
    rows = changed(healthy(6), 12, WRONG["divergence"][1])
    for row in rows:
        for name in ("train/gradient_norm", "train/gradient_norm_max", "val/auroc"):
            row.pop(name)
        row["val/macro_f1"] = None
    assert {change.finding.rule for change in heard(rows)} == {"divergence"}


def test_the_facts_of_a_finished_run_come_from_its_records() -> None:
    config: dict[str, Any] = {
        "trainer": {"monitor": "val/auroc", "max_epochs": 30, "precision": "16"},
        "scheduler": {"name": "one_cycle", "rise": 0.3},
        "finetune": {"head_epochs": 1.0, "stage_epochs": 0.0},
    }
    counts = {"train": {"adenocarcinoma": 20, "normal": 10}, "val": {"normal": 5}, "test": {}}
    found = Facts.of(config, counts)
    assert found == Facts("val/auroc", {"train": (20, 0, 0, 10), "val": (0, 0, 0, 5)}, 30, 9, False)
    gradual = {**config, "finetune": {"head_epochs": 1.0, "stage_epochs": 2.0}}
    assert Facts.of(gradual, counts).settled == 11
    assert found.majority("train") == pytest.approx(2 / 3)
