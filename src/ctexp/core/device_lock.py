"""One training at a time on a GPU, whoever starts it, from whatever project: a lock by the GPU's UUID."""

import os
from pathlib import Path

from ctexp.core.locks import FileLock


def device_lock(uuid: str) -> FileLock:
    """The lock of a GPU of this machine, held by each training on it and by a night from begin to end.

    It lies in the person's cache folder, `$XDG_CACHE_HOME` or `~/.cache`, and so holds between projects.

    Args:
        uuid: as the driver tells it, `GPU-…`.
    """
    named = os.environ.get("XDG_CACHE_HOME", "")
    # What is not absolute is to be ignored, says the XDG base directory specification.
    cache = Path(named) if named.startswith("/") else Path.home() / ".cache"
    return FileLock(cache / "ctexp" / "locks" / f"gpu-{uuid.removeprefix('GPU-')}.lock", f"GPU {uuid}")
