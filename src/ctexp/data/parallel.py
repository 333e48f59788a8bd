"""The same work on each of many files, on all cores, with all problems told at once."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ctexp.core.errors import DataError

T = TypeVar("T")
R = TypeVar("R")


def each(
    function: Callable[[T], R],
    items: Sequence[T],
    progress: Callable[[int, int], None] | None = None,
    hint: str = "",
) -> list[R]:
    """`[function(item) for item in items]` in threads: decoders and disks let go of the interpreter's lock.

    Args:
        function: called once an item.
        items: what to work on.
        progress: called with (done, total) as results arrive, in order.
        hint: the next action, for the error.

    Raises:
        DataError: `function` raised it for one or more items; it carries the problems of all of them. Any
            other exception ends the work at once.
    """
    results: list[R] = []
    problems: list[str] = []
    pool = ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0)))
    try:
        for done, future in enumerate([pool.submit(function, item) for item in items], 1):
            try:
                results.append(future.result())
            except DataError as error:
                problems += error.problems
            if progress:
                progress(done, len(items))
    finally:
        pool.shutdown(cancel_futures=True)
    if problems:
        raise DataError(problems, hint)
    return results
