"""What makes a process the one that a person would have started; the client gives it to the child."""

import os
import resource
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ctexp

WARM = "CTEXP_WARM"
"""Environment variable: the socket of a parent, which `inv train` then uses."""

_LIMITS = {getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}

_READ_AT_IMPORT = (
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "GOTO_", "BLIS_"),
    *("CUDA_", "CUDNN_", "CUBLAS_", "NVIDIA_", "NCCL_"),
    *("TORCH", "PYTORCH_", "TRITON_", "INDUCTOR_", "AOT", "LIGHTNING_", "PL_"),
    *("HF_", "HUGGINGFACE_", "TRANSFORMERS_", "TIMM_"),
    *("NUMPY_", "NPY_", "SCIPY_", "SKLEARN_", "OPENCV_", "PILLOW_", "MPL", "MATPLOTLIB", "PYDANTIC_"),
    *("ARROW_", "JE_", "MALLOC_", "GLIBC_", "LD_", "PYTHON", "LC_"),
)
_READ_AT_IMPORT_TOO = {
    *("HOME", "LANG", "LANGUAGE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"),
    *("TMPDIR", "TEMP", "TMP", "RANK", "LOCAL_RANK", "WANDB_INSECURE_DISABLE_SSL"),
}


@dataclass(frozen=True)
class Request:
    """A job; its folder and its descriptors travel beside it, in the order of `numbers`.

    Attributes:
        argv: as `sys.argv` is to be.
        environment: whole.
        umask: of files it makes.
        limits: soft and hard, by the resource's number.
        nice: its priority.
        cores: that it may run on.
        ignored: signals that it is to ignore.
        numbers: what its descriptors are to be called; those of the streams come first.
        installation: which Python, and which ctexp.
    """

    argv: tuple[str, ...]
    environment: dict[str, str]
    umask: int
    limits: dict[int, tuple[int, int]]
    nice: int
    cores: tuple[int, ...]
    ignored: tuple[int, ...]
    numbers: tuple[int, ...]
    installation: tuple[str, ...]

    @classmethod
    def of_this_process(
        cls, argv: Sequence[str], environment: Mapping[str, str], numbers: Sequence[int] = ()
    ) -> "Request":
        """A job that would have inherited everything else from this process."""
        os.umask(umask := os.umask(0o077))
        return cls(
            argv=tuple(argv),
            environment=dict(environment),
            umask=umask,
            limits={kind: resource.getrlimit(kind) for kind in _LIMITS},
            nice=os.getpriority(os.PRIO_PROCESS, 0),
            cores=tuple(sorted(os.sched_getaffinity(0))),
            ignored=tuple(sorted(_ignored())),
            numbers=tuple(numbers),
            installation=(sys.prefix, sys.version, *(str(Path(folder)) for folder in ctexp.__path__)),
        )

    @classmethod
    def read(cls, document: Any) -> "Request":
        """From what `document` made.

        Raises:
            ValueError: another version of this class has made it.
        """
        plain = {"environment", "umask", "nice"}
        try:
            limits = {int(kind): (soft, hard) for kind, (soft, hard) in document.pop("limits").items()}
            fields: dict[str, Any] = {
                name: value if name in plain else tuple(value) for name, value in document.items()
            }
            return cls(**fields, limits=limits)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"no request: {error}") from error

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return dict(vars(self))

    def refused_by(self, parent: "Request") -> str:
        """Why a child of a parent that was started so would not be the same process; empty where it is."""
        if self.installation != parent.installation:
            return f"the warm trainer belongs to {parent.installation[-1]}"
        names = self.environment.keys() | parent.environment.keys()
        differing = sorted(
            name
            for name in names
            if read_at_import(name) and self.environment.get(name) != parent.environment.get(name)
        )
        if differing:
            return f"{', '.join(differing)} of the warm trainer differs"
        if self.cores != parent.cores:
            return "the warm trainer runs on other cores"
        raised = any(_above(hard, parent.limits[kind][1]) for kind, (_, hard) in self.limits.items())
        if (raised or self.nice < parent.nice) and os.geteuid():
            return "the warm trainer has tighter limits"
        return ""


def read_at_import(name: str) -> bool:
    """Whether an environment variable has done its work once everything is imported."""
    return name.startswith(_READ_AT_IMPORT) or name in _READ_AT_IMPORT_TOO


def _above(limit: int, other: int) -> bool:
    infinite = resource.RLIM_INFINITY
    return other != infinite and (limit == infinite or limit > other)


def _ignored() -> list[int]:
    # Python itself ignores these two, in every process.
    its_own = {signal.SIGPIPE, signal.SIGXFSZ}
    return [
        int(signum)
        for signum in signal.valid_signals() - its_own
        if signal.getsignal(signum) is signal.SIG_IGN
    ]
