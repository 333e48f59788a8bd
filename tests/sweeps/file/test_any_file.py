"""Whatever stands in a file, it is read or refused with a line; nothing else happens."""

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from ctexp.core.errors import UsageError
from ctexp.sweeps.file.grid import MOST_CELLS, cells
from ctexp.sweeps.file.load import load
from ctexp.sweeps.file.sampled import at_quantile
from ctexp.sweeps.file.spec import Spec
from tests.documents import places

WHOLE: dict[str, Any] = {
    "name": "all of it",
    "method": "bayes",
    "metric": {"name": "val_loss", "goal": "minimize", "target": 0.1},
    "run_cap": 3,
    "early_terminate": {"type": "hyperband", "min_iter": 2, "eta": 3},
    "parameters": {
        "optimizer": {"parameters": {"lr": {"distribution": "log_uniform", "min": -9, "max": -2}}},
        "model": {"values": ["a", "b"], "probabilities": [0.5, 0.5]},
        "data.batch_size": {"distribution": "q_uniform", "min": 8, "max": 64, "q": 8},
        "model.dropout": {"distribution": "q_log_normal", "mu": 0, "sigma": 1, "q": 0.1},
        "loss": {"min": 1, "max": 3},
    },
    "ctexp": {
        "overrides": ["data=phantom"],
        "constraints": ["loss * data.batch_size < 100"],
        "conditions": {"model.dropout": "model == 'a'"},
        "seeds": [1, 2],
        "folds": 3,
        "objective": "mean",
        "budget": "2h",
        "backend": "ray",
        "storage": "postgresql://a@b/c",
        "resources": {"cpus": 1},
    },
}
ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    1e308,
    -1e308,
    10**30,
    0.5,
    "",
    "x",
    "${a}",
    "\n",
    [],
    [[]],
    {},
    {"a": 1},
    ["x"],
]


def changed(rng: Random) -> dict[str, Any]:
    """The file with a few things in it exchanged for odd ones, or gone."""
    document = copy.deepcopy(WHOLE)
    for _ in range(rng.randint(1, 3)):
        *outer, key = rng.choice(list(places(document)))
        inside: Any = document
        for part in outer:
            inside = inside[part]
        if rng.random() < 0.2:
            del inside[key]
        else:
            inside[key] = copy.deepcopy(rng.choice(ODD))
    document["method"] = (
        rng.choice(["grid", "random", "bayes"]) if rng.random() < 0.5 else document.get("method")
    )
    return document


def attempt(path: Path) -> tuple[Spec | None, Sequence[str]]:
    """The sweep, or why it is refused."""
    try:
        return load(path, "some.yaml"), ()
    except UsageError as error:
        return None, error.problems


def test_it_is_read_or_refused(tmp_path: Path) -> None:
    rng, path = Random(3), tmp_path / "some.yaml"
    read = 0
    for _ in range(150):
        path.write_text(json.dumps(changed(rng), indent=1))  # JSON is YAML
        spec, problems = attempt(path)
        assert all(problem.startswith("some.yaml") for problem in problems)
        if spec is None:
            continue
        read += 1
        for parameter in spec.space.parameters:
            for quantile in (0.0, 0.3, 1.0):
                at_quantile(parameter.dimension, quantile)
        if spec.method == "grid":
            assert 0 < len(cells(spec.space)) <= MOST_CELLS
    assert read > 5
