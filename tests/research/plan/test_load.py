"""Plans as people have them: they load, what is unknown is kept and told, what is wrong refused at once."""

from pathlib import Path

import pytest

from ctexp.core.errors import UsageError
from ctexp.research.plan.content import ResearchPlan
from ctexp.research.plan.load import load, parse
from ctexp.research.plan.references import in_order

BROUGHT = """\
# a plan that was written for another program
project: {name: chest CT, hypothesis: radiomics add, architecture: dual pathway}
last_updated: 2025-11-02
links: {board: https://example.org}
future_research: [attention]
archived:
  - {id: first_try, status: failed}
budget: 8 h
experiments:
  p1_baseline:
    name: Baseline
    type: Claim
    phase: 1
    status: Completed
    description: |
      What a small network reaches.
    outcome: fine
    achieved: {val/accuracy: 0.9}
    owner: somebody
    sub_experiments:
      - e1-train
      - {id: e2, name: Seeds, description: three of them, gpu: 1}
      - e3: spread over folds
      - Look at the mistakes
    success_criteria:
      val/accuracy: {target: 0.9, acceptable: 0.85, failure: 0.8, direction: maximize, note: one image is 1.4}
      val_loss: 0.5
      ece: {target: 0.05, failure: 0.2}
      speed: ">= 100"
      parameters: {target: 1e6, direction: "<="}
      agreement: 0.7
  p2:
    type: pivot
    replaces: first_try
    dependencies: p1_baseline
gates:
  g1:
    name: Enough
    experiments: [p1_baseline]
    unlocks: [p2, a paper]
    status: PASSED
    note: by hand
"""


def wrong(text: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        parse(text.encode(), "plan.yaml")
    return [problem.removeprefix("plan.yaml:") for problem in caught.value.problems]


@pytest.fixture
def brought() -> ResearchPlan:
    return parse(BROUGHT.encode(), "plan.yaml")


def test_a_plan_that_people_have_loads_with_everything_it_says(brought: ResearchPlan) -> None:
    first, second = brought.experiments.values()
    assert (first.id, first.name, first.kind, first.phase) == ("p1_baseline", "Baseline", "claim", "1")
    assert (first.said_status, first.outcome, first.achieved) == ("Completed", "fine", {"val/accuracy": 0.9})
    assert first.description == "What a small network reaches."
    assert [(sub.id, sub.name, sub.description) for sub in first.subs] == [
        ("e1-train", "e1-train", ""),
        ("e2", "Seeds", "three of them"),
        ("e3", "e3", "spread over folds"),
        ("Look_at_the_mistakes", "Look at the mistakes", ""),
    ]
    assert (second.kind, second.replaces, second.dependencies) == ("pivot", "first_try", ("p1_baseline",))
    gate = brought.gates["g1"]
    assert (gate.experiments, gate.unlocks, gate.said_status) == (
        ("p1_baseline",),
        ("p2", "a paper"),
        "PASSED",
    )
    assert brought.project["hypothesis"] == "radiomics add"
    assert brought.rest["last_updated"] == "2025-11-02"
    assert brought.rest["archived"] == [{"id": "first_try", "status": "failed"}]


def test_a_criterion_says_its_direction_or_its_thresholds_or_its_metric_do(brought: ResearchPlan) -> None:
    criteria = brought.experiments["p1_baseline"].criteria
    assert {name: one.direction for name, one in criteria.items()} == {
        "val/accuracy": "higher",
        "val_loss": "lower",  # the metric's own
        "ece": "lower",  # the order of its thresholds
        "speed": "higher",
        "parameters": "lower",
        "agreement": "higher",  # nothing says so: it is told
    }
    assert [criteria[name].target for name in ("val_loss", "speed", "parameters")] == [0.5, 100, 1e6]
    accuracy = criteria["val/accuracy"]
    assert (accuracy.acceptable, accuracy.failure, accuracy.note) == (0.85, 0.8, "one image is 1.4")
    assert [line for line in brought.warnings if "direction" in line] == [
        "plan.yaml:31: experiments.p1_baseline.success_criteria.agreement: says no direction; "
        "higher is taken as better"
    ]


def test_unknown_keys_are_kept_and_told_with_the_one_that_was_meant(brought: ResearchPlan) -> None:
    assert brought.rest["budget"] == "8 h"
    assert brought.experiments["p1_baseline"].extra == {"owner": "somebody"}
    assert brought.experiments["p1_baseline"].subs[1].extra == {"gpu": 1}
    told = [line for line in brought.warnings if "unknown key" in line]
    assert told == [
        "plan.yaml:8: budget: unknown key, kept",
        "plan.yaml:19: experiments.p1_baseline.owner: unknown key, kept",
        "plan.yaml:22: experiments.p1_baseline.sub_experiments.1.gpu: unknown key, kept",
    ]
    plan = parse(b"experiments:\n  a: {sucess_criteria: {}}", "plan.yaml")
    assert plan.warnings == (
        "plan.yaml:2: experiments.a.sucess_criteria: unknown key, kept; did you mean 'success_criteria'?",
    )


def test_experiments_gates_and_parts_may_be_lists_or_keys() -> None:
    plan = parse(
        b"""\
experiments:
  - {id: a, sub_experiments: {one: words, two: {name: Two}}}
  - {id: b, sub_experiments: alone, dependencies: [a]}
gates:
  - {id: g, experiments: a}
""",
        "plan.yaml",
    )
    assert [sub.id for sub in plan.experiments["a"].subs] == ["one", "two"]
    assert [sub.name for sub in plan.experiments["a"].subs] == ["one", "Two"]
    assert [sub.id for sub in plan.experiments["b"].subs] == ["alone"]
    assert plan.gates["g"].experiments == ("a",)


def test_everything_that_is_wrong_is_told_at_once_with_its_line() -> None:
    found = wrong("""\
experiments:
  a:
    dependencies: [b, nois]
    success_criteria:
      val_loss: {target: 0.5, direction: higher}
      test/accuracy: 0.9
      test_acc: 0.9
      e_x/test/anything: 0.9
      val/macro_f1: {target: 0.5, failure: 0.9}
      up: {target: 0.5, acceptable: 0.9, failure: 0.4}
      down: {target: 0.5, failure: 0.4, direction: lower}
      y: {acceptable: 0.9}
      z: words
      w: {target: 1, direction: sideways}
      v: {target: ">= 1", direction: lower}
      u: {target: .nan}
  b: {dependencies: [g], type: claims, sub_experiments: [a-b, a_b, a-b, " "]}
  c: {dependencies: [d]}
  d: {}
  all: {}
  a.b: {}
  a-b: {replaces: gone, dependencies: [old]}
  "a b": {}
gates:
  g: {experiments: [nope], unlocks: [d]}
  h: {experiments: [c], unlocks: d}
archived: [old]
""")
    at, known = "experiments.a.success_criteria", "choose one of: a, a-b, a.b, all, b, c, d"
    assert found == [
        f"3: experiments.a.dependencies: there is no experiment nois; {known}",
        f"5: {at}.val_loss: smaller values of it are the better ones: direction lower",
        f"6: {at}.test/accuracy: the test split is sealed; nothing is decided by it: use val/",
        f"7: {at}.test_acc: the test split is sealed; nothing is decided by it: use val/",
        f"8: {at}.e_x/test/anything: the test split is sealed; nothing is decided by it: use val/",
        f"9: {at}.val/macro_f1: larger values of it are the better ones: direction higher, "
        "and its thresholds go the other way: target 0.5, failure 0.9",
        f"10: {at}.up: where higher is better, target >= acceptable >= failure; "
        "got target 0.5, acceptable 0.9, failure 0.4",
        f"11: {at}.down: where lower is better, target <= acceptable <= failure; got target 0.5, failure 0.4",
        f"12: {at}.y: its target is missing",
        f"13: {at}.z.target: expected a number, got 'words'",
        f"14: {at}.w.direction: 'sideways' is none it can be; choose one of: higher, lower",
        f"15: {at}.v.direction: lower, but its target is a bound the other way",
        f"16: {at}.u.target: expected a number, got '.nan'",
        "17: experiments.b.type: 'claims' is none it can be; did you mean 'claim'?",
        "17: experiments.b.sub_experiments.1: its handler would be the file of a-b; rename one",
        "17: experiments.b.sub_experiments.2: a-b is given twice",
        "17: experiments.b.sub_experiments.3: its id is missing",
        "17: experiments.b.dependencies: g is a gate; name this experiment in its unlocks instead",
        "18: experiments.c: waits for itself: c -> d -> c",
        "20: experiments.all: all stands for every experiment; take another id",
        "22: experiments.a-b: its handlers would lie in the folder of a.b; rename one",
        "22: experiments.a-b.dependencies: old is archived, so nothing will be found of it; leave it out",
        f"22: experiments.a-b.replaces: there is no experiment gone; {known}",
        "23: experiments.a b: 'a b' is no id: letters, digits, '_', '-' and '.', at most 64, "
        "beginning with a letter or digit",
        f"25: gates.g.experiments: there is no experiment nope; {known}",
    ]


def test_a_key_that_is_given_twice_and_a_second_id_are_refused() -> None:
    assert wrong("experiments:\n  a: {id: b}\n") == [
        "2: experiments.a.id: it is called a here; leave this out",
    ]
    assert wrong("experiments:\n  a: {}\n  a: {}\n") == [
        "3: experiments.a: given twice, first on line 2",
    ]
    assert wrong("experiments:\n- {id: a}\n- {id: a}\n- {name: b}\n") == [
        "3: experiments.1: a is given twice",
        "4: experiments.2: its id is missing",
    ]


@pytest.mark.parametrize("metric", ["val/accuracy", "e_base/macro_f1", "mcc", "val_auc"])
def test_a_metric_that_is_better_higher_cannot_be_wanted_lower(metric: str) -> None:
    (line,) = wrong(
        f"experiments: {{a: {{success_criteria: {{{metric}: {{target: 1, direction: lower}}}}}}}}"
    )
    assert line.endswith("larger values of it are the better ones: direction higher")


def test_every_circle_is_told() -> None:
    found = wrong("""\
experiments:
  a: {dependencies: [b]}
  b: {dependencies: [a]}
  c: {dependencies: [c, a]}
  d: {}
gates:
  g: {experiments: [d], unlocks: [d]}
""")
    assert found == [
        "2: experiments.a: waits for itself: a -> b -> a",
        "4: experiments.c: waits for itself: c -> c",
        "5: experiments.d: waits for itself: d -> d",
    ]


def test_experiments_come_after_what_they_wait_for_else_in_the_order_of_the_file() -> None:
    plan = parse(
        b"""\
experiments:
  a: {dependencies: [c]}
  b: {}
  c: {}
  d: {}
  e: {}
gates:
  g: {experiments: [e], unlocks: [d]}
""",
        "plan.yaml",
    )
    assert in_order(plan) == ("c", "a", "b", "e", "d")


def test_a_long_chain_is_an_order_too() -> None:
    chain = "".join(f" a{n}: {{dependencies: [a{n + 1}]}}\n" for n in range(1500))
    plan = parse(f"experiments:\n{chain} a1500: {{}}\n".encode(), "plan.yaml")
    assert in_order(plan) == tuple(f"a{n}" for n in reversed(range(1501)))


def test_an_empty_plan_is_one_and_a_missing_one_says_how_to_begin(tmp_path: Path) -> None:
    assert parse(b"", "plan.yaml").experiments == {}
    with pytest.raises(UsageError) as caught:
        load(tmp_path / "plan.yaml", "plan.yaml")
    assert caught.value.lines() == [
        "UsageError: plan.yaml: there is none -> begin an experiment: scripts/inv research-new ID"
    ]
