"""`inv warm` says where it listens, and is alone there."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctexp.warm.place import answers
from tests.project import INV


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").touch()
    (tmp_path / "tasks.py").write_text("from ctexp.cli.verbs.sweeps import warm\n")
    return tmp_path


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        yield os.environ | {"XDG_RUNTIME_DIR": folder}


def begin(project: Path, environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [INV, "warm", *words],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_says_where_it_listens_and_is_alone_there(project: Path, environment: dict[str, str]) -> None:
    with begin(project, environment) as process:
        assert process.stdout is not None
        said = process.stdout.readline().strip()
        path = Path(said.removeprefix("export CTEXP_WARM="))
        assert said == f"export CTEXP_WARM={path}"
        assert path.is_relative_to(environment["XDG_RUNTIME_DIR"])
        assert answers(path)
        second = begin(project, environment)
        _, problem = second.communicate(timeout=30)
        assert second.returncode == 75
        assert problem == f"Busy: a warm trainer listens on {path} -> use that one, or stop it\n"
        process.send_signal(signal.SIGKILL)
    with begin(project, environment, "--json") as again:  # the socket of a killed one is in nobody's way
        assert again.stdout is not None
        document = "".join(iter(again.stdout.readline, "}\n")) + "}"
        again.send_signal(signal.SIGKILL)
    assert json.loads(document) == {
        "schema_version": 1,
        "socket": str(path),
        "variable": "CTEXP_WARM",
    }
