"""Criteria of a plan: what nothing in it could decide, what it will hardly decide, what it can."""

import pytest

from tests.planning.checking.plans import BASED, COMMON, Check, lines


@pytest.mark.parametrize(
    ("success", "said"),
    [
        ("{metric: val/accuracy, op: '>=', value: 0.93}", "even with every answer right the lower end"),
        ("{metric: val/macro_f1, op: '>', value: 0.95}", "cannot be decided by 40 validation images"),
        ("{metric: val/miss_rate, op: '<=', value: 0.05}", "even with every answer right the upper end"),
        ("{metric: val/accuracy, op: '>=', value: 1.01}", "can never be"),
        (
            "{metric: val/accuracy, better_than: baseline, by: 0.1}",
            "the smallest that any test could call one",
        ),
        ("{metric: val/macro_f1, better_than: baseline, by: 0.01}", "is at best 0."),
    ],
)
def test_criteria_that_nothing_in_the_plan_could_decide(checked: Check, success: str, said: str) -> None:
    found = checked(BASED + f"  x:\n    overrides: [optimizer=sgd]\n    success: {success}\n")
    assert len(found.problems) == 1
    assert lines(found.problems)[0].startswith("7: experiments.x.success")
    assert said in found.problems[0]


@pytest.mark.parametrize(
    ("success", "said"),
    [
        ("{metric: val/accuracy, op: '>=', value: 0.8}", "only where the truth is at least 0.9"),
        ("{metric: val/miss_rate, op: '<', value: 0.2}", "only where the truth is at most 0.0"),
        ("{metric: val/accuracy, op: '>=', value: 0}", "always holds: the criterion decides nothing"),
        ("{metric: val/accuracy, op: '<', value: 0.5}", "higher is better, is the other way meant?"),
        (
            "{metric: val/accuracy, better_than: baseline, by: 0.2}",
            "detectable four times in five is at best",
        ),
        (
            "{metric: val/macro_f1, better_than: baseline}",
            "of 0.02 (worthwhile, of conf/verdict.yaml) will hardly",
        ),
    ],
)
def test_criteria_that_will_hardly_be_decided(checked: Check, success: str, said: str) -> None:
    found = checked(BASED + f"  x:\n    overrides: [optimizer=sgd]\n    success: {success}\n")
    assert found.problems == ()
    assert any(said in line for line in lines(found.warnings) if line.startswith("7: experiments.x.success:"))


def test_criteria_that_can_be_decided_are_not_spoken_of(checked: Check) -> None:
    found = checked(
        BASED + "  x:\n    overrides: [optimizer=sgd]\n"
        "    success: {metric: val/macro_f1, better_than: baseline, by: 0.6}\n"
        "  y:\n    overrides: [optimizer=lion]\n    success: {metric: val/auroc, op: '>', value: 0.9}\n"
    )
    assert not [line for line in (*found.problems, *found.warnings) if "success" in line]


@pytest.mark.parametrize(
    ("experiment", "said"),
    [
        (
            "kind: cross-validate",
            "the baseline plain on tiny, split official: what is not judged on the same",
        ),
        ("overrides: [data.name=leaky]", "x is judged on leaky, split clean, the baseline plain on tiny"),
    ],
)
def test_what_is_judged_on_other_images_is_not_compared(checked: Check, experiment: str, said: str) -> None:
    criterion = "success: {metric: val/macro_f1, better_than: baseline, by: 0.6}"
    found = checked(BASED + f"  x:\n    {experiment}\n    {criterion}\n")
    assert len(found.problems) == 1
    assert lines(found.problems)[0].startswith("7: experiments.x.success.better_than: x is judged on")
    assert said in found.problems[0]


def test_better_than_which_baseline(checked: Check) -> None:
    criterion = "success: {metric: val/macro_f1, better_than: baseline, by: 0.6}"
    found = checked(COMMON + f"experiments:\n  x:\n    {criterion}\n")
    assert lines(found.problems) == ["4: experiments.x.success.better_than: the plan names no baseline"]
    found = checked(COMMON + f"baseline: x\nexperiments:\n  x:\n    {criterion}\n")
    assert lines(found.problems) == ["5: experiments.x.success.better_than: x is the baseline itself"]
    found = checked(COMMON + f"baseline: last-year\nexperiments:\n  x:\n    {criterion}\n")
    assert lines(found.missing)[0].startswith("2: baseline: last-year is no experiment of this plan, and ")


def test_the_target_is_for_the_best_of_the_plan(checked: Check) -> None:
    target = "target: {metric: val/accuracy, op: '>=', value: 0.95}\n"
    found = checked(target + COMMON + "experiments: {a: {}}\n")
    assert lines(found.problems)[0].startswith("1: target: val/accuracy >= 0.95 cannot be decided by 40")
    found = checked(target + COMMON + "experiments: {a: {}, b: {kind: cross-validate}}\n")
    assert found.problems == ()
    assert lines(found.warnings)[0].startswith("1: target: val/accuracy >= 0.95: on 88 validation images")
