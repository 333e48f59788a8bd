"""Modal: the app as its package describes it, and its function run here. No test rents a machine."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from ctexp.core.errors import PreflightError
from ctexp.core.files import sha256_file
from ctexp.executors.modal import carrying
from ctexp.executors.modal.executor import Modal
from ctexp.executors.modal.making import make
from ctexp.executors.protocol import Work
from ctexp.executors.settings import ModalSettings, load
from ctexp.executors.storage import Url, put_bytes
from ctexp.record.checkpoint_files import read_sums
from ctexp.research.places import Places
from ctexp.research.record import Answer
from tests.project import HERE, TINY, add_tiny_set, inv, make_project, newest
from tests.research.answers import handler, plan
from tests.waiting import until

PLAN = """
experiments:
  noise:
    type: question
    sub_experiments: [spread, broken]
    success_criteria: {sd: {target: 0.2, direction: lower}}
"""

SPREAD = """
STUB = {"finding": "they spread a little", "metrics": {"sd": 0.1}}

def e_spread(runner):
    raise AssertionError("a stub run calls nobody")
"""


ENDLESS = (
    *(word for word in TINY if not word.startswith("trainer.max_epochs")),
    *("trainer.max_epochs=5000", "trainer.early_stopping=null"),
)


def settings(**changes: Any) -> ModalSettings:
    found = load(HERE, "modal")
    assert isinstance(found, ModalSettings)
    return found.model_copy(update=changes)


def test_what_is_rented_is_what_the_settings_say_and_a_gpu_only_for_work_that_wants_one() -> None:
    made = make(settings(gpu="L4", memory="8GB", time="2h"), HERE)
    assert made.functions[False] is not made.functions[True]
    with_gpu, without = (made.functions[gpu]._spec_ for gpu in (True, False))  # what `modal shell` rents by
    assert (with_gpu.gpus, without.gpus) == ("L4", None)
    assert without.memory == 8_000_000_000 // 2**20
    assert list(without.volumes) == [carrying.MOUNTED]
    one = make(settings(gpu=None), HERE)
    assert one.functions[True] is one.functions[False]


def test_without_a_lock_file_no_image_can_be_described(tmp_path: Path) -> None:
    with pytest.raises(PreflightError, match=r"requirements\.lock: no such file"):
        make(settings(), tmp_path)


def test_what_a_lost_machine_had_begun_is_not_begun_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Modal begins the same call on another machine; whoever ordered it knows what that has to do."""
    monkeypatch.setenv(carrying.MOUNT, str(tmp_path))
    put_bytes(Url(tmp_path.as_uri()), "work/t1/begun", b"")
    assert carrying.carry_out("t1", None) is None


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_project(tmp_path_factory.mktemp("modal") / "project")
    shutil.copy(HERE / "requirements.lock", root)
    add_tiny_set(root)
    plan(root, PLAN)
    handler(root, "noise", "spread", SPREAD)
    handler(root, "noise", "broken", "def e_broken(runner):\n    return {}\n")
    return root


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_stub_run_goes_the_whole_way_without_an_account(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # nobody is logged in
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    words = ("research-run", "--experiment-id", "noise", "--executor", "modal")
    done = inv(project, *words, "--stub-mode", code=12)
    assert done.stdout.splitlines()[-1] == "Completed: 1 Failed: 1"
    places = Places(project, stub=True)
    spread, broken = (Answer.read(places.record("noise", sub)) for sub in ("spread", "broken"))
    assert spread.stub
    assert spread.metrics["sd"].value == 0.1
    assert broken.error is not None
    assert broken.error.kind == "NoStub"
    assert 'File "' in next(places.results.glob("logs/noise_*/broken.log")).read_text()
    assert not list(tmp_path.glob("ctexp-modal-*"))  # the folder that was the volume
    refused = inv(project, *words, "--yes", code=4)
    assert "PreflightError: Modal: Token missing" in refused.stderr
    assert ".venv/bin/modal token new" in refused.stderr
    assert "begins" not in refused.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_training_whose_machine_is_lost_goes_on_with_its_run_and_leaves_it_here_when_cancelled(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    where = Modal(settings(), project, stub=True)
    work = Work(
        name="t1",
        words=["inv", "train", *ENDLESS],
        folder=project,
        log=project / "runs" / "t1.log",
        environment={"CTEXP_PLAN": "p", "CTEXP_QUEUE": "p_1", "CTEXP_JOB": "one-s1"},
        trains=True,
    )
    handle = where.submit(work)

    def here(pattern: str) -> bool:
        assert where.poll(handle) is None, work.log.read_text()
        return any((project / "runs").glob(pattern))

    until(lambda: here("*/checkpoints/last.ckpt"), 400)
    run = newest(project / "runs")
    (machine,) = (
        child for child in psutil.Process().children() if "ctexp.executors.modal.rehearsal" in child.cmdline()
    )
    os.killpg(machine.pid, signal.SIGKILL)
    until(lambda: here("*/attempts/2.json"), 400)
    assert "lost, and begun again: killed by SIGKILL" in work.log.read_text()
    assert run.state() == "running"
    where.cancel(handle, 60.0)
    assert where.poll(handle) == 128 + signal.SIGTERM
    assert newest(project / "runs").id == run.id
    assert run.state() == "interrupted"
    assert run.attempt_numbers() == [1, 2]
    assert read_sums(run.checkpoints)["last.ckpt"] == sha256_file(run.checkpoints / "last.ckpt")
