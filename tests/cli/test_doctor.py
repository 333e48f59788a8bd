"""What `doctor` finds on machines and in projects of every kind, and what it advises."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ctexp.cli.doctor import Check, examine
from ctexp.core.gpu import GpuState
from tests.project import add_tiny_set, git, make_project

INV = Path(sys.prefix) / "bin" / "inv"
NO_GPU = GpuState(False, (), "", "", None, "")
BROKEN_GPU = GpuState(True, (), "", "", "a GPU is there, but no driver", "install it")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("WANDB_API_KEY", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    return make_project(tmp_path / "project")


def found(project: Path, name: str, gpu: GpuState = NO_GPU) -> Check:
    return next(check for check in examine(project, gpu) if check.name == name)


def test_every_check_that_is_not_fine_says_what_to_do(project: Path) -> None:
    for gpu in (NO_GPU, BROKEN_GPU):
        for check in examine(project, gpu):
            assert (check.state == "ok") == (check.advice == ""), check


def test_a_gpu_that_cannot_be_used_fails_and_the_cpu_is_the_way_out(project: Path) -> None:
    check = found(project, "GPU", BROKEN_GPU)
    assert (check.state, check.found) == ("fail", "a GPU is there, but no driver")
    assert check.advice == "install it; or train with trainer.accelerator=cpu"
    assert found(project, "GPU").state == "warn"


def test_git_clean_dirty_and_missing(project: Path, tmp_path: Path) -> None:
    assert found(project, "git").state == "ok"
    (project / "conf/model/mine.yaml").write_text("name: resnet18\n")
    check = found(project, "git")
    assert check.state == "warn"
    assert "uncommitted files of code and conf: 1" in check.found
    (project / ".git").rename(tmp_path / "put-away")
    assert found(project, "git").advice.startswith("git init")


def test_data_sets_are_named_and_the_default_is_missed(project: Path) -> None:
    assert found(project, "data").found == "no data set yet (the default is chest_ct)"
    add_tiny_set(project)
    check = found(project, "data")
    assert (check.state, check.found) == ("warn", "tiny (the default is chest_ct)")
    (project / "conf/local.yaml").write_text("paths: {data: elsewhere}\n")
    assert found(project, "data").found.startswith("no data set yet")


def test_a_folder_that_cannot_be_written_fails(project: Path) -> None:
    (project / "conf/local.yaml").write_text("paths: {runs: /proc/runs}\n")
    check = found(project, "disk of runs")
    assert check.state == "fail"
    assert "conf/local.yaml" in check.advice
    assert found(project, "disk of data").state != "fail"


@pytest.mark.parametrize(
    ("mode", "netrc", "state", "credentials"),
    [
        ("offline", "", "ok", "absent"),
        ("online", "", "fail", "absent"),
        ("online", "machine api.wandb.ai login user password never-shown", "ok", "present"),
        ("online", "machine elsewhere.org login user password never-shown", "fail", "absent"),
        ("online", "a broken file", "fail", "absent"),
        ("online", "\udcff\udcfe", "fail", "absent"),
    ],
)
def test_the_tracker_needs_credentials_only_online_and_never_shows_them(
    project: Path, tmp_path: Path, mode: str, netrc: str, state: str, credentials: str
) -> None:
    (tmp_path / "netrc").write_text(netrc + "\n", errors="surrogateescape")
    (tmp_path / "netrc").chmod(0o600)
    (project / "conf/local.yaml").write_text(f"logger: {{mode: {mode}}}\n")
    check = found(project, "tracker")
    assert (check.state, check.found) == (state, f"wandb, {mode}; credentials {credentials}")
    assert "never-shown" not in repr(check)


def test_a_broken_configuration_is_one_failed_check_among_the_others(project: Path) -> None:
    (project / "conf/config.yaml").write_text("seed: [\n")
    checks = examine(project, NO_GPU)
    assert checks[-1].name == "configuration"
    assert checks[-1].state == "fail"
    assert {check.name for check in checks} > {"GPU", "shell tools"}


def test_missing_tools_are_named_with_their_packages(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    check = found(project, "shell tools")
    assert (check.state, check.advice) == ("fail", "apt install bash git util-linux")


def test_the_command_prints_a_line_a_check_or_json(project: Path) -> None:
    def inv(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([INV, *words], cwd=project, capture_output=True, text=True, check=False)

    git(project, "status")
    told, machine = inv("doctor"), inv("doctor", "--json")
    checks = json.loads(machine.stdout)["checks"]
    assert told.returncode == machine.returncode
    assert (told.returncode == 4) == any(check["state"] == "fail" for check in checks)
    assert [line.split()[0] for line in told.stdout.splitlines() if line[0] != " "] == [
        check["state"] for check in checks
    ]
    assert not (project / "runs").exists(), "looking makes nothing"


def test_an_unusable_gpu_or_disk_is_exit_4(project: Path) -> None:
    (project / "conf/local.yaml").write_text("paths: {runs: /proc/runs}\n")
    done = subprocess.run([INV, "doctor"], cwd=project, env=os.environ, capture_output=True, check=False)
    assert done.returncode == 4
