"""The tasks of a project, read in this process; nothing of it is changed."""

import runpy
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from invoke.collection import Collection
from invoke.parser.context import ParserContext

from ctexp.cli.frontdoor import FrontDoorContext


def tasks_of(root: Path) -> Mapping[str, Any]:
    """Every task that a project's `tasks.py` names."""
    return _collection(root).tasks


@cache
def contexts_of(root: Path) -> list[ParserContext]:
    """What the parser of its `inv` knows of each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("invoke.collection.ParserContext", FrontDoorContext)
        return _collection(root).to_contexts()


def _collection(root: Path) -> Collection:
    module = ModuleType("tasks")
    with pytest.MonkeyPatch.context() as patch:
        # Invoke takes a task's help away from it once it has made arguments of it: these are others.
        for name in [name for name in sys.modules if name.startswith("ctexp.cli.verbs")]:
            patch.delitem(sys.modules, name)
        patch.setattr("ctexp.cli.frontdoor.install", lambda: None)  # this process is no front door
        vars(module).update(runpy.run_path(str(root / "tasks.py")))
    return Collection.from_module(module)
