"""What a night's page says of jobs whose programs ended without a record."""

from pathlib import Path
from typing import Any

import pytest

from tests.queue.morning.nights import PLAN, Written, of

_FULL = "OSError: [Errno 28] No space left on device\n"


def told(folder: Path, log: str, **end: Any) -> list[str]:
    """The advice of a job that failed so, and left that log."""
    night = Written(folder, PLAN)
    night.begin()
    night.start("other-s1")
    (night.queue.path / "logs" / "other-s1.1.log").write_text(log)
    fields: dict[str, Any] = {
        "state": "failed",
        "cause": "other",
        "exit_code": 1,
        "reason": "without a word in its record",
    }
    night.end("other-s1", **fields | end)
    report = night.report()
    advice = next(job.advice for job in report.jobs if job.job == "other-s1")
    shown = [step.said for step in of(report, "other").next]
    assert all(any(line in said for said in shown) for line in advice)
    return list(advice)


def test_the_error_that_the_program_told_is_the_advice(tmp_path: Path) -> None:
    line = "DataError: data/raw/tiny: no such data set -> import it: inv data-import PATH"
    assert told(tmp_path, f"beginning\n{line}\n", exit_code=3, cause="data") == [line]


def test_a_known_failure_is_explained(tmp_path: Path) -> None:
    (advice,) = told(tmp_path, f"epoch 3\n{_FULL}")
    assert advice.endswith("(docs/errors.md#disk-full)")


def test_a_program_that_was_killed_without_a_word(tmp_path: Path) -> None:
    (advice,) = told(tmp_path, "epoch 3\n", cause="killed", exit_code=-9)
    assert advice.startswith("the program was killed from outside")


@pytest.mark.parametrize("cause", ["limit", "hung", "window", "cancelled"])
def test_what_was_asked_to_end_is_not_explained_by_how_it_did(tmp_path: Path, cause: str) -> None:
    assert told(tmp_path, _FULL, cause=cause, exit_code=-9) == []


def test_what_was_killed_for_its_flood_did_not_lack_memory(tmp_path: Path) -> None:
    assert told(tmp_path, "word\n" * 9, exit_code=-9, reason="it wrote 2 GB of output") == []


def test_what_is_not_known_gets_no_advice(tmp_path: Path) -> None:
    assert told(tmp_path, "epoch 3\nKeyError: 3\n") == []


def test_only_the_end_of_a_long_log_is_looked_at(tmp_path: Path) -> None:
    assert told(tmp_path, _FULL + "epoch\n" * 99_999) == []
