"""`predict`: what a trained network, or an ensemble, says of new images."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ctexp.cli.meant import experiment
from ctexp.config.compose import load, resolve_paths
from ctexp.core import files, screen
from ctexp.core.errors import DataError, UsageError
from ctexp.core.paths import project_root, shown
from ctexp.core.wording import many, some
from ctexp.record.checkpoint_files import BEST
from ctexp.record.documents import printable
from ctexp.record.manifest import Manifest
from ctexp.record.pruned import told
from ctexp.record.subjects import Subject

_WRITERS = (".csv", ".json")


def predict(
    path: str,
    run: str,
    output: str | None,
    abstain_below: float,
    window: str | None,
    batch_size: int,
    skip_unreadable: bool,
    json: bool,
) -> None:
    """Classify images that lie anywhere; print or write what was said of each."""
    target = _refuse_wrong_words(output, abstain_below, window, batch_size)
    root = project_root()
    data_dir, runs = resolve_paths(root)
    source = Path(path).expanduser()
    asked_of = experiment(root, run)
    _refuse_without_weights(asked_of)

    from ctexp.data.unlabelled import Reader, find, window_of_set

    found = find(source)
    manifest = Manifest.read(asked_of.runs[0].manifest)
    settings = load(asked_of.runs[0].config, manifest.config_sha256)
    dataset = manifest.dataset
    chosen = window or window_of_set(data_dir, dataset.name, dataset.catalog_sha256)
    data = settings.data
    reader = Reader(found.folder, data.image_size, data.resize, chosen, measure=manifest.features is not None)
    for line in asked_of.notes:
        screen.note(line)

    from ctexp.record.cross_validation import EnsembleList
    from ctexp.training.answering import document as writing
    from ctexp.training.answering.answer import answer
    from ctexp.training.judging.ensemble import Ensemble
    from ctexp.training.kernel.device import choose_device, make_repeatable

    device = choose_device("cpu" if settings.trainer.accelerator == "cpu" else "auto")
    make_repeatable()
    if asked_of.place is None:
        ensemble = Ensemble.of_runs(asked_of.runs, device)
    else:
        ensemble = Ensemble.load(EnsembleList.read(asked_of.place.ensemble), runs, device)
    with screen.bar("classifying") as bar:
        task = bar.add_task("", total=len(found.names))
        answered = answer(
            ensemble,
            reader,
            found.names,
            device,
            batch_size=batch_size,
            skip_unreadable=skip_unreadable,
            progress=lambda done, _: bar.update(task, completed=done),
        )
    asked = writing.Asked(printable(path), found.passed_over, chosen, abstain_below)
    document = writing.document(asked, asked_of, ensemble, answered)
    if document["unreadable"] == document["images"]:
        raise DataError(
            f"{path}: not one of its images can be read", "without --skip-unreadable each is named"
        )
    if target is not None:
        _write(target, document, writing.as_csv)
        document = {**document, "output": str(target)}
        del document["predictions"]
    if json:
        screen.emit_json(document)
    elif target is None:
        for line in writing.as_lines(document["predictions"]):
            print(line)
    _tell(document, target)


def _refuse_wrong_words(
    output: str | None, abstain_below: float, window: str | None, batch_size: int
) -> Path | None:
    """Where to write, once every flag makes sense.

    Raises:
        UsageError: one does not; all that do not are told.
        PreflightError: the folder cannot be written.
    """
    problems, hint = [], ""
    if not 0 <= abstain_below <= 1:
        problems.append(f"--abstain-below: {abstain_below:g} is no probability: 0 to 1")
    if batch_size < 1:
        problems.append(f"--batch-size: {batch_size} is less than one image")
    if window:
        from ctexp.data import windows

        try:
            windows.parse(window)
        except UsageError as error:
            problems += error.problems
            hint = error.hint
    target = None if output is None else Path(output).expanduser()
    if target is not None:
        if target.suffix.lower() not in _WRITERS:
            problems.append(f"--output: {output} ends neither in .csv nor in .json")
        if not target.parent.is_dir():
            problems.append(f"--output: there is no folder {target.parent}")
        elif target.exists():
            problems.append(f"--output: {output} is there already, and is not written over")
            hint = hint or "move it away, or name another"
    if problems:
        raise UsageError(problems, hint)
    if target is not None:
        files.probe_writable(target.parent)
    return target


def _refuse_without_weights(asked_of: Subject) -> None:
    problems = [line for run in asked_of.runs if (line := told(run, BEST))]
    if problems:
        raise DataError(problems, "name another run, or train these anew")


def _write(target: Path, document: dict[str, Any], as_csv: Callable[[Any], str]) -> None:
    if target.suffix.lower() == ".csv":
        files.write_text(target, as_csv(document["predictions"]))
    else:
        files.write_json(target, document)


def _tell(document: dict[str, Any], target: Path | None) -> None:
    """How many were called what, and what a reader must know."""
    called = [f"{count} {name}" for name, count in document["called"].items() if count]
    if document["abstained"]:
        called.append(f"{document['abstained']} abstained (below {document['abstain_below']:g})")
    if document["unreadable"]:
        called.append(f"{document['unreadable']} unreadable")
    screen.note(f"{many(document['images'], 'image')} by {document['subject']['title']}: {', '.join(called)}")
    if target is not None:
        screen.note(f"written to {shown(target)}")
    over = document["passed_over"]
    if over:
        screen.warn(f"passed over, no images: {some(over)}")
    if not document["calibrated"]:
        without = [one["run_id"] for one in document["networks"] if one["temperature"] is None]
        screen.warn(
            f"not calibrated: no temperature belongs to the weights of {', '.join(without)}; "
            "fit one: scripts/inv evaluate --run RUN --split val"
        )
    if document["trained_on"]["synthetic"]:
        screen.warn(f"trained on synthetic images ({document['trained_on']['dataset']}): it knows no patient")
    screen.note(document["statement"])
