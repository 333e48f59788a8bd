"""An `inv` that trains nothing: it does what `stub=a,b,…` among its words says; going on, it finishes.

Its records are made by the real writers.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

RUNS = Path(os.environ["CTEXP_ROOT"]) / "runs"
CODES = {"finished": 0, "interrupted": 143, "oom": 10, "diverged": 11, "timeout": 124, "failed": 3}


def write(state: str | None) -> None:
    """Leave a run of this job, new or gone on with, that ended so; None for one whose end nobody saw."""
    from ctexp.record import writing
    from ctexp.record.manifest import Origin
    from ctexp.record.result import Failure
    from ctexp.record.run_dir import RunDir
    from tests.record import samples

    if "--resume" in sys.argv:
        run = RunDir.open(RUNS / sys.argv[-1])
        number = writing.next_attempt(run)
        writing.resume(run, samples.attempt(run.id, number), b"")
    else:
        run, number = RunDir.create(RUNS, "stub"), 1
        manifest = samples.manifest(run.id, name="stub", origin=Origin.of(os.environ))
        writing.begin(
            run,
            config_yaml="",
            overrides=(),
            patch=b"x",
            packages="",
            manifest=manifest,
            attempt=samples.attempt(run.id),
        )
    if state:
        error = None if state == "finished" else Failure(kind="DataError", message="a.png: damaged")
        samples.finish(
            run,
            state=state,
            exit_code=CODES[state],
            failure="DataError" if state == "failed" else None,
            error=error,
            attempt=number,
        )


def act(what: str) -> None:
    """One thing after the other."""
    if what in CODES:
        write(what)
        raise SystemExit(CODES[what])
    match what:
        case "begun":
            write(None)
        case "graceful":
            signal.signal(signal.SIGTERM, lambda *_: act("interrupted"))
        case "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "parent":
            Path("pids").write_text(f"{os.getpid()} {os.getppid()}")
        case "child":
            words = [sys.executable, "-S", "-c", "import signal, time; signal.signal(15, 1); time.sleep(99)"]
            Path("grandchild").write_text(str(subprocess.Popen(words).pid))
        case "fill":  # to the last byte, the rest of the journal's page too
            from ctexp.queue.journal import Journal

            journal = next(RUNS.glob("queues/*/journal.jsonl"))
            Journal(journal).append("note", text="x" * (4096 - (journal.stat().st_size + 120) % 4096))
            with contextlib.suppress(OSError), (RUNS / "filler").open("wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass
        case "hold":  # what is put aside for the last words is gone too
            next(RUNS.glob("queues/*/ballast")).rename(RUNS / "other")
        case "sleep":
            time.sleep(99)
        case "beat":
            while True:
                os.utime(os.environ["CTEXP_HEARTBEAT"])
                time.sleep(0.1)
        case "chatter":
            while True:
                print("x" * 100, flush=True)
                time.sleep(0.05)
        case "flood":
            while True:
                print("x" * 100_000)
        case "environment":
            for name in ("CTEXP_PLAN", "CTEXP_QUEUE", "CTEXP_JOB", "CTEXP_ROOT"):
                print(f"{name}={os.environ[name]}")
            print(f"group {os.getpgrp() == os.getpid()}, hears INT {signal.getsignal(signal.SIGINT)!r}")
        case _:
            raise SystemExit(int(what))


for word in ["stub=finished"] if "--resume" in sys.argv else sys.argv[1:]:
    if word.startswith("stub="):
        for step in word.removeprefix("stub=").split(","):
            with contextlib.suppress(OSError):
                print(step, flush=True)
            act(step)
