"""What a run ran on: Python, packages, machine, GPUs and the variables that change results.

The machine's name and the user's are left out: they say nothing about a result, and records travel. Variables
come from a list, so that no key or token is ever written down.
"""

import os
import platform
import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from ctexp.core import files
from ctexp.core.gpu import detect_gpus, shown
from ctexp.record.documents import Part, Sha256, Text, printable

_VARIABLES = {
    *("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "CUDA_LAUNCH_BLOCKING", "CUBLAS_WORKSPACE_CONFIG"),
    *("NVIDIA_TF32_OVERRIDE", "PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF", "PYTHONHASHSEED"),
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    *("SLURM_JOB_ID", "WANDB_MODE", "WANDB_PROJECT", "WANDB_ENTITY"),
}
_SECRET = re.compile("KEY|TOKEN|SECRET|PASSW|CREDENTIAL")


class Gpu(Part):
    """One GPU that the driver shows, whether or not the run used it.

    Attributes:
        memory_bytes: null where the driver does not tell.
    """

    index: int
    name: Text
    uuid: str
    memory_bytes: int | None


class Environment(Part):
    """What one attempt ran on.

    Attributes:
        os: the distribution's name for itself.
        platform: kernel and C library.
        cpu: the processor's model.
        cores: logical cores of the machine; `cores_allowed` of them may be used by this process.
        packages: how many are installed; `packages_sha256` is the hash of `environment.txt`.
        gpus: all that the driver shows; `gpu_problem` says why one that is there cannot be used.
        driver: of the GPUs; `cuda` is the newest CUDA version it serves. Null without a driver.
        variables: those environment variables that can change a result or say where the run belongs.
    """

    python: str
    os: Text
    platform: Text
    cpu: Text
    cores: int
    cores_allowed: int
    memory_bytes: int
    packages: int
    packages_sha256: Sha256
    gpus: tuple[Gpu, ...]
    gpu_problem: Text | None
    driver: str | None
    cuda: str | None
    variables: dict[str, Text]


class Surroundings(NamedTuple):
    """The environment, and the text of `environment.txt` that its hash is of."""

    environment: Environment
    packages: str


def capture() -> Surroundings:
    """Look at this process's surroundings; takes some tenths of a second the first time, for the packages."""
    packages = installed_packages()
    text = "".join(f"{line}\n" for line in packages)
    gpus = detect_gpus()
    environment = Environment(
        python=platform.python_version(),
        os=_distribution(),
        platform=platform.platform(),
        cpu=_processor(),
        cores=os.cpu_count() or 1,
        cores_allowed=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        packages=len(packages),
        packages_sha256=files.sha256_bytes(text.encode()),
        gpus=tuple(
            Gpu(index=gpu.index, name=gpu.name, uuid=gpu.uuid, memory_bytes=gpu.memory) for gpu in gpus.gpus
        ),
        gpu_problem=gpus.problem,
        driver=gpus.driver or None,
        cuda=gpus.cuda or None,
        variables=relevant(os.environ),
    )
    return Surroundings(environment, text)


def installed_packages() -> list[str]:
    """`name==version` of every distribution, sorted; of two of one name the one that Python finds first."""
    versions: dict[str, str] = {}
    for folder in sys.path:
        versions = _packages_in(folder, _changed(folder)) | versions
    return [f"{name}=={versions[name]}" for name in sorted(versions)]


@cache
def _packages_in(folder: str, _changed: int) -> dict[str, str]:
    """Versions by name in one folder of Python's path, which was last changed then.

    Whatever is installed or removed is a name that comes or goes in it, so that a process need not read some
    hundred files again.
    """
    versions: dict[str, str] = {}
    for distribution in metadata.distributions(path=[folder]):
        about = distribution.metadata
        # A folder that an interrupted install left behind has no name.
        name = re.sub(r"[-_.]+", "-", about["Name"] or "").lower() if "Name" in about else ""
        if name:
            versions.setdefault(name, distribution.version)
    return versions


def _changed(folder: str) -> int:
    """When a folder's names last changed, in nanoseconds; 0 where there is none."""
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return 0


def relevant(variables: Mapping[str, str]) -> dict[str, str]:
    """Those variables that a record may hold, sorted; never one whose name speaks of a secret."""
    return {
        name: printable(value)
        for name, value in sorted(variables.items())
        if (name in _VARIABLES or name.startswith("CTEXP_")) and not _SECRET.search(name)
    }


def _distribution() -> str:
    """`Debian GNU/Linux 12 (bookworm)`, or the kernel's name where no file says."""
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", sys.platform)
    except OSError:
        return sys.platform


def computes_on(accelerator: str) -> str:
    """What `trainer.accelerator` comes down to here: the GPU's name, or the processor's and its threads."""
    gpus = () if accelerator == "cpu" else detect_gpus().gpus
    threads = os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0))
    return next(iter(shown(gpus)), gpus[0]).name if gpus else f"{_processor()}, {threads} threads"


def _processor() -> str:
    """The processor's model, or its architecture where the kernel names none."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())
