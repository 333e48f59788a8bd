"""Experiment trackers, kept at arm's length: none of them can fail a run or hold it up.

Every call to a tracker is a job on a thread of its own. Training hands over values and goes on; at the end it
waits for the threads, but not longer than the bound. What a tracker never took is not lost: the run directory
is the truth, and can be sent later.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence

from ctexp.core import clock
from ctexp.trackers.protocol import Outcome, TrackedRun, Tracker, Values

_Warn = Callable[[str], None]


class Background:
    """Tells several trackers of one run.

    Args:
        trackers: who is told; none for nobody.
        timeout: seconds that the end of a run waits for what is still under way.
        warn: where one line about a failure goes.
    """

    def __init__(self, trackers: Sequence[Tracker], timeout: float, warn: _Warn) -> None:
        self._threads = [_Thread(tracker, warn) for tracker in trackers]
        self._timeout = timeout
        self._warn = warn

    def start(self, run: TrackedRun) -> None:
        """Open the run, in the background."""
        for thread in self._threads:
            thread.tell(lambda tracker: tracker.start(run))
            thread.begin()

    def log(self, values: Values, epoch: int) -> None:
        """Hand over the metrics of an epoch."""
        moment = clock.now()
        for thread in self._threads:
            thread.tell(lambda tracker: tracker.log(values, epoch, moment))

    def finish(self, outcome: Outcome) -> None:
        """Close the run, waiting no longer than the bound."""
        for thread in self._threads:
            thread.tell(lambda tracker: tracker.finish(outcome))
            thread.tell(None)
        deadline = time.monotonic() + self._timeout
        for thread in self._threads:
            if not thread.is_done_by(deadline):
                later = f", `{thread.tracker.later}` sends it later" if thread.tracker.later else ""
                self._warn(
                    f"the tracker {thread.tracker.title} did not answer within {self._timeout:.0f} s;"
                    f" the run directory is complete{later}"
                )


class _Thread:
    """One tracker's thread; its delays and failures stay its own."""

    def __init__(self, tracker: Tracker, warn: _Warn) -> None:
        self.tracker = tracker
        self._warn = warn
        self._left_alone = False
        self._jobs: queue.SimpleQueue[Callable[[Tracker], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def tell(self, job: Callable[[Tracker], None] | None) -> None:
        """Add a job; None is the last."""
        self._jobs.put(job)

    def begin(self) -> None:
        """Do the jobs, in their order."""
        self._thread = threading.Thread(target=self._work, name=f"tracker {self.tracker.title}", daemon=True)
        self._thread.start()

    def is_done_by(self, deadline: float) -> bool:
        """Wait for the last job; a tracker that is late is left alone, and what becomes of it is not told."""
        if self._thread is None:
            return True
        self._thread.join(max(0.0, deadline - time.monotonic()))
        self._left_alone = self._thread.is_alive()
        return not self._left_alone

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job(self.tracker)
            except Exception as error:  # a tracker may fail in any way it likes
                if not self._left_alone:
                    self._warn(
                        f"the tracker {self.tracker.title} failed ({type(error).__name__}: {error});"
                        " the run goes on without"
                    )
                return
