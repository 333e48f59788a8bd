"""What the index of runs costs, beside MLflow's `search_runs` on its SQLite store with the same runs.

    .venv/bin/python -m benchmarks.registry [--most 100000]

MLflow is in the environment of development; without it the rest is measured. In each round both are asked
the same: the 20 best finished runs of one network by validation macro-F1, among 1,000 and among 10,000 runs.
Aims: under 1 ms on an index that is open, under 50 ms with a refresh after ten runs have changed, both at
10,000; a list of 1,000 runs, and a comparison of 20 runs of 10,000 predictions each, under 2 s. Every refresh
looks at every directory once, which is how it finds what others changed; that share is shown.
"""

import argparse
import importlib.util
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import comparisons, mlflow_store, synthetic_runs
from benchmarks.aims import told
from benchmarks.synthetic_runs import Drawn
from ctexp.record.index import Index, Query, list_runs, select

BEST = Query(where={"model": "resnet50"}, states=["finished"], sort="val/macro_f1", descending=True, limit=20)
ROUNDS = 30
REFRESHES = 7
CHANGED = 10
SETTLING = 2.2
"""Seconds after which a directory that was changed counts as unchanged; see `ctexp.record.index.refresh`."""


def milliseconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1e3


def row(what: str, values: Sequence[float]) -> float:
    """Print the median and the spread; gives the median."""
    ordered = sorted(values)
    middle = statistics.median(ordered)
    print(f"  {what:<52}{middle:9.2f} ms  ({ordered[0]:.2f} to {ordered[-1]:.2f})", flush=True)
    return middle


def questions(folder: Path, count: int, ask_mlflow: Callable[[], list[str]] | None) -> None:
    """The same question to both, in turns."""
    with Index(folder) as index:
        ours = [run.id for run in index.select(BEST)]
        pairs = []
        for _ in range(ROUNDS):
            mine = milliseconds(lambda: index.select(BEST))
            pairs.append((mine, milliseconds(ask_mlflow) if ask_mlflow else 0.0))
    median = row("filtered, sorted, 20 of them: open index", [mine for mine, _ in pairs])
    whole = row(
        "the same, opened and refreshed for it",
        [milliseconds(lambda: select(folder, BEST)) for _ in range(9)],
    )
    told(f"the best 20 of {count:,} runs, index open", median, "ms", 1, "at most")
    if ask_mlflow:
        theirs = row("the same from MLflow's search_runs", [other for _, other in pairs])
        same = sorted(ask_mlflow()) == sorted(ours)
        print(
            f"  MLflow / open index {theirs / median:.0f}, MLflow / opened and refreshed {theirs / whole:.1f}"
        )
        print(f"  the answers agree: {'yes' if same else 'up to runs of equal value'}")


def refreshes(folder: Path, drawn: list[Drawn]) -> None:
    """The time until an answer knows of ten changed runs."""
    dice = random.Random(1)
    ended = [run for run in drawn if run.metrics is not None]
    found, looks = [], []
    with Index(folder) as index:
        for _ in range(REFRESHES):
            time.sleep(SETTLING)
            index.refresh()
            for run in dice.sample(ended, CHANGED):
                synthetic_runs.change(folder, run, dice.random())
            found.append(milliseconds(lambda: _ask(index)))
            looks.append(milliseconds(lambda: _look(folder)))
    fresh = row(f"a refresh of {CHANGED} changed runs, and the question", found)
    told(f"the same after {CHANGED} of {len(drawn):,} have changed", fresh, "ms", 50, "at most")
    row("of which to look at every directory", looks)


def _ask(index: Index) -> None:
    index.refresh()
    index.select(BEST)


def _look(folder: Path) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            entry.stat()


def measure(root: Path, count: int, with_mlflow: bool) -> None:
    """Everything that is asked of so many runs."""
    drawn = synthetic_runs.draw(count)
    folder = root / f"runs-{count}"
    synthetic_runs.write(folder, drawn)
    print(f"{count:,} runs", flush=True)
    ask = mlflow_store.filled(root / f"mlflow-{count}.db", drawn) if with_mlflow else None
    row("the index made anew", [milliseconds(lambda: select(folder, BEST))])
    time.sleep(SETTLING)
    row("once more, all of them a moment old before", [milliseconds(lambda: select(folder, BEST))])
    questions(folder, count, ask)
    refreshes(folder, drawn)
    whole = row("all listed", [milliseconds(lambda: list_runs(folder)) for _ in range(5)])
    if count == 1_000:
        told("a list of 1,000 runs", whole / 1000, "s", 2, "at most")


def comparison(root: Path) -> None:
    """Twenty runs, 10,000 predictions each, from their tables to a verdict on every metric."""
    files = comparisons.tables(root, runs=20, images=10_000)
    print("20 runs of 10,000 predictions each")
    times = [milliseconds(lambda: comparisons.compare(files)) for _ in range(3)]
    judged = row("one baseline, 19 candidates: tables read, judged", times)
    told("a comparison of 20 runs of 10,000 predictions", judged / 1000, "s", 2, "at most")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--most", type=int, default=10_000, help="also with so many runs; 100000 takes 2 GB")
    most = parser.parse_args().most
    with_mlflow = importlib.util.find_spec("mlflow") is not None
    if not with_mlflow:
        print("MLflow is not installed: measured without it (`scripts/inv check` installs it)")
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the beginning", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for count in sorted({1_000, 10_000, most}):
            measure(Path(folder), count, with_mlflow and count <= 10_000)
        comparison(Path(folder))
    print(f"load average {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
