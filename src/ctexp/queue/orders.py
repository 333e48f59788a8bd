"""What a queue has to do: the plan as it was when the queue began, compiled, in the order of running.

Read by every small program of the night: plain JSON, without YAML and pydantic.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from types import UnionType
from typing import Any, Self, TypeVar, get_args

from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.executors.slots import Device, Need, most_memory, slots_of
from ctexp.planning.plan.jobs import Job

SCHEMA_VERSION = 1

_MOST = 1e24  # of seconds, of bytes


@dataclass(frozen=True)
class Cost:
    """What a job is expected to cost; None where nobody knows.

    Attributes:
        memory_bytes: and `disk_bytes`, the p90 where it is known, since it has to be free.
        basis: what that stands on, in a few words.
    """

    seconds: float | None = None
    seconds_p90: float | None = None
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    basis: str = "unknown"


_Read = TypeVar("_Read", bound="Orders | Job | Cost | Device")


@dataclass(frozen=True)
class Orders:
    """Everything the night needs to know; seconds, bytes, degrees Celsius.

    Attributes:
        plan: its name; `plan_file` is where it was, as a person would type it.
        mode: `local`, or `slurm`, where every job is a task of its own.
        executor: which file of `conf/executor` says where its jobs run.
        devices: what they run on, several at once; none where they come one after the other.
        elsewhere: whether other machines carry out the attempts, which this one watches.
        device: `cuda` or `cpu`, of the jobs; `gpu_uuid` of the GPU that is held for them.
        jobs: in the order of running.
        costs: by job id.
    """

    queue: str
    plan: str
    plan_file: str
    plan_sha256: str
    script_sha256: str
    mode: str
    root: str
    runs: str
    device: str
    gpu_uuid: str | None
    window: str
    baseline: str | None
    primary: str
    retries: int
    pause_seconds: float
    cool_below: int | None
    foreign_bytes: int
    cooldown_seconds: float
    disk_reserve_bytes: int
    analysis_seconds: float
    silence_seconds: float
    grace_seconds: float
    analysis: tuple[str, ...]
    jobs: tuple[Job, ...]
    costs: Mapping[str, Cost]
    executor: str = "local"
    devices: tuple[Device, ...] = ()
    elsewhere: bool = False

    @property
    def kept_seconds(self) -> float:
        """Of the window, for what comes after its jobs: the last one is stopped, and the night analysed."""
        return self.grace_seconds + self.analysis_seconds

    @property
    def slots(self) -> int:
        """Jobs at once, at most."""
        return slots_of(self.devices)

    def need(self, job_id: str) -> Need:
        """The memory that a job takes; one that hopes to get by with less has the largest device alone."""
        need, most = self.costs.get(job_id, Cost()).memory_bytes, most_memory(self.devices)
        return need if need is None or most is None else min(need, most)

    def on(self, device: str | None) -> Self:
        """The same for a job that was given a device: its GPU is the one that is held for it."""
        uuid = next((one.uuid for one in self.devices if one.name == device), self.gpu_uuid)
        return replace(self, gpu_uuid=uuid)

    def write(self, path: Path) -> None:
        """Replace `path` atomically."""
        document = asdict(self) | {"jobs": [job.document() for job in self.jobs]}
        files.write_json(path, {"schema_version": SCHEMA_VERSION, **document})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read them back.

        Raises:
            DataError: missing, damaged, or of another version.
        """
        values: dict[str, Any] = files.read_json(path)
        try:
            if values.pop("schema_version") != SCHEMA_VERSION:
                raise DataError(f"{path}: of another version of ctexp", "begin a new queue: --fresh")
            values["jobs"] = tuple(_typed(Job.read(job)) for job in values["jobs"])
            values["costs"] = {job: _typed(Cost(**cost)) for job, cost in values["costs"].items()}
            values["analysis"] = tuple(values["analysis"])
            values["devices"] = tuple(_typed(Device(**device)) for device in values.get("devices", ()))
            return _typed(cls(**values))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise DataError(f"{path}: damaged ({error})", "begin a new queue: --fresh") from error

    def job(self, job_id: str) -> Job:
        """The job of that id.

        Raises:
            KeyError: there is none.
        """
        return self._by_id[job_id]

    def of(self, experiment: str) -> tuple[Job, ...]:
        """The jobs of an experiment."""
        return self._by_experiment.get(experiment, ())

    @cached_property
    def _by_id(self) -> dict[str, Job]:
        return {job.id: job for job in self.jobs}

    @cached_property
    def _by_experiment(self) -> dict[str, tuple[Job, ...]]:
        found: dict[str, list[Job]] = {}
        for job in self.jobs:
            found.setdefault(job.experiment, []).append(job)
        return {experiment: tuple(jobs) for experiment, jobs in found.items()}


def _typed(made: _Read) -> _Read:
    """What was read, if it can be counted with.

    Raises:
        TypeError: a text, a number or a truth value is something else; or a number is beyond all measure.
    """
    for one in fields(made):
        if isinstance(one.type, type | UnionType):
            value, kinds = getattr(made, one.name), get_args(one.type)
            kinds = kinds or (one.type,)
            meant = isinstance(value, (*kinds, int) if float in kinds else kinds)
            least = -_MOST if one.name == "priority" else 0
            if not meant or (isinstance(value, int | float) and not least <= value < _MOST):
                raise TypeError(f"{one.name}: {str(value)[:40]!r}")
    return made
