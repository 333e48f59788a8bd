"""A sweep on a Ray cluster: Ray Tune places the trials and leaves behind those that fall behind.

This process is the one agent of the sweep that the cluster needs. Killed, it takes its actors along; their
trainings save what they have, and the next agent goes on with them.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterable

from ctexp.core.errors import UsageError
from ctexp.sweeps.agent.several import OF_ALL_NODES
from ctexp.sweeps.agent.stopping import Stops
from ctexp.sweeps.agent.tally import AgentSummary, Tally
from ctexp.sweeps.agent.trial import Bench
from ctexp.sweeps.begun import lives
from ctexp.sweeps.ray_tune import cluster
from ctexp.sweeps.ray_tune.crew import Crew, Leave, OnCluster
from ctexp.sweeps.trials import Board

_ENDING_SECONDS = 60.0


def work(
    board: Board, bench: Bench, stops: Stops, *, count: int | None, tell: Callable[[str], None]
) -> AgentSummary:
    """Have the cluster carry out trials until none is left, or there is a reason to stop.

    Asked as `agent.work.work` is; each node makes a bench of its own, from the sweep's folder.

    Raises:
        UsageError: trainings are to have variables of their own, which no other node knows.
        PreflightError: Ray is not installed, or no cluster can be joined that has room for a trial.
        CtexpError: what refuses to train there.
    """
    if bench.variables:
        raise UsageError(
            "--gpu: the cluster gives each trial its GPU", "say how many: ctexp: resources: {gpus: 1}"
        )
    tally = Tally(board, bench, stops, count=count, tell=tell)
    summary = tally.summary
    crew = Crew(board, tally, stops, tell)
    try:
        with cluster.joined(bench.spec.resources) as share:
            _tune(crew, bench, share, summary.agent)
    except Leave as leave:
        _wait_for(crew.under_way, bench, stops)
        crew.give_back(stops.why or "its agent failed")
        if leave.__cause__ is not None:
            raise leave.__cause__ from None
    summary.why = stops.why or crew.over
    return summary


def _tune(crew: Crew, bench: Bench, share: dict[str, float], agent: str) -> None:
    """Carry out trials until the crew has no more."""
    from ray import tune

    from ctexp.sweeps.ray_tune.actor import Place
    from ctexp.sweeps.ray_tune.tuning import BoardSearch, Watch, scheduler

    # Tune keeps books of its own, where every node can reach them; nobody needs them later.
    books = bench.place.path / f"ray-{agent}"
    try:
        tune.run(
            Place,
            name=books.name,
            storage_path=str(books.parent),
            search_alg=BoardSearch(crew, _order(bench)),
            scheduler=scheduler(bench.spec.early, bench.spec.goal, bench.sweep.seed),
            num_samples=-1,
            resources_per_trial=share,
            reuse_actors=True,
            callbacks=[Watch(crew)],
            trial_dirname_creator=lambda trial: trial.trial_id,
            raise_on_failed_trial=False,
            verbose=0,
        )
    finally:
        shutil.rmtree(books, ignore_errors=True)


def _wait_for(left: Iterable[OnCluster], bench: Bench, stops: Stops) -> None:
    """The actors are gone; their trainings save what they have, and end, unless a second signal is given."""
    end = time.monotonic() + _ENDING_SECONDS
    for one in left:
        trial = (bench.runs, bench.sweep, one.taken.number, one.runs.values())
        while lives(*trial) and time.monotonic() < end and not stops.insisted:
            time.sleep(0.1)


def _order(bench: Bench) -> str:
    environment = {key: os.environ[key] for key in OF_ALL_NODES if key in os.environ}
    folders = map(str, (bench.root, bench.runs, bench.place.path))
    program = ["-P", "-m", "ctexp.sweeps.ray_tune.keeper", *folders]
    return json.dumps({"program": program, "root": str(bench.root), "environment": environment})
