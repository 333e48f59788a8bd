"""`python -P -m ctexp.queue COMMAND …`: what rendered scripts call; people call `inv queue-…`.

Each command is a module of its own, loaded alone: a night starts these programs hundreds of times.
"""

import signal
import sys
from collections.abc import Sequence
from importlib import import_module

from ctexp.core import screen
from ctexp.executors.program import carried_out

COMMANDS = {
    "begin": "check everything, take the locks, make or reopen the queue, and run its copy of the script",
    "next": "print the job that comes next, as JOB or JOB:KIND for a fallback; nothing where none is left",
    "base": "print the overrides of the experiment a job begins with, separated by NUL",
    "run": "one attempt at a job: begun, watched, ended, written down",
    "step": "one step of the analysis at the end",
    "hold": "wait until a job of an array may run",
    "end": "write down how the night ended, and tell",
}


def main(words: Sequence[str]) -> int:
    """Carry out one command; its exit code."""
    if not words or words[0] not in COMMANDS:
        told = "".join(f"  {name:<6} {what}\n" for name, what in COMMANDS.items())
        screen.note(f"python -m ctexp.queue COMMAND …, called by rendered scripts:\n{told}".rstrip())
        return 2
    if words[0] == "end":  # nobody's impatience costs the morning its page
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    return carried_out(lambda: import_module(f"ctexp.queue.{words[0]}").main(words[1:]))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
