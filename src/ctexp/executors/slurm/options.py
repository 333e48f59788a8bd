"""What `sbatch` is asked for in the name of a file in `conf/executor`."""

from ctexp.executors.settings import SlurmSettings

PLAIN = SlurmSettings(kind="slurm")
"""The cluster's own choice of everything, and a GPU for what trains on one."""


def options_of(settings: SlurmSettings, *, gpu: bool) -> list[str]:
    """What every job asks for, a word each: where it runs, and what it has there."""
    asked = {
        "partition": settings.partition,
        "account": settings.account,
        "qos": settings.qos,
        "gres": settings.gres if gpu else None,
        "cpus-per-task": settings.cpus,
        "mem": settings.memory,
    }
    return [f"--{name}={value}" for name, value in asked.items() if value is not None] + settings.options


def time_of(seconds: float) -> str:
    """As SLURM reads it: days-hours:minutes:seconds, minutes begun counted whole."""
    minutes = -int(-seconds // 60)
    return f"{minutes // 1440}-{minutes // 60 % 24:02d}:{minutes % 60:02d}:00"
