"""A training on a node that has not the project's folder, and loses its place midway."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ctexp.executors.carry import words_of
from ctexp.record.checkpoint_files import SUMS
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from tests.faults.runs import essence
from tests.project import TINY, add_tiny_set, git, inv, make_project
from tests.sweeps.ray_tune.nodes import Nodes, two_nodes
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

WORDS = [
    *(word for word in TINY if "epochs" not in word),
    "trainer.max_epochs=200",
    "trainer.early_stopping=null",
]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with two_nodes() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """The same training here, undisturbed."""
    project = make_project(tmp_path_factory.mktemp("calm") / "project")
    add_tiny_set(project)
    inv(project, "train", *WORDS)
    (path,) = run_paths(project / "runs")
    return RunDir(path)


def lose_place(nodes: Nodes) -> None:
    """Kill what stands for us on the node, and all that it has started, at once."""
    (place,) = (one for one in psutil.Process(nodes.pid).children(recursive=True) if is_place(one))
    for process in [place, *place.children(recursive=True)]:
        process.kill()


def is_place(process: psutil.Process) -> bool:
    words = process.cmdline()
    return bool(words) and words[0].startswith("ray::Place")


def trained(project: Path) -> int:
    """Epochs that are known of here, where a checkpoint and its hash are here too: files come one by one."""
    runs = [RunDir(path) for path in run_paths(project / "runs")]
    kept = [run for run in runs if (run.checkpoints / SUMS).is_file() and run.history.is_file()]
    return sum(len(run.history.read_text().splitlines()) - 1 for run in kept)


@pytest.mark.parametrize("storage", ["copy", "url"])
def test_it_goes_on_elsewhere_with_what_it_had_sent_and_ends_as_it_would_have_here(
    storage: str, calm: RunDir, nodes: Nodes, tmp_path: Path
) -> None:
    project = make_project(tmp_path / "project")
    add_tiny_set(project)
    settings = project / "conf" / "executor" / "ray.yaml"
    url = (tmp_path / "net").as_uri() if storage == "url" else storage
    settings.write_text(settings.read_text().replace("storage: shared", f"storage: {url}"))
    git(project, "commit", "--quiet", "--all", "--message=storage")
    out = tmp_path / "out"
    with (
        out.open("w") as log,
        subprocess.Popen(
            words_of("ray", "try", ["inv", "train", *WORDS]),
            cwd=project,
            env=os.environ
            | {"RAY_ADDRESS": nodes.address, "OMP_NUM_THREADS": "1"}
            | {"CTEXP_QUEUE": "night_1", "CTEXP_JOB": "plain-s1"},
            stdout=log,
            stderr=log,
        ) as carried,
    ):
        until(lambda: carried.poll() is not None or trained(project) >= 5, 600)
        assert carried.poll() is None, out.read_text()
        (run,) = map(RunDir, run_paths(project / "runs"))
        assert run.lock().is_held()
        lose_place(nodes)
    assert carried.returncode == 0, out.read_text()
    assert f"going on with {run.id}" in out.read_text()
    assert run_paths(project / "runs") == [run.path]
    assert run.attempt_numbers() == [1, 2]
    assert essence(run) == essence(calm)
    assert not run.lock().is_held()
