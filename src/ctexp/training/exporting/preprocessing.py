"""Every step from a file to the network's answer, told so that another program can take them."""

from typing import Any

from ctexp.config.schema import Settings
from ctexp.core.classes import CLASSES
from ctexp.evaluation.model_card import STATEMENT
from ctexp.record.manifest import Manifest

_RESIZE = {
    "pad": "The longer side becomes `image_size`, the other keeps the ratio (rounded, halves to the even "
    "number, at least 1). The image lies in the middle of a black square: (image_size - side) // 2 pixels "
    "stand above and left of it, an odd row or column more below or right.",
    "stretch": "Both sides become `image_size`; the ratio of the sides is not kept.",
}

_VIEWS = {
    "none": "The image as it is.",
    "flip": "The image and its mirror image, left to right.",
    "flip_shift": "The image and its mirror image, and each of them moved by max(1, round(side / 32)) pixels "
    "up, down, left and right, black where nothing was: ten views.",
}


def document(
    manifest: Manifest, settings: Settings, format: str, temperature: float | None, window: str
) -> dict[str, Any]:
    """`preprocessing.json`.

    Args:
        manifest: of the run.
        settings: of the run.
        format: onnx, which takes grey levels, or safetensors, which takes what its user standardises.
        temperature: what the logits are divided by; None where none belongs to the weights.
        window: of the data set that the run learned from; empty where its files were of 8 bits.
    """
    data, inside = settings.data, "in the file" if format == "onnx" else "to be done before the network"
    after = "in the file" if format == "onnx" else "to be done after the network"
    steps: list[dict[str, Any]] = [
        {
            "step": "read",
            "what": "PNG, JPEG, TIFF or DICOM: one image, as stored. The EXIF orientation of PNG and JPEG is "
            "not applied, that of a TIFF is.",
        },
        {
            "step": "grey",
            "what": "Transparency is composited on black; colour becomes luma after ITU-R BT.601, "
            "(299 R + 587 G + 114 B) / 1000 as Pillow's mode L computes it; 8-bit grey is taken as it is. "
            "One channel, uint8, 0 to 255.",
        },
        {
            "step": "window",
            "what": "DICOM (stored value x RescaleSlope + RescaleIntercept) and grey of 9 to 16 bits: "
            "level - width / 2 becomes 0, level + width / 2 becomes 255, linearly between, cut off beyond, "
            "rounded to the nearest, halves to the even one. MONOCHROME1 is inverted, padding black.",
            "window": window or None,
        },
        {
            "step": "resize",
            "what": _RESIZE[data.resize]
            + " Axes that are too long are shrunk first, by averaging over areas (OpenCV INTER_AREA); axes "
            "that are too short then grow, bilinearly (INTER_LINEAR).",
            "mode": data.resize,
            "image_size": data.image_size,
        },
        {
            "step": "standardise",
            "where": inside,
            "what": "(grey level / 255 - mean) / std, float32, repeated over the channels.",
            "mean": data.mean,
            "std": data.std,
            "channels": settings.model.in_channels,
        },
        {
            "step": "views",
            "where": after.replace("after", "around"),
            "what": f"{_VIEWS[settings.inference.tta]} The logits are their mean.",
            "tta": settings.inference.tta,
        },
        {
            "step": "calibrate",
            "where": after,
            "what": "Probabilities are the softmax of logits / temperature."
            if temperature is not None
            else "No temperature belongs to these weights: probabilities are the softmax of the logits.",
            "temperature": temperature,
        },
    ]
    return {
        "schema_version": 1,
        "statement": STATEMENT,
        "run_id": manifest.run_id,
        "format": format,
        "classes": list(CLASSES),
        "calibrated": temperature is not None,
        "inputs": _inputs(manifest, settings, format),
        "outputs": _outputs(format),
        "steps": steps,
        "features": _features(manifest),
        "architecture": architecture(manifest, settings),
    }


def architecture(manifest: Manifest, settings: Settings) -> dict[str, Any]:
    """What builds the network: a name of timm's or of ctexp's, and what was asked of it."""
    model = settings.model
    return {
        "name": model.name,
        "in_channels": model.in_channels,
        "image_size": settings.data.image_size,
        "num_classes": len(CLASSES),
        "attention": model.attention,
        "fusion": model.fusion,
        "num_features": len(_columns(manifest)),
        "parameters": manifest.model.parameters,
    }


def _inputs(manifest: Manifest, settings: Settings, format: str) -> dict[str, Any]:
    side, columns = settings.data.image_size, _columns(manifest)
    if format == "onnx":
        inputs = {"images": f"uint8 (batch, 1, {side}, {side}): grey levels after the step `resize`"}
        features = f"float64 (batch, {len(columns)}): as measured, in the order of `features`"
    else:
        channels = settings.model.in_channels
        inputs = {"images": f"float32 (batch, {channels}, {side}, {side}) after the step `standardise`"}
        features = f"float32 (batch, {len(columns)}): standardised, in the order of `features`"
    return inputs | ({"features": features} if columns else {})


def _outputs(format: str) -> dict[str, str]:
    logits = {"logits": f"float32 (batch, {len(CLASSES)}), in the order of `classes`"}
    if format == "onnx":
        return logits | {"probabilities": f"float32 (batch, {len(CLASSES)}), after the step `calibrate`"}
    return logits


def _features(manifest: Manifest) -> dict[str, Any] | None:
    """How the measured features are made and standardised; None for a network of images alone."""
    kept: dict[str, Any] | None = manifest.features
    if kept is None:
        return None
    return {
        "what": "Measured on the grey image before the step `resize`, by ctexp.data.radiomics.columns."
        "measure; standardised as (value - mean) / std, cut off at -10 and 10; 0 where std is 0.",
        "definitions": kept["definitions"],
        "columns": kept["columns"],
        "mean": kept["mean"],
        "std": kept["std"],
    }


def _columns(manifest: Manifest) -> list[str]:
    kept: dict[str, Any] = dict(manifest.features or {})
    return list(kept.get("columns", []))
