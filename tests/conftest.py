"""Every test, and every process it starts, computes on one thread and keeps what it has compiled.

The suite runs on as many workers as there are cores; two threads of two workers on two cores wait for each
other in busy loops, and a step of a millisecond takes a second. Where Python is told to keep no bytecode,
each worker and each process would compile hundreds of modules anew; git ignores what is kept.
"""

import atexit
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A busy machine is slow, which says nothing about what is tested.
hypothesis.settings.register_profile(
    "suite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")


def pytest_collection_finish() -> None:
    """Leave what imports have made to itself: the garbage collector would look at millions of objects again.

    A full collection takes half a second then, and there are hundreds of them.
    """
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # else extension modules complain of leaks at the end


@pytest.fixture(scope="session", autouse=True)
def composed_once() -> Iterator[None]:
    """Hydra puts files of the same content together once: hundreds of tests have a project of their own."""
    from ctexp.config import files

    original = vars(files)["_composed"]
    known: dict[object, Any] = {}

    def composed(conf: Path, name: str, overrides: list[str]) -> Any:
        files_of_it = filter(Path.is_file, (*conf.glob("*.yaml"), *conf.glob("*/*.yaml")))
        content = frozenset((str(path.relative_to(conf)), path.read_bytes()) for path in files_of_it)
        asked = (content, name, *overrides)
        if asked not in known:
            known[asked] = original(conf, name, overrides)
        return known[asked]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_composed", composed)
        yield


@pytest.fixture(scope="module")
def blank_pictures() -> Iterator[None]:
    """Trainings in this process draw no pictures, for a module that starts many and proves something else."""
    from tests.pictures import leave_blank

    with pytest.MonkeyPatch.context() as patch:
        leave_blank(patch)
        yield
