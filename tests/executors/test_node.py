"""A machine without the project's folder, which has an environment of its own."""

import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ctexp.core.errors import PreflightError
from ctexp.executors import node
from ctexp.executors.errand import order
from ctexp.executors.protocol import Work
from ctexp.executors.storage import Url
from tests.project import make_project

Sends = Callable[..., int]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Its environment lies in it, as `scripts/inv` puts it, and no node has that."""
    root = make_project(tmp_path / "project")
    (root / ".venv").symlink_to(sys.prefix)
    (root / ".git" / "info" / "exclude").write_text(".venv\n")
    return root


@pytest.fixture
def send(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sends:
    """Have a program done by the project's own environment, which stands in for the node's; its exit code."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "executable", str(project / ".venv" / "bin" / "python"))

    def sent(*words: str, other: str = "") -> int:
        url = (tmp_path / "place").as_uri()
        errand = order(Work("t1", words, project, project / "log"), project, Url(url))
        with monkeypatch.context() as there:
            if other:
                there.setattr(sys, "executable", other)
            return node.main([url, errand.name])

    return sent


@pytest.mark.parametrize("program", ["python", "{project}/.venv/bin/python"])
def test_an_interpreter_of_the_projects_environment_is_that_of_the_node(
    project: Path, send: Sends, capfd: pytest.CaptureFixture[str], program: str
) -> None:
    script = "import sys; print(sys.executable, sys.argv[1])"
    assert send(program.format(project=project), "-S", "-c", script, str(project / "x")) == 0
    python, argument = capfd.readouterr().out.split()
    assert python == str(project / ".venv" / "bin" / "python")
    assert argument.endswith("/repository/x")


def test_other_programs_of_it_are_too(project: Path, send: Sends, capfd: pytest.CaptureFixture[str]) -> None:
    its = project.parent / "node" / "bin"
    its.mkdir(parents=True)
    (its / "inv").write_text("#!/bin/sh\necho the inv of the node $1\n")
    (its / "inv").chmod(0o755)
    for program in ("inv", str(project / ".venv" / "bin" / "inv")):
        assert send(program, "train", other=str(its / "python")) == 0
        assert capfd.readouterr().out == "the inv of the node train\n"


def test_a_program_that_is_not_there_is_told(project: Path, send: Sends) -> None:
    with pytest.raises(PreflightError, match=r"/repository/nothing: cannot be run on .*No such file"):
        send(str(project / "nothing"))


def test_a_link_that_leads_nowhere_on_another_machine_is_refused(project: Path, send: Sends) -> None:
    (project / "there").symlink_to(project.parent)
    with pytest.raises(PreflightError, match=r"^there: a link to an absolute path"):
        send("true")
