"""Environments from lock files, with a stand-in for uv that notes how it is called; which lock is taken."""

import os
import stat
import sys
from pathlib import Path

import pytest

from ctexp.core.errors import PreflightError
from ctexp.reproduction import environments

UV = f"""#!/bin/sh
echo "$*" >>"$CALLS"
case "$1 $2" in
    "venv --quiet")
        [ "$4" != "9.9.9" ] || exit 2
        mkdir -p "$5/bin" && ln -s {sys.executable} "$5/bin/python" ;;
    "pip sync") [ ! -e "$FAIL" ] || {{ echo "hashes do not match" >&2; exit 2; }} ;;
esac
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with locks, and a machine with this uv."""
    program = tmp_path / "bin" / "uv"
    program.parent.mkdir()
    program.write_text(UV)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("FAIL", str(tmp_path / "fail"))
    (tmp_path / "requirements.lock").write_text(
        "one==1 ; sys_platform == 'linux' \\\n    --hash=sha256:00\n"
        "Two_Words[extra]==2.0 \\\n    --hash=sha256:00\n"
    )
    (tmp_path / "requirements-dev.lock").write_text("one==1\ntwo-words==2.0\ntools==3\n")
    return tmp_path


def calls(desk: Path) -> list[str]:
    return [line for line in (desk / "calls").read_text().splitlines() if line != "python dir"]


def made(desk: Path, *recorded: str, python: str = "3.11.7") -> environments.Environment:
    return environments.locked(desk, desk, python, recorded, lambda _: None)


def test_it_is_installed_once_by_its_hashes_and_then_taken_as_it_is(desk: Path) -> None:
    first = made(desk, "ctexp==0.1.0", "one==1", "two-words==2.0")
    venv, sync = calls(desk)
    assert venv.startswith("venv --quiet --python 3.11.7 ")
    assert "--require-hashes" in sync
    assert sync.endswith(f"--quiet {desk}/requirements.lock")
    assert (first.packages.made_by, first.packages.lock) == ("uv", "requirements.lock")
    assert first.packages.python == sys.version.split()[0], "what it is, not what was asked for"
    assert made(desk, "one==1") == first
    assert len(calls(desk)) == 2


def test_the_lock_that_has_the_recorded_packages_is_taken(desk: Path) -> None:
    assert made(desk, "one==1", "tools==3").packages.lock == "requirements-dev.lock"
    assert made(desk, "one==7", "unknown==1").packages.lock == "requirements.lock", (
        "of equal ones the smaller"
    )


def test_a_python_that_cannot_be_had_gives_way_to_another_of_its_kind(desk: Path) -> None:
    made(desk, "one==1", python="9.9.9")
    assert [call.split()[3] for call in calls(desk)[:2]] == ["9.9.9", "9.9"]


def test_what_cannot_be_installed_is_exit_4_with_the_way_around_and_tried_again(desk: Path) -> None:
    (desk / "fail").touch()
    with pytest.raises(PreflightError) as failure:
        made(desk, "one==1")
    assert failure.value.problems == ("uv could not install requirements.lock: hashes do not match",)
    assert "--here" in failure.value.hint
    (desk / "fail").unlink()
    assert made(desk, "one==1").python.exists()


def test_without_uv_or_a_lock_one_line_names_the_way_around(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(desk / "nothing"))
    with pytest.raises(PreflightError, match=r"no uv that pyproject\.toml can do with"):
        made(desk, "one==1")
    for lock in desk.glob("*.lock"):
        lock.unlink()
    with pytest.raises(PreflightError, match="has no requirements"):
        made(desk)
