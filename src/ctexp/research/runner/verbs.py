"""Other verbs of ctexp, for the data that a handler works on: carried out as people carry them out."""

import os
import subprocess
import sys
from pathlib import Path

from ctexp.core.errors import CriterionNotMet, UsageError


class VerbFailed(CriterionNotMet):
    """A verb ended with another exit code than 0; what it said stands in the handler's log."""


def carry_out(root: Path, words: tuple[str, ...]) -> None:
    """Carry out `inv WORDS` in the project; it prints where this process prints.

    Raises:
        UsageError: it would open the test split.
        VerbFailed: its exit code is not 0.
    """
    if any(word.startswith("--final") for word in words):
        raise UsageError("inv: --final opens the test split, which stays sealed", "leave that to people")
    done = subprocess.run(
        [sys.executable, "-m", "invoke", *words],
        cwd=root,
        env=os.environ | {"CTEXP_ROOT": str(root)},
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        said = " ".join(("inv", *words))
        raise VerbFailed(f"{said}: exit code {done.returncode}", "the log has what it said")
