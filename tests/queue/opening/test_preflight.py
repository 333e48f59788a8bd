"""What keeps a night from beginning, told all at once; the GPU by what its driver says."""

import shutil
import subprocess
from collections import namedtuple
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ctexp.core import gpu_reading
from ctexp.core.errors import CtexpError, DataError, PreflightError
from ctexp.core.gpu import Gpu, GpuState
from ctexp.core.gpu_reading import Reading
from ctexp.planning.checking.check import check
from ctexp.planning.plan.load import load
from ctexp.planning.schedule.night import schedule
from ctexp.queue.opening.preflight import Intended, Place, gpu_of, preflight
from ctexp.record import git
from ctexp.record.manifest import Estimate
from tests.project import HERE
from tests.queue.scripted import PLAN, render, scripted_project

GIB = 2**30
CARD = Gpu(0, "NVIDIA RTX A4000", "GPU-1234", 16 * GIB)
OTHER = Gpu(1, "NVIDIA T400", "GPU-5678", 2 * GIB)
NONE = GpuState(False, (), "", "", None, "")
ONE = GpuState(True, (CARD,), "550.54", "12.4", None, "")
TWO = replace(ONE, gpus=(CARD, OTHER))
BROKEN = GpuState(True, (), "", "", "a GPU is there, but no NVIDIA driver is loaded", "modprobe nvidia")

Make = Callable[..., Intended]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scripted_project(tmp_path_factory.mktemp("template") / "project")


@pytest.fixture
def project(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(template, folder, symlinks=True)
    monkeypatch.chdir(folder)
    for name in ("CUDA_VISIBLE_DEVICES", "WANDB_API_KEY", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return folder


def intended(project: Path, plan: str = PLAN, state: GpuState = NONE, **costs: Any) -> Intended:
    """The night of a plan, each of whose jobs is expected to cost what is given."""
    render(project, plan)
    loaded = load(project / "research/plans/night.yaml", "research/plans/night.yaml")
    jobs = check(loaded, project).jobs
    estimate = Estimate(seconds=60.0, **costs)
    totals = schedule(jobs, loaded.plan, project / "runs", datetime.now(UTC)).totals
    return Intended(
        place=Place(project, project / "data", project / "runs"),
        plan=loaded.plan,
        jobs=jobs,
        costs={job.job.id: estimate for job in jobs},
        totals=replace(totals, disk_bytes=len(jobs) * (estimate.disk_bytes or 0), unknown=0),
        source=git.capture(project, [project / "data", project / "runs"]).state,
        state=state,
        gpu=gpu_of(jobs, state),
    )


def said(night: Intended, name: str) -> str:
    """What stands behind a name, which ends where two spaces begin."""
    lines = dict(line.split("  ", 1) for line in preflight(night))
    return lines[name].strip()


def refusal(night: Intended) -> CtexpError:
    with pytest.raises(CtexpError) as raised:
        preflight(night)
    return raised.value


AUTO = PLAN.replace("trainer.accelerator=cpu", "trainer.accelerator=auto")
ON_GPU = PLAN.replace("trainer.accelerator=cpu", "trainer.accelerator=gpu")


@pytest.mark.parametrize(
    ("plan", "state", "wanted"),
    [
        (PLAN, ONE, "not asked for: the jobs compute on the processor"),
        (AUTO, NONE, "none on this machine: the jobs compute on the processor"),
        (AUTO, ONE, "NVIDIA RTX A4000, driver 550.54, GPU-1234"),
        (ON_GPU, TWO, "NVIDIA RTX A4000, driver 550.54, GPU-1234"),
    ],
)
def test_the_gpu_that_jobs_ask_for(project: Path, plan: str, state: GpuState, wanted: str) -> None:
    assert said(intended(project, plan, state), "GPU") == wanted


@pytest.mark.parametrize(
    ("plan", "state", "wanted"),
    [
        (ON_GPU, NONE, "GPU: trainer.accelerator=gpu, and this machine has none"),
        (ON_GPU, BROKEN, "GPU: a GPU is there, but no NVIDIA driver is loaded (modprobe nvidia; or"),
        (AUTO, BROKEN, "GPU: a GPU is there, but no NVIDIA driver is loaded (modprobe nvidia; or"),
    ],
)
def test_a_gpu_that_cannot_be_used_is_refused(project: Path, plan: str, state: GpuState, wanted: str) -> None:
    error = refusal(intended(project, plan, state))
    assert isinstance(error, PreflightError)
    assert error.exit_code == 4
    assert error.problems[0].startswith(wanted)
    assert "trainer.accelerator=cpu" in error.problems[0]


@pytest.mark.parametrize(
    ("variable", "wanted"), [("1", OTHER), ("GPU-5678", OTHER), ("GPU-56", OTHER), ("0,1", CARD), ("", CARD)]
)
def test_the_first_gpu_that_cuda_is_shown_is_the_one(
    project: Path, monkeypatch: pytest.MonkeyPatch, variable: str, wanted: Gpu
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", variable)
    assert intended(project, AUTO, TWO).gpu == wanted


def reading(used: int | None) -> Callable[[str | None], Reading]:
    return lambda uuid: Reading("A4000", str(uuid), 40, used, 16 * GIB, 0)


def test_gpu_memory_is_compared_with_what_is_free_now(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night = intended(project, AUTO, ONE, memory_bytes=6 * GIB)
    monkeypatch.setattr(gpu_reading, "read", reading(9 * GIB))
    assert said(night, "GPU memory") == "7.0 GiB free, a-s1 takes 6.0 GiB"
    monkeypatch.setattr(gpu_reading, "read", reading(11 * GIB))
    (problem,) = refusal(night).problems
    assert problem == "GPU memory: 5.0 GiB free, a-s1 takes 6.0 GiB (see nvidia-smi for who has the rest)"
    monkeypatch.setattr(gpu_reading, "read", lambda _: None)
    assert said(night, "GPU memory") == "the driver does not tell how much is free"

    monkeypatch.setattr(gpu_reading, "read", reading(0))
    limited = AUTO.replace("grace: 1s", "memory: 4GiB")
    (problem,) = refusal(intended(project, limited, ONE, memory_bytes=6 * GIB)).problems
    assert "(limits.memory: 4.0 GiB)" in problem


def test_a_job_that_goes_on_in_smaller_parts_is_not_refused_for_its_memory(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu_reading, "read", reading(15 * GIB))
    fallback = AUTO.replace("a: {}", "a: {fallback: {oom: [data.batch_size=2]}}")
    assert said(intended(project, fallback, ONE, memory_bytes=6 * GIB), "GPU memory").startswith("1.0 GiB")


def test_the_disk_has_to_hold_the_night_and_the_reserve(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = intended(project, disk_bytes=300 * 10**6)
    night = replace(night, totals=replace(night.totals, free_bytes=601 * 10**6))
    assert said(night, "disk") == (
        f"601 MB free in {project}/runs; the night writes 600 MB, 1.0 MB stay free"
    )
    short = replace(night, totals=replace(night.totals, free_bytes=601 * 10**6 - 1))
    (problem,) = refusal(short).problems
    assert problem.startswith("disk: 601 MB free")
    assert "inv prune" in problem
    nobody = namedtuple("nobody", "available")
    monkeypatch.setattr("psutil.virtual_memory", lambda: nobody(10))
    assert "memory: 0.0 GiB free" in refusal(intended(project, memory_bytes=GIB)).problems[0]


def test_a_folder_that_cannot_be_written_is_refused(project: Path) -> None:
    night = intended(project)
    (project / "runs").write_text("in the way")
    assert any(problem.startswith("disk: ") for problem in refusal(night).problems)


def test_missing_tools_are_named_with_their_packages(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night = intended(project)
    monkeypatch.setattr(shutil, "which", lambda tool: None if tool == "tee" else f"/bin/{tool}")
    (problem,) = refusal(night).problems
    assert problem == "shell tools: missing: tee (apt install coreutils)"


def test_changed_images_are_data_and_anything_else_outweighs_them(project: Path) -> None:
    night = intended(project)
    images = sorted((project / "data" / "raw" / "tiny").rglob("*.png"))
    for image in images[:3]:
        image.write_bytes(b"")
    error = refusal(night)
    assert isinstance(error, DataError)
    assert error.exit_code == 3
    (problem,) = error.problems
    assert "0 bytes, the catalog says" in problem
    assert "and 2 more" in problem
    both = refusal(replace(night, totals=replace(night.totals, free_bytes=0)))
    assert isinstance(both, PreflightError)
    assert [problem.split(":")[0] for problem in both.problems] == ["disk", "data"]


def test_the_version_of_the_data_is_told(project: Path) -> None:
    assert said(intended(project), "data").startswith("tiny, 42 images, not tracked: ")


def test_an_environment_that_is_not_what_is_locked_is_refused(project: Path) -> None:
    lock, copy = project / "requirements.lock", project / ".venv" / "requirements.lock"
    lock.write_text("numpy==2.1.0\n")
    assert said(intended(project), "environment").endswith("not known to be as locked")
    copy.write_text("numpy==2.1.0\n")
    assert said(intended(project), "environment").endswith("as locked")
    copy.write_text("numpy==2.0.0\n")
    (problem,) = refusal(intended(project)).problems
    assert problem.endswith("was not made from this requirements.lock (run scripts/inv once)")


def test_uncommitted_changes_are_told_and_refused_where_that_is_wanted(project: Path) -> None:
    assert "clean" in said(intended(project), "source")
    with (project / "conf" / "config.yaml").open("a") as file:
        file.write("# changed\n")
    assert "1 file not committed (conf/config.yaml); each run keeps" in said(intended(project), "source")
    strict = PLAN.replace("logger=none", "logger=none, git.dirty=refuse")
    (problem,) = refusal(intended(project, strict)).problems
    assert "git.dirty=refuse (commit them)" in problem
    shutil.rmtree(project / ".git")
    assert said(intended(project), "source") != ""


def test_a_tracker_online_needs_its_key(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    online = PLAN.replace("logger=none", "logger=wandb, logger.mode=online")
    assert said(intended(project), "tracker") == "none"
    assert said(intended(project, online.replace("online", "offline")), "tracker") == "wandb offline"
    (problem,) = refusal(intended(project, online)).problems
    assert problem.startswith("tracker: wandb online, and no key for it (run .venv/bin/wandb login")
    monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
    night = intended(project, online)
    assert "with a key; it is waited for" in said(night, "tracker")
    assert "xxxx" not in "".join(preflight(night))


@pytest.mark.slow
def test_weights_that_are_not_on_disk_are_refused(project: Path) -> None:
    wanting = PLAN.replace("a: {}", "a: {overrides: [model=resnet18, model.weights=gone.safetensors]}")
    wanting = wanting.replace("trainer.accelerator=cpu", "trainer.accelerator=cpu, model.pretrained=true")
    (problem,) = refusal(intended(project, wanting)).problems
    assert problem.startswith("weights: a")
    assert "gone.safetensors" in problem


def test_jobs_that_run_elsewhere_ask_nothing_of_this_machines_gpu(project: Path) -> None:
    night = replace(intended(project, ON_GPU, NONE), elsewhere=True)
    assert not any(line.startswith(("GPU", "memory")) for line in preflight(night))


def test_nothing_of_it_loads_torch() -> None:
    code = "import sys, ctexp.queue.begin; print(sys.modules.keys() & {'torch', 'timm', 'lightning'})"
    python = HERE / ".venv" / "bin" / "python"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
