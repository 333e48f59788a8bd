"""From a sweep's file to what it asks for: W&B's format as its documents describe it, and our additions.

https://docs.wandb.ai/models/sweeps/sweep-config-keys names the keys; a few more of older files and of W&B's
own schema are known, too. What means nothing here is told, not refused: files people have work unchanged.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from ctexp.core import files, metric_names, yaml_file
from ctexp.core.errors import UsageError
from ctexp.core.names import ID_PATTERN
from ctexp.core.yaml_parts import Mistakes, Part
from ctexp.sweeps.file import parameters
from ctexp.sweeps.file.additions import additions
from ctexp.sweeps.file.grid import cells
from ctexp.sweeps.file.locate import FOLDER, locate
from ctexp.sweeps.file.spec import Spec
from ctexp.sweeps.file.stopping import early
from ctexp.sweeps.file.words import key_of

__all__ = ["FOLDER", "load", "locate"]

Method = Literal["grid", "random", "bayes"]
Goal = Literal["maximize", "minimize"]

_IGNORED = {
    "program": "every trial is an `inv train`",
    "command": "every trial is an `inv train`",
    "job": "every trial is an `inv train`",
    "image_uri": "every trial is an `inv train`",
    "project": "logger.project of the configuration names it",
    "entity": "logger.entity of the configuration names it",
    "controller": "agents draw the trials themselves",
    "scheduler": "ctexp.sampler chooses how trials are drawn",
    "apiVersion": "",
    "kind": "",
}
"""Keys of files for W&B that have no effect here, and what has."""

_KEYS = ("name", "description", "method", "metric", "parameters", "early_terminate", "run_cap", "ctexp")
_LONGEST_NAME = 56
"""Of a sweep, so that `<name>-t<number>` is a name too."""

_DEFAULT_METRIC = "val/macro_f1"


def load(path: Path, shown: str, overrides: Sequence[str] = ()) -> Spec:
    """Read a sweep's file.

    Args:
        path: the file.
        shown: what to call it in messages; its stem names the sweep where nothing else does.
        overrides: of the command line: they win over those of the file, and `run.name=` over its name.

    Raises:
        UsageError: everything that is wrong with it, with its line.
    """
    try:
        content = files.read_regular(path, yaml_file.MAX_BYTES)
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read ({error.strerror})") from error
    return _spec(content, shown, overrides)


def _spec(content: bytes, shown: str, overrides: Sequence[str]) -> Spec:
    data, lines = yaml_file.parse_mapping(content, shown)
    mistakes = Mistakes(shown, lines)
    file, ctexp = Part(data, (), mistakes), Part(data.get("ctexp"), ("ctexp",), mistakes)
    file.only(*_KEYS, *_IGNORED, "metrics")
    for key in (key for key in data if key in _IGNORED):
        mistakes.note_idle((key,), _IGNORED[key])
    method = _method(file)
    metric, goal, target = _metric(file, method)
    if not file.data.get("parameters"):
        file.say("parameters", "at least one" if "parameters" in file else "missing")
    space = parameters.space(file.part("parameters"), ctexp, method)
    added = additions(ctexp, method, _seed(file), overrides)
    stopping = early(file, ctexp)
    chosen = {parameter.key: parameter.line for parameter in space.parameters}
    for word, line in added.lines.items():
        if key_of(word) in chosen:
            mistakes.say_on(line, f"ctexp.overrides: {word}: the sweep chooses it, see parameters")
    run_cap = file.whole("run_cap", least=1)
    name = _name(file, shown, overrides)
    description = file.text("description")
    mistakes.refuse()
    _refuse_given(overrides, name, chosen, shown)
    spec = Spec(
        name=name,
        description=description,
        method=method,
        metric=metric,
        goal=goal,
        target=target,
        space=space,
        early=stopping,
        run_cap=run_cap,
        ignored=mistakes.notes,
        raw=_raw(data, metric, goal),
        sha256=files.sha256_bytes(content),
        shown=shown,
        **vars(added),
    )
    if method == "grid":
        _refuse_no_grid(spec, mistakes)
    return spec


def _method(file: Part) -> Method:
    if "method" not in file:
        file.say("method", "missing; choose one of: grid, random, bayes")
        return "random"
    said = file.data["method"]
    if said == "custom":
        file.say("method", "custom draws trials by a program of yours; choose one of: grid, random, bayes")
        return "random"
    return file.one_of("method", get_args(Method), "random")


def _metric(file: Part, method: str) -> tuple[str, Goal, float | None]:
    """The validation metric, which way it is better, and the value that is enough."""
    if "metrics" in file:
        file.say("metrics", "several objectives at once are not for sweeps here; choose one: metric")
    part = file.part("metric")
    part.only("name", "goal", "target", "impute", "impute_while_running")
    for key in ("impute", "impute_while_running"):
        if key in part:
            file.mistakes.note_idle(("metric", key), "trials without a value are failed")
    said, name = part.text("name"), _DEFAULT_METRIC
    if not said and "metrics" not in file:
        if method == "bayes" or "metric" in file:
            file.mistakes.say(("metric",), "its name is missing, for example val/macro_f1")
        else:
            file.mistakes.note((), f"names no metric; {name} is taken")
    elif said:
        name = _validation_metric(part, said) or name
        if name != said:
            file.mistakes.note(("metric", "name"), f"{said} is called {name} here")
    better: Goal = "maximize" if metric_names.higher_is_better(name) else "minimize"
    if "goal" not in part:
        if better == "maximize" and "metric" in file:
            file.mistakes.note(("metric",), f"names no goal; {name} is maximized (W&B would minimize it)")
    elif part.one_of("goal", get_args(Goal), better) != better:
        larger = "larger" if better == "maximize" else "smaller"
        part.say("goal", f"{larger} values of {name} are the better ones: write {better}")
    return name, better, part.number("target")


def _validation_metric(part: Part, said: str) -> str | None:
    """The one spelling of a metric that a sweep may choose by."""
    try:
        name = metric_names.canonical(said)
    except UsageError as error:
        part.say("name", str(error))
        return None
    if name.startswith("test/"):
        part.say("name", f"{said}: the test split is sealed; nothing is chosen by it: use val/")
    elif not name.startswith("val/"):
        part.say("name", f"{said}: nothing is chosen by training images: use val/")
    else:
        return name
    return None


def _seed(file: Part) -> int | None:
    """The parameter `seed` where it is one value, which all trials share then."""
    entry = Part(file.part("parameters").data.get("seed"), ("parameters", "seed"), file.mistakes)
    return entry.whole("value", least=0, most=2**32 - 1) if "value" in entry else None


def _name(file: Part, shown: str, overrides: Sequence[str]) -> str:
    """What the sweep's runs are called."""
    given = [word.partition("=")[2].strip("\"'") for word in overrides if key_of(word) == "run.name"]
    if given:
        return given[0]
    said = file.text("name")
    name = re.sub(r"[^a-z0-9_-]+", "-", (said or Path(shown).stem).lower()).strip("-_")[:_LONGEST_NAME]
    if said and name != said:
        file.mistakes.note(("name",), f"its runs are called {name or 'sweep'}")
    return name or "sweep"


def _refuse_given(overrides: Sequence[str], name: str, chosen: Mapping[str, int], shown: str) -> None:
    """Overrides of the command line that set what the sweep chooses, or a name that its runs cannot have."""
    problems = [
        f"{word}: the sweep chooses it ({shown}:{chosen[key_of(word)]}); leave it out"
        for word in overrides
        if key_of(word) in chosen
    ]
    if not ID_PATTERN.fullmatch(name) or len(name) > _LONGEST_NAME:
        problems.append(
            f"run.name={name}: a sweep's name has at most {_LONGEST_NAME} lower-case letters, digits, "
            "'_' and '-', and begins with a letter or digit"
        )
    if problems:
        raise UsageError(problems)


def _refuse_no_grid(spec: Spec, mistakes: Mistakes) -> None:
    """A grid without a cell, or with far too many."""
    try:
        count = len(cells(spec.space))
    except UsageError as error:
        raise UsageError(f"{mistakes.at(('parameters',))}: {error}", error.hint) from error
    if not count:
        raise UsageError(f"{mistakes.at(('ctexp', 'constraints'))}: no combination is left")


def _raw(data: Mapping[str, Any], metric: str, goal: str) -> dict[str, Any]:
    """The file for W&B: without our section and the seed of all trials, the metric as our runs log it."""
    return {key: value for key, value in data.items() if key != "ctexp"} | {
        "metric": {**(data.get("metric") or {}), "name": metric, "goal": goal},
        "parameters": {key: value for key, value in data["parameters"].items() if key != "seed"},
    }
