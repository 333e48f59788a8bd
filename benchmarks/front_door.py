"""What `inv --list` costs, against an empty tasks file.

    .venv/bin/python -m benchmarks.front_door [--runs 20]

Prints the median seconds of each over interleaved runs, their spread, and the ratio of the medians.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.aims import told

ROOT = Path(__file__).resolve().parent.parent
AIM = 1.5
INV = str(Path(sys.prefix) / "bin" / "inv")


def seconds(folder: Path) -> float:
    """The wall time of one `inv --list` in `folder`."""
    start = time.perf_counter()
    subprocess.run([INV, "--list"], cwd=folder, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure both in turns, so that a busy machine slows them alike, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder)
        # Invoke refuses a tasks file with no task at all.
        (empty / "tasks.py").write_text("from invoke import task\n\n\n@task\ndef nothing(_): ...\n")
        pairs = [(seconds(ROOT), seconds(empty)) for _ in range(runs + 1)][1:]
    full, bare = (sorted(column) for column in zip(*pairs, strict=True))
    for name, taken in (("inv --list", full), ("an empty tasks file", bare)):
        print(f"{name:<20}{statistics.median(taken):7.3f} s  ({taken[0]:.3f} to {taken[-1]:.3f})")
    ratio = statistics.median(full) / statistics.median(bare)
    told("inv --list / an empty tasks file", ratio, "", AIM, "at most")


if __name__ == "__main__":
    main()
