"""The app: an image from the lock file, the volume, and one function, with and without a GPU."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ctexp
from ctexp.core import durations, extras
from ctexp.core.errors import PreflightError
from ctexp.core.sizes import size_bytes
from ctexp.executors.modal.carrying import MOUNTED, carry_out
from ctexp.executors.settings import ModalSettings

_LOCK = "requirements.lock"
_UV = "0.13.8"
_CODE = "/root/ctexp"
"""Where Modal's Python looks for modules."""


@dataclass(frozen=True)
class Made:
    """An app as this machine describes it; Modal's service hears of it when it is run.

    Attributes:
        app: Modal's.
        functions: `carry_out` as Modal runs it: without a GPU, and with one where the settings name one.
        volume: holds data sets and what was written.
    """

    app: Any
    functions: dict[bool, Any]
    volume: Any


def check_installed() -> None:
    """See to it that Modal's package is here.

    Raises:
        PreflightError: it is not.
    """
    try:
        import modal  # noqa: F401
    except ImportError as error:
        raise PreflightError(f"Modal is not installed ({error})", extras.install("modal")) from error


def make(settings: ModalSettings, root: Path) -> Made:
    """Describe the app.

    Raises:
        PreflightError: Modal's package is not installed, or there is no lock file.
    """
    check_installed()
    import modal

    lock = root / _LOCK
    if not lock.is_file():
        raise PreflightError(
            f"{lock}: no such file, and an image is made of it",
            f"restore it: git checkout -- {_LOCK}",
        )
    image = (
        modal.Image.debian_slim(python_version=".".join(map(str, sys.version_info[:2])))
        .apt_install("git")
        .uv_pip_install(requirements=[str(lock)], extra_options="--require-hashes", uv_version=_UV)
        .add_local_dir(Path(ctexp.__file__).parent, _CODE, ignore=["**/__pycache__"])
    )
    app = modal.App(settings.app, include_source=False)  # of which Modal would take the modules alone
    volume = modal.Volume.from_name(settings.volume, create_if_missing=True)

    def function(name: str, gpu: str | None) -> Any:
        return app.function(
            name=name,
            image=image,
            gpu=gpu,
            cpu=settings.cpus,
            memory=size_bytes(settings.memory) // 2**20,
            timeout=int(durations.seconds(settings.time)),
            max_containers=settings.at_once,
            single_use_containers=True,  # a job finds a machine as it was made
            retries=0,  # a training goes on with its run: whoever has ordered it says how
            volumes={MOUNTED: volume},
        )(carry_out)

    functions = {False: function("carry_out", None)}
    functions[True] = function("carry_out_on_gpu", settings.gpu) if settings.gpu else functions[False]
    return Made(app, functions, volume)
