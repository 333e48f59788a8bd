"""ONNX: the graph as other programs load it."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor

from ctexp.core.errors import UsageError
from ctexp.core.files import write_bytes
from ctexp.training.exporting.agreement import Said
from ctexp.training.exporting.graph import Standalone

_CHATTY = ("torch.onnx", "torch.export", "torch.fx", "onnxscript", "onnx_ir")


def write(graph: Standalone, inputs: Mapping[str, Tensor], path: Path, about: Mapping[str, str]) -> None:
    """Write a graph whose inputs are `inputs` by name, and whose outputs are logits and probabilities.

    Args:
        graph: on the CPU, in evaluation mode.
        inputs: an example of at least two images; any number may be given to what is written.
        path: the file.
        about: what the file says of itself.

    Raises:
        UsageError: the network holds something that has no counterpart in ONNX.
        StorageError: the disk is full.
    """
    batch = torch.export.Dim("batch")
    try:
        with _quiet():
            program = torch.onnx.export(
                graph,
                tuple(inputs.values()),
                dynamo=True,
                dynamic_shapes={name: {0: batch} for name in inputs},
                input_names=list(inputs),
                output_names=["logits", "probabilities"],
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise UsageError(
            f"--format onnx: {graph.network.settings.model.name} cannot be told in ONNX "
            f"({str(error.__cause__ or error).splitlines()[0]})",
            "use --format safetensors",
        ) from error
    if program is None:
        raise RuntimeError("torch.onnx.export with dynamo=True returned no program")
    model = program.model_proto
    for name, value in about.items():
        model.metadata_props.add(key=name, value=value)
    write_bytes(path, model.SerializeToString())


def opened(path: Path) -> Said:
    """What a file answers by onnxruntime on the CPU, as `agreement.compare` asks it."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])

    def said(
        images: NDArray[np.uint8], features: NDArray[np.float64] | None
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        given = {"images": images} | ({} if features is None else {"features": features})
        logits, probabilities = session.run(["logits", "probabilities"], given)
        return logits, probabilities

    return said


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's notes on its own workings to itself; what goes wrong it raises."""
    before = {name: logging.getLogger(name).level for name in _CHATTY}
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
