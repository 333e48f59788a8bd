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


@pytest.fixture(scope="module")
def blank_pictures() -> Iterator[None]:
    """Trainings in this process draw no pictures, for a module that starts many and proves something else."""
    from tests.pictures import leave_blank

    with pytest.MonkeyPatch.context() as patch:
        leave_blank(patch)
        yield
