"""Ray Tune on this machine, one trial at a time; `reuse`: a worker takes one after another."""

import sys
from pathlib import Path
from typing import Any

import ray
from ray import tune

from benchmarks.job_overhead.peers.training import train


class Trial(tune.Trainable):
    """A trial in a worker's main thread, where a training may have signals of its own."""

    def setup(self, config: dict[str, Any]) -> None:
        """Keep the trial's values."""
        self._number = config["number"]

    def step(self) -> dict[str, Any]:
        """All of it."""
        return {"value": train(self._number), "done": True}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take another trial."""
        self._number = new_config["number"]
        return True


count, reuse = int(sys.argv[1]), "reuse" in sys.argv
ray.init(address="local", num_cpus=1, include_dashboard=False)
found = tune.Tuner(
    tune.with_resources(Trial, {"cpu": 1}),
    param_space={"number": tune.grid_search(list(range(count)))},
    tune_config=tune.TuneConfig(metric="value", mode="max", reuse_actors=reuse),
    run_config=tune.RunConfig(
        storage_path=str(Path("ray").absolute()),
        checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),  # the run has its own
        verbose=0,
    ),
).fit()
if found.num_errors:
    raise SystemExit(f"{found.num_errors} trials failed")
