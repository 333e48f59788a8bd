"""The JSON schemas of a record's documents, for programs that read them.

`python -m ctexp.record.schemas docs/schemas` writes those that the documentation publishes.
"""

import sys
from pathlib import Path
from typing import Any

from ctexp.core import files
from ctexp.record.calibration import Calibration
from ctexp.record.cross_validation import CrossValidation, EnsembleList
from ctexp.record.decisions import Decision
from ctexp.record.documents import Document
from ctexp.record.manifest import Attempt, Manifest
from ctexp.record.result import Result
from ctexp.record.show import ShownCrossValidation, ShownRun
from ctexp.record.sweep import Sweep, SweepProgress

DOCUMENTS: dict[str, type[Document]] = {
    "manifest": Manifest,
    "attempt": Attempt,
    "result": Result,
    "calibration": Calibration,
    "cross_validation": CrossValidation,
    "ensemble": EnsembleList,
    "decision": Decision,
    "sweep": Sweep,
    "sweep_progress": SweepProgress,
    "show": ShownRun,
    "show_cross_validation": ShownCrossValidation,
}
"""The published documents, by the name of their schema file."""


def schema(document: type[Document]) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of a document as it is written."""
    body = document.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **body}


def write(folder: Path) -> list[Path]:
    """Write `<name>.schema.json` for every document; returns the files."""
    written = []
    for name, document in DOCUMENTS.items():
        path = folder / f"{name}.schema.json"
        files.write_json(path, schema(document))
        written.append(path)
    return written


if __name__ == "__main__":
    for written in write(Path(sys.argv[1])):
        print(written)
