"""Running out of memory, told as what it is, with what would fit."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ctexp.config.schema import Settings
from ctexp.core.errors import MemoryExhausted
from ctexp.core.failures.catalogue import explain
from ctexp.training.memory.measured import MemoryModel

_GIB = 2**30


def exhausted(error: BaseException) -> str | None:
    """Which memory an error speaks of, `the GPU` or `the machine`; None where it speaks of something else.

    torch has an exception for what its own allocator lacks on a GPU; CUDA and its libraries, which allocate
    for themselves, and the allocator for the CPU say so in a plain RuntimeError.
    """
    known = explain(error) if isinstance(error, RuntimeError) else None
    if isinstance(error, torch.OutOfMemoryError) or (known and known.id == "cuda-out-of-memory"):
        return "the GPU"
    unallocated = known is not None and known.id == "host-out-of-memory"
    return "the machine" if unallocated or isinstance(error, MemoryError) else None


@contextmanager
def while_answering(settings: Settings) -> Iterator[None]:
    """Turn out of memory, where a network only answers, into the `MemoryExhausted` that says what to try."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if (where := exhausted(error)) is None:
            raise
        raise answering_exhausted(where, settings) from error


def answering_exhausted(where: str, settings: Settings) -> MemoryExhausted:
    """What is told where a network ran out of memory while it only answered."""
    batch = settings.data.eval_batch_size
    return MemoryExhausted(
        f"{where} ran out of memory in an evaluation with data.eval_batch_size={batch}",
        f"try data.eval_batch_size={batch // 2}" if batch > 1 else "try a smaller data.image_size",
    )


def hint(a_step: int, failed: int, model: MemoryModel | None, free: int, *, least: int = 1) -> str:
    """What to try, in figures; the images that a step learns from stay as many where that is possible.

    Args:
        a_step: images that an optimizer step learns from.
        failed: how many of them at a time were too many.
        model: what they take by measurement; None where there was not even the memory to measure.
        free: bytes that there are.
        least: images at a time that the network needs to learn.
    """
    smaller = "try a smaller data.image_size or a smaller network"
    if model is None:
        return f"{smaller}: not even two images at a time fit into {_gib(free)} GiB"
    fit = model.largest(free)
    if fit < least or failed <= least:
        needed = f"{_gib(model.needed(least))} of {_gib(free)} GiB"
        return f"{smaller}: {least} at a time, the fewest it learns from, take {needed} by measurement"
    # What has just failed does not fit, whatever a measurement says.
    size, batches = _batches(a_step, max(least, failed // 2) if fit >= failed else fit)
    words = f"try data.batch_size={size} trainer.accumulate_grad_batches={batches}"
    figures = f"{_gib(model.needed(min(fit, failed)))} of {_gib(free)} GiB"
    if fit >= failed:
        return f"{words}: {failed} images at a time should fit by measurement ({figures}), yet did not"
    return f"{words}: {fit} images at a time fit by measurement ({figures})"


def _batches(a_step: int, most: int) -> tuple[int, int]:
    """Batches of at most so many images that make up a step: their size and number.

    The size divides the step, unless that would take more than twice the batches that are necessary.
    """
    necessary = math.ceil(a_step / most)
    for number in range(necessary, 2 * necessary + 1):
        if a_step % number == 0:
            return a_step // number, number
    return math.ceil(a_step / necessary), necessary


def _gib(count: int) -> str:
    """Bytes in GiB, with as many digits as tell something."""
    gib = count / _GIB
    return f"{gib:.1f}" if gib >= 1 else f"{gib:.2g}"
