"""`hydra -m` with its own launcher: one process, one trial after another, an output folder for each."""

from dataclasses import dataclass

import hydra
from hydra.core.config_store import ConfigStore

from benchmarks.job_overhead.peers.training import train


@dataclass
class Config:
    """What is swept over."""

    seed: int = 0


ConfigStore.instance().store("config", Config)


@hydra.main(version_base="1.3", config_path=None, config_name="config")
def main(config: Config) -> float:
    """A trial."""
    return train(config.seed)


if __name__ == "__main__":
    main()
