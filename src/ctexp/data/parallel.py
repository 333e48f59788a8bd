"""The same work on each of many files, on all cores, with all problems told at once."""

import math
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from ctexp.core.errors import DataError, MemoryExhausted

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


def each_in_processes(
    function: Callable[[T], R],
    items: Sequence[T],
    arrived: Callable[[R], None],
    *,
    worth_a_process: int = 1,
    hint: str = "",
) -> None:
    """`function(item)` for each, in processes: for work that keeps hold of the interpreter's lock.

    Args:
        function: called once an item; one that a fresh process can import.
        items: what to work on.
        arrived: called here with each result as it comes, in any order.
        worth_a_process: how many items repay the start of a process; for fewer none is started.
        hint: the next action, for the error.

    Raises:
        DataError: `function` raised it for one or more items; it carries the problems of all of them, sorted.
            Any other exception ends the work at once, one of `arrived` too.
        MemoryExhausted: a process was killed.
    """
    problems: list[str] = []

    def take(result: Callable[[], R]) -> None:
        try:
            value = result()
        except DataError as error:
            problems.extend(error.problems)
        else:
            arrived(value)

    processes = min(len(os.sched_getaffinity(0)), math.ceil(len(items) / worth_a_process))
    if processes <= 1:
        for item in items:
            take(partial(function, item))
    else:
        with _closing(_processes(processes)) as pool:
            for future in as_completed([pool.submit(function, item) for item in items]):
                take(future.result)
    if problems:
        raise DataError(sorted(problems), hint)


def in_order(
    function: Callable[[T], R], items: Sequence[T], *, ahead: int, processes: bool = False
) -> Generator[R]:
    """`function(item)` for each, in the order of the items, a few of them before they are asked for.

    However many items there are, no more than `ahead` results wait in memory.

    Args:
        function: called once an item.
        items: what to work on.
        ahead: how many are worked on before the first is taken, at least 1.
        processes: whether `function` keeps hold of the interpreter's lock, and repays processes; a fresh one
            must be able to import it. Else there are threads.

    Raises:
        MemoryExhausted: a process was killed.
    """
    cores = len(os.sched_getaffinity(0))
    waiting: deque[Future[R]] = deque()
    with _closing(_processes(cores) if processes else ThreadPoolExecutor(cores)) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) == ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _processes(count: int) -> ProcessPoolExecutor:
    # Not fork: the caller may have threads, whose locks a fork would copy in mid-use.
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, mp_context=spawn, initializer=_begin_process)


@contextmanager
def _closing(pool: Executor) -> Iterator[Executor]:
    """A pool that drops what it has not begun when its user leaves, and says what a killed process means."""
    try:
        yield pool
    except BrokenProcessPool as error:
        raise MemoryExhausted(
            "a worker process was killed, as happens when memory runs out", "free some, then start again"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_process() -> None:
    """Leave Ctrl-C to the parent, one core to each process, and no process behind a killed parent."""
    # Read when NumPy is loaded, which is now or later: its threads would wait for each other in busy loops.
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
