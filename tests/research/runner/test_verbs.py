"""Verbs that a handler carries out: in the project, and told when they fail."""

from pathlib import Path

import pytest

from ctexp.core.errors import UsageError
from ctexp.research.runner.verbs import VerbFailed, carry_out
from tests.research.runner.desks import Said, runner

TASKS = """
import os
from invoke import task

@task(positional=["code"])
def end(_, code):
    print(os.getcwd(), os.environ["CTEXP_ROOT"])
    raise SystemExit(int(code))
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tasks.py").write_text(TASKS)
    return tmp_path


def test_a_verb_is_carried_out_in_the_project_and_prints_where_its_handler_does(
    root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said = Said()
    runner(root, said=said).inv("end", "0")
    assert [line.partition(" in ")[0] for line in said] == ["inv end 0 …", "inv end 0: done"]
    assert capfd.readouterr().out.split() == [str(root), str(root)]


def test_a_verb_that_fails_fails_its_handler(root: Path) -> None:
    with pytest.raises(VerbFailed, match="inv end 3: exit code 3"):
        carry_out(root, ("end", "3"))


@pytest.mark.parametrize("flag", ["--final", "--final=true"])
def test_no_verb_of_a_handler_opens_the_test_split(root: Path, flag: str) -> None:
    with pytest.raises(UsageError, match="stays sealed"):
        carry_out(root, ("end", "0", flag))
