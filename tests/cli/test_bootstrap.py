"""`scripts/inv` under a real sh: which uv it uses, what it installs when, and what a broken start leaves.

uv and Python are stand-ins that note how they were called and make what the real ones would; the last test
runs the real uv.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# The commands of a Debian without Python.
SYSTEM = ("cat", "cmp", "cp", "dirname", "flock", "mkdir", "mv", "rm", "sed", "sh")

UV = r"""#!/bin/sh
echo "uv $*" >>"$CALLS"
case "$1 $2" in
    "python dir") [ ! -e "$STAGE/uv-too-old" ] || case $0 in */.uv/*) ;; *) exit 2 ;; esac ;;
    "venv --quiet") mkdir -p "$4/bin" && rm -rf "${4:?}"/lib && cp "$STAGE/python" "$4/bin/python" ;;
    "pip sync")
        bin=$(dirname "$6")
        mkdir -p "$bin/../lib"
        cp "$STAGE/inv" "$bin/inv"
        [ ! -e "$STAGE/hold" ] || cat "$STAGE/hold"
        [ ! -e "$STAGE/kill" ] || { rm "$STAGE/kill" && kill -9 "$PPID"; }
        [ ! -e "$STAGE/fail" ] || exit 2
        for lock; do :; done
        cp "$lock" "$bin/../lib/installed"
        ;;
esac
"""

PYTHON = r"""#!/bin/sh
echo "python $*" >>"$CALLS"
case "$*" in
    "-m venv "*) [ -e "$STAGE/has-venv" ] || exit 1; mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    "-m pip --version") [ -e "$STAGE/has-pip" ] ;;
    "-m pip install "*--target*) mkdir -p .uv/lib/bin && cp "$STAGE/uv-to-install" .uv/lib/bin/uv ;;
    "-m pip install "*) cp "$STAGE/uv-to-install" .uv/bin/uv ;;
esac
"""

INV = r"""#!/bin/sh
for word; do printf '<%s>' "$word"; done
printf ' %s\n' "${CTEXP_ROOT-}"
"""


class Desk:
    """A project with `scripts/inv`, and a machine that has nothing but what is put on its PATH."""

    def __init__(self, folder: Path) -> None:
        self.stage = folder / "stage"
        self.bin = folder / "bin"
        self.project = folder / "my project"
        self.calls_file = folder / "calls"
        for path in (self.stage, self.bin, self.project / "scripts"):
            path.mkdir(parents=True)
        shutil.copy(ROOT / "scripts/inv", self.project / "scripts")
        (self.project / "pyproject.toml").write_text(
            '[project.optional-dependencies]\nmlflow = ["mlflow>=3,<4"] # logger=mlflow\nray = ["ray"]\n\n'
            '[tool.uv]\nrequired-version = ">=0.9,<0.14"\n'
        )
        self.lock("requirements.lock", "one==1")
        self.lock("requirements-dev.lock", "one==1 and tools")
        for name in SYSTEM:
            found = shutil.which(name)
            assert found is not None, name
            (self.bin / name).symlink_to(found)
        for name, text in (("uv-to-install", UV), ("python", PYTHON), ("inv", INV)):
            self.program(self.stage / name, text)

    def program(self, path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)

    def lock(self, name: str, text: str) -> None:
        (self.project / name).write_text(f"{text}\n")

    def with_uv(self) -> "Desk":
        self.program(self.bin / "uv", UV)
        return self

    def with_python(self, *abilities: str) -> "Desk":
        self.program(self.bin / "python3", PYTHON)
        for ability in abilities:
            (self.stage / f"has-{ability}").touch()
        return self

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": str(self.bin), "CALLS": str(self.calls_file), "STAGE": str(self.stage)}

    def command(self, *words: str) -> list[str]:
        return [str(self.project / "scripts/inv"), *words]

    def start(self, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        self.calls_file.write_text("")
        return subprocess.run(
            self.command(*words),
            cwd=cwd or self.project,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self, program: str = "uv") -> list[str]:
        """How a program was called since the last start, the asking for its fitness left out."""
        lines = [line for line in self.calls_file.read_text().splitlines() if line.startswith(f"{program} ")]
        return [line for line in lines if "python dir" not in line and "python find" not in line]

    @property
    def installed(self) -> str:
        return (self.project / ".venv/lib/installed").read_text().strip()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_first_start_installs_the_lock_and_the_second_nothing(desk: Desk) -> None:
    desk.with_uv()
    first = desk.start("--list")
    assert (first.returncode, first.stdout) == (0, "<--list> \n")
    assert "installing the 1 packages of requirements.lock into .venv/" in first.stderr
    assert desk.installed == "one==1"
    venv, sync, project = desk.calls()
    assert venv == f"uv venv --quiet --clear {desk.project}/.venv"
    lock = f"{desk.project}/requirements.lock"
    assert sync.endswith(f" --require-hashes --compile-bytecode --build-constraints {lock} --quiet {lock}")
    assert re.fullmatch(r"uv pip install .* --no-deps --editable \.", project)

    second = desk.start("--list")
    assert (second.returncode, second.stdout, second.stderr) == (0, "<--list> \n", "")
    assert desk.start().stdout == "<--list> \n"  # rather than Invoke's own flags
    assert desk.calls_file.read_text() == ""


def test_who_asks_for_help_gets_no_tools_of_development(desk: Desk) -> None:
    desk.with_uv()
    for words in (("--help", "ruff"), ("--help=check",)):
        desk.start(*words)
        assert desk.installed == "one==1"
    desk.start("ruff")
    assert desk.installed == "one==1 and tools"


def test_words_reach_inv_as_they_were_typed(desk: Desk) -> None:
    desk.with_uv()
    words = ["train", "run.description=a 'b' \"c\" $(d)", "", "*", "+x=[1,2]"]
    assert desk.start(*words).stdout == "".join(f"<{word}>" for word in words) + " \n"


def test_a_changed_lock_is_installed_into_the_same_environment(desk: Desk) -> None:
    desk.with_uv().start()
    desk.lock("requirements.lock", "one==2")
    assert desk.start().returncode == 0
    assert desk.installed == "one==2"
    assert not any(call.startswith("uv venv") for call in desk.calls())


@pytest.mark.parametrize("verb", ["test", "check", "ruff"])
def test_development_gets_its_tools_and_keeps_them(desk: Desk, verb: str) -> None:
    desk.with_uv().start("train")
    assert desk.installed == "one==1"
    desk.start(verb, "--debug")
    assert desk.installed == "one==1 and tools"
    desk.start("train")
    assert desk.installed == "one==1 and tools"
    assert desk.calls() == []
    desk.lock("requirements-dev.lock", "two and tools")
    desk.start("train")
    assert desk.installed == "two and tools"


def test_a_value_named_like_a_verb_of_development_installs_no_tools(desk: Desk) -> None:
    desk.with_uv().start("evaluate", "--split", "test")
    assert desk.installed == "one==1"
    desk.start("--echo", "test")
    assert desk.installed == "one==1 and tools"


def test_extras_come_at_the_versions_of_the_lock_and_are_kept_when_it_changes(desk: Desk) -> None:
    desk.with_uv()
    done = desk.start("--extra", "mlflow")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.endswith("scripts/inv: installed: mlflow\n")
    lock = f"{desk.project}/requirements-dev.lock"
    assert desk.calls()[-1].endswith(f" --constraints {lock} --editable {desk.project}[mlflow]")
    desk.start("--extra", "ray", "mlflow")
    assert [call.endswith(f" --editable {desk.project}[mlflow,ray]") for call in desk.calls()] == [True]

    desk.lock("requirements.lock", "one==2")
    assert desk.start("train").stdout == "<train> \n"
    assert desk.calls()[-1].endswith(f" --editable {desk.project}[mlflow,ray]")
    assert desk.start("train").returncode == 0
    assert desk.calls() == []


@pytest.mark.parametrize(
    ("words", "said"),
    [(["mlflow", "nonsense"], "--extra: 'nonsense' is none; there are mlflow ray"), ([], "--extra: which? ")],
)
def test_an_extra_that_does_not_exist_is_named_and_nothing_added(
    desk: Desk, words: list[str], said: str
) -> None:
    desk.with_uv().start()
    refused = desk.start("--extra", *words)
    assert (refused.returncode, refused.stdout) == (4, "")
    assert said in refused.stderr
    assert desk.calls() == []
    assert desk.start("train").stdout == "<train> \n"


@pytest.mark.parametrize(
    ("ability", "uv", "install"),
    [
        ("venv", "bin/uv", r"python -m pip install (?!.*--target).* uv>=0\.9,<0\.14"),
        ("pip", "lib/bin/uv", r"python -m pip install .*--target \S+ project/\.uv/lib uv>=0\.9,<0\.14"),
    ],
)
@pytest.mark.parametrize("unfit", [False, True])
def test_uv_is_put_beside_the_project_where_none_fits(
    desk: Desk, ability: str, uv: str, install: str, unfit: bool
) -> None:
    desk.with_python(ability)
    if unfit:
        desk.with_uv()
        (desk.stage / "uv-too-old").touch()
    done = desk.start("--list")
    assert (done.returncode, done.stdout) == (0, "<--list> \n")
    assert "scripts/inv: putting uv>=0.9,<0.14 into .uv/\n" in done.stderr
    assert re.fullmatch(install, desk.calls("python")[-2]), desk.calls("python")
    assert (desk.project / ".uv" / uv).exists()
    assert desk.installed == "one==1"

    desk.lock("requirements.lock", "one==2")
    assert "putting" not in desk.start().stderr, "the uv from before is used again"
    assert desk.installed == "one==2"


@pytest.mark.parametrize("python", [False, True])
def test_without_uv_venv_and_pip_one_line_names_the_package(desk: Desk, python: bool) -> None:
    if python:
        desk.with_python()
    done = desk.start("--list")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == "scripts/inv: needs uv, or a Python with venv or pip: apt install python3-venv\n"


def test_a_failed_install_is_exit_4_and_is_tried_again(desk: Desk) -> None:
    desk.with_uv()
    (desk.stage / "fail").touch()
    done = desk.start("--list")
    assert (done.returncode, done.stdout) == (4, "")
    assert "could not install requirements.lock" in done.stderr
    (desk.stage / "fail").unlink()
    assert desk.start("--list").returncode == 0
    assert desk.installed == "one==1"


def test_a_killed_install_is_made_anew_by_the_next_start(desk: Desk) -> None:
    desk.with_uv().start()
    desk.lock("requirements.lock", "one==2")
    (desk.stage / "kill").touch()
    assert desk.start("--list").returncode != 0
    assert desk.start("--list").stdout == "<--list> \n"
    assert desk.calls()[0].startswith("uv venv --quiet --clear"), "nothing half-made is built upon"
    assert desk.installed == "one==2"


def test_a_moved_project_gets_a_new_environment(desk: Desk) -> None:
    desk.with_uv().start()
    desk.project = desk.project.rename(desk.project.with_name("elsewhere"))
    assert desk.start().returncode == 0
    assert desk.calls()[0] == f"uv venv --quiet --clear {desk.project}/.venv"


def test_of_two_starts_one_installs_and_the_other_waits(desk: Desk) -> None:
    desk.with_uv()
    desk.calls_file.write_text("")
    os.mkfifo(desk.stage / "hold")

    def started(word: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            desk.command(word),
            cwd=desk.project,
            env=desk.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    first = started("first")
    # Opening the pipe to write waits until the uv of the first start reads it: that start is installing now.
    with (desk.stage / "hold").open("w"):
        second = started("second")
        assert second.stderr is not None
        assert second.stderr.readline() == "scripts/inv: waiting for another start that installs\n"
        (desk.stage / "hold").unlink()
    assert first.communicate()[0] == "<first> \n"
    assert second.communicate() == ("<second> \n", "")
    assert len([call for call in desk.calls() if call.startswith("uv pip sync")]) == 1


def test_it_works_from_anywhere(desk: Desk, tmp_path: Path) -> None:
    desk.with_uv()
    assert desk.start("x", cwd=desk.project / "scripts").stdout == "<x> \n"
    assert desk.start("x", cwd=tmp_path).stdout == f"<--search-root><{desk.project}><x> {desk.project}\n"


@pytest.mark.slow
def test_the_real_uv_installs_what_the_hashes_allow_and_no_more(tmp_path: Path) -> None:
    lock = (ROOT / "requirements.lock").read_text()
    entry = re.search(r"^invoke==.*(\n    --hash=.*)+", lock, re.M)
    assert entry is not None
    project = tmp_path / "project"
    for folder in ("scripts", "src/ctexp", "conf"):
        (project / folder).mkdir(parents=True)
    for name in ("scripts/inv", "pyproject.toml", "LICENSE", "README.md", "src/ctexp/__init__.py"):
        shutil.copy(ROOT / name, project / name)
    (project / "tasks.py").write_text("from invoke import task\n\n@task\ndef hello(_):\n    print('hello')\n")
    (project / "requirements.lock").write_text(f"{entry[0]}\n")
    environment = os.environ | {"PATH": f"{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}"}

    def start() -> subprocess.CompletedProcess[str]:
        command = [str(project / "scripts/inv"), "hello"]
        return subprocess.run(
            command, cwd=project, env=environment, capture_output=True, text=True, check=False
        )

    done = start()
    assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr
    package = next((project / ".venv/lib").glob("python3*/site-packages/invoke"))
    assert list(package.glob("__pycache__/program.*.pyc")), "bytecode is compiled"
    assert start().stderr == ""

    shutil.rmtree(project / ".venv")
    wrong = re.sub(r"sha256:.{8}", "sha256:00000000", entry[0])
    (project / "requirements.lock").write_text(f"{wrong}\n")
    done = start()
    assert (done.returncode, done.stdout) == (4, "")
    assert "requirements.lock" in done.stderr
