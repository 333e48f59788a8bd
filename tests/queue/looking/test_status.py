"""What a look at a queue tells, whatever state the queue, its runs and its files are in."""

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctexp.core.errors import DataError
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import uptime
from ctexp.queue.looking.job_status import JobLook
from ctexp.queue.looking.status import Look, look
from ctexp.queue.orders import Cost
from tests.queue.written import Writer, based, gated, job, queue, running_run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def jobs(now: Look) -> dict[str, JobLook]:
    return {one.id: one for one in now.jobs}


@pytest.fixture
def at_work(runs: Path) -> Iterator[QueueDir]:
    """A queue of two experiments and two that hang on them, held by this process."""
    one = queue(
        runs,
        [
            job("plain", 1),
            job("plain", 2),
            job("wide", needs=("plain",)),
            gated("deep", "plain"),
            based("best", "plain"),
        ],
        {
            "plain-s1": Cost(600, 900, basis="2 runs"),
            "plain-s2": Cost(600, 900, basis="2 runs"),
            "wide-s1": Cost(1200, 1500, basis="measured"),
        },
    )
    Writer(one).begin(pid=os.getpid(), closes_uptime=uptime() + 7200)  # room for all
    with one.lock():
        yield one


def test_before_anything_ran(at_work: QueueDir) -> None:
    now = look(at_work)
    assert (now.state, now.pid, now.totals["pending"], now.totals["jobs"]) == ("running", os.getpid(), 5, 5)
    found = jobs(now)
    assert found["plain-s1"].waits == "its turn"
    assert found["wide-s1"].waits == "plain (0 of 2 over)"
    assert found["deep-s1"].waits == "plain (0 of 2 over) for its gate, val/macro_f1 >= 0.5"
    assert found["best-s1"].waits == "plain (0 of 2 over), to begin with the best"


def test_jobs_that_never_will_be_begun_wait_for_nothing(runs: Path) -> None:
    several = [job("plain", 1), job("plain", 2), job("wide"), job("last", needs=("plain",))]
    one = queue(runs, several, {"wide-s1": Cost(7200, 9000)})
    writer = Writer(one)
    writer.begin(only=["plain-s1", "wide-s1"])
    with one.lock():
        found = jobs(look(one))
        assert (found["plain-s1"].waits, found["plain-s2"].waits) == ("its turn", None)
        assert found["plain-s2"].reason == found["last-s1"].reason == "not asked for with --only"
        assert str(found["wide-s1"].reason).startswith("will be skipped: needs 2 h 30 min (p90), ")
        assert found["wide-s1"].ends is None
    writer.begin()
    writer.start("plain-s1")
    writer.end("plain-s1", state="interrupted", cause="signal", exit_code=143, reason="stopped by TERM")
    writer.close(143, "stopped by TERM")
    found = jobs(look(one))
    assert found["plain-s1"].waits == found["plain-s2"].waits == "another start of the script"
    assert (found["wide-s1"].waits, str(found["wide-s1"].reason)[:6]) == (None, "left: ")


def test_what_the_window_is_not_meant_for_is_told_and_why(runs: Path) -> None:
    several = [job("long"), job("b", worth=3), job("c", worth=3)]
    costs = {"long-s1": Cost(2400, 3000), "b-s1": Cost(1200, 1500), "c-s1": Cost(1200, 1500)}
    one = queue(runs, several, costs, grace_seconds=0.0, analysis_seconds=0.0)
    writer = Writer(one)
    writer.begin(closes_uptime=uptime() + 3600)
    out = [{"job": "long-s1", "seconds": 3000.0, "needs": "p90 50 min 00 s"}]
    writer.journal.append(
        "pack", order=["b-s1", "c-s1"], left_out=out, seconds_left=3600.0, why="with 1 h 00 min to go"
    )
    writer.start("b-s1")
    with one.lock():
        now = look(one)
    found = jobs(now)
    assert now.packing == ("left out of the window: long-s1 (p90 50 min 00 s), with 1 h 00 min to go",)
    assert (found["c-s1"].waits, found["long-s1"].waits) == ("its turn", None)
    assert str(found["long-s1"].reason).startswith(
        ("left out of the window for others", "will be skipped: needs 50 min 00 s (p90), ")
    )
    assert found["c-s1"].ends == now.ends


def test_expectations_are_renewed_by_what_other_seeds_took(at_work: QueueDir) -> None:
    writer = Writer(at_work)
    writer.start("plain-s1")
    writer.end("plain-s1", seconds=1200.0)
    found = jobs(look(at_work))["plain-s2"]
    assert 600 < (found.expected or 0) < 1200
    assert found.basis == "2 runs, renewed by jobs of this night"


def test_a_running_job_tells_epoch_loss_and_when_it_ends(at_work: QueueDir, runs: Path) -> None:
    Writer(at_work).start("plain-s1")
    run = running_run(runs, "plain-s1", at_work)
    one = jobs(look(at_work))["plain-s1"]
    assert (one.state, one.run, one.epoch, one.epochs) == ("running", run.name, 3, 20)
    assert one.loss == pytest.approx(1 / 3)
    assert one.metric == {"name": "val/macro_f1", "value": pytest.approx(0.3), "low": None, "high": None}
    assert one.log is not None
    assert one.log.endswith("logs/plain-s1.1.log")
    assert one.ends is not None
    assert one.ends_p90 is not None
    assert one.ends < one.ends_p90  # such jobs stop after ten minutes; all epochs would take twenty
    assert one.fits is True


def test_somebody_elses_run_of_the_same_name_is_not_taken_for_it(at_work: QueueDir, runs: Path) -> None:
    Writer(at_work).start("plain-s2")
    running_run(runs, "plain-s1", at_work)
    one = jobs(look(at_work))["plain-s2"]
    assert (one.run, one.epoch) == (None, None)


def test_ends_add_up_until_the_first_job_nobody_knows_the_cost_of(at_work: QueueDir) -> None:
    found = jobs(look(at_work))
    ends = [found[name].ends for name in ("plain-s1", "plain-s2", "wide-s1")]
    assert all(ends)
    assert ends == sorted(ends, key=str)
    assert found["deep-s1"].ends is None
    assert look(at_work).ends is None


def test_a_job_that_will_be_late_is_seen_to_be(runs: Path) -> None:
    one = queue(runs, [job("plain")], {"plain-s1": Cost(600, 900)})
    Writer(one).begin(closes="2020-01-01T00:00:00.000Z")
    with one.lock():
        now = look(one)
    assert jobs(now)["plain-s1"].fits is False
    assert now.ends == jobs(now)["plain-s1"].ends


def test_ended_jobs_tell_how(at_work: QueueDir) -> None:
    writer = Writer(at_work)
    writer.done("plain-s1", run="night-plain_20260101-000000_abcdef", value=0.7)
    writer.start("plain-s2")
    writer.end("plain-s2", state="failed", cause="oom", exit_code=10, reason="CUDA out of memory")
    writer.start("plain-s2", 2, fallback="oom", deviations=["data.batch_size=16 after oom"])
    writer.end("plain-s2", 2, state="failed", cause="diverged", exit_code=11, reason="loss is not finite")
    writer.journal.append("skip", job="wide-s1", why="need", reason="plain-s2 failed")
    found = jobs(look(at_work))
    done = found["plain-s1"]
    assert (done.state, done.seconds, done.ends) == ("done", 60, None)
    assert done.metric == {"name": "val/macro_f1", "value": 0.7, "low": 0.6, "high": pytest.approx(0.8)}
    failed = found["plain-s2"]
    assert (failed.state, failed.kind, failed.reason) == ("failed", "diverged", "loss is not finite")
    assert (failed.attempt, failed.fallback, failed.seconds) == (2, "oom", 120)
    assert failed.deviations == ("data.batch_size=16 after oom",)
    assert (found["wide-s1"].state, found["wide-s1"].kind) == ("skipped", "need")
    assert found["wide-s1"].waits is None


def test_the_script_was_killed(runs: Path) -> None:
    one = queue(runs, [job("plain")])
    Writer(one).begin()
    Writer(one).start("plain-s1")
    now = look(one)
    assert (now.state, now.pid, now.holders) == ("interrupted", None, ())
    assert (now.jobs[0].state, now.jobs[0].reason) == ("interrupted", "nobody saw its end")


def test_what_a_dead_script_left_running_is_named(runs: Path) -> None:
    one = queue(runs, [job("plain")])
    Writer(one).begin(pid=2**22 - 1)
    with (one.path / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write(json.dumps({"pid": 2**22 - 1, "command": "bash queue.sh", "since": "then"}))
        held.flush()
        now = look(one)
    assert (now.state, now.pid) == ("running", None)
    assert now.holders == (
        "a process that pid 4194303 (bash queue.sh) had started before it ended, since then",
    )


def test_the_end(runs: Path) -> None:
    one = queue(runs, [job("plain")])
    writer = Writer(one)
    writer.begin()
    writer.done("plain-s1")
    writer.journal.append("step", name="compare", argv=[], exit_code=0, seconds=1.0, log="x")
    writer.close(0, "all done")
    now = look(one)
    assert (now.state, now.exit_code, now.ended, now.steps) == ("ended", 0, "all done", {"compare": 0})
    writer.begin()  # gone on with
    assert look(one).exit_code is None


def test_before_the_window_opens(runs: Path) -> None:
    one = queue(runs, [job("plain")])
    Writer(one).begin(opens="2999-01-01T00:00:00.000Z", closes="2999-01-02T00:00:00.000Z")
    with one.lock():
        assert look(one).state == "waiting"


def test_a_damaged_journal_is_told_with_all_that_is_left_of_it(at_work: QueueDir) -> None:
    writer = Writer(at_work)
    writer.done("plain-s1")
    writer.done("plain-s2")
    lines = at_work.journal.read_bytes().splitlines(keepends=True)
    lines[1] = b'{"seq": 2, "ki\n'
    at_work.journal.write_bytes(b"".join(lines))
    now = look(at_work)
    assert "line 2 " in now.problems[0]
    assert jobs(now)["plain-s2"].state == "done"


def test_no_journal_yet(runs: Path) -> None:
    now = look(queue(runs, [job("plain")]))
    assert (now.state, now.begun, now.totals["pending"], now.problems) == ("interrupted", None, 1, ())


def test_damaged_orders_are_refused(runs: Path) -> None:
    one = queue(runs, [job("plain")])
    one.orders.write_text("{")
    with pytest.raises(DataError, match=r"orders\.json"):
        look(one)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("history.csv", b"epoch,train/loss\n1,nan\n2"),
        ("history.csv", b"\xff\x00\n\n\n,,,\n"),
        ("manifest.json", b'{"origin": null}'),
        ("manifest.json", b"[" * 100_000),
        ("config.yaml", b""),
    ],
)
def test_a_run_in_any_state_is_looked_at(at_work: QueueDir, runs: Path, name: str, content: bytes) -> None:
    Writer(at_work).start("plain-s1", run=None)
    run = running_run(runs, "plain-s1", at_work)
    (run / name).write_bytes(content)
    assert jobs(look(at_work))["plain-s1"].state == "running"


def test_a_cross_validation_counts_its_folds(at_work: QueueDir, runs: Path) -> None:
    Writer(at_work).start("plain-s1")
    run = running_run(runs, "plain-s1", at_work)
    place = runs / "cross-validations" / "night-plain_20260101-000000_abcdef"
    place.mkdir(parents=True)
    members = [
        {"state": "finished", "run_id": "gone"},
        {"state": "running", "run_id": run.name},
        {"state": "pending"},
    ]
    (place / "cross_validation.json").write_text(json.dumps({"members": members}))
    origin = {"queue": at_work.id, "job": "plain-s1", "parent": place.name}
    (run / "manifest.json").write_text(json.dumps({"origin": origin}))
    one = jobs(look(at_work))["plain-s1"]
    assert (one.folds_done, one.folds, one.epoch, one.run) == (1, 3, 3, run.name)


def test_the_last_sign_of_life_is_the_newest(at_work: QueueDir) -> None:
    os.utime(at_work.journal, (1, 1))
    beat = at_work.beat("plain-s1")
    beat.touch()
    os.utime(beat, (1_000_000_000, 1_000_000_000))
    assert look(at_work).beat == "2001-09-09T01:46:40.000Z"


NVML = """
NVML_TEMPERATURE_GPU = 0
class NVMLError(Exception): pass
class _Memory: total, used = 24 * 2**30, 8 * 2**30
class _Rates: gpu = 97
def nvmlInit(): pass
def nvmlShutdown(): pass
def nvmlDeviceGetHandleByUUID(uuid):
    if uuid != "GPU-1": raise NVMLError("not found")
    return 7
def nvmlDeviceGetName(handle): return "NVIDIA GeForce RTX 4090"
def nvmlDeviceGetUUID(handle): return "GPU-1"
def nvmlDeviceGetMemoryInfo(handle): return _Memory
def nvmlDeviceGetTemperature(handle, what): return 64
def nvmlDeviceGetUtilizationRates(handle): raise NVMLError("not supported")
"""


@pytest.mark.parametrize("uuid", ["GPU-1", "GPU-2"])
def test_the_gpu_is_told_as_far_as_its_driver_does(
    runs: Path, uuid: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pynvml.py").write_text(NVML)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pynvml", raising=False)
    gpu = look(queue(runs, [job("plain")], device="cuda", gpu_uuid=uuid)).gpu
    del sys.modules["pynvml"]  # the driver's own is imported again by whoever needs it
    if uuid == "GPU-2":
        assert gpu is None
    else:
        assert gpu is not None
        assert (gpu["temperature"], gpu["memory_used"], gpu["utilisation"]) == (64, 8 * 2**30, None)


def test_a_document_is_json_without_nan(at_work: QueueDir, runs: Path) -> None:
    Writer(at_work).start("plain-s1")
    run = running_run(runs, "plain-s1", at_work)
    (run / "history.csv").write_text("epoch,train/loss,val/macro_f1,seconds\n1,nan,inf,nan\n")
    document = json.loads(json.dumps(look(at_work).document(), allow_nan=False))
    assert document["jobs"][0]["loss"] is None
    assert document["jobs"][0]["metric"] is None
