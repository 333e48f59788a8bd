"""`plan-render`: the script of a plan, to be read, committed, and started in the evening."""

import os
from pathlib import Path

from ctexp.core import files, screen
from ctexp.core.errors import UsageError
from ctexp.core.names import did_you_mean
from ctexp.core.paths import project_root, shown
from ctexp.core.wording import many
from ctexp.executors.settings import DEFAULT, ExecutorSettings, SlurmSettings
from ctexp.executors.settings import load as load_executor
from ctexp.planning.checking.check import check
from ctexp.planning.plan.jobs import jobs_of
from ctexp.planning.plan.load import Loaded, load, locate
from ctexp.planning.render.bash import bash_script
from ctexp.planning.render.script import Script, usual
from ctexp.planning.render.seal import Origin, origin
from ctexp.planning.render.slurm import slurm_script

_TARGETS = {"bash": "local", "slurm": "slurm"}
"""Older names of two executors."""


def plan_render(
    plan: str, target: str | None, output: str | None, json: bool, executor: str | None = None
) -> None:
    """Check, render, write, tell where."""
    root = project_root().resolve()
    name = _executor(target, executor)
    settings = load_executor(root, name)
    path = locate(root, plan)
    loaded = load(path, path.relative_to(root).as_posix())
    script = _place(root, loaded.plan.name, name, output)
    before = _before(script)
    checked = check(loaded, root)
    if checked.problems:
        raise UsageError(
            checked.problems, f"nothing was written; scripts/inv plan-check {loaded.shown} tells more"
        )
    content = _rendered(loaded, root, script, name, settings)
    kept = _keep(script) if before == "edited" else None
    _write(script, content)

    for line in checked.missing:
        screen.warn(line)
    if checked.warnings:
        told = many(len(checked.warnings), "warning")
        screen.warn(f"{told} of the plan: scripts/inv plan-check {loaded.plan.name} tells more")
    if kept:
        screen.warn(f"{shown(script)} had been edited by hand; as it was, it is in {shown(kept)}")
    if json:
        about = {
            "path": str(script),
            "sha256": files.sha256_bytes(content),
            "target": settings.kind if settings.kind == "slurm" else "bash",
            "executor": name,
            "plan": loaded.shown,
            "plan_sha256": loaded.sha256,
            "jobs": len(jobs_of(loaded.plan)),
            "kept": str(kept) if kept else None,
            "warnings": [*checked.missing, *checked.warnings],
        }
        screen.emit_json(about)
    else:
        print(shown(script))
        start = f"bash {shown(script)}"
        screen.note(f"see what it would do: {start} --dry-run; start it: {start}")


def _executor(target: str | None, executor: str | None) -> str:
    """Which file of `conf/executor` is meant."""
    if target is None:
        return executor or DEFAULT
    if target not in _TARGETS:
        raise UsageError(f"--target: {target!r} is nothing to render for", did_you_mean(target, _TARGETS))
    if executor is not None:
        raise UsageError("--target and --executor both say where jobs run", "leave --target out")
    return _TARGETS[target]


def _place(root: Path, name: str, executor: str, output: str | None) -> Path:
    """Where the script is to be."""
    if output is None:
        return root / usual(name, executor)
    path = Path(output).expanduser().absolute()
    if os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113 (names too long for a file)
        what = "a folder" if path.is_dir() else "no plain file"
        raise UsageError(f"--output: {output} is {what}", "name a file")
    return path


def _before(script: Path) -> Origin | None:
    """What the script replaces, if it replaces anything.

    Raises:
        UsageError: something that was not rendered is there.
    """
    try:
        found = origin(files.read_regular(script))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{shown(script)}: cannot be read ({error.strerror})") from error
    if found == "foreign":
        raise UsageError(
            f"{shown(script)} is there and was not rendered from a plan",
            "move it away, or name another file: --output FILE",
        )
    return found


def _rendered(loaded: Loaded, root: Path, script: Path, executor: str, settings: ExecutorSettings) -> bytes:
    folder = script.parent.resolve()
    up = os.path.relpath(root, folder) if folder.is_relative_to(root) else str(root)
    where = script.relative_to(root) if script.is_relative_to(root) else script
    asked = Script(loaded.plan, loaded.shown, loaded.sha256, up, str(where))
    if isinstance(settings, SlurmSettings):
        return slurm_script(asked, executor, settings).encode("ascii")
    return bash_script(asked, executor).encode("ascii")


def _keep(script: Path) -> Path:
    """A copy of a script that somebody has edited, beside it."""
    content = script.read_bytes()
    copy = script.with_name(f"{script.name}.edited-{files.sha256_bytes(content)[:8]}")
    files.write_bytes(copy, content)
    return copy


def _write(script: Path, content: bytes) -> None:
    try:
        files.write_bytes(script, content)
    except OSError as error:
        raise UsageError(f"{shown(script)}: cannot be written ({error.strerror})") from error
    mode = script.stat().st_mode
    script.chmod(mode | (mode & 0o444) >> 2)  # whoever may read it may run it
