"""What the tasks of an array decide, each for its own job, with a cluster that says what a test wants."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ctexp.core.errors import Busy, UsageError
from ctexp.executors.slurm.accounting import InLine
from ctexp.queue import hold
from ctexp.queue.array import ANALYSIS, Task, in_line, indices, joined, tie
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Journal
from ctexp.queue.looking.status import look
from ctexp.queue.orders import Orders
from ctexp.queue.state import fold
from tests.judged import a_run
from tests.queue.written import Writer, based, gated, job, queue

SQUEUE = """#!/bin/sh
[ -e "{folder}/line" ] || {{ echo "slurm_load_jobs error: Unable to contact slurm controller" >&2; exit 1; }}
cat "{folder}/line"
"""
SCONTROL = """#!/bin/sh
echo "$@" >>"{folder}/told"
"""


class Array:
    """An array whose tasks this process is, one after the other.

    Attributes:
        line: the tasks that the cluster says to have, or to be about to start; None where it does not answer.
    """

    def __init__(self, folder: Path, one: QueueDir) -> None:
        self.folder, self.queue, self.writer = folder, one, Writer(one)
        self.orders = Orders.read(one.orders)
        for name, text in {"squeue": SQUEUE, "scontrol": SCONTROL}.items():
            (folder / "bin").mkdir(exist_ok=True)
            (folder / "bin" / name).write_text(text.format(folder=folder))
            (folder / "bin" / name).chmod(0o755)

    def line(self, *names: str) -> None:
        tasks = indices(self.orders)
        (self.folder / "line").write_text("".join(f"7_{tasks[name]}|PENDING|Resources|\n" for name in names))

    def task(self, name: str) -> int:
        """It enters, and asks what it may do."""
        self.writer.journal.append("task", task=name, array="7", slurm_job="8", restarts=0, host="n1", pid=1)
        return self.ask(name)

    def ask(self, name: str) -> int:
        with self.queue.task_lock(name):
            return hold.main([name])

    def state(self, name: str) -> tuple[str, str | None]:
        now = fold(self.orders, self.writer.journal.read()).jobs[name]
        return now.state, now.kind


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Array]:
    """Begins an array of some jobs."""

    def begin(*jobs: object) -> Array:
        one = queue(tmp_path / "runs", jobs, mode="slurm")  # type: ignore[arg-type]
        array = Array(tmp_path, one)
        array.writer.begin(array="7", opens=None, closes=None, closes_uptime=None)
        monkeypatch.setenv("CTEXP_QUEUE_DIR", str(one.path))
        monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "7")
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
        return array

    monkeypatch.setattr(hold, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(hold, "_PATIENCE_SECONDS", 0.1)
    return begin


def test_a_job_that_waits_for_nothing_begins(
    begun: Callable[..., Array], capsys: pytest.CaptureFixture[str]
) -> None:
    array = begun(job("plain"), job("wide"))
    assert array.task("wide-s1") == 0
    assert capsys.readouterr().out == "wide-s1\n"


def test_what_has_to_wait_too_long_gives_its_node_back(begun: Callable[..., Array]) -> None:
    array = begun(job("plain"), job("wide", needs=("plain",)))
    array.line("plain-s1", "wide-s1")
    assert array.task("wide-s1") == Busy.exit_code
    assert array.state("wide-s1") == ("pending", None)


def test_without_a_word_from_the_cluster_it_waits_too(begun: Callable[..., Array]) -> None:
    assert begun(job("plain"), job("wide", needs=("plain",))).task("wide-s1") == Busy.exit_code


def test_what_waits_for_a_job_without_a_task_is_left(begun: Callable[..., Array]) -> None:
    array = begun(job("plain"), job("wide", needs=("plain",)))
    array.line("wide-s1")  # somebody has cancelled the other one
    assert array.task("wide-s1") == 12
    assert array.state("wide-s1") == ("skipped", "need")


def test_a_job_at_work_is_waited_for_whatever_the_cluster_says(begun: Callable[..., Array]) -> None:
    array = begun(job("plain"), job("wide", needs=("plain",)))
    array.line("wide-s1")
    array.writer.start("plain-s1")
    with array.queue.task_lock("plain-s1"):
        assert array.task("wide-s1") == Busy.exit_code


def test_needs_gate_and_base_are_judged_as_on_one_machine(
    begun: Callable[..., Array], capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = [job("wide", needs=("wild",)), gated("deep", "plain", 0.99), based("best", "plain", "wild")]
    array = begun(job("plain"), job("wild"), *waiting)
    run = a_run(Path(array.orders.runs), "night-plain")
    array.writer.done("plain-s1", run=run.id)
    array.writer.start("wild-s1")
    array.writer.end("wild-s1", state="failed", cause="diverged", exit_code=11)
    assert array.task("wide-s1") == 12
    assert array.state("wide-s1") == ("skipped", "need")
    assert array.task("deep-s1") == 12
    assert array.state("deep-s1") == ("skipped", "gate")
    capsys.readouterr()
    assert array.task("best-s1") == 0
    assert capsys.readouterr().out == "best-s1\n"
    kinds = [
        (one["what"], one.get("winner")) for one in array.writer.journal.read() if one["kind"] == "decision"
    ]
    assert kinds == [("gate", None), ("base", "plain")]


def test_two_seeds_decide_once(begun: Callable[..., Array]) -> None:
    rule = based("best", "plain").base
    array = begun(job("plain"), job("best", 1, base=rule), job("best", 2, base=rule))
    run = a_run(Path(array.orders.runs), "night-plain")
    array.writer.done("plain-s1", run=run.id)
    before = fold(array.orders, array.writer.journal.read())
    array.task("best-s1")
    stale = {"kind": "decision", "what": "base", "experiment": "best", "winner": None}
    hold._write_once(Journal(array.queue.journal), before, stale)
    assert array.task("best-s2") == 0
    assert sum(event["kind"] == "decision" for event in array.writer.journal.read()) == 1


def test_a_task_that_comes_again_goes_on(
    begun: Callable[..., Array], capsys: pytest.CaptureFixture[str]
) -> None:
    array = begun(job("plain"))
    for attempt in range(1, 6):  # more often than a job is retried: it was never its fault
        assert array.task("plain-s1") == 0
        array.writer.start("plain-s1", attempt)
        array.writer.end("plain-s1", attempt, state="interrupted", cause="signal", exit_code=143)
    assert array.task("plain-s1") == 0
    assert capsys.readouterr().out == "plain-s1\n" * 6


def test_an_attempt_whose_node_died_gets_its_end(
    begun: Callable[..., Array], capsys: pytest.CaptureFixture[str]
) -> None:
    array = begun(job("plain"), job("wide"))
    array.task("plain-s1")
    array.writer.start("plain-s1")
    array.writer.start("wide-s1")
    assert array.task("plain-s1") == 0
    assert array.state("plain-s1") == ("interrupted", "killed")
    assert array.state("wide-s1") == ("running", None)  # its own task sees to that
    assert capsys.readouterr().out == "plain-s1\n" * 2


def test_a_job_that_has_failed_for_good_ends_its_task(
    begun: Callable[..., Array], capsys: pytest.CaptureFixture[str]
) -> None:
    array = begun(job("plain", fallback={"oom": ("data.batch_size=2",)}))
    array.task("plain-s1")
    array.writer.start("plain-s1")
    array.writer.end("plain-s1", state="failed", cause="oom", exit_code=10)
    assert array.ask("plain-s1") == 0
    array.writer.start("plain-s1", 2, fallback="oom")
    array.writer.end("plain-s1", 2, state="failed", cause="oom", exit_code=10)
    assert array.ask("plain-s1") == 12
    assert capsys.readouterr().out == "plain-s1\nplain-s1:oom\n"


def test_a_job_that_was_dropped_ends_its_task(begun: Callable[..., Array]) -> None:
    array = begun(job("plain"))
    array.writer.journal.append("cancel", job="plain-s1", by="me")
    assert array.task("plain-s1") == 12


@pytest.mark.parametrize("word", ["plain-s1", None])
def test_the_analysis_waits_for_all(begun: Callable[..., Array], word: str | None) -> None:
    array = begun(job("plain"), job("wide"))
    array.writer.done("plain-s1")
    if word is None:
        assert array.task(ANALYSIS) == Busy.exit_code  # nobody says whether `wide` is still to come
    else:
        array.line("wide-s1", ANALYSIS)
        assert array.task(ANALYSIS) == Busy.exit_code
        array.line(ANALYSIS)
        assert array.task(ANALYSIS) == 0


def test_the_cluster_is_told_who_waits_for_whom(begun: Callable[..., Array]) -> None:
    array = begun(job("plain", 1), job("plain", 2), job("wide", needs=("plain",)))
    tie(array.orders, Task("7", 1, "8", 0))
    told = (array.folder / "told").read_text().splitlines()
    assert "update JobId=7_3 JobName=wide-s1" in told
    assert told[-2:] == [
        "update JobId=7_3 Dependency=afterany:7_1:7_2",
        "update JobId=7_4 Dependency=afterany:7_1:7_2:7_3",
    ]


def test_in_line(begun: Callable[..., Array]) -> None:
    array = begun(job("plain"))
    assert in_line("7") is None
    array.line("plain-s1", ANALYSIS)
    assert in_line("7") == {number: InLine("PENDING", "Resources", "") for number in (1, 2)}


def test_a_look_tells_tasks_and_whether_any_are_to_come(begun: Callable[..., Array]) -> None:
    array = begun(job("plain"), job("wide"))
    array.line("wide-s1", ANALYSIS)
    assert look(array.queue).state == "waiting"
    array.task("plain-s1")
    array.writer.start("plain-s1")
    with array.queue.task_lock("plain-s1"):
        now = look(array.queue)
    assert (now.state, now.pid, now.holders) == ("running", None, ("plain-s1 on n1",))
    array.line()
    now = look(array.queue)
    assert (now.state, now.jobs[0].state) == ("interrupted", "interrupted")


def test_a_queue_is_joined_by_its_own_array_alone(begun: Callable[..., Array]) -> None:
    array = begun(job("plain"))
    runs = Path(array.orders.runs)
    assert joined(runs, "night", "7") == array.queue
    assert joined(runs, "night", "8") is None


def test_outside_of_an_array_there_is_no_task() -> None:
    with pytest.raises(UsageError, match="not started by SLURM"):
        Task.here({})
    task = Task.here({"SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "2", "SLURM_JOB_ID": "9"})
    assert task == Task("7", 2, "9", 0)
