from pathlib import Path

import pytest

from ctexp.research.places import Places
from ctexp.research.plan.load import load
from ctexp.research.running.wiring import unwired
from tests.research.answers import answer, figure, plan

PLAN = """
experiments:
  noise:
    type: question
    sub_experiments: [spread, twice]
"""


@pytest.mark.parametrize(
    ("criteria", "spread", "twice", "lines"),
    [
        ([], ["sd"], ["alarms"], []),
        (["sd", "e_twice/alarms"], ["sd"], ["alarms"], []),
        (
            ["seed_sd", "alarms"],
            ["seed_ds"],
            ["alarms"],
            [
                "noise: criterion seed_sd: no part's STUB gives it; did you mean 'seed_ds'?",
                "noise/spread: STUB gives seed_ds, which no criterion names; did you mean 'seed_sd'?",
            ],
        ),
        (["sd"], ["sd"], ["mean"], ["noise/twice: STUB gives mean, which no criterion names"]),
        (["sd"], [], [], ["noise: criterion sd: no part's STUB gives it"]),
        (
            ["sd"],
            ["sd"],
            ["sd"],
            [
                "noise: criterion sd: told more than once, by spread, twice; "
                "the plan has to say e_spread/sd or e_twice/sd"
            ],
        ),
    ],
)
def test_names_that_do_not_meet_are_told(
    tmp_path: Path, criteria: list[str], spread: list[str], twice: list[str], lines: list[str]
) -> None:
    asked = "".join(f"      {name}: {{target: 1, direction: higher}}\n" for name in criteria)
    plan(tmp_path, PLAN + (f"    success_criteria:\n{asked}" if criteria else ""))
    answers = {
        sub: answer(
            tmp_path, "noise", sub, {name: figure(0.5) for name in names}, function=f"e_{sub}", stub=True
        )
        for sub, names in (("spread", spread), ("twice", twice))
    }
    experiment = load(Places(tmp_path).plan, "plan.yaml").experiments["noise"]
    assert list(unwired(experiment, answers)) == lines
    assert not list(unwired(experiment, {"spread": answers["spread"]}))  # the rest was not asked for
