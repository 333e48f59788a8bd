"""What the commands that read the record cost as it grows: 1,000, 10,000 and 100,000 runs, and their queues.

    .venv/bin/python -m benchmarks.scale [--runs 1000,10000,100000] [--jobs 10000] [--rounds 3] [--folder F]

For each size a project of its own: so many runs, a night of twelve judged runs since yesterday, a queue of as
many jobs, 10,000 at most, that is half done. Each command is called as a person types it, from the shell and
back: seconds by the clock, seconds of the processor, the greatest resident memory. Limits: 2 s and 500 MB
each. The first list of all makes the index; it has no limit but a progress bar. On a busy machine,
processor seconds tell more than the clock. MLflow's `search_runs` is asked for the best 20 of the same runs,
in this process, where it is installed.

100,000 runs take 2 GB and some minutes to be written; `--folder` keeps them for the next time.
"""

import argparse
import contextlib
import importlib.util
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import mlflow_store, synthetic_nights, synthetic_runs
from benchmarks.aims import told
from ctexp.queue.deciding.choose import choose
from ctexp.queue.deciding.verdicts import Now
from ctexp.queue.folder import find
from ctexp.queue.journal import Journal, uptime
from ctexp.queue.orders import Orders
from ctexp.queue.state import fold
from tests.project import make_project

SECONDS, MEGABYTES = 2.0, 500.0
COMMANDS = {
    "runs": ["runs"],
    "runs, the best": ["runs", "--sort", "val_f1", "--state", "finished"],
    "compare-baselines": ["compare-baselines", "--baseline", "plain", "--candidate", "better"],
    "report": ["report"],
    "queue-status": ["queue-status"],
    "queue-status --json": ["queue-status", "--json"],
}
SETTLING = 2.2
"""Seconds after which a directory that was changed counts as unchanged; see `ctexp.record.index.refresh`."""

_WATCH = """
import json, os, subprocess, sys, time
begin = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
told = child.stderr.read()
_, status, used = os.wait4(child.pid, 0)
seconds = time.perf_counter() - begin
print(json.dumps([status, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e3, told.decode()]))
"""
"""Run by a process of its own, since a child's greatest memory is at least that of whoever starts it."""


class Cost(NamedTuple):
    """Of one call: seconds by the clock, seconds of the processor, megabytes."""

    seconds: float
    processor: float
    megabytes: float


def call(project: Path, words: Sequence[str]) -> Cost:
    """Type a command."""
    watch = [sys.executable, "-I", "-S", "-c", _WATCH, sys.executable, "-m", "invoke", *words]
    done = subprocess.run(watch, cwd=project, capture_output=True, text=True, check=True)
    status, *cost, told = json.loads(done.stdout)
    if status:
        raise SystemExit(f"{' '.join(words)}: {told[-2000:]}")
    return Cost(*cost)


def row(what: str, costs: Sequence[Cost]) -> Cost:
    """Print the medians, and what they are of the limits; gives the medians."""
    middle = Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))
    figures = (
        f"{what:<22}{middle.seconds:8.2f} s{middle.processor:8.2f} s processor{middle.megabytes:6.0f} MB"
    )
    of = f"{middle.seconds / SECONDS:4.2f} of 2 s, {middle.megabytes / MEGABYTES:4.2f} of 500 MB"
    print(f"  {figures}   {of}", flush=True)
    return middle


def project(folder: Path, count: int, jobs: int) -> Path:
    """A project with so many runs, made where it is not there yet."""
    place = folder / f"{count}-runs"
    if not place.is_dir():
        unfinished = make_project(folder / f"{count}-unfinished")
        synthetic_runs.write(unfinished / "runs", synthetic_runs.draw(count))
        synthetic_nights.judged(unfinished)
        synthetic_nights.queue(unfinished / "runs", min(jobs, count))
        unfinished.rename(place)
    return place


def measure(place: Path, rounds: int) -> dict[str, Cost]:
    """All commands, in turns."""
    index = place / "runs" / "index.sqlite"
    if not index.exists():
        row("runs, the first time", [call(place, ["runs"])])
        time.sleep(SETTLING)
    call(place, ["runs"])  # what was too young to be believed is read once more
    costs: dict[str, list[Cost]] = {what: [] for what in COMMANDS}
    for _ in range(rounds):
        for what, words in COMMANDS.items():
            costs[what].append(call(place, words))
    found = {what: row(what, some) for what, some in costs.items()}
    for what, cost in found.items():
        told(f"{what}, {place.name.partition('-')[0]} runs", cost.seconds, "s", SECONDS, "at most")
        told(f"{what}, {place.name.partition('-')[0]} runs", cost.megabytes, "MB", MEGABYTES, "at most")
    return found


def decisions(place: Path) -> None:
    """What each job of a queue pays for the jobs there are, in this process."""
    queue = find(place / "runs", "latest")
    begin = time.process_time()
    orders, events = Orders.read(queue.orders), Journal(queue.journal).read()
    read = time.process_time()
    night = fold(orders, events)
    choose(orders, night, Now(uptime(), 2**50))
    decided = time.process_time()
    Journal(queue.journal).append("note", text="measured")
    noted = time.process_time()
    print(
        f"  a queue of {len(orders.jobs):,} jobs: read {read - begin:.2f} s, what comes next "
        f"{decided - read:.2f} s, a line in its journal {noted - decided:.2f} s (processor)"
    )


def peer(folder: Path, count: int) -> None:
    """MLflow's answer to the same question, from its SQLite store."""
    store = folder / f"mlflow-{count}.db"
    store.unlink(missing_ok=True)
    ask = mlflow_store.filled(store, synthetic_runs.draw(count))
    ask()
    seconds = statistics.median([_timed(ask) for _ in range(3)])
    print(f"  MLflow's search_runs, its process at hand: {seconds:.2f} s", flush=True)


def _timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def slopes(found: dict[int, dict[str, Cost]]) -> None:
    """What 1,000 runs more cost, from each size to the next."""
    print("processor milliseconds for 1,000 runs more")
    sizes = sorted(found)
    for what in COMMANDS:
        steps = [
            f"{(found[more][what].processor - found[less][what].processor) / (more - less) * 1e6:8.1f}"
            f" ({less:,} to {more:,})"
            for less, more in itertools.pairwise(sizes)
        ]
        print(f"  {what:<22}{', '.join(steps)}")


@contextlib.contextmanager
def _place(folder: str | None) -> Iterator[Path]:
    if folder is None:
        with tempfile.TemporaryDirectory() as own:
            yield Path(own)
    else:
        Path(folder).mkdir(parents=True, exist_ok=True)
        yield Path(folder).resolve()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", default="1000,10000,100000")
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder")
    asked = parser.parse_args()
    with_mlflow = importlib.util.find_spec("mlflow") is not None
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the beginning", flush=True)
    found = {}
    with _place(asked.folder) as folder:
        for count in sorted(map(int, asked.runs.split(","))):
            place = project(folder, count, asked.jobs)
            print(f"{count:,} runs", flush=True)
            found[count] = measure(place, asked.rounds)
            decisions(place)
            if with_mlflow:
                peer(folder, count)
    slopes(found)
    print(f"load average {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
