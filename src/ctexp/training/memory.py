"""Out of memory, on a GPU or on the machine, told as what it is."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ctexp.config.schema import Settings
from ctexp.core.errors import MemoryExhausted


@contextmanager
def memory_errors(settings: Settings) -> Iterator[None]:
    """Turn every form of it into the `MemoryExhausted` (exit 10) that says what to try.

    torch has an exception for a GPU; its allocator for the CPU raises a plain RuntimeError.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        on_gpu = isinstance(error, torch.OutOfMemoryError)
        if not on_gpu and not isinstance(error, MemoryError) and "can't allocate memory" not in str(error):
            raise
        batch = settings.data.batch_size
        raise MemoryExhausted(
            f"{'the GPU' if on_gpu else 'the machine'} ran out of memory with data.batch_size={batch}",
            f"try data.batch_size={max(1, batch // 2)}, or a smaller data.image_size",
        ) from error
