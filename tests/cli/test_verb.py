"""How a verb ends: exit codes, what stands on stderr, and the JSON document in its place on stdout."""

import json
import os
import re
import signal
import subprocess
import sys
from functools import partial
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from invoke.context import Context

from tests.cli.verbs import tasks_of

ROOT = Path(__file__).resolve().parents[2]
INV = Path(sys.prefix) / "bin" / "inv"

TASKS = """
import ctexp.cli
from ctexp.cli import frontdoor
from ctexp.cli.verb import verb

frontdoor.install()
ctexp.cli.__path__.append(__file__.removesuffix("tasks.py"))

@verb("sample:refused")
def refused(_, json=False): "Raise."
@verb("sample:bug")
def bug(_, json=False): "Break."
@verb("sample:lacking")
def lacking(_): "Import what is not there."
@verb("sample:told")
def told(_, code=0): "Return."
@verb("sample:full")
def full(_): "Write to a full disk."
@verb("sample:hungry")
def hungry(_): "Ask for too much memory."
@verb("sample:wait")
def wait(_): "Wait."
@verb("sample:careless")
def careless(_): "Wait, and import what does without what it cannot import."
@verb("sample:many")
def many(_): "Print more than a pipe holds."
@verb("sample:pipe")
def pipe(_): "Break a pipe that is not ours."
"""

SAMPLE = """
import os, signal
from ctexp.core.errors import DataError

def refused(json): raise DataError(["one is missing", "two is torn"], "import them again")
def bug(json): return {}["no such key"]
def lacking(): import no_such_module_here
def told(code): print("told"); return code
def full(): open("/dev/full", "w", buffering=1).write("x\\n")
def hungry(): bytearray(2**62)
def wait(): print("ready", flush=True); signal.pause()
def careless(): import careless
def many(): [print("a line of output") for _ in range(100_000)]
def pipe():
    reader, writer = os.pipe()
    os.close(reader)
    os.write(writer, b"x")
"""


CARELESS = """
import signal
try:
    print("ready", flush=True); signal.pause()
except Exception:
    print("done without")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "careless.py").write_text(CARELESS)
    (folder / "tasks.py").write_text(TASKS)
    (folder / "sample.py").write_text(SAMPLE)
    return folder


def inv(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = os.environ | environment
    return subprocess.run(
        [INV, *words], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )


def test_an_error_is_its_lines_and_its_exit_code(folder: Path) -> None:
    done = inv(folder, "refused", "told")
    assert done.returncode == 3
    assert done.stderr == "DataError: one is missing\nDataError: two is torn -> import them again\n"
    assert done.stdout == "", "a failed task ends the command"


def test_an_error_is_one_json_document_where_json_was_asked_for(folder: Path) -> None:
    done = inv(folder, "refused", "--json")
    assert done.returncode == 3
    assert done.stderr.startswith("DataError: one is missing\n")
    assert json.loads(done.stdout) == {
        "schema_version": 1,
        "error": {
            "kind": "DataError",
            "exit_code": 3,
            "problems": ["one is missing", "two is torn"],
            "hint": "import them again",
        },
    }


def test_a_bug_is_one_line_that_names_the_kept_traceback(folder: Path, tmp_path: Path) -> None:
    done = inv(folder, "bug", TMPDIR=str(tmp_path))
    assert done.returncode == 1
    told = re.fullmatch(r"bug: KeyError: 'no such key'; traceback in (\S+)\n", done.stderr)
    assert told is not None, done.stderr
    kept = Path(told[1])
    assert kept.parent == tmp_path
    assert 'return {}["no such key"]' in kept.read_text()


def test_a_bug_is_json_too(folder: Path, tmp_path: Path) -> None:
    error = json.loads(inv(folder, "bug", "--json", TMPDIR=str(tmp_path)).stdout)["error"]
    assert (error["kind"], error["exit_code"]) == ("bug", 1)
    assert error["problems"] == ["KeyError: 'no such key'"]


def test_a_bug_of_a_known_kind_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    known = "no_such_module_here is not installed in .venv: .* \\(docs/errors.md#module-missing\\)\n"
    told = inv(folder, "lacking", TMPDIR=str(tmp_path)).stderr
    what = "bug: ModuleNotFoundError: No module named 'no_such_module_here'"
    assert re.fullmatch(rf"{what}; traceback in \S+; {known}", told), told
    assert re.search(rf"\n{what}; {known}$", inv(folder, "lacking", "--debug").stderr)


@pytest.mark.parametrize(("verb", "code"), [("bug", 1), ("refused", 3)])
def test_debug_shows_the_traceback(folder: Path, tmp_path: Path, verb: str, code: int) -> None:
    done = inv(folder, verb, "--debug", TMPDIR=str(tmp_path))
    assert done.returncode == code
    assert done.stderr.startswith("Traceback (most recent call last):")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [0, 4, 12])
def test_an_outcome_already_told_is_only_an_exit_code(folder: Path, code: int) -> None:
    done = inv(folder, "told", "--code", str(code))
    assert (done.returncode, done.stdout, done.stderr) == (code, "told\n", "")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_go_nowhere(folder: Path, closed: str) -> None:
    command = f'"$0" told {closed}; "$0" refused {closed}'
    done = subprocess.run(["sh", "-c", command, INV], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stdout == ("" if ">&-" in closed.split() else "told\n")


def test_a_full_disk_is_exit_5(folder: Path) -> None:
    done = inv(folder, "full")
    assert done.returncode == 5
    # Python 3.13 adds its own complaint about the file that could not be closed.
    last = done.stderr.splitlines()[-1]
    assert re.fullmatch(r"StorageError: .*No space left on device.* -> free some space.*", last)


def test_too_little_memory_is_exit_10(folder: Path) -> None:
    done = inv(folder, "hungry")
    assert done.returncode == 10
    assert done.stderr.startswith("MemoryExhausted: ")


@pytest.mark.parametrize("task", ["wait", "careless"])
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_one_line_and_its_exit_code(
    folder: Path, task: str, signum: signal.Signals, code: int
) -> None:
    with subprocess.Popen(
        [INV, task],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A suite that runs in the background of a script hands its children a SIGINT that is ignored.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signum)
        went_on, told = process.communicate()
    assert (process.returncode, went_on) == (code, "")
    assert told == f"Stopped: {signum.name} was received -> the same command begins it again\n"


@pytest.mark.parametrize("buffering", ["", "1"])
def test_a_reader_that_leaves_is_no_error(folder: Path, buffering: str) -> None:
    script = '"$1" many | head -n 1; echo "${PIPESTATUS[0]}"'
    done = subprocess.run(
        ["bash", "-c", script, "bash", INV],
        cwd=folder,
        env=os.environ | {"PYTHONUNBUFFERED": buffering},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "a line of output\n141\n"
    assert done.stderr == ""


def test_another_broken_pipe_is_a_bug(folder: Path, tmp_path: Path) -> None:
    done = inv(folder, "pipe", TMPDIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("bug: BrokenPipeError")


def test_every_verb_finds_a_function_that_takes_its_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    called: dict[str, set[str]] = {}

    def note(target: str, flags: dict[str, Any], *, debug: bool) -> None:
        assert debug is False
        called[target] = set(flags)

    monkeypatch.setattr("ctexp.cli.verb.perform", note)
    tasks = tasks_of(ROOT).values()
    for task in tasks:
        task(Context(), **{argument.name: argument.value for argument in task.get_arguments()})

    assert len(called) == len(tasks)
    for target, flags in called.items():
        family, _, function = target.partition(":")
        assert set(signature(getattr(import_module(f"ctexp.cli.{family}"), function)).parameters) == flags


def test_no_verb_loads_torch_before_it_is_called() -> None:
    families = [file.stem for file in (ROOT / "src/ctexp/cli").glob("*.py") if file.stem != "__init__"]
    script = "; ".join([*(f"import ctexp.cli.{name}" for name in families), "import sys"])
    script += "; print({'torch', 'pytorch_lightning', 'timm', 'torchvision'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
