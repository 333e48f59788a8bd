"""The real parent, but for what it imports: torch takes seconds, and what a child is does not depend on it.

`LIGHT_EXTRA_THREAD` makes it unfit to fork, and a file named by `LIGHT_SOURCE` is one of its sources.
"""

import os
import sys
import threading
from pathlib import Path

from ctexp.warm import preload, server, sources

_real = (server.command, sources.stamp)


def command(*arguments: object) -> list[str]:
    """Begin this file instead of the real parent."""
    python, safe, _, _, *words = _real[0](*arguments)  # type: ignore[arg-type]
    return [python, safe, __file__, *words]


def _stamp() -> object:
    source = Path(os.environ.get("LIGHT_SOURCE", os.devnull))
    return _real[1](), source.read_text()


def main() -> None:
    """Serve."""
    sys.path.append(str(Path(__file__).parent))
    vars(preload).update(
        _PACKAGES=(), _MODULES=("invoke.main", "numpy", "threadpoolctl", "belongings"), _LATE=()
    )
    server._TALK_SECONDS = 0.2
    vars(server)["command"], vars(sources)["stamp"] = command, _stamp  # also for when it begins anew
    if "LIGHT_EXTRA_THREAD" in os.environ:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    sys.argv[0] = "server"
    server.main()


if __name__ == "__main__":
    main()
