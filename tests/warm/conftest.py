import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctexp.warm import parent
from tests.warm import light
from tests.warm.parents import Light


@pytest.fixture(scope="module")
def sockets() -> Iterator[Path]:
    """Where parents listen, instead of in the person's folder; a socket's path is short."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(parent, "command", light.command)
        patch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


@pytest.fixture
def light_at(tmp_path: Path, sockets: Path) -> Iterator[Light]:
    """A parent that has not begun."""
    del sockets
    made = Light(tmp_path / "project")
    yield made
    made.close()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory, sockets: Path) -> Iterator[Light]:
    """One for many tests."""
    del sockets
    made = Light(tmp_path_factory.mktemp("warm") / "project")
    made.begin()
    yield made
    made.close()


@pytest.fixture
def warm(standing: Light) -> Light:
    """One that listens, in a project where no task was carried out."""
    standing.clear()
    return standing
