"""Whether a night can begin now: its plan checked, its jobs estimated, the machine looked at."""

import os
import platform
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ctexp.config.verdict import load as verdict_settings
from ctexp.core import durations, files, screen
from ctexp.core.device_lock import device_lock
from ctexp.core.errors import PreflightError, UsageError
from ctexp.core.gpu import GpuState, detect_gpus
from ctexp.core.locks import FileLock
from ctexp.core.paths import shown
from ctexp.core.sizes import size_bytes
from ctexp.executors.devices import is_declared
from ctexp.executors.opening import open_executor
from ctexp.executors.places import devices_of
from ctexp.executors.settings import DEFAULT, ExecutorSettings, LocalSettings
from ctexp.executors.settings import load as load_executor
from ctexp.executors.slots import Device
from ctexp.planning.checking.check import check
from ctexp.planning.checking.checked import Checked
from ctexp.planning.plan.jobs import in_order
from ctexp.planning.plan.load import Loaded, load
from ctexp.planning.render.script import usual
from ctexp.planning.render.seal import origin
from ctexp.planning.schedule.lanes import gpus_each, lines_of, refuse_too_large
from ctexp.planning.schedule.night import schedule
from ctexp.planning.schedule.schedule import Schedule
from ctexp.queue.deciding.choose import left_to_do
from ctexp.queue.folder import FOLDER, QueueDir
from ctexp.queue.journal import Journal
from ctexp.queue.opening import reopen
from ctexp.queue.opening.options import Asked
from ctexp.queue.opening.preflight import Intended, Place, gpu_of, preflight
from ctexp.queue.orders import Cost, Orders
from ctexp.queue.state import fold
from ctexp.record import git
from ctexp.record.manifest import Estimate


def plan_meant(asked: Asked, place: Place, queue: QueueDir | None) -> Loaded:
    """The plan that a start of the script is about: the project's, or the copy of a queue that is resumed.

    Raises:
        UsageError: it has changed since the script was rendered, or cannot be read.
    """
    if asked.resume and queue is not None:
        return load(queue.plan, asked.plan)
    loaded = load(place.root / asked.plan, asked.plan)
    if loaded.sha256 != asked.sha256:
        where = "" if asked.executor == DEFAULT else f" --executor {asked.executor}"
        script = "" if asked.script == place.root / usual(asked.name, asked.executor) else shown(asked.script)
        again = f"scripts/inv plan-render {asked.plan}{where}{script and f' --output {script}'}"
        raise UsageError(
            f"{shown(asked.script)}: rendered from an older {asked.plan}",
            f"render it again: {again}; --resume goes on with the older one",
        )
    return loaded


class Ready:
    """A night that can begin now.

    Args:
        asked: of the script.
        place: of the project.
        queue: that is gone on with; None for a new one.

    Attributes:
        orders: of the whole plan; those of a new queue have no name yet.
        only: the jobs that are asked for; None for all.

    Raises:
        CtexpError: it cannot begin; all that is wrong.
    """

    def __init__(self, asked: Asked, place: Place, queue: QueueDir | None) -> None:
        self._asked = asked
        self._place = place
        self._old = queue if asked.resume else None
        self._loaded = plan_meant(asked, place, queue)
        checked = check(self._loaded, place.root)
        checked.refuse()
        settings = load_executor(place.root, asked.executor)
        self._elsewhere = not isinstance(settings, LocalSettings)
        state = detect_gpus()
        self._gpu = None if self._elsewhere else gpu_of(checked.jobs, state)
        self._devices = self._devices_of(settings, state, checked)
        self._source = git.capture(place.root, [place.data, place.runs]).state
        whole = self._schedule(checked)
        self.orders = self._orders(checked, whole)
        self.only = reopen.jobs_meant(self.orders, asked.only)
        to_do = self._to_do(queue)
        left = replace(checked, jobs=tuple(job for job in checked.jobs if job.job.id in to_do))
        if is_declared(settings):
            costs = {entry.job: entry.cost for entry in whole.entries}
            refuse_too_large(self._devices, {job: cost for job, cost in costs.items() if job in to_do})
        expected = whole if len(left.jobs) == len(checked.jobs) else self._schedule(left)
        intended = Intended(
            place=place,
            plan=self._loaded.plan,
            jobs=left.jobs,
            costs={entry.job: entry.cost for entry in expected.entries},
            totals=expected.totals,
            source=self._source,
            state=state,
            gpu=self._gpu,
            elsewhere=self._elsewhere,
        )
        self._lines = [
            *preflight(intended),
            *lines_of(self._devices, intended.costs.values()),
            *self._cluster(),
        ]
        self._warnings = (*checked.warnings, *expected.unmeasured)
        self._edited = origin(self._script.read_bytes()) != "rendered"

    def _devices_of(
        self, settings: ExecutorSettings, state: GpuState, checked: Checked
    ) -> tuple[Device, ...]:
        """Several at once: what they run on."""
        if self._asked.mode == "slurm":  # each task of an array has what the cluster gives it
            return ()
        each = gpus_each(checked.jobs) if self._gpu else 0
        return devices_of(self._place.root, self._asked.executor, settings, state, gpus_each=each)

    def _cluster(self) -> Iterator[str]:
        """Whether SLURM answers, for who rehearses; on a laptop it need not."""
        if self._asked.mode != "slurm" or not self._asked.dry_run:
            return
        try:
            said = open_executor(self._place.root, self._asked.executor).resources().said
        except PreflightError as error:
            said = f"{error.problems[0]}: {error.hint}" if error.hint else error.problems[0]
        yield f"cluster      {said}"

    @property
    def device_locks(self) -> list[FileLock]:
        """Of what the jobs compute on; none where that are other machines."""
        if self._elsewhere:
            return []
        named = [device.uuid for device in self._devices] or [self._gpu.uuid if self._gpu else None]
        gpus = dict.fromkeys(uuid for one in named for uuid in (one.split(",") if one else [None]))
        processor = FileLock(
            self._place.runs / FOLDER / "cpu.lock", "the processor, for nights of this project,"
        )
        return [processor if uuid is None else device_lock(uuid) for uuid in gpus]

    @property
    def facts(self) -> dict[str, Any]:
        """What the journal says of a beginning that is known by now."""
        program = "bash" if self._asked.mode == "local" else "sbatch"
        return {
            "pid": os.getpid(),
            "argv": [program, str(self._asked.script), *self._asked.words],
            "mode": self.orders.mode,
            "host": platform.node(),
            "commit": self._source.commit,
            "dirty": self._source.dirty,
            "patch_sha256": self._source.patch_sha256,
            "plan_sha256": self.orders.plan_sha256,
            "script_sha256": self.orders.script_sha256,
            "script_edited": self._edited,
            "only": self.only,
            "device": self.orders.device,
            "gpu_uuid": self.orders.gpu_uuid,
            "executor": self.orders.executor,
            "slots": self.orders.slots,
            "preflight": self._lines,
        }

    def fill(self, queue: QueueDir, queue_id: str) -> None:
        """Write what a new queue begins with: copies of plan and script, and the orders."""
        files.write_bytes(queue.plan, self._loaded.path.read_bytes())
        files.write_bytes(queue.script, self._script.read_bytes())
        replace(self.orders, queue=queue_id).write(queue.orders)

    def tell(self) -> None:
        """On stderr: what should be thought about, then every check."""
        for line in self._warnings:
            screen.warn(line)
        if self._edited:
            screen.warn(
                f"{shown(self._script)} was edited by hand since it was rendered: "
                "what runs is what it says, not what the plan says"
            )
        for line in self._lines:
            screen.note(line)

    @property
    def _script(self) -> Path:
        return self._old.script if self._old else self._asked.script

    def _schedule(self, checked: Checked) -> Schedule:
        now = datetime.now().astimezone()
        return schedule(checked.jobs, self._loaded.plan, self._place.runs, now, self._devices)

    def _orders(self, checked: Checked, whole: Schedule) -> Orders:
        plan = self._loaded.plan
        return Orders(
            queue="",
            plan=plan.name,
            plan_file=self._asked.plan,
            plan_sha256=self._loaded.sha256,
            script_sha256=files.sha256_file(self._script),
            mode=self._asked.mode,
            root=str(self._place.root),
            runs=str(self._place.runs),
            device="cuda" if self._gpu else "cpu",
            gpu_uuid=self._gpu.uuid if self._gpu else None,
            window=plan.window,
            baseline=plan.baseline,
            primary=verdict_settings(self._place.root).primary,
            retries=plan.retries,
            pause_seconds=durations.seconds(plan.cooldown.pause),
            cool_below=plan.cooldown.below,
            foreign_bytes=size_bytes(plan.cooldown.foreign),
            cooldown_seconds=durations.seconds(plan.cooldown.at_most),
            disk_reserve_bytes=size_bytes(plan.reserve.disk),
            analysis_seconds=durations.seconds(plan.reserve.analysis),
            silence_seconds=durations.seconds(plan.limits.silence),
            grace_seconds=durations.seconds(plan.limits.grace),
            analysis=tuple(plan.analysis),
            jobs=tuple(in_order([job.job for job in checked.jobs])),
            costs={entry.job: _cost(entry.cost) for entry in whole.entries},
            executor=self._asked.executor,
            devices=self._devices,
            elsewhere=self._elsewhere and self._asked.mode == "local",
        )

    def _to_do(self, queue: QueueDir | None) -> set[str]:
        """The jobs that are asked for and not over."""
        night = fold(self.orders, Journal(queue.journal).read() if queue else [])
        if self.only is not None:
            reopen.refuse_without_needs(self.orders, night, self.only)
        return set(left_to_do(self.orders, night, self.only))


def _cost(estimate: Estimate | None) -> Cost:
    """What a night needs to know of an estimate; for memory and disk the p90, which has to be free."""
    if estimate is None:
        return Cost()
    memory, disk = estimate.memory_bytes_p90, estimate.disk_bytes_p90
    return Cost(
        seconds=estimate.seconds,
        seconds_p90=estimate.seconds_p90,
        memory_bytes=estimate.memory_bytes if memory is None else memory,
        disk_bytes=estimate.disk_bytes if disk is None else disk,
        basis=estimate.basis,
    )
