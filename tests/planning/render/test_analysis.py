"""What a script does at the end."""

from typing import Any

import pytest

from ctexp.planning.plan.jobs import in_order, jobs_of
from ctexp.planning.render.analysis import MOST_ERRORS, analysis_lines
from tests.planning.render.plans import plan_of

BETTER = {"metric": "val/macro_f1", "better_than": "baseline"}


def lines(**changes: Any) -> list[str]:
    """The steps, each on one line."""
    plan = plan_of(**{"experiments": {"a": {}, "b": {}, "c": {}}, "baseline": "a", **changes})
    text = analysis_lines(plan, in_order(jobs_of(plan)))
    return [line.strip() for line in text.replace(" \\\n        ", " ").splitlines()]


def test_every_experiment_is_compared_with_the_baseline() -> None:
    others = "--candidate backbones-b --candidate backbones-c"
    assert lines(analysis=["compare"]) == [
        f"step compare inv compare-baselines --baseline backbones-a {others}"
    ]


def test_those_that_mean_to_be_better_are_compared_alone() -> None:
    experiments = {"a": {}, "b": {"success": BETTER}, "smoke": {}}
    assert lines(analysis=["compare"], experiments=experiments) == [
        "step compare inv compare-baselines --baseline backbones-a --candidate backbones-b"
    ]


def test_like_is_compared_with_like() -> None:
    experiments = {"a": {}, "b": {}, "folds": {"kind": "cross-validate"}}
    assert lines(analysis=["compare"], experiments=experiments) == [
        "step compare inv compare-baselines --baseline backbones-a --candidate backbones-b"
    ]
    compare = "inv compare-baselines --baseline 'best of us'"
    assert lines(analysis=["compare"], experiments=experiments, baseline="best of us") == [
        f"step compare {compare} --candidate backbones-a --candidate backbones-b",
        f"step compare-folds {compare} --candidate backbones-folds",
    ]


@pytest.mark.parametrize("changes", [{"baseline": None}, {"experiments": {"a": {}}}])
def test_nothing_to_compare(changes: dict[str, Any]) -> None:
    assert not [line for line in lines(analysis=["compare"], **changes) if line.startswith("step")]


def test_names_are_those_the_runs_will_have() -> None:
    experiments = {"a": {}, "b": {"overrides": ["run.name='own'"]}}
    assert lines(analysis=["errors"], experiments=experiments) == [
        "step errors-a inv analyze-errors --run backbones-a",
        "step errors-b inv analyze-errors --run own",
    ]


def test_the_analysis_of_errors_is_bounded_and_says_so() -> None:
    found = lines(analysis=["errors"], experiments={f"e{number}": {} for number in range(MOST_ERRORS + 3)})
    assert len(found) == MOST_ERRORS + 1
    assert found[-1].startswith("# 3 more experiments")
