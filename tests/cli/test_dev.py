"""`ruff`, `check` and `test` on small projects of their own: what fails is named, what can be mended is."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.prefix) / "bin"

PYPROJECT = """
[project]
name = "ctexp"
version = "0"
requires-python = ">=3.11"
dependencies = []

[tool.ruff]
line-length = 110
lint.select = ["F"]
lint.per-file-ignores = { "tasks.py" = ["F401"] }

[tool.mypy]
strict = true
files = ["src"]

[tool.importlinter]
root_package = "small"

[[tool.importlinter.contracts]]
name = "floors"
type = "layers"
layers = ["small.upper", "small.lower"]

[tool.pytest.ini_options]
markers = ["slow"]
"""


@pytest.fixture
def project(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A project in good order, with the front door of this one."""
    files = {
        "pyproject.toml": PYPROJECT,
        "conf/config.yaml": "",
        "requirements.lock": "",
        "requirements-dev.lock": "",
        "scripts/inv": "#!/bin/sh\nexec true\n",
        ".ci/run": "#!/bin/sh\nexec true\n",
        "docs/conf.py": 'project = "small"\n',
        "docs/index.rst": "Small\n=====\n",
        "src/small/__init__.py": "",
        "src/small/upper.py": "from small import lower\n\nvalue: int = lower.value\n",
        "src/small/lower.py": "value: int = 1\n",
        "tests/test_it.py": (
            "import pytest\n\n\ndef test_fast():\n    pass\n\n\n"
            "@pytest.mark.slow\ndef test_slow():\n    raise AssertionError\n"
        ),
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    shutil.copy(ROOT / "tasks.py", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "src"))
    monkeypatch.setenv("MYPY_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "mypy"))
    return tmp_path


def inv(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BIN / "inv", *words], cwd=project, capture_output=True, text=True, check=False)


def outcome(done: subprocess.CompletedProcess[str]) -> dict[str, bool]:
    """Each step that was run, and whether it passed."""
    return {
        step: how == "passed" for step, how in re.findall(r"^== (\w+): (passed|FAILED)", done.stderr, re.M)
    }


def test_everything_in_order_passes_and_the_fast_tests_are_what_test_runs(project: Path) -> None:
    done = inv(project, "test")
    assert done.returncode == 0, done.stdout + done.stderr
    steps = ["lint", "format", "types", "imports", "shell", "docs", "lock", "tests"]
    assert outcome(done) == dict.fromkeys(steps, True)
    assert "1 passed" in done.stdout
    assert "test_slow" not in done.stdout


def test_every_step_is_run_and_those_that_fail_are_named(project: Path) -> None:
    (project / "src/small/lower.py").write_text(
        "import os\nfrom small import upper\nvalue: str = upper.value\n"
    )
    for script in ("inv", "night.sh"):
        (project / "scripts" / script).write_text("#!/bin/sh\nrm $1\n")
    (project / "docs/index.rst").write_text("Small\n=====\n\n:doc:`large`\n")
    (project / "requirements.lock").write_text("numpy==1.0\n")
    done = inv(project, "check")
    assert done.returncode == 12
    assert [step for step, passed in outcome(done).items() if not passed] == [
        *("lint", "format", "types", "imports", "shell", "docs", "lock")
    ]
    assert done.stderr.splitlines()[-1].startswith(
        "CriterionNotMet: failed: lint, format, types, imports, shell, docs, lock -> "
    )
    assert "is not what pyproject.toml resolves to -> scripts/inv check --relock" in done.stderr
    assert re.findall(r"In (\S+) line 2", done.stdout) == ["scripts/inv", "scripts/night.sh"]


def test_relock_writes_what_the_check_wants(project: Path) -> None:
    (project / "requirements.lock").write_text("numpy==1.0\n")
    done = inv(project, "check", "--relock")
    assert outcome(done)["lock"] is True
    assert (project / "requirements.lock").read_text() == ""


def test_a_resolve_that_cannot_be_made_fails_the_step_and_says_why(project: Path) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write('\n[tool.uv]\nrequired-version = ">=999"\n')
    done = inv(project, "check")
    assert done.returncode == 12
    assert outcome(done)["lock"] is False
    assert "PreflightError: uv cannot resolve pyproject.toml" in done.stderr


def test_ruff_mends_what_it_can_unless_it_is_to_check(project: Path) -> None:
    crooked = project / "src/small/lower.py"
    crooked.write_text("import os\nvalue: int =   1\n")
    assert inv(project, "ruff", "--check").returncode == 12
    assert crooked.read_text().startswith("import os")
    assert inv(project, "ruff").returncode == 0
    assert crooked.read_text() == "value: int = 1\n"


@pytest.mark.slow
def test_slow_tests_run_when_asked_for_and_pytest_takes_more_arguments(project: Path) -> None:
    done = inv(project, "test", "--slow", "--coverage", "--pytest", "-k 'slow or none'")
    assert done.returncode == 12
    assert outcome(done)["tests"] is False
    assert "1 failed" in done.stdout
    assert "coverage: platform" in done.stdout
    assert re.search(r"\d passed", done.stdout) is None


def test_a_room_that_imports_upwards_breaks_the_contract(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "src/ctexp/core/names.py").open("a") as file:
        file.write("\nfrom ctexp.cli import verb\n")
    with (tmp_path / "src/ctexp/record/find.py").open("a") as file:
        file.write("\ndef late():\n    import torch\n")
    command = ["env", f"PYTHONPATH={tmp_path / 'src'}", str(BIN / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ctexp.core is not allowed to import ctexp.cli" in done.stdout
    assert "ctexp.record is not allowed to import torch" in done.stdout


def test_the_locks_name_versions_and_hashes_but_no_hosts() -> None:
    runtime, development = (
        (ROOT / name).read_text().splitlines() for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert set(runtime) <= set(development)
    for line in development:
        assert re.match(r"[a-z0-9-]+==\S+( ;|  \\| \\)|    --hash=sha256:[0-9a-f]{64}", line), line
        assert "://" not in line
