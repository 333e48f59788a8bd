"""Work in processes: results, problems, and ends of every kind."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from ctexp.core.errors import DataError, MemoryExhausted
from ctexp.data.parallel import each_in_processes, in_order


def square(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def refuse_odd(number: int) -> int:
    if number % 2:
        raise DataError([f"{number}: odd", f"{number}: not even"], "not shown")
    return number


def die(number: int) -> int:
    os._exit(number)


@pytest.mark.parametrize("worth", [1, 100], ids=["processes", "this process"])
def test_every_item_is_worked_on_once(worth: int) -> None:
    arrived: list[tuple[int, int]] = []

    each_in_processes(square, range(20), arrived.append, worth_a_process=worth)

    assert sorted(value for value, _ in arrived) == [number**2 for number in range(20)]
    alone = len(os.sched_getaffinity(0)) == 1 or worth == 100
    assert ({pid for _, pid in arrived} == {os.getpid()}) == alone


@pytest.mark.parametrize("worth", [1, 100], ids=["processes", "this process"])
def test_all_problems_are_told_at_once_and_the_rest_is_done(worth: int) -> None:
    arrived: list[int] = []

    with pytest.raises(DataError) as caught:
        each_in_processes(refuse_odd, range(5), arrived.append, worth_a_process=worth, hint="make them even")

    assert caught.value.problems == ("1: not even", "1: odd", "3: not even", "3: odd")
    assert caught.value.hint == "make them even"
    assert sorted(arrived) == [0, 2, 4]


def test_what_goes_wrong_here_ends_the_work() -> None:
    def full(_: tuple[int, int]) -> None:
        raise DataError("the disk of this test is full")

    with pytest.raises(DataError, match="full"):
        each_in_processes(square, range(50), full)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) == 1, reason="no processes are started on one core")
def test_a_killed_process_is_said_to_be_a_lack_of_memory() -> None:
    with pytest.raises(MemoryExhausted, match="killed"):
        each_in_processes(die, [9, 9], lambda _: None)


def test_no_process_outlives_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import time\n"
        "from ctexp.data.parallel import each_in_processes, in_order\n"
        "if __name__ == '__main__':\n"
        "    each_in_processes(time.sleep, [0, 0] + [60] * 2, lambda _: print('begun', flush=True))\n"
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "begun\n"
        children = psutil.Process(parent.pid).children(recursive=True)
        parent.kill()

    _, alive = psutil.wait_procs(children, timeout=5)
    assert not alive


@pytest.mark.parametrize("processes", [False, True])
def test_results_come_in_the_order_of_the_items(processes: bool) -> None:
    found = in_order(square, range(20), ahead=3, processes=processes)
    assert [number for number, _ in found] == [number * number for number in range(20)]


def test_no_more_is_made_than_was_asked_for_and_a_little_ahead() -> None:
    begun: list[int] = []
    results = in_order(lambda number: begun.append(number), range(1000), ahead=4)
    next(results)
    results.close()
    assert len(begun) <= 5


def test_a_killed_process_is_told_while_results_are_taken_in_order() -> None:
    with pytest.raises(MemoryExhausted, match="a worker process was killed"):
        list(in_order(die, [1, 2], ahead=2, processes=True))
