"""What `queue begin` makes and refuses; in this process, up to where it would become the script."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ctexp.core import clock
from ctexp.core.errors import Busy, DataError, UsageError
from ctexp.core.files import sha256_bytes
from ctexp.planning.checking.check import check
from ctexp.planning.plan.load import load
from ctexp.planning.schedule.costs import trainings
from ctexp.planning.schedule.measurements import Measurement, Measurements
from ctexp.queue import begin
from ctexp.queue.folder import QueueDir, queues
from ctexp.queue.opening import become
from ctexp.queue.opening.ready import Ready
from ctexp.queue.orders import Orders
from ctexp.queue.state import fold
from ctexp.record.manifest import Estimate
from tests.queue.beginning import Became, begin_night, events, refusal, words
from tests.queue.scripted import PLAN, render, scripted_project
from tests.queue.written import Writer

pytestmark = pytest.mark.usefixtures("project")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scripted_project(tmp_path_factory.mktemp("template") / "project")


@pytest.fixture
def project(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project; the test stands in it, and nothing is executed."""
    folder = tmp_path / "project"
    shutil.copytree(template, folder, symlinks=True)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)

    def stop(queue: QueueDir, locks: Any, variables: dict[str, str]) -> None:
        assert all(lock.is_held() for lock in locks)
        raise Became(queue, [lock.path.name for lock in locks], variables)

    monkeypatch.setattr(become, "become", stop)
    return folder


def test_a_new_queue_is_made_whole_and_held(project: Path) -> None:
    with pytest.raises(Became) as became:
        begin.main(words())
    queue, locks, variables = became.value.args
    assert locks == ["cpu.lock", "lock"]
    assert variables == {
        "CTEXP_QUEUE_DIR": str(queue.path),
        "CTEXP_QUEUE": queue.id,
        "CTEXP_PLAN": "night",
        "CTEXP_ROOT": str(project),
        "CTEXP_SLOTS": "1",
    }
    assert queue.plan.read_text() == PLAN
    assert queue.script.read_bytes() == Path("scripts/night.sh").read_bytes()
    orders = Orders.read(queue.orders)
    assert [job.id for job in orders.jobs] == ["a-s1", "b-s1"]
    assert (orders.queue, orders.device, orders.disk_reserve_bytes) == (queue.id, "cpu", 10**6)
    (event,) = events(queue)
    assert event["kind"] == "begin"
    assert event["pid"] == os.getpid()
    assert event["only"] is None
    assert len(event["commit"]) == 40
    assert event["dirty"] is False
    assert event["closes_uptime"] == pytest.approx(event["uptime"] + 3600, abs=2)
    assert [line.split("  ")[0] for line in event["preflight"]] == [
        *("GPU", "memory", "disk", "shell tools", "data", "environment", "source", "tracker", "weights")
    ]


def measured(project: Path, memory: int) -> None:
    """All trainings of the plan are known to take so much memory."""
    plan = load(project / "research" / "plans" / "night.yaml", "research/plans/night.yaml")
    for one in check(plan, project).jobs:
        for training in trainings(one):
            found = Estimate(
                seconds=10.0,
                epochs=1.0,
                epoch_seconds=5.0,
                memory_bytes=memory,
                disk_bytes=10,
                basis="a trial",
            )
            Measurements.load(project / "runs").keep(project / "runs", Measurement.of(training, found))


def test_two_devices_and_a_job_that_has_room_on_none(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("CTEXP_WARM", "another's")
    devices = '[{name: "cpu#1", memory: 1GB}, {name: "cpu#2", memory: 2GB}]'
    (project / "conf" / "executor" / "local.yaml").write_text(
        f"kind: local\ndevices: {devices}\njobs_per_device: 1\n"
    )
    measured(project, 10**9)
    with pytest.raises(Became) as became:
        begin.main(words())
    queue, _, variables = became.value.args
    share = str(max(1, len(os.sched_getaffinity(0)) // 2))
    assert (variables["CTEXP_SLOTS"], variables["OMP_NUM_THREADS"]) == ("2", share)
    orders = Orders.read(queue.orders)
    assert [(one.name, one.memory, one.jobs) for one in orders.devices] == [
        ("cpu#1", 10**9, 1),
        ("cpu#2", 2 * 10**9, 1),
    ]
    assert orders.need("a-s1") == 1_300_000_000, "the p90, which has to be free"
    devices_line = "devices      cpu#1 0.9 GiB, cpu#2 1.9 GiB: 2 jobs at once; a job takes 1.2 GiB (p90)"
    assert devices_line in capsys.readouterr().err
    measured(project, 2 * 10**9)
    with pytest.raises(UsageError, match=r"a-s1: takes 2.4 GiB \(p90\), and no device") as refused:
        begin.main(words("--fresh"))
    assert [problem.split(":")[0] for problem in refused.value.problems] == ["a-s1", "b-s1"]
    assert len(queues(project / "runs")) == 1


def test_a_dry_run_makes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert begin.main(words("--dry-run")) == 0
    assert queues(project / "runs") == []
    assert "shell tools  bash, git" in capsys.readouterr().err


def test_a_rehearsal_without_a_cluster_says_that_none_answers(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sinfo = project / "bin" / "sinfo"
    sinfo.parent.mkdir()
    sinfo.write_text("#!/bin/sh\necho 'sinfo: fatal: no source' >&2; exit 1\n")
    sinfo.chmod(0o755)
    monkeypatch.setenv("PATH", f"{sinfo.parent}:{os.environ['PATH']}")
    assert begin.main(words("--dry-run", target="slurm")) == 0
    assert "cluster      SLURM: sinfo: fatal: no source" in capsys.readouterr().err


def test_the_same_script_goes_on_with_the_same_queue() -> None:
    first = begin_night()
    assert begin_night() == first
    assert [event["kind"] for event in events(first)] == ["begin", "begin"]
    second = begin_night("--fresh")
    assert second != first
    assert begin_night() == second, "the newest"


def test_another_version_of_plan_or_script_begins_a_new_queue_and_resume_keeps_to_the_old(
    project: Path,
) -> None:
    first = begin_night()
    older = first.plan.read_bytes(), first.script.read_bytes()
    render(project, PLAN.replace("1h", "2h"))
    assert (first.plan.read_bytes(), first.script.read_bytes()) == older
    resumed = begin_night("--resume")
    assert resumed == first
    assert Orders.read(first.orders).window == "1h"
    second = begin_night()
    assert second != first
    with Path("scripts/night.sh").open("a") as script:
        script.write("# edited\n")
    assert begin_night() not in (first, second)


def test_a_script_that_was_edited_by_hand_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert events(begin_night())[0]["script_edited"] is False
    assert "edited by hand" not in capsys.readouterr().err
    with Path("scripts/night.sh").open("a") as script:
        script.write("# mine\n")
    said = "scripts/night.sh was edited by hand since it was rendered: what runs is what it says"
    assert begin.main(words("--dry-run")) == 0
    assert said in capsys.readouterr().err
    assert events(begin_night())[0]["script_edited"] is True
    assert said in capsys.readouterr().err


def test_a_script_of_an_older_plan_is_refused(project: Path) -> None:
    error = refusal(sha256="0" * 64)
    assert isinstance(error, UsageError)
    assert "rendered from an older research/plans/night.yaml" in error.lines()[0]
    assert "scripts/inv plan-render research/plans/night.yaml;" in error.hint
    assert not (project / "runs" / "queues").exists()


def test_what_is_wrong_with_plan_or_data_is_refused_before_anything_is_made(project: Path) -> None:
    render(project, PLAN.replace("model.dropout=0.3", "model.droput=0.3"))
    assert refusal().exit_code == 2
    render(project, PLAN)
    for image in (project / "data" / "raw" / "tiny").rglob("*.png"):
        image.write_bytes(b"")
    error = refusal()
    assert error.exit_code == 3
    assert not (project / "runs" / "queues").exists()


def test_nothing_to_resume_is_told() -> None:
    assert "no queue of night to go on with" in refusal("--resume").lines()[0]


HOLDER = """
import sys, time
from pathlib import Path
from ctexp.core.locks import FileLock
with FileLock(Path(sys.argv[1]), "it") as lock:
    lock.sign("bash scripts/other.sh")
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("lock", ["runs/queues/cpu.lock", "the queue's"])
def test_what_somebody_else_holds_is_named_and_not_waited_for(project: Path, lock: str) -> None:
    path = Path(lock) if lock.endswith("cpu.lock") else begin_night().path / "lock"
    count = len(queues(project / "runs"))
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        error = refusal()
        assert isinstance(error, Busy)
        assert error.exit_code == 75
        today = clock.iso(clock.now())[:10]
        assert f"in use by pid {holder.pid} (bash scripts/other.sh) since {today}" in error.lines()[0]
        assert len(queues(project / "runs")) == count
    finally:
        holder.kill()
        holder.communicate()


def test_a_stale_lock_file_stops_nobody() -> None:
    # The pid is alive and not the holder: numbers come round again.
    about = {"pid": 1, "command": "bash scripts/night.sh", "since": "2020-01-01T00:00:00.000Z"}
    Path("runs/queues").mkdir(parents=True)
    Path("runs/queues/cpu.lock").write_text(json.dumps(about))
    queue = begin_night()
    (queue.path / "lock").write_text(json.dumps(about))
    assert begin_night() == queue


def test_what_a_killed_start_left_of_a_new_queue_is_swept(project: Path) -> None:
    left = Path("runs/queues/.night_20260101-000000.new")
    (left / "logs").mkdir(parents=True)
    queue = begin_night()
    assert not left.exists()
    assert queues(project / "runs") == [queue]


def test_a_night_nobody_saw_end_is_written_down_before_another_begins(project: Path) -> None:
    killed = begin_night()
    assert begin_night() == killed
    assert not killed.night_md.exists()  # it goes on
    assert begin_night("--fresh") != killed
    assert "nobody saw it end" in killed.night_md.read_text()
    assert f"begin of {killed.id}" in (project / "research" / "LOG.md").read_text()


def test_attempts_that_nobody_saw_end_are_settled_first() -> None:
    queue = begin_night()
    Writer(queue).start("a-s1")
    begin_night()
    kinds = [event["kind"] for event in events(queue)]
    assert kinds == ["begin", "start", "end", "begin"]
    end = events(queue)[2]
    assert (end["state"], end["cause"], end["recovered"]) == ("interrupted", "killed", True)
    begin_night()
    assert [event["kind"] for event in events(queue)][-2:] == ["begin", "begin"]


def test_a_damaged_journal_is_put_aside_refused_and_then_made_anew() -> None:
    queue = begin_night()
    begin_night()
    content = queue.journal.read_bytes()
    queue.journal.write_bytes(content.replace(b'"local"', b'"lokal"', 1))
    damaged = queue.journal.read_bytes()
    error = refusal()
    assert isinstance(error, DataError)
    assert "line 1 is not as it was written" in error.lines()[0]
    assert "start the script again" in error.hint
    (aside,) = queue.path.glob("journal.jsonl.damaged-*")
    assert aside.read_bytes() == damaged
    assert begin_night() == queue
    assert [event["kind"] for event in events(queue)] == ["begin"]


def test_a_page_goes_where_the_project_is_now(project: Path) -> None:
    killed = begin_night()
    orders = Orders.read(killed.orders)
    replace(orders, root=str(project.parent / "before"), runs=str(project.parent / "before/runs")).write(
        killed.orders
    )
    begin_night("--fresh")
    assert f"begin of {killed.id}" in (project / "research" / "LOG.md").read_text()
    assert not (project.parent / "before").exists()


def test_damaged_orders_are_drawn_up_anew_from_the_plan() -> None:
    queue = begin_night()
    queue.orders.write_text("{")
    assert begin_night() == queue
    assert [job.id for job in Orders.read(queue.orders).jobs] == ["a-s1", "b-s1"]


def test_a_queue_that_is_over_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    queue = begin_night()
    writer = Writer(queue)
    writer.start("a-s1")
    writer.end("a-s1", state="failed", cause="oom")
    writer.journal.append("skip", job="b-s1", why="need", reason="")
    assert begin_night() == queue, "nobody has seen it end: the analysis is to be done"
    writer.close(12)
    before = queue.journal.read_bytes()
    capsys.readouterr()
    assert begin.main(words()) == 12
    assert queue.journal.read_bytes() == before
    assert f"{queue.id} is over: 1 failed, 1 skipped" in capsys.readouterr().out
    assert begin.main(words("--dry-run")) == 0, "the script goes on to show every command"
    assert queue.journal.read_bytes() == before
    said = capsys.readouterr()
    assert f"{queue.id} is over: 1 failed, 1 skipped" in said.out
    assert "tracker      none" in said.err
    Path("research/plans/night.yaml").write_text(PLAN.replace("1h", "2h"))
    changed = sha256_bytes(PLAN.encode())
    assert "rendered from an older" in refusal(sha256=changed).lines()[0]
    assert begin.main(words("--resume", sha256=changed)) == 12, "with its own copies"


def test_a_queue_that_is_over_ends_by_the_jobs_that_are_asked_for_now(project: Path) -> None:
    render(project, PLAN.replace("    needs: [a]\n", ""))
    queue = begin_night("--only", "a")
    writer = Writer(queue)
    writer.start("a-s1")
    writer.end("a-s1", state="failed", cause="oom")
    writer.close(12)
    begin_night("--only", "b")
    writer.done("b-s1")
    writer.close(0)
    assert begin.main(words()) == 12
    assert begin.main(words("--only", "b")) == 0


def test_a_start_that_another_has_overtaken_makes_no_second_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[QueueDir] = []

    def slow(*about: Any) -> Ready:
        found = Ready(*about)
        monkeypatch.setattr(begin, "Ready", Ready)
        made.append(begin_night())
        return found

    monkeypatch.setattr(begin, "Ready", slow)
    assert "another start of night came first" in refusal().lines()[0]
    assert [begin_night()] == made


def test_only_restricts_to_jobs_and_experiments() -> None:
    error = refusal("--only", "b-s1")
    assert "--only b-s1: it waits for a-s1, not over yet" in error.lines()[0]
    error = refusal("--only", "c-s1", "--only", "aa")
    assert [line.partition(";")[0] for line in error.problems] == [
        "--only c-s1: no such job",
        "--only aa: no such job",
    ]
    queue = begin_night("--only", "a")
    assert events(queue)[-1]["only"] == ["a-s1"]
    begin_night("--only", "b-s1,a-s1")
    assert events(queue)[-1]["only"] == ["a-s1", "b-s1"]
    assert fold(Orders.read(queue.orders), events(queue)).jobs.keys() == {"a-s1", "b-s1"}
