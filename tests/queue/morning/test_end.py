"""`queue end CODE`: the exit code of a night, its files, and that it ends once."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ctexp.core.errors import UsageError
from ctexp.queue import end, journal
from ctexp.queue.journal import Journal, uptime
from ctexp.queue.morning import log, report
from ctexp.queue.opening.reopen import was_killed
from tests.queue.morning.nights import Written

TWO = "seeds: [1]\nexperiments: {a: {}, b: {}}"


@pytest.mark.parametrize(
    ("second", "code", "expected"),
    [
        ({"state": "done"}, 0, 0),
        ({"state": "failed", "cause": "oom"}, 0, 12),
        ({"state": "timeout", "cause": "limit"}, 0, 12),
        ({"state": "interrupted", "cause": "killed"}, 0, 12),
        ({"state": "interrupted", "cause": "window"}, 124, 124),
        ({"state": "interrupted", "cause": "cancelled"}, 0, 12),
        ({"skip": "window"}, 0, 124),
        ({"skip": "gate"}, 0, 12),
        ({"skip": "need"}, 0, 12),
        ({"skip": "base"}, 0, 12),
        ({"skip": "cancelled"}, 0, 12),
        ({"state": "done"}, 124, 0),
        ({"state": "failed", "cause": "other"}, 124, 12),
        ({}, 124, 124),
        ({}, 0, 12),
        ({"state": "failed", "cause": "disk"}, 5, 5),
        ({"state": "done"}, 5, 5),
        ({"state": "interrupted", "cause": "signal"}, 143, 143),
        ({"state": "failed", "cause": "other"}, 130, 130),
        ({}, 3, 3),
    ],
)
def test_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second: dict[str, Any], code: int, expected: int
) -> None:
    night = Written(tmp_path, TWO)
    night.begin()
    night.done("a-s1")
    if "skip" in second:
        night.journal.append("skip", job="b-s1", why=second["skip"], reason="so")
    elif second:
        night.start("b-s1")
        night.end("b-s1", **second)
    assert night.ended(code, monkeypatch) == expected
    close = night.journal.read()[-1]
    assert (close["kind"], close["exit_code"]) == ("close", expected)
    assert json.loads(night.queue.night_json.read_text())["exit_code"] == expected
    assert f"(exit {expected})" in night.queue.night_md.read_text()


@pytest.mark.parametrize("cut_off", [True, False])
def test_the_window_is_said_to_have_closed_where_it_has(tmp_path: Path, cut_off: bool) -> None:
    night = Written(tmp_path, TWO)
    night.begin()
    night.start("a-s1")
    night.end("a-s1", state="interrupted" if cut_off else "done", cause="window" if cut_off else None)
    night.journal.append("skip", job="b-s1", why="window", reason="so")
    no_room = "jobs were left that would not fit into the window"
    assert night.report(124).reason == ("the window closed with jobs left" if cut_off else no_room)


def test_the_window_outweighs_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night = Written(tmp_path, "seeds: [1]\nexperiments: {a: {}, b: {}}")
    night.begin()
    night.start("a-s1")
    night.end("a-s1", state="failed", cause="oom")
    night.journal.append("skip", job="b-s1", why="window", reason="no time")
    assert night.ended(0, monkeypatch) == 124
    assert night.journal.read()[-1]["left"] == ["b-s1"]


def test_only_jobs_that_were_asked_for_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night = Written(tmp_path, TWO)
    night.begin(only=["a-s1"])
    night.done("a-s1")
    assert night.ended(0, monkeypatch) == 0
    assert json.loads(night.queue.night_json.read_text())["counts"]["left"] == 1
    assert "bash scripts/night.sh" in night.queue.night_md.read_text()


def test_it_ends_once_and_says_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    night = Written(tmp_path, TWO)
    (tmp_path / "told").write_text("#!/bin/sh\ncat >>calls\n")
    (tmp_path / "told").chmod(0o755)
    (tmp_path / "conf" / "local.yaml").write_text(f"notify: {{command: [{tmp_path}/told]}}")
    night.begin()
    night.done("a-s1")
    assert night.ended(143, monkeypatch) == 143
    first = capsys.readouterr().out
    night.queue.night_md.unlink()
    assert night.ended(0, monkeypatch) == 143
    assert capsys.readouterr().out.splitlines()[0] == first.splitlines()[0]
    assert night.queue.night_md.exists()
    assert [event["kind"] for event in night.journal.read()].count("close") == 1
    assert (tmp_path / log.FILE).read_text().count("<!-- begin of") == 1
    (call,) = (tmp_path / "calls").read_text().split("}\n")
    document = json.loads(call)
    assert document["event"] == "end"
    assert document["text"].startswith("night: 1 of 2 jobs done, 1 left: stopped by SIGTERM")
    assert document["counts"] == {"jobs": 2, "done": 1, "failed": 0, "skipped": 0, "left": 1}
    assert document["exit_code"] == 143


def test_a_night_that_goes_on_replaces_its_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night = Written(tmp_path, TWO)
    night.begin()
    night.done("a-s1")
    night.ended(143, monkeypatch)
    night.begin()
    night.done("b-s1")
    assert night.ended(0, monkeypatch) == 0
    text = (tmp_path / log.FILE).read_text()
    assert "2 of 2 jobs done: all jobs are done (exit 0)" in text
    assert "in 2 starts" in text
    assert "1 of 2 jobs done" not in text
    assert "nothing is left of this plan" in text


def test_a_night_nobody_saw_end_is_written_down_before_another_begins(tmp_path: Path) -> None:
    night = Written(tmp_path, TWO)
    assert not was_killed(night.queue)  # it has not begun
    night.begin()
    night.done("a-s1")
    night.start("b-s1")
    assert was_killed(night.queue)
    with night.queue.lock():
        assert not was_killed(night.queue)  # somebody is at it
    end.unseen(night.queue, tmp_path, tmp_path / "runs")
    text = (tmp_path / log.FILE).read_text()
    assert "1 of 2 jobs done, 1 left: nobody saw it end" in text
    assert "b-s1 interrupted (killed): nobody saw its end" in text
    assert "It took at least " in text
    assert [event["kind"] for event in night.journal.read()][-1] == "start"
    document = json.loads(night.queue.night_json.read_text())
    with patch.object(journal, "uptime", lambda: uptime() + 30000):
        night.journal.append("cancel", job="b-s1", by="somebody, in the morning")
    end.unseen(night.queue, tmp_path, tmp_path / "runs")
    later = json.loads(night.queue.night_json.read_text())
    assert (later["seconds"], later["ended"]) == (document["seconds"], document["ended"])
    assert document["exit_code"] is None
    assert document["starts"][0]["ended"] is None
    night.close(143)
    assert not was_killed(night.queue)


def test_a_page_that_cannot_be_written_ends_with_5_and_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    night = Written(tmp_path, TWO)
    night.begin()
    night.queue.night_md.mkdir()
    night.done("a-s1")
    night.done("b-s1")
    assert night.ended(0, monkeypatch) == 5
    assert "night.md" in capsys.readouterr().err
    assert night.journal.read()[-1]["exit_code"] == 5
    assert night.queue.night_json.exists()  # what can be written is


def test_a_log_that_cannot_be_read_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    night = Written(tmp_path, TWO)
    night.begin()
    (tmp_path / log.FILE).mkdir(parents=True)
    night.done("a-s1")
    night.done("b-s1")
    assert night.ended(0, monkeypatch) == 0
    assert "LOG.md: cannot be read" in capsys.readouterr().err


def test_a_damaged_journal_is_told_as_far_as_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    night = Written(tmp_path, TWO)
    night.begin()
    night.done("a-s1")
    night.done("b-s1")
    lines = night.queue.journal.read_bytes().splitlines(keepends=True)
    spoilt = b"".join([*lines[:3], b"\x00" * 40 + b"\n", *lines[4:]])
    night.queue.journal.write_bytes(spoilt)
    assert night.ended(0, monkeypatch) == 3
    told = capsys.readouterr()
    assert "others follow it" in told.err
    assert "jobs done" in told.out
    assert night.queue.journal.read_bytes() == spoilt


def test_a_bug_in_the_page_leaves_the_night_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night = Written(tmp_path, TWO)
    night.begin()
    night.done("a-s1")

    def bug(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(report, "build", bug)
    with pytest.raises(ZeroDivisionError):
        night.ended(143, monkeypatch)
    close = night.journal.read()[-1]
    assert (close["kind"], close["exit_code"], close["left"]) == ("close", 143, ["b-s1"])


@pytest.mark.parametrize(
    ("executor", "fate", "go_on"),
    [
        ("local", "interrupted", "bash scripts/night.sh"),
        ("local", "failed", "bash scripts/night.sh --fresh"),
        ("slurm", "interrupted", "bash scripts/night.slurm.sh"),
        ("ray", "interrupted", "bash scripts/night.ray.sh"),
        ("local", "done", ""),
    ],
)
def test_how_to_go_on(tmp_path: Path, executor: str, fate: str, go_on: str) -> None:
    night = Written(tmp_path, "seeds: [1]\nexperiments: {a: {}}", executor=executor)
    night.begin()
    night.start("a-s1")
    night.end("a-s1", state=fate, cause="oom" if fate == "failed" else None)
    assert night.report(0).go_on == go_on


@pytest.mark.parametrize("words", [[], ["zero"], ["0", "1"], ["-1"], ["256"]])
def test_other_words_are_refused(words: list[str]) -> None:
    with pytest.raises(UsageError):
        end.main(words)


def test_the_program_tells_it_without_torch(tmp_path: Path) -> None:
    night = Written(
        tmp_path,
        "seeds: [1, 2]\nbaseline: a\nexperiments:\n  a: {}\n"
        "  b: {success: {metric: val/macro_f1, better_than: baseline}}\n",
    )
    night.begin()
    night.trained("a", (1, 2))
    night.trained("b", (1, 2), skill=3.0)
    program = (
        "import sys, runpy\n"
        "sys.argv = ['queue', 'end', '0']\n"
        "from ctexp.queue.__main__ import main\n"
        "code = main(['end', '0'])\n"
        "assert not {'torch', 'lightning', 'timm'} & set(sys.modules)\n"
        "raise SystemExit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env=os.environ | {"CTEXP_QUEUE_DIR": str(night.queue.path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "night: 4 of 4 jobs done: all jobs are done (exit 0)"
    assert any(line.startswith("  met         b: val/macro_f1 0.9") for line in lines)
    assert lines[-1].startswith("the whole: runs/queues/night_")
    assert Journal(night.queue.journal).read()[-1]["reason"] == "all jobs are done"
