"""`sweep-refine`: a narrower second sweep around the optimum of one: coarse, then fine."""

from pathlib import Path

from ctexp.config import verdict
from ctexp.config.compose import resolve_paths
from ctexp.core import files, screen
from ctexp.core.errors import CtexpError, UsageError
from ctexp.core.names import check_id
from ctexp.core.paths import project_root, shown
from ctexp.record.manifest import command_line
from ctexp.sweeps.file.words import common
from ctexp.sweeps.reading import opened
from ctexp.sweeps.reading.cautions import cautions
from ctexp.sweeps.reading.refining import Refined, refined, said

_FINE = "_fine"


def sweep_refine(sweep: str, name: str | None, overwrite: bool, json: bool) -> None:
    """Write the file, and say what has become of each parameter."""
    root = project_root()
    _, runs = resolve_paths(root)
    its = opened.read(runs, sweep)
    path = root / "conf" / "sweep" / f"{check_id(name or its.sweep.name + _FINE, '--name')}.yaml"
    if path.exists() and not overwrite:
        raise UsageError(f"{shown(path)} is there already", "give another --name, or --overwrite")
    found = refined(its, cautions(its, verdict.load(root).alpha))
    _write(path, found.text)
    words = [*("--config", path.stem), *common(its.sweep.overrides)]
    if json:
        screen.emit_json(_document(its.sweep.id, path, found, words))
        return
    print(f"{shown(path)}: closer around the {len(found.best)} best trials of {its.sweep.id}")
    for one in found.parameters:
        change = f"{said(one.before.dimension)} -> {said(one.after)}" if one.changed else said(one.after)
        print(f"  {one.before.key}: {change}  ({one.why})")
        if one.edge:
            screen.warn(
                f"{one.before.key}: the best trial has the {one.edge} there was; the optimum may lie beyond"
            )
    for line in found.cautions:
        screen.warn(line)
    print(f"next: {command_line('sweep', words)}")


def _write(path: Path, text: str) -> None:
    """Write it where it can be read back as a sweep.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    from ctexp.sweeps.file.load import load

    draft = path.with_name(f".{path.name}")
    files.make_folder(path.parent)
    files.write_text(draft, text)
    try:
        load(draft, shown(path))
    except CtexpError:
        draft.unlink()
        raise
    draft.replace(path)


def _document(sweep: str, path: Path, found: Refined, words: list[str]) -> dict[str, object]:
    return {
        "sweep": sweep,
        "path": str(path),
        "best": list(found.best),
        "cautions": list(found.cautions),
        "parameters": {
            one.before.key: {
                "before": said(one.before.dimension),
                "after": said(one.after),
                "changed": one.changed,
                "why": one.why,
                "edge": one.edge or None,
            }
            for one in found.parameters
        },
        "command": command_line("sweep", words),
    }
