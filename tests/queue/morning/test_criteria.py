"""Met, not met, undecided or not tested, and what that is said of."""

from pathlib import Path

import pytest

from ctexp.queue.orders import Orders
from ctexp.queue.state import fold
from tests import judged
from tests.queue.morning.nights import PLAN, Written, of


@pytest.mark.parametrize(
    ("skill", "status", "insight", "next_step"),
    [
        (3.0, "met", "better than plain by +0.3", "--baseline night-plain --candidate night-other --promote"),
        (0.2, "not met", "worse than plain: -0.2", "scripts/inv analyze-errors --run night-other"),
        (1.2, "undecided", "whether it is better than plain is open", "to find an improvement of 0.05: "),
    ],
)
def test_an_improvement_is_judged_by_the_paired_comparison(
    tmp_path: Path, skill: float, status: str, insight: str, next_step: str
) -> None:
    night = Written(tmp_path, PLAN)
    night.begin()
    night.trained("plain", (1, 2, 3), skill=1.0)
    for seed in (1, 2, 3):  # other noise than the baseline's: a training of its own
        table = judged.predictions(skill=skill, seed=seed + 10)
        night.trained("other", (seed,), tables={"val": table}, overrides=("model.dropout=0.1",))
    told = of(night.report(), "other")
    assert told.outcome is not None
    assert told.outcome.status == status
    assert told.outcome.difference_low is not None
    assert told.outcome.difference_high is not None
    assert told.outcome.difference_low < told.outcome.difference_high
    assert any(insight in line for line in told.insight)
    assert any(next_step in step.command or next_step in step.said for step in told.next)
    assert (told.outcome.images_needed is not None) == (status == "undecided")


def test_what_was_seen_to_be_worse_is_told_what_would_find_the_improvement(tmp_path: Path) -> None:
    night = Written(tmp_path, PLAN.replace("[1, 2, 3]", "[1]").replace("0.05", "0.15"))
    night.begin()
    night.trained("plain", (1,), skill=1.0)
    night.trained("other", (1,), tables={"val": judged.predictions(skill=0.95, seed=11)})
    outcome = of(night.report(), "other").outcome
    assert outcome is not None
    assert outcome.difference is not None
    assert outcome.difference < 0
    assert outcome.status == "undecided"
    assert outcome.needed.startswith("to find an improvement of 0.15: ")


def test_a_hypothesis_of_which_nothing_was_begun_is_not_tested(tmp_path: Path) -> None:
    success = "success: {metric: val/accuracy, op: '>=', value: 0.5}"
    names = ("never", "dropped", "tried")
    lines = "".join(f"  {name}: {{{success}}}\n" for name in names)
    night = Written(tmp_path, f"seeds: [1]\nexperiments:\n{lines}")
    night.begin()
    night.journal.append("cancel", job="dropped-s1", by="somebody")
    night.start("tried-s1")
    night.end("tried-s1", state="failed", cause="oom")
    told = {name: of(night.report(), name).outcome for name in names}
    statuses = [outcome.status for outcome in told.values() if outcome]
    assert statuses == ["not tested", "not tested", "undecided"]


def test_a_deviation_of_two_attempts_is_told_once(tmp_path: Path) -> None:
    night = Written(tmp_path, "seeds: [1]\nexperiments: {net: {}}")
    night.begin()
    for attempt in (1, 2):
        night.start("net-s1", attempt, fallback="oom", deviations=["oom: data.batch_size=8"])
        night.end("net-s1", attempt, state="failed", cause="killed")
    orders = Orders.read(night.queue.orders)
    assert fold(orders, night.journal.read()).jobs["net-s1"].deviations == ["oom: data.batch_size=8"]
    assert of(night.report(), "net").deviations == ("net-s1: oom: data.batch_size=8",)


def test_all_hypotheses_of_a_plan_are_corrected_together_those_that_failed_too(tmp_path: Path) -> None:
    def corrected(folder: Path, plan: str) -> float:
        night = Written(folder, plan)
        night.begin()
        night.trained("plain", skill=1.0)
        for seed in (1, 2, 3):
            night.trained("other", (seed,), tables={"val": judged.predictions(skill=1.6, seed=seed + 10)})
        outcome = of(night.report(), "other").outcome
        assert outcome is not None
        assert outcome.p is not None
        return outcome.p

    alone = corrected(tmp_path / "alone", PLAN)
    lost = "  lost: {success: {metric: val/accuracy, better_than: baseline}}\n"
    with_others = corrected(tmp_path / "others", PLAN + lost + lost.replace("lost", "gone"))
    assert with_others == pytest.approx(3 * alone)


def test_even_what_is_better_is_not_met_where_what_was_worth_finding_is_ruled_out(tmp_path: Path) -> None:
    night = Written(tmp_path, PLAN.replace("by: 0.05", "by: 0.5"))
    night.begin()
    night.trained("plain", skill=1.0)
    night.trained("other", skill=2.5)
    outcome = of(night.report(), "other").outcome
    assert outcome is not None
    assert outcome.difference_low is not None
    assert outcome.difference_low > 0
    assert outcome.status == "not met"
    assert "less than the 0.5 worth finding" in outcome.said


def test_a_metric_that_should_fall_is_better_lower(tmp_path: Path) -> None:
    night = Written(tmp_path, PLAN.replace("val/macro_f1, better", "val/miss_rate, better"))
    night.begin()
    night.trained("plain", skill=0.3)
    night.trained("other", skill=3.0)
    its = of(night.report(), "other")
    assert its.outcome is not None
    assert its.outcome.status == "met"
    assert its.outcome.difference is not None
    assert its.outcome.difference < 0


@pytest.mark.parametrize(
    ("op", "value", "status"),
    [
        (">=", 0.3, "met"),
        (">=", 0.99, "not met"),
        (">=", 0.57, "undecided"),
        ("<", 0.99, "met"),
        ("<", 0.3, "not met"),
        ("<=", 0.57, "undecided"),
    ],
)
def test_a_stated_value_is_met_by_whole_intervals_alone(
    tmp_path: Path, op: str, value: float, status: str
) -> None:
    asked = f"success: {{metric: val/accuracy, op: '{op}', value: {value}}}"
    night = Written(tmp_path, f"experiments:\n  net:\n    seeds: [1, 2]\n    {asked}\n")
    night.begin()
    night.trained("net", (1, 2))
    outcome = of(night.report(), "net").outcome
    assert outcome is not None
    assert outcome.status == status
    assert outcome.low is not None
    assert outcome.high is not None
    assert outcome.low < outcome.high


def test_what_would_decide_a_stated_value_is_counted_in_images(tmp_path: Path) -> None:
    plan = "experiments:\n  net:\n    seeds: [1]\n    success: {metric: val/accuracy, op: '>=', value: 0.5}\n"
    night = Written(tmp_path, plan)
    night.begin()
    night.trained("net", (1,))  # 0.575, 0.466 to 0.677 on 80 images
    its = of(night.report(), "net")
    assert its.outcome is not None
    # The lower half of the interval has to shrink from 0.109 to 0.075: 80 (0.109 / 0.075)^2 images.
    assert its.outcome.images_needed == pytest.approx(80 * (0.109 / 0.075) ** 2, abs=12)
    assert "there are 80" in its.outcome.needed
    assert any("kind: cross-validate" in step.said for step in its.next)
