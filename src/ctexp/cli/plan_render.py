"""`plan-render`: the script of a plan, to be read, committed, and started in the evening."""

import os
from pathlib import Path

from ctexp.core import files, screen
from ctexp.core.errors import UsageError
from ctexp.core.names import did_you_mean
from ctexp.core.paths import project_root, shown
from ctexp.planning.checking.check import check
from ctexp.planning.plan.jobs import jobs_of
from ctexp.planning.plan.load import Loaded, load, locate
from ctexp.planning.render.bash import bash_script
from ctexp.planning.render.seal import Origin, origin
from ctexp.planning.render.slurm import slurm_script

_SUFFIX = {"bash": ".sh", "slurm": ".slurm.sh"}


def plan_render(plan: str, target: str, output: str | None, json: bool) -> None:
    """Check, render, write, tell where."""
    if target not in _SUFFIX:
        raise UsageError(f"--target: {target!r} is nothing to render for", did_you_mean(target, _SUFFIX))
    root = project_root().resolve()
    path = locate(root, plan)
    loaded = load(path, path.relative_to(root).as_posix())
    script = _place(root, loaded.plan.name, target, output)
    before = _before(script)
    checked = check(loaded, root)
    if checked.problems:
        raise UsageError(
            checked.problems, f"nothing was written; scripts/inv plan-check {loaded.shown} tells more"
        )
    content = _rendered(loaded, root, script, target)
    kept = _keep(script) if before == "edited" else None
    _write(script, content)

    for line in (*checked.missing, *checked.warnings):
        screen.warn(line)
    if kept:
        screen.warn(f"{shown(script)} had been edited by hand; as it was, it is in {shown(kept)}")
    if json:
        about = {
            "path": str(script),
            "sha256": files.sha256_bytes(content),
            "target": target,
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


def _place(root: Path, name: str, target: str, output: str | None) -> Path:
    """Where the script is to be."""
    if output is None:
        return root / "scripts" / f"{name}{_SUFFIX[target]}"
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
        found = origin(script.read_bytes())
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


def _rendered(loaded: Loaded, root: Path, script: Path, target: str) -> bytes:
    render = {"bash": bash_script, "slurm": slurm_script}[target]
    folder = script.parent.resolve()
    up = os.path.relpath(root, folder) if folder.is_relative_to(root) else str(root)
    text = render(loaded.plan, jobs_of(loaded.plan), loaded.shown, loaded.sha256, up)
    return text.encode("ascii")


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
