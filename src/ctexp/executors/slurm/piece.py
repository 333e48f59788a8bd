"""`python -P -m ctexp.executors.slurm.piece PLACE RESTARTS PATIENCE any|train -- PROGRAM …`, on its node.

Begun by SLURM, perhaps several times: after its node was lost, or had to make room for others. It ends when
whoever has submitted it gives no sign of life any more.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ctexp.config.compose import resolve_paths
from ctexp.core import screen
from ctexp.core.children import has_ended, kill_group
from ctexp.core.errors import Busy, CtexpError, StorageError, UsageError
from ctexp.core.parent_death import tied_to_this
from ctexp.core.paths import project_root
from ctexp.core.stopping import Requests
from ctexp.executors.again import CANNOT_GO_ON
from ctexp.executors.slurm.place import Place
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir

_LOOK_SECONDS = 0.2
_GRACE_SECONDS = 600.0
"""For the checkpoints of what nobody waits for any more; SLURM itself may give less."""


def main(words: Sequence[str]) -> int:
    """Carry it out; its exit code, or minus the signal that killed it.

    Raises:
        UsageError: the words are wrong.
        StorageError: nothing can be written where it was submitted.
    """
    if len(words) < 6 or words[4] != "--" or words[3] not in {"any", "train"}:
        raise UsageError("piece: expected PLACE RESTARTS PATIENCE any|train -- PROGRAM …")
    place, restarts, program = Place(Path(words[0])), int(words[1]), words[5:]
    watched = _Watched(place, patience=float(words[2]))
    # A node that was given up may work on all the same: what it does comes first.
    while not watched.to_stop:
        with contextlib.suppress(Busy), place.lock:
            code = _begun(place, watched, restarts, program, trains=words[3] == "train")
            place.end(code)
            return code
        time.sleep(_LOOK_SECONDS)
    return -signal.SIGTERM


def _begun(place: Place, watched: "_Watched", restarts: int, words: Sequence[str], *, trains: bool) -> int:
    earlier = place.starts()
    if earlier.lost > restarts:
        screen.note(f"its node was lost {earlier.lost} times: it is not begun again")
        return -signal.SIGKILL
    if not watched.wait_for_life():
        screen.note("not begun: whoever has submitted it does not want it any more")
        return -signal.SIGTERM
    place.note("begun")
    if trains and earlier.count and (run := _begun_before()):
        code = watched.carry_out([*words[:2], "--resume", run])
        if code not in CANNOT_GO_ON:
            return code
    return watched.carry_out(words)


def _begun_before() -> str | None:
    """The run that an earlier start of this very job has begun: its manifest names the job."""
    _, runs = resolve_paths(project_root())
    for path in reversed(run_paths(runs)):
        manifest = RunDir(path).read().manifest
        if manifest and manifest.environment.variables.get("SLURM_JOB_ID") == os.environ["SLURM_JOB_ID"]:
            return path.name
    return None


class _Watched:
    """Programs that end when they are asked to, and when whoever wants them has died.

    Args:
        place: of the piece of work.
        patience: seconds without a sign of life after which nobody wants it any more.
    """

    def __init__(self, place: Place, patience: float) -> None:
        self._asked = Requests()
        self._asked.take_over()
        self._place, self._patience = place, patience
        self._seen, self._at = place.life(), time.monotonic()

    @property
    def to_stop(self) -> bool:
        """Whether it was asked to end."""
        return self._asked.signum is not None

    def wait_for_life(self) -> bool:
        """Wait for a sign of life of whoever has submitted it; False without one, or asked to stop."""
        first = self._seen
        while self._place.life() == first:
            if self.to_stop or not self._wanted():
                return False
            time.sleep(_LOOK_SECONDS)
        return True

    def carry_out(self, words: Sequence[str]) -> int:
        """Its exit code, or minus the signal that killed it; nothing of its group is left afterwards."""
        path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
        child = subprocess.Popen(
            list(words),
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=tied_to_this(),
        )
        asked_at: float | None = None
        while not has_ended(child.pid):
            time.sleep(_LOOK_SECONDS)
            if asked_at is None and (self.to_stop or not self._wanted()):
                with contextlib.suppress(StorageError):
                    self._place.note("asked")
                asked_at = time.monotonic()
                child.terminate()
            if asked_at is not None and time.monotonic() - asked_at > _GRACE_SECONDS:
                kill_group(child.pid)
        kill_group(child.pid)
        return child.wait()

    def _wanted(self) -> bool:
        """Whether there was a sign of life of late, by the clock of this machine alone."""
        now, seen = time.monotonic(), self._place.life()
        if seen != self._seen:
            self._seen, self._at = seen, now
        return seen is not None and now - self._at < self._patience


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except CtexpError as error:
        for line in error.lines():
            screen.note(line)
        raise SystemExit(error.exit_code) from error
    if code < 0:  # the cluster's accounts are to say what it died of
        if code != -signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    raise SystemExit(code)
