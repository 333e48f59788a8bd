"""What is made of SLURM's answers, whichever of its programs gives them; they are stubs here."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ctexp.executors.slurm.accounting import End, InLine, NoAnswer, asked, end_of, in_line

Programs = Callable[..., None]
FORGOTTEN = 'echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1'
DISABLED = 'echo "Slurm accounting storage is disabled" >&2; exit 1'
SILENT = 'echo "slurm_load_jobs error: Unable to contact slurm controller" >&2; exit 1'


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Puts programs into the path, each a few lines of sh."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def put(**texts: str) -> None:
        for name, text in texts.items():
            (folder / name).write_text(f"#!/bin/sh\n{text}\n")
            (folder / name).chmod(0o755)

    return put


@pytest.mark.parametrize(
    ("state", "code", "end"),
    [
        ("COMPLETED", "0:0", End("COMPLETED", 0, "n1")),
        ("FAILED", "12:0", End("FAILED", 12, "n1")),
        ("FAILED", "0:9", End("FAILED", -9, "n1")),
        ("CANCELLED", "0:15", End("CANCELLED", -15, "n1")),
        ("CANCELLED", "0:0", End("CANCELLED", -15, "n1")),
        ("TIMEOUT", "0:0", End("TIMEOUT", -15, "n1")),
        ("OUT_OF_MEMORY", "0:125", End("OUT_OF_MEMORY", -9, "n1")),
        ("NODE_FAIL", "0:0", End("NODE_FAIL", -9, "n1")),
        ("COMPLETING", "0:0", None),
        ("REQUEUED", "0:0", None),
        ("PENDING", "0:0", None),
    ],
)
def test_an_end_as_the_controller_knows_it(
    programs: Programs, state: str, code: str, end: End | None
) -> None:
    programs(scontrol=f'echo "JobId=5 JobName=x=y JobState={state} ExitCode={code} NodeList=n1 Power="')
    assert end_of("5") == end
    assert end is None or end.lost == (state == "NODE_FAIL")


def test_without_an_answer_nothing_is_known(programs: Programs) -> None:
    programs(scontrol=SILENT, squeue=SILENT)
    assert end_of("5") is None
    assert in_line(["5"]) is None
    said = asked("scontrol", "show", "job", "5")
    assert isinstance(said, NoAnswer)
    assert "Unable to contact" in said.why
    assert isinstance(asked("no-such-program"), NoAnswer)


def test_accounts_tell_what_the_controller_has_forgotten(programs: Programs) -> None:
    programs(scontrol=FORGOTTEN, sacct="echo 'CANCELLED by 1000|0:15|n2'")
    assert end_of("5") == End("CANCELLED", -15, "n2")


def test_and_without_accounts_the_file_of_completed_jobs(programs: Programs, tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text(
        "JobId=5 Name=a JobState=NODE_FAIL NodeList=n1 ArrayJobId=4 ArrayTaskId=1 ExitCode=0:0 \n"
        "JobId=5 Name=a JobState=COMPLETED NodeList=n2 ArrayJobId=4 ArrayTaskId=1 ExitCode=0:0 \n"
        "JobId=55 Name=b JobState=FAILED NodeList=n1 ExitCode=3:0 \n"
        "JobId=6 Name=c JobState=FAILED NodeList=n1 ArrayJobId=4 ArrayTaskId=11 ExitCode=7:0 \n"
    )
    config = f"printf 'JobCompType = jobcomp/filetxt\\nJobCompLoc = {tmp_path}/jobs\\n'"
    programs(scontrol=f'[ "$2" = config ] && {config} && exit; {FORGOTTEN}', sacct=DISABLED)
    assert end_of("5") == End("COMPLETED", 0, "n2")  # it was requeued: the last line counts
    assert end_of("55") == End("FAILED", 3, "n1")
    assert end_of("4_1") == End("COMPLETED", 0, "n2")
    assert end_of("4_11") == End("FAILED", 7, "n1")
    assert end_of("7") == End("FORGOTTEN", -9, "")


def test_a_line(programs: Programs) -> None:
    programs(squeue="printf '4_1|RUNNING|None|n1\\n4_2|PENDING|ReqNodeNotAvail, Reserved|\\n'")
    found = in_line(["4"])
    assert found == {
        "4_1": InLine("RUNNING", "None", "n1"),
        "4_2": InLine("PENDING", "ReqNodeNotAvail, Reserved", ""),
    }
    assert [one.runs for one in found.values()] == [True, False]
    programs(squeue=FORGOTTEN)
    assert in_line(["4"]) == {}


def test_of_several_lines_the_last_says_what_it_comes_to(programs: Programs) -> None:
    programs(
        sinfo="echo 'sinfo: error: DNS lookup failed' >&2; echo 'sinfo: fatal: no configuration' >&2; exit 1"
    )
    answer = asked("sinfo")
    assert isinstance(answer, NoAnswer)
    assert answer.why == "sinfo: error: DNS lookup failed sinfo: fatal: no configuration"
    assert answer.last == "sinfo: fatal: no configuration"
