"""`trainer.max_minutes`: the time that one start of a run may take, validation included."""

import time
from collections.abc import Callable

from ctexp.core import clock
from ctexp.core.errors import TimeBudgetUsed


class TimeBudget:
    """Begins to run out when it is made."""

    def __init__(self, minutes: float | None, now: Callable[[], float] = time.monotonic) -> None:
        self._minutes = minutes
        self._now = now
        self._began = now()

    @property
    def used(self) -> bool:
        """Whether it is over."""
        return self._minutes is not None and self._now() - self._began >= 60 * self._minutes

    def check(self) -> None:
        """End the training where it can be resumed.

        Raises:
            TimeBudgetUsed: it is over.
        """
        if self._minutes is not None and self.used:
            spent = clock.duration(self._now() - self._began)
            raise TimeBudgetUsed(
                f"trainer.max_minutes={self._minutes:g} is used up after {spent} of training"
            )
