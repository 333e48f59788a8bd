"""How an attempt ended: the run's own word first, then how its program ended."""

import signal
from typing import Any

import pytest

from ctexp.queue.ending import Stop, ending, of_record, told
from ctexp.queue.left import Left


def said(state: str | None, **changes: Any) -> Left:
    message = "its own words" if state not in {None, "finished"} else ""
    return Left("run", **{"state": state, "mark": "1" if state else None, "message": message} | changes)


FINISHED, STOPPED = said("finished"), said("interrupted")


@pytest.mark.parametrize(
    ("code", "stop", "left", "state", "cause"),
    [
        (0, None, FINISHED, "done", None),
        (0, "window", FINISHED, "done", None),  # it was asked too late
        (-9, "hung", FINISHED, "done", None),  # it hung after its last word
        (143, "signal", STOPPED, "interrupted", "signal"),
        (143, "window", STOPPED, "interrupted", "window"),
        (143, "cancelled", STOPPED, "interrupted", "cancelled"),
        (143, "limit", STOPPED, "timeout", "limit"),
        (143, "hung", STOPPED, "failed", "hung"),
        (-9, "hung", None, "failed", "hung"),
        (-9, "limit", None, "timeout", "limit"),
        (-9, "signal", said(None), "interrupted", "signal"),
        (-15, "window", None, "interrupted", "window"),
        (1, "flood", None, "failed", "other"),
        (143, None, STOPPED, "failed", "killed"),
        (-9, None, None, "failed", "killed"),
        (137, None, None, "failed", "killed"),
        (-11, None, said(None), "failed", "killed"),
        (0, None, None, "failed", "other"),
        (0, None, said(None), "failed", "other"),
        (10, None, said("oom"), "failed", "oom"),
        (143, "signal", said("oom"), "failed", "oom"),
        (11, None, said("diverged"), "failed", "diverged"),
        (124, None, said("timeout"), "timeout", "limit"),
        (3, None, said("failed", failure="DataError", exit_code=3), "failed", "data"),
        (5, None, said("failed", failure="StorageError", exit_code=5), "failed", "disk"),
        (1, None, said("failed", failure="KeyError", exit_code=1), "failed", "other"),
        (2, None, None, "failed", "usage"),
        (3, None, None, "failed", "data"),
        (4, None, None, "failed", "preflight"),
        (5, None, None, "failed", "disk"),
        (10, None, None, "failed", "oom"),
        (75, None, None, "failed", "busy"),
        (1, None, None, "failed", "other"),
    ],
)
def test_every_end(code: int, stop: Stop | None, left: Left | None, state: str, cause: str | None) -> None:
    end = ending(code, stop, "because", left)
    assert (end.state, end.cause) == (state, cause)
    assert bool(end.reason) == (state != "done")


def test_time_used_up_is_what_a_shortened_job_is_for() -> None:
    assert ending(124, None, "", said("timeout", message="over"), shortened=True).state == "done"
    assert ending(124, None, "", said("timeout"), shortened=False).state == "timeout"
    assert of_record(said("timeout"), shortened=True).state == "done"


def test_who_sent_a_signal_is_said_of_those_that_nobody_here_sent() -> None:
    assert "SIGKILL" in ending(-signal.SIGKILL, None, "", None).reason
    assert "out of memory" in ending(-signal.SIGKILL, None, "", None).reason
    assert "signal 33" in ending(-33, None, "", None).reason


def test_ends_that_nobody_saw() -> None:
    assert of_record(None).state == "interrupted"
    assert of_record(said(None)).state == "interrupted"
    assert (of_record(STOPPED).state, of_record(STOPPED).cause) == ("interrupted", "signal")
    assert of_record(FINISHED).state == "done"
    assert of_record(said("diverged")).cause == "diverged"


def test_only_a_job_that_is_done_has_metrics() -> None:
    left = Left("run", metrics={"val/loss": {"value": 1.0}}, commit="c", patch_sha256=None)
    begin = {"commit": "c", "patch_sha256": None}
    done = told(ending(0, None, "", Left("run", state="finished", metrics=left.metrics)), 0, 1.0, left, begin)
    assert done["metrics"] == {"val/loss": {"value": 1.0}}
    assert done["source_changed"] is False
    failed = told(ending(1, None, "", left), 1, 1.0, left, begin)
    assert failed["metrics"] == {}
