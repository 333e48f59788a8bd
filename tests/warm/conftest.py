import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctexp.warm import parent
from tests.warm import light
from tests.warm.parents import TASKS, Light


@pytest.fixture
def light_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Light]:
    """One that has not begun."""
    monkeypatch.setattr(parent, "command", light.command)
    runtime = tempfile.TemporaryDirectory()  # a socket's path is short
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime.name)
    project = tmp_path / "project"
    (project / "conf").mkdir(parents=True)
    (project / "conf" / "config.yaml").touch()
    (project / "tasks.py").write_text(TASKS)
    made = Light(project)
    yield made
    made.close()
    runtime.cleanup()


@pytest.fixture
def warm(light_at: Light) -> Light:
    """One that listens."""
    light_at.begin()
    return light_at
