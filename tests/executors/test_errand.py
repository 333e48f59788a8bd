"""Trainings on a machine that has nothing of the project, by way of a storage."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctexp.core.errors import Busy, PreflightError
from ctexp.executors.errand import Errand, key, order
from ctexp.executors.node import words_of
from ctexp.executors.protocol import Work
from ctexp.executors.snapshot import Project
from ctexp.executors.storage import Sent, Url
from ctexp.record.run_dir import RunDir
from tests.data.versions import stores
from tests.faults.runs import essence
from tests.project import DVC, TINY, add_pipeline, add_tiny_set, call, git, inv, make_project, newest

pytestmark = pytest.mark.timeout(900)

_LONG = (
    *(word for word in TINY if not word.startswith("trainer.max_epochs")),
    *("trainer.max_epochs=120", "trainer.early_stopping=null"),
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_project(tmp_path_factory.mktemp("errands") / "project")
    add_tiny_set(root)
    return root


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That of another machine."""
    folder = tmp_path / "node"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def ordered(root: Path, url: str, *words: str) -> Errand:
    work = Work(name="t1", words=["inv", "train", *words], folder=root, log=root / "log")
    return order(work, root, Url(url))


def begun(url: str, errand: Errand) -> "subprocess.Popen[str]":
    """The node, which is told no more than where to look."""
    return subprocess.Popen(
        [sys.executable, *words_of(url, errand.name)[1:]],
        env={key: value for key, value in os.environ.items() if not key.startswith("CTEXP_")},
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def brought(errand: Errand, child: "subprocess.Popen[str]") -> Iterator[set[str]]:
    """All that has come back so far, again and again until the node has ended."""
    found: set[str] = set()
    while child.poll() is None:
        found.update(errand.bring())
        yield found
        time.sleep(0.1)


@pytest.mark.slow
def test_a_training_by_way_of_an_object_store_is_the_training_that_it_is_here(
    project: Path, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inv(project, "train", *TINY)
    here = newest(project / "runs")
    with stores.s3("ctexp", monkeypatch) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        errand = ordered(project, "s3://ctexp/lab", *TINY)
        child = begun("s3://ctexp/lab", errand)
        said = "".join(child.communicate()[0])
        assert child.returncode == 0, said
        errand.end()
        left = stores.files(url).find("ctexp")
    there = newest(project / "runs")
    assert there.id != here.id
    assert essence(there) == essence(here)
    its, mine = there.read(), here.read()
    assert its.manifest is not None
    assert mine.manifest is not None
    assert its.manifest.git == mine.manifest.git
    assert not its.problems
    assert [Path(name).parts[:3] for name in left] == [("ctexp", "lab", "data")] * 2
    assert not list(disk.rglob("project"))
    assert f"Output Directory:     runs/{there.id}" in said


@pytest.mark.slow
def test_a_training_asked_to_end_leaves_its_checkpoint_here_and_is_gone_on_with_elsewhere(
    project: Path, tmp_path: Path
) -> None:
    url = (tmp_path / "place").as_uri()
    errand = ordered(project, url, *_LONG)
    child = begun(url, errand)
    kept = ""
    for found in brought(errand, child):
        if kept := next((path for path in found if path.endswith("checkpoints/last.ckpt")), ""):
            break
    assert child.poll() is None, child.communicate()
    run = RunDir((project / kept).parent.parent)
    assert run.state() == "running"  # elsewhere: nobody here may go on with it meanwhile
    with pytest.raises(Busy, match="is in use by"):
        run.lock().acquire()
    child.send_signal(signal.SIGTERM)
    child.communicate()
    assert child.returncode == 128 + signal.SIGTERM
    errand.end()
    assert run.state() == "interrupted"
    errand = ordered(project, url, "--resume", run.id)
    child = begun(url, errand)
    said = child.communicate()[0]
    assert child.returncode == 0, said
    errand.end()
    assert run.state() == "finished"
    assert run.attempt_numbers() == [1, 2]
    assert not list(project.glob("runs/*/checkpoints/last.prev.ckpt"))  # what was removed there, is here


@pytest.mark.slow
def test_a_data_set_that_this_machine_lacks_too_comes_from_dvcs_remote(tmp_path: Path) -> None:
    root = make_project(tmp_path / "project")
    add_pipeline(root)
    add_tiny_set(root)
    remote = tmp_path / "remote"
    call(root, DVC, "remote", "add", "--default", "disk", str(remote))
    inv(root, "data-push", "--dataset", "tiny")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message=versions")
    shutil.rmtree(root / "data")
    shutil.rmtree(root / ".dvc" / "cache")
    url = (tmp_path / "place").as_uri()
    for _ in range(2):
        errand = ordered(root, url, *TINY)
        child = begun(url, errand)
        said = child.communicate()[0]
        assert child.returncode == 0, said
        errand.end()
        shutil.rmtree(remote, ignore_errors=True)  # the second time it is there already
    assert len(list((root / "runs").glob("*/result.json"))) == 2


@pytest.mark.slow
def test_an_agent_of_a_sweep_is_refused(project: Path, tmp_path: Path) -> None:
    work = Work("a1", ["inv", "sweep-agent", "--sweep-id", "s"], project, project / "log")
    with pytest.raises(PreflightError, match="agents share its files"):
        order(work, project, Url((tmp_path / "place").as_uri()))


@pytest.mark.slow
def test_an_order_that_is_no_more_is_told(tmp_path: Path, project: Path) -> None:
    url = (tmp_path / "place").as_uri()
    errand = ordered(project, url, *TINY)
    errand.end()
    child = begun(url, errand)
    assert "nothing is ordered under t1-" in child.communicate()[0]
    assert child.returncode == 3


RUN = "net_20260101-000000_aaaaaa"


def test_a_run_is_locked_before_anything_of_it_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    for name in ("manifest.json", "history.csv"):
        (there / "runs" / RUN).mkdir(parents=True, exist_ok=True)
        (there / "runs" / RUN / name).write_text("{}")
    place = Url((tmp_path / "place").as_uri())
    Sent(place, f"{key('t1')}/out", there).send([f"runs/{RUN}/manifest.json", f"runs/{RUN}/history.csv"])
    run = RunDir(here / "runs" / RUN)
    held: dict[str, bool] = {}
    fetch = Url.get

    def get(self: Url, key: str, file: Path) -> bool:
        held[key] = run.lock().is_held()
        return fetch(self, key, file)

    monkeypatch.setattr(Url, "get", get)
    errand = Errand(place, "t1", Project(root=here, data=here / "data", runs=here / "runs"))
    assert sorted(errand.bring()) == [f"runs/{RUN}/history.csv", f"runs/{RUN}/manifest.json"]
    first, *others = held.values()
    assert not first  # the list of files, which says what there is
    assert others
    assert all(others)
    assert run.lock().is_held()
    errand.end()
    assert not run.lock().is_held()


def test_what_lies_beside_runs_is_locked_by_nobody(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    path = "runs/cross-validations/cv_20260101-000000_aaaaaa/folds.json"
    (there / path).parent.mkdir(parents=True)
    (there / path).write_text("{}")
    place = Url((tmp_path / "place").as_uri())
    Sent(place, f"{key('t1')}/out", there).send([path])
    errand = Errand(place, "t1", Project(root=here, data=here / "data", runs=here / "runs"))
    assert errand.bring() == [path]
    assert [one.name for one in (here / "runs" / "cross-validations").iterdir()] == [Path(path).parent.name]
    errand.end()
