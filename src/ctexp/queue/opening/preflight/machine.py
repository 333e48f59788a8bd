"""GPU, memory, disk and shell tools."""

import shutil
from collections.abc import Iterator, Sequence

import psutil

from ctexp.core import gpu_reading
from ctexp.core.errors import PreflightError
from ctexp.core.files import probe_writable
from ctexp.core.gpu import Gpu, GpuState, shown
from ctexp.core.sizes import size_bytes
from ctexp.core.wording import many
from ctexp.planning.checking.checked import CheckedJob
from ctexp.planning.estimates import disk, memory
from ctexp.queue.opening.preflight.subject import Finding, Intended

_TOOLS = {"bash": "bash", "git": "git", "realpath": "coreutils", "tee": "coreutils"}
"""What a rendered script calls, and the package it is in."""


def machine(night: Intended) -> Iterator[Finding]:
    """Each check in its turn."""
    if not night.elsewhere:
        yield _gpu(night)
        yield _memory(night)
    yield _disk(night)
    yield _tools()


def gpu_of(jobs: Sequence[CheckedJob], state: GpuState) -> Gpu | None:
    """The GPU that jobs will compute on: the first one that CUDA is shown; None where none asks for one."""
    if not state.gpus or not any(_wants_gpu(job, state) for job in jobs):
        return None
    return next(iter(shown(state.gpus)), state.gpus[0])


def _accelerator(job: CheckedJob) -> str:
    return job.composed.settings.trainer.accelerator


def _wants_gpu(job: CheckedJob, state: GpuState) -> bool:
    return _accelerator(job) == "gpu" or (_accelerator(job) == "auto" and state.present)


def _gpu(night: Intended) -> Finding:
    if not any(_wants_gpu(job, night.state) for job in night.jobs):
        asked = any(_accelerator(job) == "auto" for job in night.jobs)
        why = "none on this machine" if asked else "not asked for"
        return Finding("GPU", f"{why}: the jobs compute on the processor")
    knowingly = "trainer.accelerator=cpu computes on the processor knowingly"
    if night.state.problem:
        return Finding("GPU", night.state.problem, "machine", f"{night.state.fix}; or {knowingly}")
    if night.gpu is None:
        return Finding("GPU", "trainer.accelerator=gpu, and this machine has none", "machine", knowingly)
    return Finding("GPU", f"{night.gpu.name}, driver {night.state.driver}, {night.gpu.uuid}")


def _memory(night: Intended) -> Finding:
    """What the hungriest job is expected to take, against what is free now."""
    known = [(cost.memory_bytes, job) for job in night.jobs if (cost := night.costs[job.job.id])]
    expected = [(taken, job) for taken, job in known if taken is not None]
    name = "GPU memory" if night.gpu else "memory"
    free = _free_memory(night)
    if free is None:
        return Finding(name, "the driver does not tell how much is free")
    allowed = size_bytes(night.plan.limits.memory) if night.gpu and night.plan.limits.memory else free
    said = f"{memory(free)} free"
    if not expected:
        return Finding(name, f"{said}; what the jobs take is unknown")
    taken, hungriest = max(expected, key=lambda one: one[0])
    said = f"{said}, {hungriest.job.id} takes {memory(taken)}"
    if taken > min(free, allowed) and not _goes_on_in_parts(hungriest):
        limit = f" (limits.memory: {memory(allowed)})" if allowed < free else ""
        advice = "see nvidia-smi for who has the rest" if night.gpu else "close what takes it"
        return Finding(name, f"{said}{limit}", "machine", advice)
    return Finding(name, said)


def _free_memory(night: Intended) -> int | None:
    if night.gpu is None:
        return int(psutil.virtual_memory().available)
    reading = gpu_reading.read(night.gpu.uuid)
    if reading is None or reading.memory_total is None or reading.memory_used is None:
        return None
    return reading.memory_total - reading.memory_used


def _goes_on_in_parts(job: CheckedJob) -> bool:
    return "oom" in job.job.fallback or job.composed.settings.trainer.on_oom == "retry"


def _disk(night: Intended) -> Finding:
    runs, totals = night.place.runs, night.totals
    try:
        probe_writable(runs)
    except PreflightError as error:
        return Finding("disk", "; ".join(error.problems), "machine", error.hint)
    reserve = size_bytes(night.plan.reserve.disk)
    unknown = many(totals.unknown, "job") + " of unknown size"
    known = totals.unknown == 0 or totals.unknown < totals.fitting
    writes = disk(totals.disk_bytes) + (f" and {unknown}" if totals.unknown else "") if known else unknown
    said = f"{disk(totals.free_bytes)} free in {runs}; the night writes {writes}, {disk(reserve)} stay free"
    if totals.free_bytes < totals.disk_bytes + reserve:
        return Finding(
            "disk", said, "machine", "free some space, see `scripts/inv prune`; or lower reserve.disk"
        )
    return Finding("disk", said)


def _tools() -> Finding:
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        packages = " ".join(sorted({_TOOLS[tool] for tool in missing}))
        return Finding("shell tools", f"missing: {', '.join(missing)}", "machine", f"apt install {packages}")
    awake = shutil.which("systemd-inhibit") is not None
    sleep = "" if awake else "; no systemd-inhibit: see that this machine does not fall asleep"
    return Finding("shell tools", f"{', '.join(_TOOLS)}{sleep}")
