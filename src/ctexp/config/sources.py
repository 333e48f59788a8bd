"""What configurations are made of, each read once: choices of files, single overrides, personal settings."""

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from ctexp.config import groups, personal
from ctexp.config.files import Files, from_files, group_from_file, over
from ctexp.config.keys import EXPERIMENT, GROUPS
from ctexp.config.overrides import Override, parse_one
from ctexp.core import yaml_file
from ctexp.core.errors import UsageError


class Sources:
    """The files of a project, and what overrides mean; nothing that is handed out may be changed.

    Hydra takes 50 ms to put files together and a millisecond to read an override, and the jobs of a plan have
    most of both in common.

    Args:
        conf: the absolute folder of `config.yaml` and the groups.

    Attributes:
        override: see `overrides.parse_one`.
        local: see `personal.local_settings`.
    """

    def __init__(self, conf: Path) -> None:
        self._conf = conf
        self.override = cache(parse_one)
        self.local = cache(partial(personal.local_settings, conf))
        self._group = cache(partial(group_from_file, conf))
        self._problems: dict[str, str] = {}
        self._files: dict[frozenset[tuple[str, str | None]], Files | UsageError] = {}

    def problem_with(self, choice: Override) -> str:
        """Why an override cannot choose a file of its group; empty where it can."""
        if choice.text not in self._problems:
            self._problems[choice.text] = groups.problem_with(choice.key, choice.value, self._conf)
        return self._problems[choice.text]

    def files(self, choices: Mapping[str, str | None]) -> Files:
        """See `files.from_files`."""
        chosen = frozenset(choices.items())
        if chosen not in self._files:
            try:
                put_together = self._files and self._put_together(choices)
                self._files[chosen] = put_together or from_files(self._conf, choices)
            except UsageError as error:
                self._files[chosen] = error
        found = self._files[chosen]
        if isinstance(found, UsageError):
            raise UsageError(found.problems, found.hint)
        return found

    def _put_together(self, choices: Mapping[str, str | None]) -> Files | None:
        """The defaults, or an experiment's, with single groups exchanged; None where that is not the same.

        No group's file says anything of another group: see `file_rules`. An experiment does, and what it says
        comes last; the main file may.
        """
        experiment = choices.get(EXPERIMENT)
        begins = {} if experiment is None else {EXPERIMENT: experiment}
        if choices == begins:
            return None
        try:
            plain = self.files(begins)
        except UsageError:  # a default is broken that need not be chosen here
            return None
        main = yaml_file.read_mapping(self._conf / "config.yaml")
        own = {} if experiment is None else self._said_last(experiment)
        if plain.chosen[EXPERIMENT] != experiment or not main.keys().isdisjoint(GROUPS) or own is None:
            return None
        document = dict(plain.document)
        for group, name in choices.items():
            if group != EXPERIMENT and name is not None and name != plain.chosen[group]:
                document[group] = over(self._group(group, name), own.get(group, {}))
        return Files(self._conf, document, {**plain.chosen, **choices})

    def _said_last(self, experiment: str) -> dict[str, Any] | None:
        """What an experiment's own file says of all groups; None where it starts from another."""
        said = yaml_file.read_mapping(self._conf / EXPERIMENT / f"{experiment}.yaml")
        bases = [entry for entry in said.get("defaults", []) if isinstance(entry, str) and entry != "_self_"]
        return None if bases else said
