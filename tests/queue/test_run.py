"""One attempt at a job, with real processes: each way to end is written down, once, and nothing is left."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.full_disk import small_disk
from tests.queue.attempts import PROGRAM, Attempts, lives
from tests.queue.written import job
from tests.record import samples
from tests.waiting import until


@pytest.fixture
def night(tmp_path: Path) -> Attempts:
    attempts = Attempts(tmp_path)
    attempts.begin()
    return attempts


def test_a_job_that_finishes(night: Attempts) -> None:
    end = night.run("environment,finished")
    assert (end["state"], end["cause"], end["exit_code"], end["attempt"]) == ("done", None, 0, 1)
    assert end["run"].startswith("stub_")
    assert (night.root / "runs" / end["run"]).is_dir()
    assert end["metrics"]["val/macro_f1"] == {"value": 0.8874, "low": 0.8431, "high": 0.9188}
    assert (end["seed"], end["tracker"]) == (42, "resnet50_20261121-050417_ab2cd3-1")
    assert 0 < end["seconds"] < 30
    start = night.starts[0]
    assert start["argv"] == ["inv", "train", "stub=environment,finished"]
    assert (start["mode"], start["fallback"], start["run"], start["attempt"]) == ("new", None, None, 1)
    log = night.log()
    assert f"CTEXP_QUEUE={night.queue.id}\n" in log
    assert "CTEXP_JOB=a-s1\n" in log
    assert "CTEXP_PLAN=night\n" in log
    assert "group True, hears INT " in log
    assert "SIG_IGN" not in log
    for line in log.splitlines():
        assert line in night.screen
    said = night.screen.splitlines()
    assert re.fullmatch(r"[0-2]\d:[0-5]\d a-s1: begins", said[0])
    assert re.fullmatch(r"[0-2]\d:[0-5]\d a-s1: done after .+ s", said[-1])


@pytest.mark.parametrize(
    ("stub", "state", "cause", "said"),
    [
        ("oom", "failed", "oom", "damaged"),
        ("failed", "failed", "data", "DataError: a.png: damaged"),
        ("begun,0", "failed", "other", "exit code 0, but no run"),
        ("4", "failed", "preflight", "exit code 4"),
        ("begun,killed", "failed", "killed", "SIGKILL, which nobody here sent"),
        ("interrupted", "failed", "killed", "SIGTERM, which nobody here sent"),
    ],
)
def test_how_it_ended(night: Attempts, stub: str, state: str, cause: str, said: str) -> None:
    end = night.run(stub)
    assert (end["state"], end["cause"]) == (state, cause)
    assert said in end["reason"]
    assert end["metrics"] == {}
    assert (end["run"] is None) == stub.isdecimal()


def test_a_failure_is_told_to_whoever_wants_to_know(night: Attempts) -> None:
    told = night.root / "told"
    told.write_text(f"#!/bin/sh\ncat >>{night.root}/heard; exit 7\n")
    told.chmod(0o755)
    (night.root / "conf").mkdir()
    (night.root / "conf" / "local.yaml").write_text(f"notify: {{command: [{told}]}}")
    end = night.run("failed")
    heard = json.loads((night.root / "heard").read_text())
    assert (heard["event"], heard["job"], heard["cause"]) == ("failure", "a-s1", "data")
    assert heard["text"].startswith("night: a-s1 failed (data) after ")
    assert heard["reason"] == end["reason"]
    assert f"nobody was told of this by {told}: ended with 7" in night.screen
    (night.root / "heard").unlink()
    assert night.run("finished")["state"] == "done"
    assert not (night.root / "heard").exists()


def test_a_full_disk_ends_the_night(night: Attempts) -> None:
    assert night.run("5", code=5)["cause"] == "disk"


def test_a_program_that_cannot_be_started(night: Attempts) -> None:
    (night.root / "bin" / "inv").chmod(0o644)
    night.environment["PATH"] = str(night.root / "bin")
    end = night.run("finished")
    assert (end["state"], end["cause"], end["exit_code"]) == ("failed", "other", 127)
    assert "inv: cannot be started" in night.screen


def test_a_run_of_another_job_is_not_its_own(tmp_path: Path) -> None:
    night = Attempts(tmp_path, job("a"), job("b"))
    night.begin()
    other = night.start("sleep,finished", "b-s1")
    end = night.run("0")
    assert (end["state"], end["run"]) == ("failed", None)
    other.terminate()
    other.wait()


@pytest.mark.parametrize(("first", "changed"), [(samples.HASH, False), ("0" * 64, True)])
def test_the_source_that_ran_is_compared_with_that_of_the_first_start(
    tmp_path: Path, first: str, changed: bool
) -> None:
    night = Attempts(tmp_path)
    night.begin(commit=samples.COMMIT, patch_sha256=first)
    night.begin(commit=samples.COMMIT, patch_sha256=samples.HASH)
    assert night.run("finished")["source_changed"] is changed


def test_one_that_hangs_in_silence_and_is_deaf_is_killed(tmp_path: Path) -> None:
    night = Attempts(tmp_path, silence_seconds=1.5, grace_seconds=0.5)
    night.begin()
    end = night.run("begun,deaf,child,parent,sleep")
    assert (end["state"], end["cause"], end["exit_code"]) == ("failed", "hung", -9)
    assert end["reason"] == "no sign of life for 1.5 s"
    assert not lives(int((tmp_path / "pids").read_text().split()[0]))
    assert not lives(int((tmp_path / "grandchild").read_text()))


@pytest.mark.parametrize("sign", ["beat", pytest.param("chatter", marks=pytest.mark.slow)])
def test_a_sign_of_life_is_enough_and_the_limit_ends_it(tmp_path: Path, sign: str) -> None:
    night = Attempts(tmp_path, job("a", limit_seconds=4.0), silence_seconds=2.0)
    night.begin()
    end = night.run(f"graceful,{sign}")
    assert (end["state"], end["cause"], end["exit_code"]) == ("timeout", "limit", 143)
    assert end["seconds"] > 3.9
    assert end["run"] is not None


@pytest.mark.slow
def test_a_flood_of_output_ends_too(night: Attempts) -> None:
    end = night.run("flood")
    assert (end["state"], end["cause"]) == ("failed", "other")
    assert "MiB of output" in end["reason"]
    (night.queue.path / "logs" / "a-s1.1.log").unlink()


@pytest.mark.slow
def test_the_window_closes(tmp_path: Path) -> None:
    from ctexp.queue.journal import uptime

    night = Attempts(tmp_path, analysis_seconds=100.0)
    night.begin(closes_uptime=uptime() + 122)
    end = night.run("graceful,beat", code=124)
    assert (end["state"], end["cause"], end["run"] is not None) == ("interrupted", "window", True)


def test_one_that_is_dropped_by_hand(night: Attempts) -> None:
    runner = night.start("graceful,sleep")
    until(lambda: night.queue.output("a-s1.1").exists() and "sleep" in night.log())
    night.writer.journal.append("cancel", job="b-s1", by="somebody")
    night.writer.journal.append("cancel", job="a-s1", by="somebody")
    assert runner.wait(20) == 0
    assert (night.ends[-1]["state"], night.ends[-1]["cause"]) == ("interrupted", "cancelled")
    assert night.job().cancelled


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_is_passed_on_and_the_job_goes_on_next_time(night: Attempts, signum: int, code: int) -> None:
    # As a shell without a terminal starts what is in the background: deaf to INT.
    words = [*PROGRAM, "run", "a-s1", "--", "inv", "train", "stub=graceful,sleep"]
    ignoring = subprocess.Popen(
        ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", *words], cwd=night.root, env=night.environment
    )
    until(lambda: night.queue.output("a-s1.1").exists() and "sleep" in night.log())
    ignoring.send_signal(signum)
    ignoring.send_signal(signum)  # the terminal's, and the script's
    assert ignoring.wait(20) == code
    end = night.ends[-1]
    assert (end["state"], end["cause"], end["exit_code"]) == ("interrupted", "signal", 143)

    night.begin()
    again = night.run("finished")
    assert (again["state"], again["run"], again["attempt"]) == ("done", end["run"], 2)
    assert night.starts[-1]["argv"] == ["inv", "train", "--resume", end["run"]]
    assert (night.starts[-1]["mode"], night.starts[-1]["run"]) == ("resume", end["run"])


def test_a_runner_that_is_stopped_and_continued_watches_on(night: Attempts) -> None:
    runner = night.start("graceful,beat")
    until(lambda: "beat" in night.screen)
    for _ in range(3):
        runner.send_signal(signal.SIGSTOP)
        until(lambda: psutil.Process(runner.pid).status() == psutil.STATUS_STOPPED)
        runner.send_signal(signal.SIGCONT)
        until(lambda: psutil.Process(runner.pid).status() != psutil.STATUS_STOPPED)
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(20) == 143
    assert (night.ends[-1]["state"], night.ends[-1]["reason"]) == ("interrupted", "stopped by SIGTERM")


@pytest.mark.slow
def test_a_second_signal_waits_for_nothing(tmp_path: Path) -> None:
    night = Attempts(tmp_path, grace_seconds=60.0)
    night.begin()
    runner = night.start("deaf,child,sleep")
    until(lambda: night.queue.output("a-s1.1").exists() and "sleep" in night.log())
    began = time.monotonic()

    def insisted() -> bool:
        if "killed: asked again" in night.screen:
            return True
        runner.send_signal(signal.SIGTERM)
        return False

    until(insisted, 20)
    assert runner.wait(20) == 143
    assert time.monotonic() - began > 1  # a terminal tells it twice at once
    assert night.ends[-1]["cause"] == "signal"
    assert not lives(int((tmp_path / "grandchild").read_text()))


@pytest.mark.slow
def test_what_a_finished_program_left_behind_is_ended(tmp_path: Path) -> None:
    night = Attempts(tmp_path, grace_seconds=0.5)
    night.begin()
    end = night.run("child,finished")
    assert end["state"] == "done"
    assert not lives(int((night.root / "grandchild").read_text()))
    assert "processes it has left behind get SIGKILL" in night.screen


def test_a_killed_runner_takes_its_training_with_it(night: Attempts) -> None:
    runner = night.start("graceful,parent,sleep")
    until(lambda: (night.root / "pids").exists() and "sleep" in night.log())
    training = int((night.root / "pids").read_text().split()[0])
    runner.kill()
    runner.wait()
    until(lambda: not lives(training))
    assert night.ends == []
    [run] = (night.root / "runs").glob("stub_*")
    assert json.loads((run / "result.json").read_text())["state"] == "interrupted"


def test_a_killed_script_takes_all_with_it(night: Attempts) -> None:
    script = f"""
import os, subprocess, sys, time
from ctexp.queue.folder import QueueDir
from pathlib import Path
from tests.queue.written import Writer
Writer(QueueDir(Path({str(night.queue.path)!r}))).begin(pid=os.getpid(), closes_uptime=None)
words = {[*PROGRAM, "run", "a-s1", "--", "inv", "train", "stub=graceful,parent,sleep"]!r}
subprocess.Popen(words, cwd={str(night.root)!r})
time.sleep(99)
"""
    with subprocess.Popen([sys.executable, "-c", script], env=night.environment) as parent:
        until(lambda: (night.root / "pids").exists() and "sleep" in night.log())
        training, runner = map(int, (night.root / "pids").read_text().split())
        parent.kill()
    until(lambda: not lives(training) and not lives(runner))
    assert [(end["state"], end["cause"]) for end in night.ends] == [("interrupted", "signal")]


def test_it_does_not_begin_for_a_script_that_is_gone(night: Attempts) -> None:
    night.begin(pid=os.getppid())
    assert night.start("finished").wait(20) == 143
    assert night.starts == []


@pytest.mark.slow
def test_a_screen_that_takes_nothing_or_is_gone_holds_nothing_up(night: Attempts) -> None:
    reading, screen = os.pipe()
    os.set_blocking(screen, False)
    with suppress(BlockingIOError):
        while os.write(screen, bytes(4096)):
            pass
    os.set_blocking(screen, True)
    assert night.start("finished", stdout=screen, stderr=screen).wait(20) == 0
    os.close(reading)
    assert night.start("finished", stdout=screen, stderr=screen).wait(20) == 0
    os.close(screen)
    assert [end["state"] for end in night.ends] == ["done", "done"]


def test_a_fallback_says_what_it_changes(tmp_path: Path) -> None:
    planned = job("a", own=("data.batch_size=32",), fallback={"oom": ("data.batch_size=16", "model.x=1")})
    night = Attempts(tmp_path, planned)
    night.begin()
    night.run("oom")
    night.run("finished", "a-s1:oom", "data.batch_size=16")
    start = night.starts[-1]
    assert (start["mode"], start["fallback"], start["attempt"]) == ("new", "oom", 2)
    assert start["deviations"] == ["oom: data.batch_size=16 instead of 32", "oom: model.x=1"]
    assert "  oom: data.batch_size=16 instead of 32" in night.screen.splitlines()
    assert night.job().deviations == start["deviations"]


def test_of_a_word_said_twice_the_last_holds(night: Attempts) -> None:
    night.run("finished", "a-s1", "model=x", "optimizer.lr=1", "model=y")
    assert night.starts[0]["argv"] == ["inv", "train", "stub=finished", "optimizer.lr=1", "model=y"]


def test_words_that_are_not_a_jobs_are_refused(night: Attempts) -> None:
    for key, words in (("b-s1", ("inv", "train")), ("a-s1:oom", ("inv", "train")), ("a-s1", ("inv", "x"))):
        done = subprocess.run(
            [*PROGRAM, "run", key, "--", *words],
            env=night.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2, done.stderr
        assert key in done.stderr
    assert night.starts == []


def test_a_disk_that_is_full_to_the_brim_still_takes_the_last_word(tmp_path: Path) -> None:
    with small_disk(tmp_path / "runs", 4_000_000) as disk:
        night = Attempts(tmp_path)
        night.begin()
        end = night.run("fill,5", code=5)
        assert (end["state"], end["cause"], end["exit_code"]) == ("failed", "disk", 5)
        # It was written where room had been kept for it, and the morning has some too.
        assert os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize > 100_000
        (disk / "filler").unlink()


@pytest.mark.slow
def test_an_end_that_cannot_be_written_is_said_and_ends_the_night(tmp_path: Path) -> None:
    with small_disk(tmp_path / "runs", 4_000_000) as disk:
        night = Attempts(tmp_path)
        night.begin()
        assert night.start("fill,hold,0").wait(30) == 5
        assert night.ends == []
        assert "a-s1: its end cannot be written down" in night.screen
        assert "no space left while writing journal.jsonl" in night.screen
        (disk / "filler").unlink()
