"""`warm`: a trainer that stays warm, until it is stopped."""

import hashlib
import os
import sys
from pathlib import Path

from ctexp.core import screen
from ctexp.core.paths import project_root
from ctexp.warm.place import listen, runtime_folder
from ctexp.warm.request import WARM
from ctexp.warm.server import command


def warm(socket: str | None, owner: int | None, json: bool) -> None:
    """Become a parent that listens; only a refusal comes back.

    Raises:
        Busy: one listens there already.
        PreflightError: there can be no socket there.
    """
    root = project_root()
    path = Path(socket).absolute() if socket else _place(root)
    listening = listen(path)
    if json:
        screen.emit_json({"socket": str(path), "variable": WARM})
    else:
        print(f"export {WARM}={path}", flush=True)
    os.set_inheritable(listening.fileno(), True)
    os.chdir(root)
    os.execv(sys.executable, command(path, listening, owner))  # noqa: S606 - a program of ours, without a shell


def _place(root: Path) -> Path:
    """A project's own socket."""
    of_root = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
    return runtime_folder() / f"{of_root}.sock"
