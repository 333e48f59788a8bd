"""A training that a warm parent has forked is one that a fresh process would have done, whoever dies."""

import json
import os
import random
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from ctexp.warm.parent import Parent
from tests.faults.runs import essence
from tests.project import INV, TINY, add_tiny_set, git, inv, make_project
from tests.queue.attempts import lives
from tests.waiting import until

pytestmark = pytest.mark.slow

UNTRACKED = [*TINY, "model.dropout=0.5", "run.name=warm"]
WORDS = [word for word in UNTRACKED if not word.startswith("logger")]
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith(("CTEXP_", "WANDB_", "SLURM_"))
}
TIMES = {
    *("created", "started", "ended", "begin", "end", "duration_seconds", "time", "at", "estimate"),
    *("checkpoint_sha256", "seconds", "epoch_seconds", "images_per_second", "run_id", "tracker_id"),
}
"""What no two runs have in common, and what is measured."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("warm") / "project")
    add_tiny_set(folder)
    return folder


@pytest.fixture(scope="module")
def parent(project: Path) -> Iterator[Parent]:
    with Parent(project, ENVIRONMENT) as made:
        yield made


def begin(project: Path, socket: Path | None, *words: str, **changes: str) -> subprocess.Popen[str]:
    """Start the stock program."""
    where = {} if socket is None else {"CTEXP_WARM": str(socket)}
    return subprocess.Popen(
        [INV, *words],
        cwd=project,
        env=ENVIRONMENT | where | changes,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(project: Path, socket: Path | None, *words: str, **changes: str) -> str:
    """Run the stock program to its end; what it said."""
    with begin(project, socket, *words, **changes) as process:
        output, _ = process.communicate(timeout=200)
    assert process.returncode == 0, output
    return output


def train(project: Path, socket: Path | None, *words: str, **changes: str) -> RunDir:
    """Train to the end; the run."""
    before = set(run_paths(project / "runs"))
    assert "in a fresh process" not in finish(project, socket, "train", *words, **changes)
    (made,) = set(run_paths(project / "runs")) - before
    return RunDir(made)


def record(run: RunDir) -> dict[str, Any]:
    """All documents of a run, without what cannot be the same twice."""
    names = {path.relative_to(run.path) for path in run.path.rglob("*") if path.is_file()}
    documents = {
        str(name): _without_times(json.loads((run.path / name).read_text()), run.id)
        for name in names
        if name.suffix == ".json"
    }
    return {"files": names, **documents, **essence(run)}


def _without_times(value: Any, run_id: str) -> Any:
    if isinstance(value, dict):
        return {name: _without_times(item, run_id) for name, item in value.items() if name not in TIMES}
    if isinstance(value, list):
        return [_without_times(item, run_id) for item in value]
    return value.replace(run_id, "RUN") if isinstance(value, str) else value


def was_forked(run: RunDir) -> bool:
    """A child does not know the socket, and a fresh process that was told it does."""
    manifest = run.read().manifest
    assert manifest is not None
    return "CTEXP_WARM" not in manifest.environment.variables


@pytest.mark.parametrize(
    "words",
    [
        ["logger=csv"],
        ["logger=none", "augment=strong", "loss=focal", "sampler=class_balanced", "averaging=ema"],
        ["logger=none", "trainer.accumulate_grad_batches=2", "scheduler=one_cycle", "optimizer=lion"],
    ],
)
def test_record_and_bits_are_those_of_a_fresh_process(
    project: Path, parent: Parent, words: list[str]
) -> None:
    fresh = train(project, None, *WORDS, *words)
    forked = train(project, parent.socket, *WORDS, *words)
    assert was_forked(forked)
    assert record(forked) == record(fresh)


def test_with_all_the_threads_of_the_machine(project: Path) -> None:
    """OpenMP's of a child are its own, and NumPy's and SciPy's are given back to it."""
    threads = {f"{name}_NUM_THREADS": "2" for name in ("OMP", "OPENBLAS", "MKL")}
    fresh = train(project, None, *UNTRACKED, **threads)
    with Parent(project, ENVIRONMENT | threads) as parent:
        forked = train(project, parent.socket, *UNTRACKED, **threads)
    assert was_forked(forked)
    assert record(forked) == record(fresh)


@contextmanager
def looking(project: Path, code: str) -> Iterator[None]:
    """Have every training look at itself as it begins, by a piece of tasks.py."""
    tasks = project / "tasks.py"
    before = tasks.read_text()
    tasks.write_text(
        f"{before}\nimport sys as _sys\nif 'torch' in _sys.modules:  # else it is the client\n{code}"
    )
    git(project, "commit", "--all", "--quiet", "--message=look")
    try:
        yield
    finally:
        tasks.write_text(before)
        git(project, "commit", "--all", "--quiet", "--message=as before")


def test_a_child_finds_everything_imported(project: Path, parent: Parent) -> None:
    code = """
    import atexit as _atexit, json as _json
    _before = set(_sys.modules)
    _new = lambda: _json.dumps(sorted(set(_sys.modules) - _before))
    _atexit.register(lambda: open("imported.json", "w").write(_new()))
"""
    with looking(project, code):
        for words in (["logger=csv"], ["logger=wandb", "logger.mode=offline"]):
            assert was_forked(train(project, parent.socket, *WORDS, *words))
            imported = json.loads((project / "imported.json").read_text())
            assert len(imported) < 20, imported
            assert not [name for name in imported if name.startswith("ctexp.")]


def test_no_two_children_have_anything_in_common(project: Path, parent: Parent) -> None:
    """Of what their libraries made by chance: temporary folders, and random states that no seed has set."""
    code = """
    import gc as _gc, json as _json, random as _random, tempfile as _tempfile
    import numpy as _numpy
    _gc.unfreeze()
    _all = _gc.get_objects()
    _folders = [one.name for one in _all if isinstance(one, _tempfile.TemporaryDirectory)]
    _draws = [one.getstate() for one in _all if type(one) is _random.Random] + [_numpy.random.get_state()]
    _gc.freeze()
    open("own.json", "w").write(_json.dumps([*_folders, *map(str, _draws)]))
"""
    found = []
    with looking(project, code):
        for _ in range(2):
            assert was_forked(train(project, parent.socket, *UNTRACKED))
            found += json.loads((project / "own.json").read_text())
    assert len([name for name in found if name.endswith(("wandb-media", "wandb-artifacts"))]) == 4
    assert len(found) >= 2 * (2 + 4)
    assert len(set(found)) == len(found)


def test_wandb_starts_in_each_child_and_ends_with_it(project: Path, parent: Parent) -> None:
    words = [*WORDS, "logger=wandb", "logger.mode=offline"]
    fresh = tracked(train(project, None, *words))
    assert [name for name in fresh if "media/table" in name]
    for _ in range(2):
        run = train(project, parent.socket, *words)
        assert was_forked(run)
        assert tracked(run) == fresh
        until(lambda run=run: not _of(run.path))  # type: ignore[misc]
    assert len(psutil.Process(parent.pid).threads()) == 1
    assert was_forked(train(project, parent.socket, *UNTRACKED))


def tracked(run: RunDir) -> list[str]:
    """The files that W&B has made of a run, and what the run warns of."""
    result = run.read().result
    assert result is not None
    (begun,) = (run.path / "wandb").glob("offline-run-*")
    moment, _, tracker_id = begun.name.removeprefix("offline-run-").partition("-")
    names = [str(path.relative_to(run.path)) for path in (run.path / "wandb").rglob("*")]
    alike = [name.replace(moment, "MOMENT").replace(tracker_id, "ID") for name in names]
    return [*sorted(re.sub("[0-9a-f]{20}", "SHA", name) for name in alike), *result.warnings]


def test_stopped_it_says_one_line(project: Path) -> None:
    """PyTorch's libraries write a page about themselves where they are taken apart; at any moment."""
    for words in ([], UNTRACKED):
        with tempfile.TemporaryDirectory() as folder:  # a socket's path is short
            socket = Path(folder) / "socket"
            process = begin(project, None, "warm", f"--socket={socket}")
            until(socket.exists)
            if words:
                assert was_forked(train(project, socket, *words))
            else:
                until(lambda pid=process.pid: "libtorch" in Path(f"/proc/{pid}/maps").read_text(), 120)  # type: ignore[misc]
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=60)
        assert output.splitlines() == [
            f"export CTEXP_WARM={socket}",
            f"the warm trainer at {socket} has ended",
        ]
        assert process.returncode == 0


def _of(folder: Path) -> list[psutil.Process]:
    """The processes that have a file below a folder open, or name it."""
    found = []
    for process in psutil.process_iter():
        try:
            named = str(folder) in " ".join(process.cmdline())
            if named or any(file.path.startswith(str(folder)) for file in process.open_files()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def _training(server: psutil.Process) -> psutil.Process | None:
    """The child that trains: imports start other programs for a moment."""
    with suppress(psutil.NoSuchProcess):
        return next((child for child in server.children() if child.name() == server.name()), None)
    return None


@pytest.fixture(scope="module")
def whole(project: Path, parent: Parent) -> dict[str, Any]:
    return essence(train(project, parent.socket, *UNTRACKED))


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("victim", ["client", "child", "parent"])
def test_killed_at_any_moment(
    project: Path, parent: Parent, whole: dict[str, Any], victim: str, number: int
) -> None:
    """No process is left, no lock is held, and the run goes on as if nothing had been."""
    draw = random.Random(f"{victim} {number}")
    before = set(run_paths(project / "runs"))
    with Parent(project, ENVIRONMENT) as mortal:
        process = begin(project, mortal.socket, "train", *UNTRACKED)
        server = psutil.Process(mortal.pid)
        child = until(lambda: _training(server), 100)
        time.sleep(draw.uniform(0, 1.5))
        with suppress(psutil.NoSuchProcess):  # it was faster than the clock
            {"client": psutil.Process(process.pid), "child": child, "parent": server}[victim].kill()
        process.communicate(timeout=60)
        until(lambda: not lives(child.pid))
    made = [RunDir(path) for path in run_paths(project / "runs") if path not in before]
    for run in made:
        until(lambda run=run: not run.lock().is_held() and not _of(run.path))  # type: ignore[misc]
        state = run.state()
        assert state in {"interrupted", "finished"}
        if run.read().manifest is None:
            continue  # killed before its record was whole; it never counted
        if state == "interrupted":
            finish(project, parent.socket, "train", "--resume", run.id)
        assert essence(run) == whole
    if victim == "parent":
        assert process.returncode in {0, 143, -signal.SIGTERM, -signal.SIGKILL}
    else:
        assert process.returncode in {0, -signal.SIGKILL}


def test_folds_are_forked(project: Path, parent: Parent) -> None:
    inv(project, "data-split", "--dataset=tiny", "--scheme=kfold", "--folds=2")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=folds")
    finish(project, parent.socket, "cross-validate", *TINY, "run.name=folds")
    runs = [RunDir(path) for path in run_paths(project / "runs") if path.name.startswith("folds_")]
    assert len(runs) == 2
    assert all(was_forked(run) for run in runs)
