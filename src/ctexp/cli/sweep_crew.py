"""`sweep-agent --executor`: several agents, carried out elsewhere or on this machine's devices."""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from ctexp.cli.sweep_outcome import progress_of, tell_best
from ctexp.cli.sweep_rows import seconds
from ctexp.core import clock, names, screen
from ctexp.core.errors import PreflightError, Stopped, UsageError
from ctexp.core.gpu import detect_gpus
from ctexp.core.paths import shown
from ctexp.core.wording import many
from ctexp.executors.devices import devices_here
from ctexp.executors.opening import open_executor
from ctexp.executors.protocol import Resources, Work
from ctexp.executors.settings import ExecutorSettings, LocalSettings, ModalSettings, RaySettings
from ctexp.executors.settings import load as settings_of
from ctexp.record.manifest import command_line, flag_words
from ctexp.record.sweep import SweepDir
from ctexp.sweeps.agent.several import OF_ALL_NODES, Ended, carry_out
from ctexp.sweeps.agent.stopping import Stops
from ctexp.sweeps.agent.tally import AGENT
from ctexp.sweeps.file.composing import Trials
from ctexp.sweeps.file.spec import Spec
from ctexp.sweeps.reading import opened
from ctexp.sweeps.reading.status import status

_NETWORK = ("nfs", "cifs", "smb", "lustre", "beegfs", "gpfs", "ceph", "fuse.sshfs", "fuse.glusterfs")
"""What kinds of file systems begin with on which several machines would damage an embedded database."""


def sweep_crew(
    root: Path,
    place: SweepDir,
    spec: Spec,
    trials: Trials,
    executor: str,
    count: int | None,
    flags: Mapping[str, Any],
    stops: Stops,
    json: bool,
) -> int:
    """Have agents work on a sweep until they have ended; the exit code.

    Args:
        root: the project's folder.
        place: the sweep's.
        spec: what is searched.
        trials: its.
        executor: a name in `conf/executor`.
        count: how many agents; None for as many as there is room and work for.
        flags: of `sweep-agent`, for each of them.
        stops: when to stop.
        json: whether a document is asked for.

    Raises:
        UsageError: what was asked for does not go together.
        PreflightError: the executor cannot be used, or its nodes cannot share the trials.
        Stopped: a signal asked for an end; trials under way are saved and given back.
    """
    check_nodes(root, executor, spec, place.path.parents[1])
    if flags["--gpu"] is not None:
        raise UsageError("--gpu: agents of an executor get their GPUs from it", "leave --gpu out")
    settings = settings_of(root, executor)
    trainer = trials.composed(trials.looked_at[0]).settings.trainer
    on_gpu = trainer.accelerator != "cpu"
    gpus = _gpus(executor, settings) if on_gpu and trainer.devices == 1 else []
    where = open_executor(root, executor)
    room = where.resources()
    number = _number(place, room, gpus, count)
    words = [sys.executable, "-m", "invoke", "sweep-agent", f"--sweep-id={place.id}", "--yes"]
    words += flag_words(flags)
    environment = _environment(root, settings, room, number)
    start = names.short_id()
    agents = [
        _agent(
            f"{executor}-{i + 1}-{start}", root, place, words, environment, gpus[i] if gpus else None, on_gpu
        )
        for i in range(number)
    ]
    screen.note(f"{many(number, 'agent')} at work: {room.said}; what they print is in {shown(place.logs)}")
    began = time.monotonic()
    ended = carry_out(agents, where, stops, screen.note)
    return _told(place, executor, ended, time.monotonic() - began, stops, flags, json)


def check_nodes(root: Path, executor: str, spec: Spec, runs: Path) -> None:
    """Refuse an executor whose nodes have no way to a sweep.

    Args:
        root: the project's folder.
        executor: a name in `conf/executor`.
        spec: what is searched.
        runs: the folder of all runs, where the sweep is.

    Raises:
        UsageError: there is no such executor, or its nodes do not see the sweep.
        PreflightError: several machines would damage them.
    """
    settings = settings_of(root, executor)
    if spec.backend == "ray":
        raise UsageError(
            "--executor: Ray Tune places the trials of this sweep itself (ctexp: backend: ray)",
            "leave --executor and --agents out; RAY_ADDRESS names the cluster",
        )
    apart = isinstance(settings, ModalSettings) or (
        isinstance(settings, RaySettings) and settings.storage != "shared"
    )
    if apart:
        raise UsageError(
            f"--executor {executor}: its nodes do not see {shown(runs)}, where the sweep is",
            "name one with a shared file system, or begin agents there by hand (docs/sweeps.md)",
        )
    kind = "" if isinstance(settings, LocalSettings) else _file_system(runs)
    if spec.storage is None and kind.startswith(_NETWORK):
        raise PreflightError(
            f"{shown(runs)}: several machines would damage an embedded database on {kind}",
            "keep the trials in one that all can reach: ctexp: storage: postgresql://…",
        )


def _file_system(path: Path) -> str:
    """The kind of file system that a folder is on; empty where nobody knows."""
    folders = {path.resolve(), *path.resolve().parents}
    mounted = [one for one in psutil.disk_partitions(all=True) if Path(one.mountpoint) in folders]
    return max(mounted, key=lambda one: len(one.mountpoint)).fstype if mounted else ""


def _gpus(executor: str, settings: ExecutorSettings) -> list[int]:
    """The GPUs of this machine that agents may have, one each; none where that is the cluster's business."""
    if not isinstance(settings, LocalSettings):
        return []
    devices = devices_here(executor, settings, detect_gpus(), gpus_each=1)
    numbers = [one.name.partition("#")[0].partition(":")[2] for one in devices if one.name.startswith("cuda")]
    return sorted(set(map(int, numbers)))


def _number(place: SweepDir, room: Resources, gpus: Sequence[int], count: int | None) -> int:
    """How many agents there will be.

    Raises:
        UsageError: there are not so many GPUs.
    """
    if gpus and count is not None and count > len(gpus):
        raise UsageError(
            f"--agents {count}: each has a GPU of its own; GPUs here: {len(gpus)}",
            "ask for fewer",
        )
    if count is not None:
        return count
    left = status(opened.read(place.path.parents[1], place.id)).left
    return max(1, min(len(gpus) or room.slots, room.slots if left is None else left))


def _environment(root: Path, settings: ExecutorSettings, room: Resources, number: int) -> dict[str, str]:
    """What an agent's environment has of this one's, and how many threads it computes on."""
    found = {key: os.environ[key] for key in OF_ALL_NODES if key in os.environ} | {"CTEXP_ROOT": str(root)}
    if room.threads is None or "OMP_NUM_THREADS" in found:
        return found
    # Fewer agents than this machine has room for share its processors; elsewhere each has what was asked for.
    here = isinstance(settings, LocalSettings)
    threads = max(1, room.threads * room.slots // number) if here else room.threads
    return found | {"OMP_NUM_THREADS": str(threads)}


def _agent(
    name: str,
    root: Path,
    place: SweepDir,
    words: Sequence[str],
    environment: Mapping[str, str],
    gpu: int | None,
    on_gpu: bool,
) -> Work:
    return Work(
        name=name,
        words=[*words, *([] if gpu is None else [f"--gpu={gpu}"])],
        folder=root,
        log=place.logs / f"{name}.log",
        environment={**environment, AGENT: name},
        gpu=on_gpu,
    )


def _told(
    place: SweepDir,
    executor: str,
    ended: Sequence[Ended],
    took: float,
    stops: Stops,
    flags: Mapping[str, Any],
    json: bool,
) -> int:
    """Print what came of it; the exit code."""
    if stops.signum is not None:
        crew = {"--executor": executor, "--agents": len(ended)}
        again = command_line("sweep-agent", ["--sweep-id", place.id, *flag_words(crew | dict(flags))])
        raise Stopped(stops.signum, f"after {clock.duration(took)}", f"go on with it: {again}")
    failed = {} if stops.why else {one.work.name: one.code or 0 for one in ended if one.code}
    for one in ended:
        if code := failed.get(one.work.name):
            how = f"with exit code {code}" if code > 0 else f"killed by signal {-code}"
            screen.warn(f"{one.work.name} ended {how}; see {shown(one.work.log)}")
    progress = progress_of(place)
    if json:
        screen.emit_json(
            {
                "sweep": place.id,
                "executor": executor,
                "agents": [
                    {"name": one.work.name, "log": str(one.work.log), "exit_code": one.code} for one in ended
                ],
                "seconds": seconds(took),
                "progress": progress.document() if progress else None,
            }
        )
    else:
        print(f"{many(len(ended), 'agent')} in {clock.duration(took)}{': ' + stops.why if stops.why else ''}")
        tell_best(progress)
    # The others have taken over what those that failed had begun, and gone on until nothing was left.
    if len(failed) < len(ended):
        return 0
    first = next(iter(failed.values()))
    return first if first > 0 else 128 - first
