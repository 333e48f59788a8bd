"""Two environments: packages and variables, and the machines they were on."""

from collections.abc import Sequence

from ctexp.record.environment import Environment, Gpu
from ctexp.record.manifest import Manifest
from ctexp.reproduction.rows import Row, differing

_OURS = "ctexp"
"""The project itself, whose source is told by commit and patch."""

_OF_A_PLACE = ("CTEXP_", "WANDB_", "SLURM_")
"""Variables that say where a run belongs, not how it computes."""


def software(one: Environment, other: Environment) -> list[Row]:
    """Python, system, and the variables that change results."""
    return [
        *differing(
            {"Python": one.python, "system": one.os, "kernel and C library": one.platform},
            {"Python": other.python, "system": other.os, "kernel and C library": other.platform},
        ),
        *differing(_variables(one), _variables(other)),
    ]


def packages(one: Sequence[str], other: Sequence[str]) -> list[Row]:
    """The packages whose versions differ, by `name==version` lines of both."""
    return differing(_versions(one), _versions(other))


def hardware(one: Manifest, other: Manifest) -> list[Row]:
    """Processor, cores, memory, GPUs and their driver, and what of it was computed on."""
    return differing(_machine(one), _machine(other))


def _variables(environment: Environment) -> dict[str, str]:
    return {
        f"variable {name}": value
        for name, value in environment.variables.items()
        if not name.startswith(_OF_A_PLACE)
    }


def _versions(lines: Sequence[str]) -> dict[str, str]:
    versions = (line.partition("==") for line in lines)
    return {name: version for name, _, version in versions if name != _OURS}


def _machine(manifest: Manifest) -> dict[str, str]:
    its = manifest.environment
    said = {
        "processor": its.cpu,
        "cores": f"{its.cores}, {its.cores_allowed} of them allowed",
        "memory": f"{its.memory_bytes / 2**30:.0f} GiB",
        "GPUs": "; ".join(_gpu(gpu) for gpu in its.gpus) or "none",
        "GPU driver": its.driver or "none",
        "CUDA of the driver": its.cuda or "none",
    }
    return said if manifest.device is None else said | {"computed on": manifest.device}


def _gpu(gpu: Gpu) -> str:
    return gpu.name if gpu.memory_bytes is None else f"{gpu.name}, {gpu.memory_bytes / 2**30:.0f} GiB"
