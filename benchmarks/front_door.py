"""What `inv --list` costs, against an empty tasks file.

Run with the environment's Python. Prints one JSON document: the median seconds of each over interleaved
runs, and the ratio (aim: at most 1.5).
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INV = str(Path(sys.prefix) / "bin" / "inv")


def seconds(folder: Path) -> float:
    """The wall time of one `inv --list` in `folder`."""
    start = time.perf_counter()
    subprocess.run([INV, "--list"], cwd=folder, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def measure(runs: int) -> dict[str, float]:
    """Median seconds of both, taken in turns so that a busy machine slows them alike, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder)
        # Invoke refuses a tasks file with no task at all.
        (empty / "tasks.py").write_text("from invoke import task\n\n\n@task\ndef nothing(_): ...\n")
        pairs = [(seconds(ROOT), seconds(empty)) for _ in range(runs + 1)][1:]
    full, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
    return {"inv_list_s": round(full, 4), "empty_s": round(bare, 4), "ratio": round(full / bare, 3)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    print(json.dumps(measure(parser.parse_args().runs)))
