"""What has to be in order before a night begins: every check a line, everything wrong at once."""

from ctexp.queue.opening.preflight.machine import gpu_of, machine
from ctexp.queue.opening.preflight.project import project
from ctexp.queue.opening.preflight.subject import Intended, Place, lines

__all__ = ["Intended", "Place", "gpu_of", "preflight"]


def preflight(night: Intended) -> list[str]:
    """Look at the machine and the project.

    Returns:
        A line for each check.

    Raises:
        PreflightError: something is not in order; each such thing is a problem.
        DataError: nothing but data.
    """
    return lines([*machine(night), *project(night)])
