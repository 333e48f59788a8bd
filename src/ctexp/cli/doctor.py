"""`doctor`: what this machine offers an experiment, and what to do about each thing it lacks."""

import os
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from rich.text import Text

from ctexp.config.compose import compose, resolve_paths
from ctexp.config.schema import Settings
from ctexp.core import screen, tracker_key
from ctexp.core.errors import CtexpError, PreflightError
from ctexp.core.gpu import GpuState, detect_gpus
from ctexp.core.paths import project_root
from ctexp.record.git import capture
from ctexp.trackers.choosing import require_installed

_GIB = 2**30
_ENOUGH = 10 * _GIB
_TOO_LITTLE = _GIB
_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@dataclass(frozen=True)
class Check:
    """One thing looked at: what was found, and what to do about it (empty when it is fine)."""

    name: str
    state: Literal["ok", "warn", "fail"]
    found: str
    advice: str = ""


def doctor(json: bool) -> int:
    """Look at everything and print it; the exit code, that of a refused preflight when any check fails."""
    checks = examine(project_root(), detect_gpus())
    if json:
        screen.emit_json({"checks": [asdict(check) for check in checks]})
    else:
        _print(checks)
    return PreflightError.exit_code if any(check.state == "fail" for check in checks) else 0


def examine(root: Path, gpu: GpuState) -> list[Check]:
    """Every check, in the order of the table; none of them changes anything."""
    machine = [_gpu(gpu), _python(root), _tools(gpu)]
    try:
        settings = compose([], root).settings
        data, runs = resolve_paths(root)
    except CtexpError as error:
        advice = error.hint or "mend conf/"
        return [*machine, Check("configuration", "fail", "; ".join(error.problems), advice)]
    return [
        *machine,
        _git(root, [data, runs]),
        _disk("disk of runs", runs),
        _disk("disk of data", data),
        _data(data, settings),
        _tracker(settings),
    ]


def _print(checks: list[Check]) -> None:
    console = screen.results()
    width = max(len(check.name) for check in checks)
    for check in checks:
        console.print(
            Text.assemble(
                (f"{check.state:<4}", _STYLES[check.state]), f"  {check.name:<{width}}  {check.found}"
            )
        )
        if check.advice:
            console.print(Text(f"{'':<{width + 8}}-> {check.advice}"))


def _gpu(state: GpuState) -> Check:
    if state.problem:
        advice = f"{state.fix}; or train with trainer.accelerator=cpu"
        return Check("GPU", "fail", state.problem, advice)
    if not state.present:
        return Check(
            "GPU", "warn", "none found: training runs on the CPU", "fine for the quickstart, slow for a night"
        )
    gpus = ", ".join(
        gpu.name if gpu.memory is None else f"{gpu.name} ({gpu.memory / _GIB:.0f} GiB)" for gpu in state.gpus
    )
    return Check("GPU", "ok", f"{gpus}; driver {state.driver}, CUDA up to {state.cuda}")


def _python(root: Path) -> Check:
    """Whether this Python is the project's and holds what a lock says: `scripts/inv` leaves a copy there."""
    version = ".".join(map(str, sys.version_info[:3]))
    found = f"Python {version} in {sys.prefix}"
    if Path(sys.prefix) != root / ".venv":
        return Check(
            "Python", "warn", f"{found}, not the project's .venv", "use scripts/inv, or activate .venv"
        )
    locks = [root / "requirements.lock", root / "requirements-dev.lock"]
    if any(
        (root / ".venv" / lock.name).is_file() and _same(lock, root / ".venv" / lock.name) for lock in locks
    ):
        return Check("Python", "ok", f"{found}, as locked")
    return Check("Python", "warn", f"{found}, not known to be what the lock says", "run scripts/inv once")


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and one.read_bytes() == other.read_bytes()


def _tools(gpu: GpuState) -> Check:
    packages = {"bash": "bash", "git": "git", "flock": "util-linux"}
    missing = [name for name in packages if shutil.which(name) is None]
    if missing:
        advice = f"apt install {' '.join(packages[name] for name in missing)}"
        return Check("shell tools", "fail", f"missing: {', '.join(missing)}", advice)
    if gpu.present and shutil.which("nvidia-smi") is None:
        return Check(
            "shell tools", "warn", "missing: nvidia-smi", "install the driver's nvidia-utils package"
        )
    return Check("shell tools", "ok", ", ".join([*packages, *(["nvidia-smi"] if gpu.present else [])]))


def _git(root: Path, own: list[Path]) -> Check:
    state = capture(root, own).state
    if state.commit is None or state.dirty is None:
        advice = "git init, then commit: a record names the commit of its code"
        return Check("git", "warn", state.reason or "no commit yet", advice)
    found = f"commit {state.commit[:10]} on {state.branch or 'no branch'}"
    if state.dirty:
        number = len(state.changed) + len(state.untracked)
        advice = "commit them, or let each record keep them as a patch"
        return Check("git", "warn", f"{found}, uncommitted files of code and conf: {number}", advice)
    return Check("git", "ok", f"{found}, clean")


def _disk(name: str, folder: Path) -> Check:
    """Free space and the right to write, at the folder or where it would be made."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    found = (
        f"{folder}: {free / _GIB:.0f} GiB free"
        if free >= _ENOUGH
        else f"{folder}: {free / _GIB:.1f} GiB free"
    )
    if not os.access(there, os.W_OK | os.X_OK):
        return Check(
            name, "fail", f"{there} cannot be written", "make it writable, or set paths in conf/local.yaml"
        )
    if free < _ENOUGH:
        state: Literal["warn", "fail"] = "fail" if free < _TOO_LITTLE else "warn"
        return Check(name, state, found, "free some space, or set paths in conf/local.yaml")
    return Check(name, "ok", found)


def _data(data: Path, settings: Settings) -> Check:
    names = sorted(path.stem for path in (data / "raw").glob("*.parquet"))
    found = ", ".join(names) or "no data set yet"
    if settings.data.name in names:
        return Check("data", "ok", found)
    advice = f"scripts/inv data-import PATH --name {settings.data.name}, or train with data=phantom"
    return Check("data", "warn", f"{found} (the default is {settings.data.name})", advice)


def _tracker(settings: Settings) -> Check:
    logger = settings.logger
    found = ", ".join(logger.kinds) or "none"
    try:
        require_installed(logger.kinds)
    except PreflightError as error:
        return Check("tracker", "fail", f"{found}; {error}", error.hint)
    if "wandb" not in logger.kinds:
        return Check("tracker", "ok", f"{found}: needs no account")
    known = tracker_key.present()
    found = f"{found}, {logger.mode}; credentials {'present' if known else 'absent'}"
    if known or logger.mode == "offline":
        return Check("tracker", "ok", found)
    return Check("tracker", "fail", found, "run .venv/bin/wandb login, or train with logger.mode=offline")
