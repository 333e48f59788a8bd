"""The executor that a project's settings name, made; none is loaded but that one."""

from pathlib import Path

from ctexp.executors.protocol import Executor
from ctexp.executors.settings import LocalSettings, RaySettings, SlurmSettings, load


def open_executor(root: Path, name: str, *, stub: bool = False) -> Executor:
    """What `--executor NAME` means.

    Args:
        root: the project's folder.
        name: of a file in `conf/executor`.
        stub: nothing of the work counts: what would be rented is stood in for by this machine.

    Raises:
        UsageError: there is no such file, or it is wrong.
        PreflightError: a package that it needs is not installed, or it cannot be reached.
    """
    settings = load(root, name)
    if isinstance(settings, LocalSettings):
        from ctexp.executors.local import Local

        return Local(settings)
    if isinstance(settings, SlurmSettings):
        from ctexp.executors.slurm.executor import Slurm

        return Slurm(settings, root)
    if isinstance(settings, RaySettings):
        from ctexp.executors.ray.executor import Ray

        return Ray(settings, root)
    from ctexp.executors.modal.executor import Modal

    return Modal(settings, root, stub=stub)
