"""The layers of a configuration, later ones winning, and which of them set a key.

`conf/config.yaml` and the chosen groups, an experiment, `conf/local.yaml`, the tracker's environment
variables, the command line.
"""

import os
import re
from collections.abc import Sequence
from typing import Any

from ctexp.config import personal
from ctexp.config.files import Files, over
from ctexp.config.keys import EXPERIMENT
from ctexp.config.overrides import parse
from ctexp.config.sources import Sources
from ctexp.core.dotted import nested
from ctexp.core.errors import UsageError

_Document = dict[str, Any]


class Layers:
    """Everything that has a say, read and checked but not yet validated.

    Args:
        overrides: the command line's words.
        sources: what the files say, and what overrides mean.

    Raises:
        UsageError: a file is missing or broken, so that nothing can be composed.

    Attributes:
        problems: a line for each override or variable that cannot be used.
    """

    def __init__(self, overrides: Sequence[str], sources: Sources) -> None:
        given, self.problems = parse(overrides, sources.override)
        self._given = {override.key: override.value for override in given if not override.chooses_a_group}
        choices: dict[str, str | None] = {}
        self._undecided: list[str] = []
        for override in (override for override in given if override.chooses_a_group):
            problem = sources.problem_with(override)
            if problem:
                self.problems.append(f"{override.text}: {problem}")
                self._undecided.append(override.key)
            else:
                choices[override.key] = override.value
        try:
            self._files: Files = sources.files(choices)
            local = sources.local()
        except UsageError as error:
            raise UsageError([*self.problems, *error.problems], error.hint) from error
        tracker, problems = personal.tracker_settings(os.environ)
        self.problems += problems
        self._personal: list[tuple[str, _Document]] = [("conf/local.yaml", local), *tracker.items()]
        self._logger_chosen = "logger" in choices

    def document(self) -> _Document:
        """All layers merged, and a run named when nobody has named it."""
        document = self._files.document
        for source, layer in self._personal:
            if self._has_a_say(source, layer, document):
                document = over(document, self._without_a_second_logger(layer))
        for key, value in self._given.items():
            document = over(document, nested({key: value}))
        run = document.get("run")
        if isinstance(run, dict) and run.get("name") is None:
            document = over(document, {"run": {"name": self._default_name(document)}})
        return document

    def origin(self, key: str) -> str:
        """The file or variable that set a dotted key; empty for the command line, which the user sees."""
        if any(key == given or key.startswith(f"{given}.") for given in self._given):
            return ""
        for source, layer in reversed(self._personal):
            if _holds(layer, key.split(".")):
                return source
        return self._files.setter(key)

    def is_undecided(self, problem: str) -> bool:
        """Whether a problem is about a group that was chosen wrongly: what it says would mislead."""
        return re.split(r"[.: ]", problem, maxsplit=1)[0] in self._undecided

    def _has_a_say(self, source: str, layer: _Document, document: _Document) -> bool:
        """A tracker's variable says nothing about other trackers, nor against a key on the command line."""
        logger = document.get("logger", {})
        also = self._given.get("logger.also", logger.get("also"))
        names = [logger.get("name"), *(also if isinstance(also, list) else [])]
        match source:
            case "WANDB_MODE":
                disabled = "name" in layer["logger"]
                meant = names[0] == "wandb" if disabled else "wandb" in names
                return meant and "logger.mode" not in self._given
            case "MLFLOW_TRACKING_URI":
                return "mlflow" in names
            case _:
                return True

    def _without_a_second_logger(self, layer: _Document) -> _Document:
        """A logger chosen on the command line stays that one; only its other settings may be personal."""
        if not self._logger_chosen or "logger" not in layer:
            return layer
        others = {key: value for key, value in layer["logger"].items() if key not in {"name", "also"}}
        return {**layer, "logger": others}

    def _default_name(self, document: _Document) -> str:
        """The experiment's name, else the model's."""
        experiment, model = self._files.chosen[EXPERIMENT], self._files.chosen["model"]
        if "model.name" in self._given:
            model = document["model"]["name"]
        return re.sub(r"[^a-z0-9_-]+", "-", str(experiment or model).lower()).strip("-_")[:64] or "run"


def _holds(layer: Any, path: Sequence[str]) -> bool:
    """Whether a layer sets the key at `path`."""
    for part in path:
        if not isinstance(layer, dict) or part not in layer:
            return False
        layer = layer[part]
    return True
