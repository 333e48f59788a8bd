"""A project of its own for each test: the shipped `conf/`, without anybody's local settings."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ctexp.config.compose import compose
from ctexp.core.errors import UsageError

SHIPPED = Path(__file__).parents[2] / "conf"


def _project(folder: Path) -> Path:
    shutil.copytree(SHIPPED, folder / "conf", ignore=shutil.ignore_patterns("local.yaml"))
    return folder


@pytest.fixture(autouse=True, scope="session")
def no_tracker_variables() -> Iterator[None]:
    """Nobody's W&B settings may change what is tested."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("WANDB_PROJECT", "WANDB_ENTITY", "WANDB_MODE"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that no test changes."""
    return _project(tmp_path_factory.mktemp("shipped"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project to change."""
    return _project(tmp_path)


@pytest.fixture(scope="session")
def refusal() -> Callable[..., list[str]]:
    """The lines a user sees when a configuration is refused."""

    def lines(root: Path, *overrides: str) -> list[str]:
        with pytest.raises(UsageError) as refused:
            compose(overrides, root)
        assert refused.value.exit_code == 2
        return refused.value.lines()

    return lines
