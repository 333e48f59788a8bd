"""What the catalogue of failures knows, what it is silent about, and that its advice can be followed."""

import copy
import json
import re
import resource
import shlex
import sqlite3
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable
from importlib import import_module
from multiprocessing.connection import Client
from pathlib import Path

import numpy as np
import pytest
from invoke.collection import Collection
from invoke.loader import FilesystemLoader
from PIL import Image

from ctexp.config.keys import keys
from ctexp.core import errors
from ctexp.core.failures.catalogue import entries, explain
from tests.project import HERE


def known(said: str | BaseException, exit_code: int | None = None) -> str | None:
    """The id of the entry that a failure is told by."""
    remedy = explain(said, exit_code)
    return remedy.id if remedy else None


def raised(action: Callable[[], object]) -> BaseException:
    try:
        action()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def test_every_entry_tells_its_own_examples_and_no_other_does() -> None:
    told = {(entry.id, example): known(example) for entry in entries() for example in entry.examples}
    assert {entry_id for (entry_id, _), found in told.items() if found != entry_id} == set()


def test_every_entry_can_be_met_and_says_one_line_without_gaps() -> None:
    names = [entry.id for entry in entries()]
    assert len(names) == len(set(names))
    for entry in entries():
        assert (entry.signs and entry.examples) or entry.exit_codes, entry.id
        for said, code in [(one, None) for one in entry.examples] + [("", one) for one in entry.exit_codes]:
            remedy = explain(said, code)
            assert remedy is not None
            assert remedy.id == entry.id
            assert not re.search(r"[{}\n]", remedy.hint)
            assert remedy.hint.endswith(f"(docs/errors.md#{entry.id})")


def test_every_gap_of_a_text_is_filled_by_every_sign_of_its_entry() -> None:
    for entry in entries():
        gaps = set(re.findall(r"\{(\w+)\}", " ".join([entry.diagnosis, *entry.fixes])))
        for sign in entry.signs:
            assert gaps <= set(sign.groupindex), (entry.id, sign.pattern)
        assert not (gaps and entry.exit_codes), entry.id


def test_the_commands_of_fixes_are_commands_of_this_project(tasks: Collection) -> None:
    told = [fix for entry in entries() for fix in entry.fixes]
    commands = [line for fix in told for line in re.findall(r"`scripts/inv ([^`]+)`", fix)]
    assert len(commands) > 10
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].keys()
    for command in commands:
        verb, *words = shlex.split(command)
        if verb == "--extra":
            assert set(words) <= extras, command
            continue
        flags = {flag for argument in tasks[verb].get_arguments() for flag in argument.names}
        for word in words:
            assert not word.startswith("--") or word[2:].replace("-", "_") in flags, command


def test_the_settings_that_fixes_name_exist() -> None:
    groups = {key.partition(".")[0] for key in keys()}
    told = " ".join(fix for entry in entries() for fix in entry.fixes)
    named = set(re.findall(rf"(?<![\w./`])((?:{'|'.join(groups)})\.[a-z_]+)(?![\w(.])", told))
    assert {"data.batch_size", "trainer.accelerator", "model.weights"} <= named
    assert named - set(keys()) == set()


def test_no_message_of_this_project_is_taken_for_a_failure_from_below() -> None:
    sources = [path.read_text() for path in (HERE / "src" / "ctexp").rglob("*.py")]
    literals = {found[0] for source in sources for found in re.finditer(r'"(?=[^"\n]* )[^"\n]+"', source)}
    assert len(literals) > 3000
    told = "\n".join(
        re.sub(r"\{[^{}]*\}", "7", one[1:-1]) for one in literals
    )  # 7: what f-strings leave open
    for entry in entries():
        for sign in entry.signs:
            assert (found := sign.search(told)) is None, (entry.id, found)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Diverged: the loss of step 41 is not finite",
        "UsageError: conf/local.yaml:3: data.nam: no such key -> did you mean 'data.name'?",
        "warning: W&B: https://api.wandb.ai does not answer (timed out); this run is tracked offline",
        "epoch 7/10  train/loss 0.41  val/accuracy 0.91  0.2 s  913 images/s",
        "ZeroDivisionError: division by zero",
        "AssertionError",
        "KeyError: 'CUDA out of memory'",
        "ValueError: the file says: no such file or directory",
        "a module named data was found, and no module is missing",
    ],
)
def test_what_is_not_known_gets_no_hint(said: str) -> None:
    assert explain(said) is None


def test_a_hint_is_true_of_what_was_raised() -> None:
    def told(action: Callable[[], object]) -> str:
        remedy = explain(raised(action))
        return remedy.diagnosis if remedy else ""

    assert told(lambda: import_module("numpy.statistic")) == "numpy is there, and has no module statistic"
    assert told(lambda: import_module("ctexp.reserach")) == "ctexp is there, and has no module reserach"
    assert told(lambda: import_module("math.pi")) == "math is there, and has no module pi"
    assert told(lambda: import_module("no_such.part")) == "no_such is not installed in .venv"
    assert told(lambda: getattr(np, "maen")) == "this NumPy has no np.maen"  # noqa: B009
    assert "deep copy" in told(lambda: copy.deepcopy(threading.Lock()))
    assert "its encoding lacks" in told(lambda: "é".encode("ascii"))
    assert "process" in told(lambda: Client(("127.0.0.1", 9)))
    assert told(lambda: open("")) == ""  # noqa: PTH123, SIM115


def test_source_that_quotes_a_message_is_not_that_message() -> None:
    trace = """Traceback (most recent call last):
  File "/home/a/handler.py", line 3, in e_main
    raise ValueError("CUDA out of memory. Tried to allocate 3 GiB") if odd else None
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
KeyError: 'odd'
"""
    assert explain(trace) is None


def test_what_had_been_caught_is_not_what_ended_it_but_a_cause_is() -> None:
    def caught() -> None:
        try:
            import_module("no_such_module_here")
        except ImportError:
            raise RuntimeError("something else")  # noqa: B904

    def caused() -> None:
        try:
            import_module("no_such_module_here")
        except ImportError as error:
            raise RuntimeError("something else") from error

    assert known(raised(caught)) is None
    assert known(raised(caused)) == "module-missing"
    trace = (
        "ModuleNotFoundError: No module named 'x'\n\n"
        "During handling of the above exception, another exception occurred:\n\nRuntimeError: else\n"
    )
    assert known(trace) is None
    circle = RuntimeError("I caused myself")
    circle.__cause__ = circle
    assert known(circle) is None


def test_the_last_of_several_failures_in_a_log_counts() -> None:
    first = "wandb.errors.errors.CommError: Timed out while retrying"
    last = "OSError: [Errno 28] No space left on device"
    assert known(f"{first}\n{last}\n") == "disk-full"
    assert known(f"{last}\n{first}\n") == "tracker-unreachable"
    assert known(first + "\nan epoch is over" * 300) is None
    assert known(f"2026-11-22T02:41:30.123Z {last}") == "disk-full"


def test_words_count_more_than_how_a_program_ended() -> None:
    assert known("OSError: [Errno 28] No space left on device", 137) == "disk-full"
    assert known("epoch 3", 137) == known("epoch 3", -9) == "killed"
    assert known("epoch 3", 1) is None


def test_a_cause_of_the_data_loader_is_told_before_its_echo() -> None:
    killed = """RuntimeError: DataLoader worker (pid 19731) is killed by signal: Killed.

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
RuntimeError: DataLoader worker (pid(s) 19731) exited unexpectedly
"""
    assert known(killed) == "dataloader-worker-killed"
    bus = killed.replace(
        "Killed.", "Bus error. It is possible that dataloader's workers are out of shared memory."
    )
    assert known(bus) == "dataloader-shared-memory"


def test_what_a_message_names_stands_in_the_hint() -> None:
    remedy = explain("ModuleNotFoundError: No module named 'pandas'")
    assert remedy is not None
    assert remedy.diagnosis == "pandas is not installed in .venv"
    long = explain("PermissionError: [Errno 13] Permission denied: '/" + "a\n" * 50 + "b" * 900 + "'")
    assert long is not None
    assert len(long.hint) < 500


def test_without_files_to_open_it_is_silent_and_does_no_harm() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    entries.cache_clear()
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        told = explain("OSError: [Errno 24] Too many open files: 'x.png'")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert told is None
    assert known("OSError: [Errno 24] Too many open files: 'x.png'") == "too-many-open-files"


def test_real_errors_of_python_and_its_packages(tmp_path: Path) -> None:
    picture = tmp_path / "torn.jpg"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (99, 99), np.uint8)).save(picture)
    picture.write_bytes(picture.read_bytes()[:2000])
    (tmp_path / "no.db").write_text("this is no database at all")

    def full() -> None:
        with Path("/dev/full").open("wb", buffering=0) as file:
            file.write(b"x")

    def decoded() -> None:
        with Image.open(picture) as opened:
            opened.load()

    def endless(depth: int) -> int:
        return endless(depth + 1)

    told = {
        "disk-full": full,
        "host-out-of-memory": lambda: np.empty(10**15),
        "module-missing": lambda: import_module("no_such_module_here"),
        "name-missing-in-module": lambda: exec("from ctexp.core.files import nothing"),  # noqa: S102
        "file-missing": lambda: (tmp_path / "none.csv").read_text(),
        "data-set-missing": lambda: (tmp_path / "data" / "raw" / "x" / "1.png").read_bytes(),
        "checkpoint-missing": lambda: (tmp_path / "runs" / "a" / "checkpoints" / "best.ckpt").read_bytes(),
        "program-missing": lambda: subprocess.run(["squeue"], check=True, env={"PATH": str(tmp_path)}),
        "image-damaged": decoded,
        "database-damaged": lambda: sqlite3.connect(tmp_path / "no.db").execute("create table a (b)"),
        "decomposition-failed": lambda: np.linalg.inv(np.zeros((2, 2))),
        "not-json": lambda: json.dumps(np.float32(1)),
        "endless-recursion": lambda: endless(0),
        "locale": lambda: "é".encode("ascii"),
        "numpy-removed-name": lambda: np.float_,  # type: ignore[attr-defined]
    }
    assert {expected: known(raised(action)) for expected, action in told.items()} == {
        name: name for name in told
    }
    assert known(raised(lambda: bytearray(2**62))) == "host-out-of-memory"


@pytest.mark.parametrize("piece", ["a", "sh: ", "x.so", 'File "a", line 1', "data/", "'", "task 1,"])
def test_a_text_of_any_size_is_looked_at_quickly(piece: str) -> None:
    began = time.process_time()
    assert explain(piece * (2_000_000 // len(piece))) is None
    assert explain(f"{piece * 200}\n" * 1000) is None
    assert time.process_time() - began < 5


def test_real_errors_of_git(tmp_path: Path) -> None:
    def said(*words: str) -> str:
        surroundings = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "GIT_CEILING_DIRECTORIES": str(tmp_path),
        }
        done = subprocess.run(
            ["git", *words], cwd=tmp_path / "g", env=surroundings, capture_output=True, text=True, check=False
        )
        assert done.returncode, words
        return done.stderr

    (tmp_path / "g").mkdir()
    assert known(said("status")) == "git-no-repository"
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path / "g", check=True)
    assert known(said("checkout", "0123456789" * 4)) in {"git-commit-gone", None}
    assert known(said("worktree", "add", "--detach", "w", "0123456789" * 4)) == "git-commit-gone"
    (tmp_path / "g" / ".git" / "index.lock").touch()
    (tmp_path / "g" / "a").touch()
    assert known(said("add", "a")) == "git-locked"
    (tmp_path / "p.diff").write_text("--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n")
    assert known(said("apply", "../p.diff")) == "git-patch-does-not-fit"


_PROVOKED = """
import io, os, signal, sys, traceback, warnings
warnings.simplefilter("ignore")
import torch, safetensors.torch, sklearn.linear_model, timm
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

class Made(Dataset):
    def __init__(self, item): self.item = item
    def __len__(self): return 8
    def __getitem__(self, i): return self.item(i)

def load(item, **more):
    for _ in DataLoader(Made(item), num_workers=1, batch_size=2, **more): pass

def wait(_):
    import time
    time.sleep(30)

def die(_):
    import time
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGKILL)

kept = io.BytesIO()
torch.save({"a": torch.zeros(1000)}, kept)
open("torn.pt", "wb").write(kept.getvalue()[:2000])
class Thing: pass
torch.save(Thing(), "thing.pt")
open("torn.safetensors", "wb").write(b"<html>hello</html>")
learned = torch.ones(1, requires_grad=True)
loss = (learned * learned).sum()
loss.backward()
wrong = {
    "host-out-of-memory": lambda: torch.empty(10**15),
    "checkpoint-damaged": lambda: torch.load("torn.pt"),
    "checkpoint-damaged ": lambda: safetensors.torch.load_file("torn.safetensors"),
    "checkpoint-not-trusted": lambda: torch.load("thing.pt"),
    "disk-full": lambda: torch.save({"a": torch.zeros(10**6)}, "/dev/full"),
    "weights-do-not-fit": lambda: torch.nn.Linear(3, 4).load_state_dict({"weight": torch.zeros(4, 5)}),
    "model-unknown": lambda: timm.create_model("resnet999"),
    "tensor-needs-detach": lambda: learned.numpy(),
    "gradient-missing": lambda: torch.zeros(1).backward(),
    "gradient-twice": lambda: loss.backward(),
    "matrices-do-not-fit": lambda: torch.zeros(2, 3) @ torch.zeros(2, 3),
    "wrong-channels": lambda: torch.nn.Conv2d(3, 4, 3)(torch.zeros(1, 1, 8, 8)),
    "image-too-small": lambda: torch.nn.Conv2d(3, 4, 9)(torch.zeros(1, 3, 4, 4)),
    "single-image-batch": lambda: torch.nn.BatchNorm1d(3)(torch.zeros(1, 3)),
    "class-out-of-range": lambda: F.cross_entropy(torch.zeros(2, 4), torch.tensor([0, 7])),
    "two-kinds-of-numbers": lambda: torch.nn.Linear(3, 4)(torch.zeros(2, 3, dtype=torch.float64)),
    "images-of-different-sizes": lambda: load(lambda i: torch.zeros(i + 1)),
    "item-is-none": lambda: load(lambda i: None),
    "not-picklable": lambda: load(lambda i: 0, multiprocessing_context="spawn"),
    "dataloader-worker-killed": lambda: load(die),
    "dataloader-worker-ended": lambda: load(lambda i: os._exit(3)),
    "dataloader-timeout": lambda: load(wait, timeout=1),
    "input-has-nan": lambda: sklearn.linear_model.LogisticRegression().fit([[float("nan")], [1.0]], [0, 1]),
    "probabilities-are-nan": lambda: torch.multinomial(torch.tensor([float("nan"), 1.0]), 1),
}
if not torch.cuda.is_available():
    wrong["cuda-no-driver"] = lambda: torch.zeros(1).cuda()
from ctexp.core.failures.catalogue import explain
for name, action in wrong.items():
    try:
        action()
    except BaseException as error:
        trace = traceback.format_exc()
        told = [remedy.id if remedy else "" for remedy in (explain(error), explain(trace))]
        print(name.strip(), *told, sep=",")
    else:
        print(name.strip(), "nothing raised", sep=",")
"""


@pytest.mark.slow
def test_real_errors_of_torch(tmp_path: Path) -> None:
    (tmp_path / "provoke.py").write_text(_PROVOKED)
    command = [sys.executable, "provoke.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    rows = [line.split(",") for line in done.stdout.splitlines()]
    assert len(rows) >= 24
    assert [row for row in rows if row != [row[0]] * 3 and row[1:] != ["cuda-not-compiled"] * 2] == []


def test_an_error_of_ours_without_a_hint_is_explained_by_its_cause() -> None:
    ours = errors.StorageError("runs: cannot be written")
    ours.__cause__ = OSError(122, "Disk quota exceeded")
    assert known(ours) == "quota"


@pytest.fixture(scope="module")
def tasks() -> Collection:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("ctexp.cli.frontdoor.install", lambda: None)  # this process parses nothing
        patched.setattr(sys, "path", [*sys.path])
        module, _ = FilesystemLoader(start=str(HERE)).load("tasks")
        return Collection.from_module(module)
