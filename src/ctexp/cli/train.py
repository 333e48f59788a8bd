"""`train`: compose, refuse what must be refused without torch, train, and tell."""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from ctexp.cli.costs import heed_cost, job_of
from ctexp.config.advice import advice
from ctexp.config.compose import Composed, compose, load, paths_of, resolve_paths
from ctexp.config.schema import Settings
from ctexp.core import screen
from ctexp.core.errors import DataError, PreflightError, UsageError
from ctexp.core.files import probe_writable
from ctexp.core.paths import project_root, shown, splits_folder
from ctexp.core.referee import Player
from ctexp.core.wording import many, some
from ctexp.data.selection import Selection, select
from ctexp.planning import estimates
from ctexp.planning.past import Past
from ctexp.record import blocks, find, git, index
from ctexp.record.index import Query
from ctexp.record.manifest import Estimate, command_line
from ctexp.record.result import Result
from ctexp.trackers.choosing import require_installed
from ctexp.training.dataset import features_of, same_data
from ctexp.training.order import Order


def train(
    override: Sequence[str],
    cfg: bool,
    dry_run: bool,
    resume: str | None,
    yes: bool,
    json: bool,
) -> int:
    """Train one run, new or resumed; the exit code of its end."""
    root = project_root()
    if resume is not None:
        return _resume(root, resume, override, cfg or dry_run, yes, json)
    composed = compose(override, root)
    if cfg:
        screen.emit_json(composed.resolved, versioned=False) if json else print(composed.yaml, end="")
        return 0
    return start(root, composed, dry_run=dry_run, yes=yes, json=json)


def start(root: Path, composed: Composed, *, dry_run: bool, yes: bool, json: bool) -> int:
    """Train a new run, or with `dry_run` print what it would be; the exit code."""
    order = new_order(root, composed, json)
    if not dry_run:
        heed_changes(order.source, order.settings.git.dirty, yes)
        probe_writable(order.runs_dir)
    past, job = Past.load(order.runs_dir), job_of(order)
    estimate = estimates.from_history(past, job)
    if dry_run:
        _preview(order, estimate, json)
        return 0
    if estimate is not None:
        heed_cost(order, estimate, yes)

    from ctexp.training.run import Training

    training = Training(order)
    if estimate is None and (trial := training.trial()) is not None:
        estimate = estimates.from_trial(past, job, trial)
        heed_cost(order, estimate, yes)
    return _told(training.start(estimate), order.runs_dir, json)


def new_order(root: Path, composed: Composed, json: bool) -> Order:
    """The order for a new run of a configuration.

    Raises:
        DataError: the images or features it names are missing, damaged or changed.
    """
    data, (data_dir, _) = composed.settings.data, paths_of(composed.settings.paths, root)
    return _order(
        root,
        composed.settings,
        select(data_dir, splits_folder(root), data.name, data.split, data.fold, data.sample),
        config_yaml=composed.yaml,
        config_sha256=composed.sha256,
        overrides=composed.overrides,
        command=command_line("train", composed.overrides),
        json=json,
    )


def _resume(root: Path, selector: str, override: Sequence[str], looking: bool, yes: bool, json: bool) -> int:
    devices = _devices_of(override)
    if looking:
        raise UsageError(
            "--resume trains; it takes neither --cfg nor --dry-run", f"see `scripts/inv show {selector}`"
        )
    run = find.find(resolve_paths(root)[1], selector)
    state, manifest, result, problems = run.read()
    if state == "finished" and result is not None:
        screen.note(f"{run.id} is finished: there is nothing to resume")
        if waiting := index.select(run.path.parent, Query(states=("interrupted", "timeout"))):
            screen.note(f"what can go on: {some([one.id for one in waiting])}")
        return _told(result, run.path.parent, json)
    if manifest is None:
        raise DataError(problems, "a run without a whole manifest cannot be resumed: train anew")
    settings = load(run.config, manifest.config_sha256, devices=devices)
    data_dir, _ = paths_of(settings.paths, root)
    order = _order(
        root,
        settings,
        same_data(run.id, manifest.dataset, data_dir, splits_folder(root)),
        config_yaml=run.config.read_text(),
        config_sha256=manifest.config_sha256,
        overrides=manifest.overrides,
        command=manifest.command,
        json=json,
    )
    heed_changes(order.source, order.settings.git.dirty, yes)

    from ctexp.training.run import Training

    return _told(Training(order).resume(run), run.path.parent, json)


def _devices_of(override: Sequence[str]) -> int | None:
    """On how many devices a run is to go on; None for as many as it is configured for.

    Raises:
        UsageError: something else is to be changed, which would make it another run.
    """
    for word in override:
        if not re.fullmatch(r"trainer\.devices=[1-9]\d?", word):
            raise UsageError(
                f"--resume takes the run's own configuration, not {word!r}",
                "leave the overrides out; trainer.devices alone may be another number",
            )
    return int(override[-1].partition("=")[2]) if override else None


def _order(
    root: Path,
    settings: Settings,
    selection: Selection,
    *,
    config_yaml: str,
    config_sha256: str,
    overrides: tuple[str, ...],
    command: str,
    json: bool,
) -> Order:
    """All that is known of what to train, the source included; none of it needs torch."""
    require_installed(settings.logger.kinds)
    data_dir, runs_dir = paths_of(settings.paths, root)
    source = git.capture(root, [data_dir, runs_dir])
    return Order(
        settings=settings,
        config_yaml=config_yaml,
        config_sha256=config_sha256,
        overrides=overrides,
        selection=selection,
        features=features_of(settings, selection, data_dir, root),
        root=root,
        data_dir=data_dir,
        runs_dir=runs_dir,
        argv=tuple(sys.argv),
        command=command,
        source=source,
        tell=screen.note if json else print,
        parent=os.environ.get("CTEXP_PARENT") or None,
        referee=Player.of(os.environ),
    )


def _preview(order: Order, estimate: Estimate | None, json: bool) -> None:
    """Print the manifest of a run that is not made."""
    from ctexp.training.run import Training

    for note in order.selection.notes:
        screen.note(note)
    manifest = Training(order).preview(estimate)
    for line in advice(order.settings):
        screen.warn(line)
    if json:
        screen.emit_json(manifest.document())
        return
    location = f"{shown(order.runs_dir / manifest.run_id)} (not made: --dry-run)"
    print(blocks.manifest_block(manifest, location), end="")


def heed_changes(source: git.Source, policy: str, yes: bool) -> None:
    """Act on uncommitted changes as `git.dirty` says; the run itself warns of them.

    Raises:
        PreflightError: they are refused, by the configuration or by the person asked.
    """
    state = source.state
    if not state.dirty:
        return
    names = [*state.changed, *state.untracked]
    counted = many(len(names), "file")
    what = f"uncommitted changes in code or configuration: {counted} ({', '.join(names[:3])}, …)"
    what = what if len(names) > 3 else what.replace(", …", "")
    way_out = "commit them, or say git.dirty=warn; the run saves them as a patch then"
    if policy == "refuse":
        raise PreflightError(f"git.dirty=refuse: {what}", way_out)
    if policy == "ask" and not yes and screen.can_ask():
        screen.note(f"{what}; a patch of them is saved with the run")
        if not screen.ask("Train all the same?"):
            raise PreflightError(what, way_out)


def _told(result: Result, runs_dir: Path, json: bool) -> int:
    """Print the document that was asked for, and the error a run ended with; its exit code."""
    if json:
        screen.emit_json(result.document() | {"path": str(runs_dir / result.run_id)})
    parent_tells = result.state == "interrupted" and bool(os.environ.get("CTEXP_PARENT"))
    if result.error is not None and not parent_tells:
        hint = f" -> {result.error.hint}" if result.error.hint else ""
        trace = result.error.traceback_file
        where = f"; traceback in {shown(runs_dir / result.run_id / trace)}" if trace else ""
        kind = "bug: " if trace else ""
        message = "; ".join(result.error.message.splitlines())
        screen.note(f"{kind}{result.error.kind}: {message}{where}{hint}")
    return result.exit_code
