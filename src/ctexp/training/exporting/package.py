"""An export: a folder with the network, what it takes, what it is worth, and the hash of each file.

It is made beside its place under another name, and gets its own when every file is written and the network
has been found to say what the run said. So a folder that is there is whole.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ctexp.core import files, names
from ctexp.core.classes import CLASSES
from ctexp.record.run_dir import RunDir
from ctexp.training.exporting import agreement, preprocessing
from ctexp.training.exporting.agreement import Said, Sample
from ctexp.training.exporting.graph import Standalone
from ctexp.training.judging.calibrate import kept_calibration
from ctexp.training.judging.network import Trained, open_network

NAMES = {"onnx": "model.onnx", "safetensors": "model.safetensors"}
"""What the network's file is called, by format."""

SUMS = "sha256sums"


def export(
    run: RunDir, folder: Path, *, format: str, data_dir: Path, card: str, window: str = ""
) -> dict[str, Any]:
    """Write a run's best network for other programs, once it is found to say what the run said.

    Args:
        run: its directory.
        folder: the folder to make; it must not be there.
        format: onnx or safetensors.
        data_dir: where the run's validation images are.
        card: the model card.
        window: of the data set, for the description.

    Returns:
        `run_id`, `format`, `folder`, `files` (name -> sha256), `calibrated`, `agreement`.

    Raises:
        DataError: the record, the checkpoint or the images are missing or damaged.
        UsageError: the network has no counterpart in this format.
        CriterionNotMet: what was written says something else than the run; nothing is left of it.
        StorageError: the disk is full or cannot be written.
    """
    trained = open_network(run, torch.device("cpu"))
    kept = kept_calibration(run)
    temperature = None if kept is None else kept.temperature
    looked_at = agreement.sample(trained, data_dir)
    graph = Standalone(trained.network, temperature or 1.0, trained.manifest.features).eval()
    described = preprocessing.document(trained.manifest, trained.settings, format, temperature, window)
    with _appearing(folder) as making:
        path, about = making / NAMES[format], _about(described, trained)
        if format == "onnx":
            exported = _as_onnx(graph, looked_at, path, about)
        else:
            exported = _as_safetensors(trained, graph.temperature, path, about)
        found = agreement.compare(
            exported, agreement.of_torch(graph), looked_at, temperature or 1.0, _of_record(trained)
        )
        files.write_json(making / "preprocessing.json", described | {"agreement": found.document()})
        files.write_text(making / "MODEL_CARD.md", card)
        sums = {path.name: files.sha256_file(path) for path in sorted(making.iterdir())}
        files.write_text(making / SUMS, "".join(f"{digest}  {name}\n" for name, digest in sums.items()))
    return {
        "run_id": run.id,
        "format": format,
        "folder": str(folder),
        "files": sums,
        "calibrated": temperature is not None,
        "agreement": found.document(),
    }


def _as_onnx(graph: Standalone, looked_at: Sample, path: Path, about: Mapping[str, str]) -> Said:
    """Write the graph; what comes back asks the very file."""
    from ctexp.training.exporting import onnx_file  # onnxruntime takes its time

    # Of one image the exporter would conclude that there is never more than one.
    inputs = {"images": _two(looked_at.images)}
    if looked_at.features is not None:
        inputs["features"] = _two(looked_at.features)
    onnx_file.write(graph, inputs, path, about)
    return onnx_file.opened(path)


def _two(values: NDArray[Any]) -> torch.Tensor:
    """The first two rows; the only one twice."""
    return torch.from_numpy(np.resize(values, (2, *values.shape[1:])))


def _as_safetensors(trained: Trained, temperature: float, path: Path, about: Mapping[str, str]) -> Said:
    """Write the weights; what comes back is built around those of the very file."""
    from ctexp.training.exporting import weights_file

    weights_file.write(trained, path, about)
    reread = weights_file.read(trained, path)
    return agreement.of_torch(Standalone(reread, temperature, trained.manifest.features).eval())


def _about(described: Mapping[str, Any], trained: Trained) -> dict[str, str]:
    """What a network's file says of itself, as texts; lists as JSON."""
    temperature = next(step["temperature"] for step in described["steps"] if step["step"] == "calibrate")
    return {
        "producer": "ctexp",
        "statement": described["statement"],
        "run_id": trained.run.id,
        "checkpoint_sha256": trained.checkpoint_sha256,
        "classes": json.dumps(list(CLASSES)),
        "temperature": json.dumps(temperature),
        "calibrated": json.dumps(described["calibrated"]),
        "architecture": json.dumps(described["architecture"]),
        "preprocessing": json.dumps({name: described[name] for name in ("inputs", "steps", "features")}),
    }


def _of_record(trained: Trained) -> float:
    """How far the record may be away: a GPU's convolutions round more than a processor's."""
    on_gpu = trained.settings.trainer.accelerator != "cpu" and trained.manifest.environment.gpus
    return agreement.TOLERANCE_OF_GPU if on_gpu else agreement.TOLERANCE


@contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """A folder to fill, which gets its name when all is well, and is gone otherwise."""
    files.make_folder(folder.parent)
    making = folder.with_name(f".{folder.name}.{names.short_id()}.tmp")
    with files.storage_errors(folder):
        try:
            making.mkdir()
            yield making
            files.fsync_directory(making)
            making.rename(folder)
            files.fsync_directory(folder.parent)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
