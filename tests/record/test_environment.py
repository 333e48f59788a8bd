import getpass
import platform
import shutil
from importlib.metadata import version
from pathlib import Path

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


def test_a_package_that_comes_or_goes_is_noticed_in_the_same_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = environment.installed_packages()
    about = tmp_path / "a_probe-1.5.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: A_Probe\nVersion: 1.5\n")
    assert set(environment.installed_packages()) == {*before, "a-probe==1.5"}
    about.rename(tmp_path / "pydantic-0.1.dist-info")
    (tmp_path / "pydantic-0.1.dist-info" / "METADATA").write_text("Name: pydantic\nVersion: 0.1\n")
    assert "pydantic==0.1" in environment.installed_packages(), "Python finds this folder first"
    shutil.rmtree(tmp_path / "pydantic-0.1.dist-info")
    assert environment.installed_packages() == before


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
