"""Programs on two real nodes of a Ray cluster, all on this machine; the last test takes one node away."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ctexp.core import heartbeat
from ctexp.core.errors import PreflightError
from ctexp.executors.carry import words_of
from ctexp.executors.protocol import Work
from ctexp.executors.ray.executor import Ray
from ctexp.executors.ray.piece import RayWork
from ctexp.executors.settings import RaySettings, load
from tests.project import make_project
from tests.sweeps.ray_tune.nodes import Nodes, two_nodes
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    import ray

    with two_nodes() as cluster:
        yield cluster
        ray.shutdown()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("ray") / "project")


@pytest.fixture
def cluster(project: Path, nodes: Nodes) -> Ray:
    """Both nodes have one CPU."""
    return Ray(settings(project, nodes), project)


def settings(project: Path, nodes: Nodes, **changes: object) -> RaySettings:
    shipped = load(project, "ray").model_dump()
    return RaySettings.model_validate(shipped | {"address": nodes.address} | changes)


def work(project: Path, log: Path, script: str) -> Work:
    return Work("try", ["sh", "-c", script], project, log, {"WORD": "said"})


def ended(cluster: Ray, handle: RayWork) -> int:
    until(lambda: cluster.poll(handle) is not None)
    assert handle.code is not None
    return handle.code


def says(cluster: Ray, handle: RayWork, word: str) -> bool:
    cluster.poll(handle)
    return word in handle.work.log.read_text().split()


def test_a_program_has_the_project_its_variables_and_a_log_here(
    cluster: Ray, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")  # of this machine
    there = cluster.resources()
    assert (there.slots, there.threads) == (2, 1)
    handle = cluster.submit(
        work(project, tmp_path / "logs" / "log", "echo $WORD; pwd; echo [$CUDA_VISIBLE_DEVICES] >&2; exit 3")
    )
    assert ended(cluster, handle) == 3
    first, *said = handle.work.log.read_text().splitlines()
    assert first == f"on {os.uname().nodename}"
    assert said == ["said", str(project), "[]"]
    assert cluster.poll(handle) == 3
    cluster.cancel(handle, 0)  # harmless


def test_the_signal_that_killed_it_is_told_and_nothing_of_it_is_left(
    cluster: Ray, project: Path, tmp_path: Path
) -> None:
    handle = cluster.submit(work(project, tmp_path / "log", "sleep 300 & echo $!; kill -9 $$"))
    assert ended(cluster, handle) == -signal.SIGKILL
    child = int(handle.work.log.read_text().split()[-1])
    until(lambda: not psutil.pid_exists(child))


@pytest.mark.parametrize(
    ("script", "grace", "code"),
    [
        ("trap 'exit 7' TERM; echo ready; sleep 300 & wait", 30, 7),
        ("trap '' TERM; echo ready; while :; do sleep 0.05; done", 0.2, -9),
    ],
)
def test_asked_to_end_it_has_its_grace(
    cluster: Ray, project: Path, tmp_path: Path, script: str, grace: float, code: int
) -> None:
    handle = cluster.submit(work(project, tmp_path / "log", script))
    until(lambda: says(cluster, handle, "ready"))
    cluster.cancel(handle, grace)
    assert cluster.poll(handle) == code


def test_waiting_for_a_place_is_a_sign_of_life_and_saying_nothing_is_none(
    cluster: Ray, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat = tmp_path / "beat"
    beat.touch()
    monkeypatch.setenv(heartbeat.VARIABLE, str(beat))

    def beaten() -> bool:
        os.utime(beat, (0, 0))
        monkeypatch.setattr(heartbeat, "_due", 0.0)
        cluster.poll(handle)
        return beat.stat().st_mtime > 0

    script = f"echo ready; until [ -e {tmp_path}/go ]; do sleep 0.02; done; touch $CTEXP_HEARTBEAT; sleep 300"
    others = [cluster.submit(work(project, tmp_path / name, "echo ready; sleep 300")) for name in "ab"]
    until(lambda: all(says(cluster, other, "ready") for other in others))
    handle = cluster.submit(work(project, tmp_path / "log", script))
    assert all(beaten() for _ in range(5))
    assert "ready" not in handle.work.log.read_text()
    cluster.cancel(others[0], 30)
    until(lambda: says(cluster, handle, "ready"))
    until(lambda: not beaten())  # what was under way is told
    assert not any(beaten() for _ in range(5))
    (tmp_path / "go").touch()
    until(beaten)
    for one in (handle, others[1]):
        cluster.cancel(one, 30)


def test_what_waits_and_is_not_wanted_any_more_never_begins(
    cluster: Ray, project: Path, tmp_path: Path
) -> None:
    others = [cluster.submit(work(project, tmp_path / name, "echo ready; sleep 300")) for name in "ab"]
    until(lambda: all(says(cluster, other, "ready") for other in others))
    handle = cluster.submit(work(project, tmp_path / "log", f"touch {tmp_path}/began"))
    cluster.cancel(handle, 30)
    assert cluster.poll(handle) == -signal.SIGTERM
    for other in others:
        cluster.cancel(other, 30)
    assert ended(cluster, cluster.submit(work(project, tmp_path / "later", "true"))) == 0
    assert not (tmp_path / "began").exists()


def test_a_node_that_has_not_the_folder_and_a_cluster_without_room_say_so(
    cluster: Ray, project: Path, nodes: Nodes, tmp_path: Path
) -> None:
    handle = cluster.submit(work(tmp_path / "elsewhere", tmp_path / "log", "true"))
    assert ended(cluster, handle) == PreflightError.exit_code
    assert f"no folder {tmp_path}/elsewhere" in handle.work.log.read_text()
    with pytest.raises(PreflightError, match="no node of the Ray cluster has cpus 64"):
        Ray(settings(project, nodes, cpus=64), project).submit(work(project, tmp_path / "log", "true"))


def carried(project: Path, nodes: Nodes, script: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        words_of("ray", "try", ["sh", "-c", script]),
        cwd=project,
        env=os.environ | {"RAY_ADDRESS": nodes.address},
        stdout=subprocess.PIPE,
        text=True,
    )


def pid_told(process: "subprocess.Popen[str]") -> int:
    assert process.stdout is not None
    return next(int(line) for line in process.stdout if line.strip().isdecimal())


def test_carried_it_is_here_for_whoever_watches(project: Path, nodes: Nodes) -> None:
    process = carried(project, nodes, "trap 'echo heard; exit 9' TERM; echo $$; sleep 300 & wait")
    pid_told(process)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert (said, process.returncode) == ("heard\n", 9)


def test_who_carries_it_killed_it_ends_too(project: Path, nodes: Nodes) -> None:
    process = carried(project, nodes, "echo $$; exec sleep 300")
    there = pid_told(process)
    assert psutil.pid_exists(there)
    process.kill()
    process.wait()
    until(lambda: not psutil.pid_exists(there))
    assert process.stdout is not None
    process.stdout.close()


def test_what_loses_its_place_again_and_again_is_given_up(
    project: Path, nodes: Nodes, tmp_path: Path
) -> None:
    once = Ray(settings(project, nodes, restarts=1), project)
    handle = once.submit(work(project, tmp_path / "log", "kill -9 $PPID; sleep 300"))
    assert ended(once, handle) == -signal.SIGKILL
    assert handle.work.log.read_text().count("the place on the cluster is lost: ") == 2


def test_what_a_node_takes_down_is_begun_again_on_another(
    cluster: Ray, project: Path, nodes: Nodes, tmp_path: Path
) -> None:
    script = f"echo ready; until [ -e {tmp_path}/go ]; do sleep 0.05; done"
    both = [cluster.submit(work(project, tmp_path / name, script)) for name in "ab"]
    until(lambda: all(says(cluster, one, "ready") for one in both))
    nodes.die()
    until(lambda: any(says(cluster, one, "lost:") for one in both))
    (tmp_path / "go").touch()
    assert [ended(cluster, one) for one in both] == [0, 0]
    assert sorted(one.work.log.read_text().split().count("ready") for one in both) == [1, 2]
