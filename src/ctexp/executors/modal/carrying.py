"""What a machine of Modal does: one piece of work, by way of the volume that is mounted there; see `node.py`.

What the program prints goes back in pieces, `work/<name>/log/0` and so on.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ctexp
from ctexp.executors.errand import key
from ctexp.executors.node import words_of
from ctexp.executors.storage import Place, Url, get_bytes, put_bytes

MOUNT = "CTEXP_MODAL_VOLUME"
"""Environment variable: the folder that the volume is; without it, where Modal mounts it."""

MOUNTED = "/volume"

_SHIP_SECONDS = 2.0
_LOOK_SECONDS = 0.1

_GRACE_SECONDS = 25.0
"""For checkpoints once Modal asks for an end; it ends the machine after half a minute."""


def carry_out(name: str, volume: str | None) -> int | None:
    """Do a piece of work.

    Args:
        name: of the errand.
        volume: the volume's name, of which others see what was committed; None where it is just a folder.

    Returns:
        The exit code of its program, or minus the signal that killed it; None where another machine had begun
        it before, and was lost: whoever has ordered it knows how it is begun again.
    """
    url = Path(os.environ.get(MOUNT, MOUNTED)).as_uri()
    place = Url(url)
    if get_bytes(place, f"{key(name)}/begun") is not None:
        return None
    put_bytes(place, f"{key(name)}/begun", b"")
    with tempfile.TemporaryDirectory(prefix="ctexp-modal-") as scratch:
        log = Path(scratch) / "log"
        with log.open("wb") as output:
            child = subprocess.Popen(
                [sys.executable, *words_of(url, name)[1:]],
                env={**os.environ, "PYTHONPATH": str(Path(ctexp.__file__).parent.parent)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        shipping = _Shipping(place, name, log, volume)
        try:
            while child.poll() is None:
                shipping.ship_in_time()
                time.sleep(_LOOK_SECONDS)
        except BaseException:  # Modal's way to ask for an end
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_GRACE_SECONDS)
            child.kill()
            shipping.ship()
            raise
        shipping.ship()
    return child.returncode


def printed(place: Place, name: str, piece: int) -> bytes | None:
    """A piece of what the program has printed, counted from 0; None where there is none yet."""
    return get_bytes(place, f"{key(name)}/log/{piece}")


class _Shipping:
    """What goes back beside the files that a node sends: what was printed, and that others see all of it."""

    def __init__(self, place: Place, name: str, log: Path, volume: str | None) -> None:
        self._place, self._name, self._volume = place, name, volume
        self._log = log
        self._shipped = self._pieces = 0
        self._due = 0.0

    def ship_in_time(self) -> None:
        """Do it, unless it was done a moment ago."""
        if time.monotonic() >= self._due:
            self.ship()
            self._due = time.monotonic() + _SHIP_SECONDS

    def ship(self) -> None:
        """Keep what is new, and commit the volume."""
        with self._log.open("rb") as log:
            log.seek(self._shipped)
            new = log.read()
        if new:
            put_bytes(self._place, f"{key(self._name)}/log/{self._pieces}", new)
            self._shipped += len(new)
            self._pieces += 1
        if self._volume is not None:
            import modal

            modal.Volume.from_name(self._volume).commit()
