"""Answers for people and programs: a table of lines, CSV, JSON. Nothing in them is left to be guessed.

CSV, one row an image:

    path             below the folder that was named; of a single file, its name
    called           the class, `abstained`, or nothing where the image could not be read
    confidence       the highest probability
    prob_<class>     calibrated where the column `calibrated` says yes
    sha256           of the file
    calibrated       yes or no; nothing where the image could not be read
    error            why an image could not be read

A text that a spreadsheet would take for a formula gets an apostrophe in front, as spreadsheets write texts.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ctexp.core import clock
from ctexp.core.classes import CLASSES
from ctexp.core.spreadsheet import harmless
from ctexp.evaluation.model_card import STATEMENT
from ctexp.record.manifest import Dataset
from ctexp.record.subjects import Subject
from ctexp.training.answering.answer import Answered
from ctexp.training.judging.ensemble import Ensemble

ABSTAINED = "abstained"
"""What an image is called whose highest probability is below what was asked for."""

COLUMNS = (
    "path",
    "called",
    "confidence",
    *(f"prob_{name}" for name in CLASSES),
    "sha256",
    "calibrated",
    "error",
)


@dataclass(frozen=True)
class Asked:
    """What was asked for.

    Attributes:
        source: the path as it was given.
        passed_over: what lies there and is no image.
        window: how DICOM and values of more than 8 bits became grey; empty where none was needed.
        abstain_below: the probability below which no class is given.
    """

    source: str
    passed_over: tuple[str, ...]
    window: str
    abstain_below: float


def document(asked: Asked, subject: Subject, ensemble: Ensemble, answered: Answered) -> dict[str, Any]:
    """All that is said of the images, and of who says it, as a JSON document.

    `predictions` are the rows; what stands before them says which networks answered and how.
    """
    rows = list(_rows(answered, asked.abstain_below, ensemble.calibrated))
    settings = ensemble.members[0].trained.settings
    called = Counter(row["called"] for row in rows)
    return {
        "statement": STATEMENT,
        "created": clock.iso(clock.now()),
        "source": asked.source,
        "subject": {"kind": subject.kind, "title": subject.title},
        "networks": [
            {
                "run_id": member.trained.run.id,
                "checkpoint_sha256": member.trained.checkpoint_sha256,
                "temperature": member.temperature,
            }
            for member in ensemble.members
        ],
        "calibrated": ensemble.calibrated,
        "trained_on": _trained_on(ensemble.members[0].trained.manifest.dataset),
        "tta": settings.inference.tta,
        "image_size": settings.data.image_size,
        "resize": settings.data.resize,
        "window": asked.window or None,
        "abstain_below": asked.abstain_below,
        "classes": list(CLASSES),
        "images": len(rows),
        "called": {name: called[name] for name in CLASSES},
        "abstained": called[ABSTAINED],
        "unreadable": len(answered.problems),
        "passed_over": list(asked.passed_over),
        "predictions": rows,
    }


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """The rows of a document as CSV after RFC 4180, with the line ends of Unix."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(
            [
                harmless(row["path"]),
                row["called"],
                _plain(row["confidence"]),
                *(_plain((row["probabilities"] or {}).get(name)) for name in CLASSES),
                row["sha256"],
                {True: "yes", False: "no", None: ""}[row["calibrated"]],
                harmless(row["error"] or ""),
            ]
        )
    return text.getvalue()


def as_lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The rows for the screen, one a line; a column of errors where there are any."""
    wide = max(len("path"), *(len(row["path"]) for row in rows))
    longest = max(map(len, CLASSES))
    errors = any(row["error"] for row in rows)
    yield f"{'path':<{wide}}  {'called':<{longest}}  confidence{'  error' if errors else ''}"
    for row in rows:
        confidence = "" if row["confidence"] is None else f"{row['confidence']:.3f}"
        error = (row["error"] or "").removeprefix(f"{row['path']}: ")
        line = f"{row['path']:<{wide}}  {row['called'] or '':<{longest}}  {confidence:<10}  {error}"
        yield line.rstrip()


def _rows(answered: Answered, abstain_below: float, calibrated: bool) -> Iterator[dict[str, Any]]:
    for name, sha256, probabilities in zip(
        answered.names, answered.sha256, answered.probabilities, strict=True
    ):
        problem = answered.problems.get(name)
        best = int(np.argmax(probabilities))
        sure = bool(probabilities[best] >= abstain_below)
        yield {
            "path": name,
            "called": None if problem else CLASSES[best] if sure else ABSTAINED,
            "confidence": None if problem else float(probabilities[best]),
            "probabilities": None if problem else dict(zip(CLASSES, probabilities.tolist(), strict=True)),
            "sha256": sha256 or None,
            "calibrated": None if problem else calibrated,
            "error": problem,
        }


def _trained_on(dataset: Dataset) -> dict[str, Any]:
    return {
        "dataset": dataset.name,
        "catalog_sha256": dataset.catalog_sha256,
        "split": dataset.split,
        "synthetic": dataset.synthetic,
    }


def _plain(number: float | None) -> str:
    return "" if number is None else f"{number:.6f}"
