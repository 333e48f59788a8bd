"""`hydra -m` with its own launcher: one process, one trial after another, an output folder for each."""

from dataclasses import dataclass

import hydra
from hydra.core.config_store import ConfigStore

from benchmarks.job_overhead.peers.training import train


@dataclass
class Trial:
    """What is swept over."""

    number: int = 0


ConfigStore.instance().store("trial", Trial)


@hydra.main(version_base="1.3", config_path=None, config_name="trial")
def main(trial: Trial) -> float:
    """A trial."""
    return train(trial.number)


if __name__ == "__main__":
    main()
