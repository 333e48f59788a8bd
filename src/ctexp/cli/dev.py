"""`ruff`, `check` and `test`: the same steps on a desk and in CI, every one run, each failure named."""

import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from ctexp.core import clock, files, screen
from ctexp.core.errors import CriterionNotMet, PreflightError
from ctexp.core.paths import project_root

LOCKS = {
    "requirements.lock": ("--no-dev",),
    "requirements-dev.lock": (),
}
"""The tracked lock files and what their export takes beside `_EXPORT`; one resolve serves both."""

# Hashes but no hosts: what is tracked must install from any mirror.
_EXPORT = ("export", "--quiet", "--no-emit-project", "--no-header", "--no-annotate")
_SHELL = ("scripts/inv", ".ci/run", "scripts/*.sh")
_CHECKS = {
    "lint": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "."),
    "types": ("mypy",),
    "imports": ("lint-imports",),
    "shell": ("shellcheck", *_SHELL),
    "docs": ("sphinx-build", "--fail-on-warning", "--nitpicky", "--quiet", "docs", ".site"),
}


def ruff(check: bool) -> None:
    """Lint and format; with `check`, change nothing.

    Raises:
        CriterionNotMet: something is left to mend.
    """
    root = project_root()
    if check:
        _require({step: _passes(root, step, *_CHECKS[step]) for step in ("lint", "format")})
    else:
        lint = _passes(root, "lint", "ruff", "check", "--fix", ".")
        _require({"lint": lint, "format": _passes(root, "format", "ruff", "format", ".")})


def check(relock: bool) -> None:
    """Lint, format, types, import rules, shell scripts, the site of docs/, and the locks against a resolve.

    Raises:
        CriterionNotMet: a step failed; all are run, and the line names those that did.
    """
    root = project_root()
    if relock:
        for name, content in _resolved(root).items():
            files.write_bytes(root / name, content)
    _require(_checks(root))


def test(slow: bool, coverage: bool, pytest: str) -> None:
    """`check`, then the tests.

    Args:
        slow: the tests marked slow as well.
        coverage: count the branches they take, which fails below the share that pyproject.toml asks for.
        pytest: more arguments for pytest, as one would type them.

    Raises:
        CriterionNotMet: a step or a test failed.
    """
    root = project_root()
    outcome = _checks(root)
    marks = () if slow else ("-m", "not slow")
    counted = ("--cov", "--cov-report=term") if coverage else ()
    # Neighbours stay together: what the tests of a module share is made once, not by each worker.
    workers = ("-n", "2", "--dist", "worksteal")
    outcome["tests"] = _passes(root, "tests", "pytest", *workers, *marks, *counted, *shlex.split(pytest))
    _require(outcome)


def _checks(root: Path) -> dict[str, bool]:
    """Every step of `check`: its name and whether it passed."""
    outcome = {step: _passes(root, step, *_files(root, command)) for step, command in _CHECKS.items()}
    return outcome | {"lock": _locks_in_date(root)}


def _files(root: Path, command: Sequence[str]) -> list[str]:
    """A command whose last words may be patterns: `scripts/*.sh` is every rendered script."""
    return [
        word
        for said in command
        for word in (
            sorted(str(path.relative_to(root)) for path in root.glob(said)) if "*" in said else [said]
        )
    ]


def _require(outcome: dict[str, bool]) -> None:
    failed = [step for step, passed in outcome.items() if not passed]
    if failed:
        raise CriterionNotMet(f"failed: {', '.join(failed)}", "see each step's own output above")


def _passes(root: Path, step: str, program: str, *arguments: str) -> bool:
    """Run a program of this environment in the project's root, its output shown as it comes."""
    path = _program(program)
    screen.note(f"== {step}: {shlex.join((program, *arguments))}")
    begin = time.monotonic()
    with subprocess.Popen([path, *arguments], cwd=root) as process:
        try:
            code = process.wait()
        except BaseException:
            process.terminate()  # our own end is not to leave it running
            raise
    outcome = "passed" if code == 0 else "FAILED"
    screen.note(f"== {step}: {outcome} ({clock.duration(time.monotonic() - begin)})")
    return code == 0


def _program(name: str) -> Path:
    """Where a tool of development lies: in this environment, in the locked version, whatever PATH holds."""
    path = Path(sys.prefix) / "bin" / name
    if not path.exists():
        raise PreflightError(f"{name} is not installed in {sys.prefix}", "scripts/inv check installs it")
    return path


def _locks_in_date(root: Path) -> bool:
    """Whether the tracked locks are what pyproject.toml resolves to today."""
    screen.note("== lock: requirements*.lock against a fresh resolve")
    try:
        resolved = _resolved(root)
        old = [name for name, content in resolved.items() if not _holds(root / name, content)]
        problems = [
            f"{name} is not what pyproject.toml resolves to -> scripts/inv check --relock" for name in old
        ]
    except PreflightError as error:
        problems = error.lines()
    for line in problems:
        screen.note(line)
    screen.note(f"== lock: {'FAILED' if problems else 'passed'}")
    return not problems


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _resolved(root: Path) -> dict[str, bytes]:
    """What the locks should hold: resolved anew, out of reach of an old uv.lock.

    Raises:
        PreflightError: uv could not resolve, for which it needs the package index.
    """
    uv = str(_program("uv"))
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(root / "pyproject.toml", folder)
        for name, extra in LOCKS.items():
            command = [uv, *_EXPORT, *extra, "--output-file", name]
            done = subprocess.run(command, cwd=folder, stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode:
                raise PreflightError(
                    f"uv cannot resolve pyproject.toml: {done.stderr}", "is the package index reachable?"
                )
        return {name: Path(folder, name).read_bytes() for name in LOCKS}
