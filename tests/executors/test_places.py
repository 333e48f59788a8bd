"""What a cluster offers a night, asked by a child of its own."""

import sys
from pathlib import Path

import pytest

from ctexp.core.errors import PreflightError, UsageError
from ctexp.core.gpu import GpuState
from ctexp.executors.places import devices_of
from ctexp.executors.settings import RaySettings

NO_GPU = GpuState(False, (), "", "", None, "")


def asked(root: Path) -> None:
    devices_of(root, "lab", RaySettings(kind="ray"), NO_GPU, gpus_each=0)


def project(folder: Path, content: str) -> Path:
    file = folder / "conf" / "executor" / "lab.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(content)
    return folder


def test_what_the_child_finds_wrong_is_told_as_if_it_were_found_here(tmp_path: Path) -> None:
    with pytest.raises(PreflightError) as caught:
        asked(project(tmp_path, "kind: ray\naddress: 127.0.0.1:1\n"))
    [problem] = caught.value.problems
    assert problem.startswith("the Ray cluster 127.0.0.1:1: nothing answers")
    assert caught.value.hint == "start a cluster with `.venv/bin/ray start --head`"


def test_every_line_of_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        asked(project(tmp_path, "kind: ray\ncpus: 0\nstorage: nfs\n"))
    assert len(caught.value.problems) == 2
    assert caught.value.hint


def test_a_child_that_breaks_is_told_by_its_last_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(PreflightError, match="--executor lab: exit code 1") as caught:
        asked(tmp_path)
    assert "ctexp.executors.places" in caught.value.hint
