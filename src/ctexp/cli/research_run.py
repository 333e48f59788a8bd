"""`research-run`: carry out what an experiment lacks, what failed, or what has changed."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ctexp.config.compose import resolve_paths
from ctexp.core import screen
from ctexp.core.locks import passed_on
from ctexp.core.paths import project_root, shown
from ctexp.executors.local import Local
from ctexp.research.places import Places
from ctexp.research.plan.load import load
from ctexp.research.running.experiment import Start, lock_of, run
from ctexp.research.running.supervising import Bench
from ctexp.research.running.wanted import wanted
from ctexp.research.standing.records import parts
from ctexp.sweeps.agent.stopping import Stops

EXECUTORS = {"local": Local}


def research_run(
    experiment_id: str,
    only: str | None,
    override: Sequence[str],
    rerun_failed: bool,
    force: bool,
    stub_mode: bool,
    executor: str,
    yes: bool,
    json: bool,
) -> int:
    """Carry out an experiment; 12 while any of its parts has failed."""
    root = project_root()
    data, runs = resolve_paths(root)
    places = Places(root)
    plan = load(places.plan, shown(places.plan))
    experiment = plan.experiments[experiment_id]
    start = Start(root, data, runs, stub_mode, tuple(override))
    with Stops() as stops, _warm(root, stub_mode) as environment, lock_of(start, experiment.id) as lock:
        variables, descriptors = passed_on(lock, environment=os.environ | environment)
        bench = Bench(Local(), stops, variables, descriptors, screen.note)
        todo = wanted(parts(start.places, data, experiment), start, only, rerun_failed, force)
        done = run(start, experiment, todo, bench)
    failed = sum(one.state == "failed" for one in done)
    print(f"Completed: {len(done) - failed} Failed: {failed}")
    return 12 if failed else 0


@contextlib.contextmanager
def _warm(root: Path, stub: bool) -> Iterator[dict[str, str]]:
    from ctexp.warm.parent import Parent

    if stub:
        yield {}
        return
    with Parent(root) as parent:
        yield {"CTEXP_WARM": str(parent.socket)}
