"""Whatever stands in a plan, it is read or refused with a line; nothing else happens."""

import copy
import json
from collections.abc import Sequence
from random import Random
from typing import Any

from ctexp.core.errors import UsageError
from ctexp.research.basis import plan_hash
from ctexp.research.plan.adding import added
from ctexp.research.plan.content import ResearchPlan
from ctexp.research.plan.load import parse
from ctexp.research.plan.references import in_order
from tests.documents import places

WHOLE: dict[str, Any] = {
    "project": {"name": "chest CT", "hypothesis": "words", "architecture": "small"},
    "experiments": {
        "a": {
            "name": "A",
            "type": "claim",
            "phase": 1,
            "status": "done",
            "description": "words",
            "outcome": "words",
            "achieved": {"val/mcc": 0.5},
            "sub_experiments": ["one", {"id": "two", "name": "Two", "description": "words"}],
            "success_criteria": {
                "val/mcc": {
                    "target": 0.5,
                    "acceptable": 0.4,
                    "failure": 0.3,
                    "direction": "max",
                    "note": "so",
                },
                "gain": 0.1,
            },
            "dependencies": ["b"],
        },
        "b": {"type": "pivot", "replaces": "c", "sub_experiments": {"one": "words"}},
        "c": {"sub_experiments": "one"},
    },
    "gates": {
        "g": {
            "name": "G",
            "description": "words",
            "experiments": ["b"],
            "unlocks": ["a"],
            "status": "open",
            "note": "so",
        }
    },
    "archived": [{"id": "old"}],
    "links": {},
    "last_updated": "2025-11-02",
    "future_research": ["words"],
}
ODD: list[Any] = [
    *(None, True, -1, 0, 1e308, 10**30, 0.5),
    *("", " ", "x", "a", "all", "..", "../up", "${a}", "\n", "\u202e", ">= 3", ">=", "test/mcc", "maximize"),
    *([], [[]], {}, {"a": 1}, ["x"], [None], ["a", "a"], [{"a": {"id": 3}}]),
]


def changed(rng: Random) -> dict[str, Any]:
    """The plan with a few things in it exchanged for odd ones, renamed, or gone."""
    document = copy.deepcopy(WHOLE)
    for _ in range(rng.randint(1, 3)):
        *outer, key = rng.choice(list(places(document)))
        inside: Any = document
        for part in outer:
            inside = inside[part]
        odd = copy.deepcopy(rng.choice(ODD))
        how = rng.random()
        if how < 0.2:
            del inside[key]
        elif how < 0.4 and isinstance(inside, dict) and isinstance(odd, str):
            inside[odd] = inside.pop(key)
        else:
            inside[key] = odd
    return document


def attempt(content: bytes) -> tuple[ResearchPlan | None, Sequence[str]]:
    """The plan and its warnings, or why it is refused."""
    try:
        plan = parse(content, "plan.yaml")
    except UsageError as error:
        return None, error.problems
    return plan, plan.warnings


def test_it_is_read_or_refused() -> None:
    rng = Random(4)
    read = 0
    for _ in range(200):
        content = json.dumps(changed(rng), indent=1).encode()  # JSON is YAML
        plan, said = attempt(content)
        assert all(line.startswith("plan.yaml:") for line in said)
        if plan is None:
            continue
        read += 1
        order = in_order(plan)
        assert sorted(order) == sorted(plan.experiments)
        for name, experiment in plan.experiments.items():
            assert all(order.index(other) < order.index(name) for other in experiment.dependencies)
            assert len({plan_hash(experiment, sub.id) for sub in experiment.subs}) == len(experiment.subs)
        added(content, "plan.yaml", "new", "New", "claim")
    assert read > 25
