"""How many small changes of the code do the tests notice? `.venv/bin/python -m tests.mutation [SUBJECT…]`

The code is changed in a copy of the project, one place at a time, and judged by the tests of its subject. Of
a subject with many places a seeded sample is drawn, and the share stands with its 95 percent interval.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scipy.stats import binomtest

from tests.mutation import judge, places

ROOT = Path(__file__).parents[2]
COPIED = ("benchmarks", "conf", "docs", "pyproject.toml", "research", "scripts", "src", "tasks.py", "tests")
GATE = 0.8

SUBJECTS: dict[str, tuple[list[str], list[str]]] = {
    "journal": (
        ["queue/journal.py", "queue/state.py"],
        ["queue/test_journal.py", "queue/test_state.py"],
    ),
    "locks": (["core/locks.py", "core/device_lock.py"], ["core/test_locks.py", "core/test_device_lock.py"]),
    "files": (["core/files.py"], ["core/test_files.py"]),
    "packing": (["planning/packing/*.py"], ["planning/packing"]),
    "splits": (["data/splits/*.py"], ["data/splits"]),
    "intervals": (["evaluation/intervals.py"], ["evaluation/test_intervals.py"]),
    "comparison": (["evaluation/comparison/*.py"], ["evaluation/comparison"]),
}
"""What is changed, below `src/ctexp`, and what must notice, below `tests`."""


def main() -> int:
    """Judge every subject asked for; 1 where too few changes were noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"of {', '.join(SUBJECTS)}")
    parser.add_argument("--most", type=int, default=150, help="changes tried of a subject")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    asked = parser.parse_args()
    if unknown := set(asked.subjects) - set(SUBJECTS):
        parser.error(f"no such subject: {', '.join(sorted(unknown))}")
    if "MUTATED_COPY" not in os.environ:
        return _in_a_copy()
    shares = [_judge(name, asked.most, asked.seed) for name in asked.subjects or SUBJECTS]
    return int(min(shares) < GATE)


def _in_a_copy() -> int:
    """The same command in a copy of the project, which alone is changed."""
    with tempfile.TemporaryDirectory() as folder:
        for name in COPIED:
            here = ROOT / name
            (shutil.copytree if here.is_dir() else shutil.copy)(here, Path(folder, name))
        environment = {
            **os.environ,
            "MUTATED_COPY": folder,
            "PYTHONPATH": str(Path(folder, "src")),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        command = [sys.executable, "-m", "tests.mutation", *sys.argv[1:]]
        return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def _judge(subject: str, most: int, seed: int) -> float:
    """Print what was noticed and what was not; the share noticed."""
    globs, tests = SUBJECTS[subject]
    files = sorted(path for glob in globs for path in (ROOT / "src" / "ctexp").glob(glob))
    every = [place for file in files for place in places.found(file)]
    drawn = random.Random(seed).sample(every, min(most, len(every)))
    whole = len(drawn) == len(every)
    seen = judge.watch([str(ROOT / "tests" / test) for test in tests], files)
    tried = killed = 0
    for place in sorted(drawn):
        with places.changed(place) as line:
            if line is None:
                continue
            tried += 1
            if seen.notice(place):
                killed += 1
            else:
                print(f"  not noticed: {place.file.name}:{place.line}: {line}", flush=True)
    low, high = binomtest(killed, tried).proportion_ci(method="wilson")
    share = f"{killed} of {tried} changes noticed, {100 * killed / tried:.1f} percent"
    sampled = "" if whole else f" ({100 * low:.0f} to {100 * high:.0f}; drawn from {len(every)})"
    print(f"{subject}: {share}{sampled}", flush=True)
    return killed / tried


if __name__ == "__main__":
    sys.exit(main())
