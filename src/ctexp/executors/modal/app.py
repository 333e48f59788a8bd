"""For Modal's own program: `modal run src/ctexp/executors/modal/app.py::run_experiment --experiment-id ID`.

It is a file for `modal run` alone, run from the project's folder; nothing imports it.
"""

import subprocess
import sys

from ctexp.core.errors import UsageError
from ctexp.core.paths import project_root
from ctexp.executors.modal.making import make
from ctexp.executors.settings import ModalSettings, load

NAME = "modal"
"""The executor whose settings describe the app."""

_ROOT = project_root()

_SETTINGS = load(_ROOT, NAME)
if not isinstance(_SETTINGS, ModalSettings):
    raise UsageError(f"conf/executor/{NAME}.yaml: kind: {_SETTINGS.kind}", "kind: modal is expected there")

app = make(_SETTINGS, _ROOT).app


@app.local_entrypoint()  # type: ignore[untyped-decorator]
def run_experiment(experiment_id: str, stub_mode: bool = False, only: str = "") -> None:
    """What `inv research-run --experiment-id ID --executor modal` does: each handler on a machine of its own.

    Args:
        experiment_id: the experiment, or `all`.
        stub_mode: whether figures are made up, on this machine.
        only: one part of it; empty for all.

    Raises:
        SystemExit: what `inv` ended with.
    """
    words = ["--experiment-id", experiment_id, "--executor", NAME]
    words += ["--stub-mode"] if stub_mode else []
    words += ["--only", only] if only else []
    done = subprocess.run([sys.executable, "-m", "invoke", "research-run", *words], cwd=_ROOT, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
