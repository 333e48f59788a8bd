"""`queue-status`, `queue-watch` and `queue-cancel` as people call them, on queues written by hand."""

import getpass
import io
import itertools
import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from rich.console import Console

from ctexp.cli.queue import watch
from ctexp.cli.queue_tables import picture
from ctexp.core.errors import DataError, UsageError
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Journal
from ctexp.queue.looking.cancel import drop
from ctexp.queue.looking.status import look
from ctexp.queue.orders import Cost, Orders
from ctexp.queue.state import fold
from tests.project import INV, inv, make_project
from tests.queue.written import Writer, gated, job, queue, running_run


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("queues") / "project")


@pytest.fixture(autouse=True)
def _no_queues(project: Path) -> None:
    shutil.rmtree(project / "runs", ignore_errors=True)


@pytest.fixture
def at_work(project: Path) -> Iterator[QueueDir]:
    """Three jobs: one that runs, one that is next, one whose gate looks at both."""
    jobs = [job("plain", 1), job("plain", 2), gated("deep", "plain")]
    one = queue(project / "runs", jobs, {"plain-s1": Cost(600, 900)})
    writer = Writer(one)
    writer.begin(pid=os.getpid())
    writer.start("plain-s1")
    running_run(project / "runs", "plain-s1", one)
    with one.lock():
        yield one


@pytest.fixture
def over(project: Path) -> QueueDir:
    """A queue of one job, which is done."""
    one = queue(project / "runs", [job("plain")])
    writer = Writer(one)
    writer.begin()
    writer.done("plain-s1")
    writer.close(0, "all done")
    return one


def state(one: QueueDir, job_id: str) -> tuple[str, str | None, bool]:
    now = fold(Orders.read(one.orders), Journal(one.journal).read()).jobs[job_id]
    return now.state, now.kind, now.cancelled


def test_status_says_everything_in_one_look(project: Path, at_work: QueueDir) -> None:
    said = inv(project, "queue-status", at_work.id).stdout
    assert f"{at_work.id}  running (pid {os.getpid()})" in said
    assert "3 jobs: 2 pending, 1 running" in said
    lines = {line.split()[0]: line for line in said.splitlines() if line}
    assert "3 of 20" in lines["plain-s1"]
    assert "0.300" in lines["plain-s1"]
    assert "its turn" in lines["plain-s2"]
    assert "val/macro_f1 >= 0.5" in lines["deep-s1"]


def test_status_for_programs(project: Path, at_work: QueueDir) -> None:
    document = json.loads(inv(project, "queue-status", at_work.id, "--json").stdout)
    assert (document["queue"], document["state"], document["gpu"]) == (at_work.id, "running", None)
    assert [(one["id"], one["state"], one["epoch"]) for one in document["jobs"]] == [
        ("plain-s1", "running", 3),
        ("plain-s2", "pending", None),
        ("deep-s1", "pending", None),
    ]


QUEUE_KEYS = (
    "queue plan plan_file path mode state pid host holders begun beat beat_age window opens closes left ends "
    "ends_p90 exit_code ended disk_free disk_reserve gpu totals steps jobs problems packing "
    "left_seconds beat_age_seconds disk_free_bytes disk_reserve_bytes"
)
JOB_KEYS = (
    "id experiment seed state kind reason waits attempt fallback run log epoch epochs folds_done folds "
    "trials loss metric seconds expected expected_p90 basis ends ends_p90 fits cancelled deviations device "
    "expected_seconds expected_p90_seconds"
)


def test_keys_of_the_document_stay(at_work: QueueDir) -> None:
    """Programs read them; a key that goes, or changes its name, breaks those."""
    document = look(at_work).document()
    assert " ".join(document) == QUEUE_KEYS
    assert " ".join(document["jobs"][0]) == JOB_KEYS


def test_a_failed_job_is_no_failure_of_the_look(project: Path) -> None:
    one = queue(project / "runs", [job("plain")])
    writer = Writer(one)
    writer.begin()
    writer.start("plain-s1")
    writer.end("plain-s1", state="failed", cause="data", exit_code=3, reason="[bold] is no image of 'x'")
    writer.close(12, "1 of 1 failed")
    said = inv(project, "queue-status", one.id).stdout
    assert "ended: exit 12, 1 of 1 failed" in said
    assert "[bold] is no image of 'x'" in said


def test_no_such_queue(project: Path, at_work: QueueDir) -> None:
    said = inv(project, "queue-status", at_work.id.replace("night", "nihgt"), code=3).stderr
    assert at_work.id.partition("_")[0] in said
    inv(project, "queue-status", "nothing", "--json", code=3)


def test_status_does_not_load_what_it_does_not_need(project: Path, at_work: QueueDir) -> None:
    code = (
        "import sys; from ctexp.cli.queue import status; status(sys.argv[1], False);"
        "slow = {'torch', 'numpy', 'pydantic', 'hydra', 'pandas'} & set(sys.modules); assert not slow, slow"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, at_work.id], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_watch_off_a_terminal_is_a_line_a_change(project: Path, at_work: QueueDir) -> None:
    watching = subprocess.Popen(
        [INV, "queue-watch", at_work.id, "--every=0.1"],
        cwd=project, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert watching.stdout is not None
    assert watching.stdout.readline() == "plain-s1 running\n"
    assert watching.stdout.readline() == f"queue {at_work.id} running\n"
    writer = Writer(at_work)
    metrics = {"val/macro_f1": {"value": 0.7, "low": 0.6, "high": 0.8}}
    writer.end("plain-s1", metrics=metrics)
    assert watching.stdout.readline() == "plain-s1 done: val/macro_f1 0.700 (0.60-0.80)\n"
    writer.start("plain-s2")
    assert watching.stdout.readline() == "plain-s2 running\n"
    writer.end("plain-s2", state="failed", cause="oom", exit_code=10, reason="CUDA out of memory")
    writer.close(12, "1 of 3 failed")
    at_work.lock().release()
    assert watching.stdout.readline() == "plain-s2 failed (oom): CUDA out of memory\n"
    watching.terminate()
    watching.wait()
    watching.stdout.close()


def test_watch_ends_with_the_queue(project: Path, over: QueueDir) -> None:
    said = inv(project, "queue-watch").stdout
    assert said.splitlines()[-1] == f"queue {over.id} ended: exit 0, all done"
    document = json.loads(inv(project, "queue-watch", "night", "--json").stdout)
    assert (document["state"], document["exit_code"]) == ("ended", 0)


@pytest.mark.parametrize("words", [[], ["latest"], ["night"], ["night_2"], ["--queue", "night"]])
def test_a_queue_is_named_bare_or_not_at_all(project: Path, over: QueueDir, words: list[str]) -> None:
    assert inv(project, "queue-status", *words).stdout.startswith(over.id)


def test_watch_on_a_terminal_shows_the_epochs_go_by(project: Path, at_work: QueueDir) -> None:
    screen = pexpect.spawn(
        str(INV), ["queue-watch", at_work.id, "--every=0.1"],
        cwd=str(project), encoding="utf-8", timeout=20, dimensions=(40, 160),
        env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    screen.expect("3 of 20")
    history = next((project / "runs").glob("night-plain-s1_*/history.csv"))
    for each in (project / "runs").glob("night-plain-s1_*/history.csv"):
        each.write_text(history.read_text() + "4,20,0.25,0.4,60\n")
    screen.expect("4 of 20")
    screen.sendintr()
    screen.expect(pexpect.EOF)
    screen.close()
    assert screen.exitstatus == 130


@pytest.mark.parametrize(("columns", "set_to"), [(80, None), (200, "80"), (40, None)])
def test_a_narrow_terminal_has_reasons_on_lines_of_their_own_and_cuts_nothing(
    project: Path, at_work: QueueDir, columns: int, set_to: str | None
) -> None:
    Writer(at_work).end("plain-s1", state="failed", cause="data", reason=" ".join(["no such image"] * 9))
    said = pexpect.run(
        f"{INV} queue-status {at_work.id}", cwd=str(project), encoding="utf-8", timeout=20,
        env={k: v for k, v in os.environ.items() if k != "COLUMNS"}
        | {"TERM": "xterm"} | ({"COLUMNS": set_to} if set_to else {}),
        dimensions=(40, columns),
    )  # fmt: skip
    lines = re.sub(r"\x1b\[[0-9;]*m", "", said).splitlines()
    assert max(map(len, lines)) <= min(columns, int(set_to or columns))
    below = lines[next(at for at, line in enumerate(lines) if line.startswith("plain-s1 ")) + 1 :]
    told = list(itertools.takewhile(lambda line: not line.startswith("plain-s2"), below))
    assert all(line.startswith("    ") for line in told)
    assert " ".join(" ".join(told).split()).endswith(" ".join(["no such image"] * 9))
    assert "…" not in said
    assert "waits for its turn" in said


def test_an_end_after_the_window_is_explained(project: Path) -> None:
    one = queue(project / "runs", [job("plain")], {"plain-s1": Cost(600, 900)})
    Writer(one).begin(closes="2020-01-01T12:00:00.000Z")
    with one.lock():
        lines = picture(look(one), 120).plain.splitlines()
    assert "!" in next(line for line in lines if line.startswith("plain-s1"))
    assert lines[-2].startswith("! may end after the window, which closes Wed ")
    assert "all of it would take until about" in lines[1]


def test_a_small_terminal_sees_the_jobs_that_run(project: Path) -> None:
    one = queue(project / "runs", [job("plain", seed) for seed in range(100)])
    writer = Writer(one)
    writer.begin()
    for seed in range(50):
        writer.done(f"plain-s{seed}")
    writer.start("plain-s50")
    with one.lock():
        console = Console(width=150, height=20, file=io.StringIO(), record=True)
        console.print(picture(look(one), console.width, console.height))
    lines = console.export_text().splitlines()
    assert len(lines) == 20
    assert any(line.startswith("plain-s50 ") and "running" in line for line in lines)
    assert any(line.startswith("plain-s51 ") for line in lines)
    assert lines[-1] == "86 more jobs"


def test_watch_refuses_to_spin(project: Path, at_work: QueueDir) -> None:
    inv(project, "queue-watch", at_work.id, "--every=0", code=2)
    with pytest.raises(UsageError, match="too seldom"):
        watch(at_work.id, math.inf, json=False)


def test_a_job_that_waits_is_dropped(project: Path, at_work: QueueDir) -> None:
    said = inv(project, "queue-cancel", "plain-s2", "--queue", at_work.id).stdout
    assert said.splitlines() == ["plain-s2: dropped", "what waits for it: deep-s1"]
    assert state(at_work, "plain-s2") == ("skipped", "cancelled", True)
    assert Journal(at_work.journal).read()[-1]["by"] == getpass.getuser()


def test_a_job_that_runs_is_stopped_by_its_runner(project: Path, at_work: QueueDir) -> None:
    document = json.loads(inv(project, "queue-cancel", "plain-s1", "--queue", at_work.id, "--json").stdout)
    assert document == {
        "schema_version": 1,
        "queue": at_work.id,
        "job": "plain-s1",
        "running": True,
        "dependents": ["deep-s1"],
    }
    assert state(at_work, "plain-s1") == ("running", None, True)
    assert "dropped: it is being stopped" in inv(project, "queue-status", at_work.id).stdout


def test_what_cannot_be_dropped(at_work: QueueDir) -> None:
    writer = Writer(at_work)
    writer.end("plain-s1")
    with pytest.raises(UsageError, match="plain-s1 is over: done"):
        drop(at_work, "plain-s1", by="me")
    with pytest.raises(DataError) as unknown:
        drop(at_work, "plain-s3", by="me")
    assert "did you mean 'plain-s" in unknown.value.hint
    drop(at_work, "deep-s1", by="me")
    with pytest.raises(UsageError, match="dropped already"):
        drop(at_work, "deep-s1", by="me")
    assert sum(event["kind"] == "cancel" for event in Journal(at_work.journal).read()) == 1


def test_a_look_at_a_thousand_jobs_costs_little(project: Path) -> None:
    jobs = [job("plain", seed) for seed in range(1000)]
    one = queue(project / "runs", jobs, {each.id: Cost(60, 90) for each in jobs})
    writer = Writer(one)
    writer.begin()
    for each in jobs[:300]:
        writer.journal.extend(
            [
                {"kind": "start", "job": each.id, "attempt": 1, "mode": "new", "run": None},
                {
                    "kind": "end",
                    "job": each.id,
                    "attempt": 1,
                    "state": "done",
                    "seconds": 60.0,
                    "metrics": {},
                },
            ]
        )
    with one.lock():
        began = time.process_time()
        now = look(one)
        took = time.process_time() - began
    assert now.totals["done"] == 300
    assert now.ends is not None
    assert took < 1.0
