"""Prepared histories, to be looked at: `python -m tests.planning.histories FOLDER [NAME ...]`."""

import sys
from pathlib import Path

from tests.planning.histories.six import HISTORIES

folder, *names = sys.argv[1:]
for name in names or HISTORIES:
    HISTORIES[name](Path(folder) / name)
