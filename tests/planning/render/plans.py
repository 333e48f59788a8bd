"""A plan with something of everything a script can hold."""

from typing import Any

from ctexp.planning.plan.document import Plan
from ctexp.planning.render.bash import bash_script
from ctexp.planning.render.script import Script

EVERYTHING: dict[str, Any] = {
    "name": "backbones",
    "goal": "Which backbone? $(touch canary)",
    "baseline": "resnet18",
    "seeds": [42, 43],
    "common": ["data.name=tiny", "trainer.max_epochs=3", "data.windows=[lung, soft]"],
    "experiments": {
        "resnet18": {
            "overrides": ["model=resnet18", "optim.lr=1e-3"],
            "fallback": {"oom": ["data.batch_size=16"], "diverged": ["optim.lr=1e-4"]},
        },
        "densenet121": {"overrides": ["model=densenet121"], "limit": "1h30m", "priority": 1},
        "folds": {
            "kind": "cross-validate",
            "overrides": ["model=resnet18"],
            "needs": ["resnet18"],
            "seeds": [1],
        },
        "tuned": {
            "overrides": ["optim.weight_decay=0.1"],
            "base": {"best_of": ["resnet18", "densenet121"]},
            "gate": {"after": "resnet18", "metric": "val/macro_f1", "op": ">=", "value": 0.6},
            "shorten": True,
            "fallback": {"oom": ["data.batch_size=8"]},
        },
    },
}


def plan_of(**changes: Any) -> Plan:
    """That plan, with some of its keys said otherwise."""
    return Plan.model_validate(EVERYTHING | changes)


def script_of(plan: Plan) -> str:
    """Its script."""
    return bash_script(Script(plan, f"research/plans/{plan.name}.yaml", "0" * 64))
