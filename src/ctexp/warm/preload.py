"""All imports of a training, without an operator being run and without a thread being started."""

import contextlib
import gc
import importlib
import os
import pkgutil
import sys
import weakref
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from ctexp.core.errors import CtexpError
from ctexp.core.paths import project_root
from ctexp.warm import own

_PACKAGES = (
    *("ctexp.core", "ctexp.config", "ctexp.record", "ctexp.models", "ctexp.evaluation", "ctexp.data.augment"),
    *("ctexp.training.kernel", "ctexp.training.judging", "ctexp.training.cost", "ctexp.training.memory"),
    *("ctexp.cli.verbs", "hydra._internal.core_plugins"),
)
"""Imported with every module in them."""

_MODULES = (
    *("ctexp.cli.frontdoor", "ctexp.cli.train", "ctexp.training.run", "invoke.main"),
    *("PIL.BmpImagePlugin", "PIL.GifImagePlugin", "PIL.PpmImagePlugin", "matplotlib.backends.backend_agg"),
    *("threadpoolctl", "torch.utils.serialization.config"),
)

_LATE = (
    *("pandas", "pyarrow.compute", "requests", "wandb.apis.public", "wandb.sdk.lib.gitlib"),
    *("wandb.sdk.artifacts._internal_artifact", "wandb.sdk.launch"),
    "opentelemetry.exporter.otlp.proto.http._log_exporter",
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
)
"""What W&B's client imports as a run begins, as far as its version does."""

_AT_THE_END = "tabulate"
"""What torch imports as a process ends."""

_WITHOUT_THREADS = {
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""NumPy's and pyarrow's libraries start a thread each as they are loaded, unless they are told not to."""


def load() -> dict[str, str | None]:
    """Import it all; the objects that exist then are left alone by the garbage collector.

    Returns:
        What imports have done to the environment, which a fresh process would do too: by name, the value, or
        None where it was removed.
    """
    before = dict(os.environ)
    os.environ.update(_WITHOUT_THREADS)
    with own.noted():
        _import()
    for name in _WITHOUT_THREADS:
        del os.environ[name]
    os.environ.update({name: before[name] for name in _WITHOUT_THREADS if name in before})
    _look_up()
    # A child ends at once: what imports would have taken apart then, such as torch's two hundred libraries of
    # operators, need not be.
    for finalizer in list(weakref.finalize._registry):  # type: ignore[attr-defined]
        finalizer.atexit = False
    _linear_algebra()
    # Written to in a child, a page is copied: the collector would write to all of them.
    gc.collect()
    gc.freeze()
    return {
        name: os.environ.get(name)
        for name in {*before, *os.environ}
        if os.environ.get(name) != before.get(name)
    }


def _import() -> None:
    for folder in _PACKAGES:
        package = importlib.import_module(folder)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for name in _MODULES:
        importlib.import_module(name)
    for name in (*_LATE, _AT_THE_END):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _look_up() -> None:
    """Know what every training looks up first: the packages, and what the configuration's files say.

    A child looks it up anew where it has changed since.
    """
    importlib.import_module("ctexp.record.environment").installed_packages()
    with contextlib.suppress(CtexpError):  # the trainings will say it
        importlib.import_module("ctexp.config.compose").compose(("seed=0",), project_root())


def unfit() -> str:
    """Why no child may be forked from this process; empty where nothing speaks against it."""
    if (threads := len(os.listdir("/proc/self/task"))) != 1:  # noqa: PTH208 - names are all that is wanted
        return f"the warm trainer has {threads} threads"
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return "the warm trainer has initialised CUDA"
    return ""


def give_threads_back(environment: Mapping[str, str]) -> None:
    """Let NumPy's and SciPy's linear algebra use the threads that it has in a fresh process."""
    named = (environment.get(f"{name}_NUM_THREADS", "") for name in ("OPENBLAS", "GOTO", "OMP"))
    asked = next((int(count) for count in named if count.isdecimal() and int(count)), None)
    threads = asked or len(os.sched_getaffinity(0))
    if threads > 1:
        for library in _linear_algebra():
            library.set_num_threads(threads)


@cache
def _linear_algebra() -> Sequence[Any]:
    """The libraries that were told to have one thread; to find them takes as long as to fork."""
    found: Sequence[Any] = (
        importlib.import_module("threadpoolctl")
        .ThreadpoolController()
        .select(internal_api="openblas")
        .lib_controllers
    )
    return found
