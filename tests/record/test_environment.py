import getpass
import platform
from importlib.metadata import version

import pytest

from ctexp.core.files import sha256_bytes
from ctexp.record import environment


def test_the_list_of_packages_is_exact_and_hashed() -> None:
    found, text = environment.capture()
    lines = text.splitlines()
    assert f"pydantic=={version('pydantic')}" in lines
    names = [line.split("==")[0] for line in lines]
    assert names == sorted(set(names))
    assert found.packages == len(names)
    assert found.packages_sha256 == sha256_bytes(text.encode())


def test_the_machine_is_described_without_naming_it_or_its_user() -> None:
    found = environment.capture().environment
    assert found.python == platform.python_version()
    assert 1 <= found.cores_allowed <= found.cores
    assert found.memory_bytes > 2**28
    said = " ".join(str(value) for name, value in found.model_dump().items() if name != "variables").split()
    assert platform.node() not in said
    assert getpass.getuser() not in said


def test_variables_come_from_a_list_and_never_hold_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "WANDB_API_KEY",
        "HF_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "CTEXP_TOKEN",
        "CTEXP_DB_PASSWORD",
        "HOME",
    ):
        monkeypatch.setenv(name, "hunter2")
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    monkeypatch.setenv("CTEXP_JOB", "baseline-s1")
    found = environment.capture().environment.variables
    assert found["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert found["CTEXP_JOB"] == "baseline-s1"
    assert "hunter2" not in found.values()
