"""How far a sweep has come, as one agent or several tell it at their end."""

from ctexp.core.errors import CtexpError
from ctexp.record.sweep import SweepDir, SweepProgress


def tell_best(progress: SweepProgress | None) -> None:
    """Print the best trial so far, if there is one."""
    if progress is not None and (best := progress.best) is not None:
        print(f"best so far: t{best.number} {best.value:.4f}  {' '.join(best.overrides)}")


def progress_of(place: SweepDir) -> SweepProgress | None:
    """How far it has come; None before a trial has ended."""
    try:
        return SweepProgress.read(place.progress)
    except CtexpError:  # nothing has ended yet
        return None
