"""A handler's file as a module, and the one function in it that is the handler."""

import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ctexp.core.errors import UsageError
from ctexp.research.places import Places

PREFIX = "e_"
"""How the name of a handler's function begins."""

_SHAPE = 'def e_…(runner: ExperimentRunner) -> {"finding": …, "metrics": {…}, "artifacts": […]}'


class MissingHandler(UsageError):
    """There is no handler where one has to be: a failure, and never an excuse for made-up figures."""


class BadHandler(UsageError):
    """There is a file, and no handler in it."""


@dataclass(frozen=True)
class Handler:
    """A handler that has been loaded.

    Attributes:
        file: that holds it.
        name: of its function.
        function: takes a runner.
        stub: what the file declares for runs that only try the wiring; None where it declares nothing.
    """

    file: Path
    name: str
    function: Callable[[Any], Any]
    stub: Any


def load(places: Places, experiment: str, sub: str) -> Handler:
    """Load the handler of a part of an experiment; what stands in its file outside functions is carried out.

    It may import modules of its own folder and of `research/handlers/`; an installed one of that name comes
    first.

    Raises:
        MissingHandler: there is no such file.
        BadHandler: it holds no function of a handler, several, or one that takes something else.
        Exception: whatever its file raises when it is imported.
    """
    file = places.handler(experiment, sub)
    shown = file.relative_to(places.root)
    if not file.is_file():
        raise MissingHandler(
            f"{shown}: no such file",
            f"write it: {_SHAPE}; `scripts/inv research-new {experiment}` makes a skeleton",
        )
    for folder in (places.handlers, file.parent):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    module = _module(file)
    found = {
        name: its
        for name, its in vars(module).items()
        if name.startswith(PREFIX) and inspect.isfunction(its) and its.__module__ == module.__name__
    }
    if len(found) != 1:
        what = f"several functions {', '.join(found)}" if found else f"no function {PREFIX}…"
        raise BadHandler(f"{shown}: {what}, and one is expected", f"write {_SHAPE}")
    ((name, function),) = found.items()
    try:
        inspect.signature(function).bind(None)
    except TypeError as error:
        raise BadHandler(
            f"{shown}: {name} cannot be called with a runner alone ({error})", f"write {_SHAPE}"
        ) from error
    return Handler(file, name, function, getattr(module, "STUB", None))


def _module(file: Path) -> ModuleType:
    name = f"handler_{file.parent.name}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise BadHandler(f"{file}: cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look for it there
    spec.loader.exec_module(module)
    return module
