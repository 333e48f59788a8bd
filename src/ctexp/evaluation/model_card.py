"""The model card of a run (Mitchell et al. 2019), from its record alone.

What the record does not know the card says it does not know. Figures carry their 95 % intervals; where a
program drew the images, or the test split has been looked at before, that is said above them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ctexp.core.classes import CLASSES, SPLITS
from ctexp.core.paths import ledger_file
from ctexp.core.wording import many
from ctexp.evaluation import recorded
from ctexp.evaluation.metrics import HEADLINE
from ctexp.record.calibration import Calibration
from ctexp.record.checkpoint_files import BEST, read_sums
from ctexp.record.ledger import Ledger
from ctexp.record.manifest import Dataset, Manifest
from ctexp.record.result import Result
from ctexp.record.run_dir import RunDir

STATEMENT = "Research software, no medical device: not for diagnosis, and no decision about a patient."
"""What stands on every model card and in every document of predictions."""

_NOT_FOR = (
    "diagnosis, screening, triage or any other decision about a patient;",
    "images of other kinds than it learned from: other organs, projections, windows or scanners;",
    "telling whether an image shows a chest at all: it names one of its four classes whatever it is shown.",
)


def text(run: RunDir, root: Path) -> str:
    """The card as Markdown.

    Args:
        run: a run that was judged.
        root: the project's folder, where the test ledger is.

    Raises:
        DataError: the manifest, the result, the metrics, the calibration or the ledger cannot be read.
    """
    manifest, result = Manifest.read(run.manifest), Result.read(run.result)
    splits = recorded.splits(run)
    digest = read_sums(run.checkpoints).get(BEST)
    kept = Calibration.read(run.calibration) if run.calibration.exists() else None
    calibration = kept if kept is not None and kept.checkpoint_sha256 == digest else None
    parts = [
        f"# Model card: {manifest.run_id}",
        STATEMENT,
        *_synthetic(manifest.dataset),
        _section("Model details", _details(manifest, splits, calibration)),
        _section("Intended use", _use()),
        _section("Factors", _factors(manifest.dataset)),
        _section("Metrics", _metrics(calibration)),
        _section("Data", _data(manifest.dataset)),
        _section("Quantitative analyses", _analyses(splits)),
        _section("The test split", _looks(manifest.dataset, root, splits)),
        _section("Ethical considerations and caveats", _caveats(manifest, result, splits)),
        _section("Provenance", _provenance(manifest, result, digest)),
    ]
    return "\n\n".join(parts) + "\n"


def _section(title: str, lines: Iterator[str]) -> str:
    return f"## {title}\n\n" + "\n".join(lines)


def _synthetic(dataset: Dataset) -> Iterator[str]:
    if dataset.synthetic:
        yield (
            f"**Synthetic.** A program drew the images of {dataset.name}. This network has never seen a "
            "patient's image, and no figure here says anything about patients."
        )


def _details(manifest: Manifest, splits: Mapping[str, Any], calibration: Calibration | None) -> Iterator[str]:
    if manifest.description:
        yield f"> {_plain(manifest.description)}\n"
    its = manifest.preprocessing
    yield f"- Architecture: {manifest.model.name}, {manifest.model.parameters:,} parameters."
    yield f"- First weights: {_origin(manifest)}."
    yield f"- Answers with one of {len(CLASSES)} classes: {', '.join(CLASSES)}."
    yield (
        f"- Input: one channel of grey ({its.get('grey')}), {its.get('image_size')} pixels square "
        f"({its.get('resize')}); {its.get('scale')} (mean {its.get('mean')}, std {its.get('std')})."
    )
    if manifest.features is not None:
        columns: Any = manifest.features["columns"]
        yield f"- Beside the image: {len(columns)} measured features ({manifest.features['name']})."
    views = {summary.get("tta", "none") for summary in splits.values()}
    yield f"- Views of an image that are averaged (`inference.tta`): {', '.join(sorted(views))}."
    if calibration is None:
        yield "- Not calibrated: no temperature belongs to these weights, and probabilities may be too sure."
    else:
        on = calibration.fitted_on
        yield (
            f"- Calibrated: logits are divided by {calibration.temperature:.4g}, fitted on {on.n} images of "
            f"{on.split}; ECE {calibration.ece.before:.3f} before, {calibration.ece.after:.3f} after."
        )
    yield f"- Trained {manifest.created[:10]}, run name `{manifest.name}`{_tags(manifest.tags)}."


def _origin(manifest: Manifest) -> str:
    digest = manifest.weights.sha256
    return manifest.weights.source + (f" (sha256 {digest})" if digest else "")


def _tags(tags: Sequence[str]) -> str:
    return f", tags {', '.join(_plain(tag) for tag in tags)}" if tags else ""


def _plain(said: str) -> str:
    """A person's words on one line, where no markup can come of them."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", " ".join(said.split()))


def _use() -> Iterator[str]:
    yield "For research on classifying chest-CT images: comparing trainings on the data named below."
    yield "\nNot for:\n"
    yield from (f"- {line}" for line in _NOT_FOR)


def _factors(dataset: Dataset) -> Iterator[str]:
    yield (
        "Classes and splits, below. This record holds no figures by age, sex, scanner or any other attribute "
        "of people: whether the network is equally good for all has not been measured here. "
        f"`inv analyze-errors` does so where {dataset.name} has such columns."
    )


def _metrics(calibration: Calibration | None) -> Iterator[str]:
    yield (
        "Each figure has a 95 % interval, for images like these and the same labels: Wilson's for shares of "
        "images, a bootstrap over groups of look-alikes for the rest. The miss rate is the share of cancers "
        "that were called normal. The interval is that of the images; another seed may train another network."
    )
    if calibration is not None:
        yield f"\nFigures marked calibrated are those at the temperature of {calibration.temperature:.4g}."


def _data(dataset: Dataset) -> Iterator[str]:
    fold = "" if dataset.fold is None else f", fold {dataset.fold} as val"
    title = f"{dataset.name} (synthetic)" if dataset.synthetic else dataset.name
    yield f"Data set {title}, split {dataset.split}{fold}.\n"
    yield from _table(
        ("images", *SPLITS),
        [(name, *(dataset.rows.get(split, {}).get(name, 0) for split in SPLITS)) for name in CLASSES]
        + [("all", *(sum(dataset.rows.get(split, {}).values()) for split in SPLITS))],
    )
    notes = [f"Only {dataset.sample} images of each split were used."] if dataset.sample else []
    notes += [f"{count} {split} images were left out." for split, count in dataset.left_out.items() if count]
    notes += dataset.warnings
    if notes:
        yield ""
        yield from (f"- {note}" for note in notes)


def _analyses(splits: Mapping[str, Any]) -> Iterator[str]:
    for split in [name for name in SPLITS if name in splits]:
        summary = splits[split]
        yield f"### {split}: {summary['n']} images in {summary['groups']} groups\n"
        scaled = (summary.get("calibrated") or {}).get("metrics", {})
        yield from _table(
            ("metric", "value", "95 % interval"),
            [(name, *_figures(summary["metrics"].get(f"{split}/{name}"))) for name in (*HEADLINE, "brier")]
            + [(f"{name.partition('/')[2]}, calibrated", *_figures(part)) for name, part in scaled.items()],
        )
        yield ""
        classes = summary["per_class"]
        yield from _table(
            ("of each class", *CLASSES),
            [("images", *(summary["support"][name] for name in CLASSES))]
            + [
                (kind, *(_short(classes[name][kind]) for name in CLASSES))
                for kind in classes.get(CLASSES[0], ())
            ],
        )
        yield "\nRows are true classes, columns what they were called:\n"
        yield from _table(
            ("", *CLASSES),
            [(name, *row) for name, row in zip(CLASSES, summary["confusion"], strict=True)],
        )
        yield ""


def _looks(dataset: Dataset, root: Path, splits: Mapping[str, Any]) -> Iterator[str]:
    looks = Ledger(ledger_file(root)).looks(dataset.name, dataset.catalog_sha256)
    at_it = [look for look in looks if look.kind != "cross-validation"]
    times = {0: "not been looked at", 1: "been looked at once"}
    seen = times.get(len(at_it), f"been looked at {len(at_it)} times")
    yield f"When this was written the test split of {dataset.name} had {seen}, for this run or another."
    folds = len(looks) - len(at_it)
    if folds:
        yield f"Cross-validations that judged images of it out of fold: {folds}."
    if len(at_it) > 1:
        yield "What was chosen between looks flatters itself on it."
    if "test" not in splits:
        yield "This run has no test figures: those above are of images that its training was steered by."


def _caveats(manifest: Manifest, result: Result, splits: Mapping[str, Any]) -> Iterator[str]:
    yield (
        "- A cancer called normal is the gravest error; see the miss rate and its interval, and the share of "
        "cancers here, which is not that of any population."
    )
    yield "- Probabilities hold for images like these, and no longer where classes are more or less frequent."
    yield "- The validation split chose the epoch and the temperature: its figures are a little flattering."
    told = [f"{split}: {note}" for split in SPLITS for note in splits.get(split, {}).get("notes", ())]
    told += result.warnings
    told += [
        f"{one.what} went from {one.before} to {one.after} at step {one.step}: {one.reason}"
        for one in result.deviations
    ]
    yield from (f"- {line}" for line in dict.fromkeys(told))
    if manifest.dataset.synthetic:
        yield "- The images are drawings: findings on them are a test of the software."


def _provenance(manifest: Manifest, result: Result, checkpoint: str | None) -> Iterator[str]:
    git, dataset, machine = manifest.git, manifest.dataset, manifest.environment
    source = git.commit or f"unknown ({git.reason})"
    if git.dirty:
        source += f", with uncommitted changes in {git.patch or 'files that were not kept'}"
    yield from _table(
        ("what", "which"),
        [
            ("command", f"`{manifest.command}`"),
            ("source", source),
            ("seed", manifest.seed),
            ("configuration, sha256", manifest.config_sha256),
            ("checkpoint, sha256", checkpoint or "unknown"),
            ("first weights", _origin(manifest)),
            ("catalog of the data, sha256", dataset.catalog_sha256),
            ("split, sha256", dataset.split_sha256 or "unknown"),
            ("DVC version of the data", _dvc(dataset)),
            (
                "ended",
                f"{result.state} after {many(result.epochs, 'epoch')}, "
                f"{result.duration_seconds / 60:.1f} minutes",
            ),
            ("computed on", manifest.device or machine.cpu),
            ("environment", f"Python {machine.python}, packages {machine.packages_sha256}"),
        ],
    )


def _dvc(dataset: Dataset) -> str:
    if dataset.dvc is None or dataset.dvc.raw is None:
        return "none" + (f": {dataset.dvc.reason}" if dataset.dvc and dataset.dvc.reason else "")
    return dataset.dvc.raw


def _figures(part: Mapping[str, Any] | None) -> tuple[str, str]:
    """Value and interval."""
    if part is None or part["value"] is None:
        return "undefined", ""
    if part["low"] is None or part["high"] is None:
        return f"{part['value']:.3f}", "none"
    return f"{part['value']:.3f}", f"{part['low']:.3f} to {part['high']:.3f}"


def _short(part: Mapping[str, Any]) -> str:
    value, interval = _figures(part)
    return f"{value} ({interval})" if interval else value


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    yield _row(head)
    yield _row(["---"] * len(head))
    yield from map(_row, rows)


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
