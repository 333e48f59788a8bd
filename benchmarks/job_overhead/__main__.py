"""What a job costs beyond its own work: a job of a night, and a trial of a sweep.

    .venv/bin/python -m benchmarks.job_overhead [night | trials] [--quick] [--no-dvc] [--jobs 20]

See `night` and `trials` for what exactly is measured. Set OMP_NUM_THREADS=1 on a machine of few cores.
"""

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.job_overhead import night, trials
from benchmarks.job_overhead.ways import DVC, WAYS

COUNTS = (8, 20)
QUICK = (2, 5)


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("part", nargs="?", choices=["night", "trials"], help="only this; else both")
    parser.add_argument("--jobs", type=int, default=20, help="of the night")
    parser.add_argument("--quick", action="store_true", help=f"sweeps of {QUICK[0]} and {QUICK[1]} trials")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS), help="of trials")
    parser.add_argument("--no-dvc", action="store_true", help="leave DVC out, which takes minutes")
    given = parser.parse_args(words)
    folder = Path(tempfile.mkdtemp(prefix="ctexp-job-overhead-"))
    names = [name for name in given.ways if name != DVC or not given.no_dvc]
    try:
        if given.part != "trials":
            night.measure(folder / "night", given.jobs, with_dvc=not given.no_dvc)
        if given.part != "night":
            trials.compare(folder, names, QUICK if given.quick else COUNTS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
