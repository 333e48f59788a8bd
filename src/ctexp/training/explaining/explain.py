"""Images of a subject, each explained by the network that judged it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ctexp.config.compose import paths_of
from ctexp.data.cache import UncachedImages
from ctexp.data.catalog import ImageRow
from ctexp.data.radiomics import inputs, table
from ctexp.evaluation.answers import Answers
from ctexp.evaluation.predictions import Predictions
from ctexp.record.run_dir import RunDir
from ctexp.training.explaining.gaze import Gaze, gaze
from ctexp.training.explaining.layers import last_map
from ctexp.training.explaining.maps import grad_cam
from ctexp.training.explaining.pictures import SIDE
from ctexp.training.explaining.sanity import DRAWS, randomised, rank_correlation
from ctexp.training.judging.network import Trained, open_network
from ctexp.training.kernel.device import choose_device, make_repeatable
from ctexp.training.memory.exhaustion import while_answering

_AT_ONCE = 16  # images in one backward pass

Heat = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Explained:
    """An image, and what spoke for the class it was given.

    Attributes:
        run_id: whose network was asked.
        layer: whose maps, and their grid, for example `layer4, 7 x 7`.
        grey: the picture at a size for people, (S, S).
        heat: the map, (h, w), not negative; all zero where nothing spoke for the class.
        gaze: where it lies.
        likeness: rank correlation with the map of each network whose weights were dealt anew, where both are
            no flat surface.
    """

    image_id: str
    run_id: str
    layer: str
    grey: NDArray[np.uint8]
    heat: Heat
    gaze: Gaze
    likeness: tuple[float, ...]


def explain(
    answers: Answers,
    wanted: Mapping[str, int],
    rows: Mapping[str, ImageRow],
    raw: Path,
    root: Path,
    progress: Callable[[int, int], None],
) -> list[Explained]:
    """Explain why images were given their classes.

    Of several networks that judged an image, the first is asked that gave it the class itself.

    Args:
        answers: of the subject.
        wanted: image id -> the class to explain, in the order of the answer.
        rows: the images' catalog rows, by id.
        raw: the data set's raw folder.
        root: the project's folder.
        progress: told of images done, of all.

    Raises:
        DataError: an image, a checkpoint or a table of features is missing, damaged or another than it was.
        MemoryExhausted: a network does not fit.
    """
    found: dict[str, Explained] = {}
    devices: dict[str, torch.device] = {}
    make_repeatable()
    for run, image_ids in _judges(answers, wanted).items():
        trained = open_network(run, torch.device("cpu"))
        accelerator = trained.settings.trainer.accelerator
        device = devices.get(accelerator) or choose_device(accelerator)
        devices[accelerator] = device
        trained.network.to(device)
        with while_answering(trained.settings):
            for start in range(0, len(image_ids), _AT_ONCE):
                part = [rows[image_id] for image_id in image_ids[start : start + _AT_ONCE]]
                classes = [wanted[row.image_id] for row in part]
                for one in _explained(trained, part, classes, raw, root, device):
                    found[one.image_id] = one
                progress(len(found), len(wanted))
    return [found[image_id] for image_id in wanted]


def _judges(answers: Answers, wanted: Mapping[str, int]) -> dict[RunDir, list[str]]:
    """Which run is asked about which images."""
    stored = "val" if answers.subject.place else answers.split
    willing: dict[str, RunDir] = {}
    judged: dict[str, RunDir] = {}
    for run in answers.subject.runs:
        its = Predictions.read(run.predictions(stored))
        for image_id, called in zip(its.image_id, its.logits.argmax(axis=1), strict=True):
            judged.setdefault(image_id, run)
            if called == wanted.get(image_id):
                willing.setdefault(image_id, run)
    asked: dict[RunDir, list[str]] = {}
    for image_id in wanted:
        asked.setdefault(willing.get(image_id, judged[image_id]), []).append(image_id)
    return asked


def _explained(
    trained: Trained,
    rows: Sequence[ImageRow],
    classes: Sequence[int],
    raw: Path,
    root: Path,
    device: torch.device,
) -> list[Explained]:
    data, everything = trained.settings.data, np.arange(len(rows))
    seen = UncachedImages(raw, rows, data.image_size, data.resize).take(everything)
    shown = UncachedImages(raw, rows, SIDE, data.resize).take(everything)
    images = torch.from_numpy(seen).unsqueeze(1).to(device)
    features = _features(trained, rows, root, device)
    target = torch.tensor(classes, device=device)
    layer = last_map(trained.network, images[:1])
    heats = grad_cam(trained.network, layer, images, features, target).cpu().numpy()
    others = []
    for seed in range(DRAWS):
        dealt = randomised(trained.network, seed)
        others.append(grad_cam(dealt, last_map(dealt, images[:1]), images, features, target).cpu().numpy())
    side = heats.shape[-1]
    return [
        Explained(
            row.image_id,
            trained.run.id,
            f"{layer.name}, {side} x {side}",
            grey,
            heat,
            gaze(heat, grey),
            tuple(like for like in likeness if like is not None),
        )
        for row, grey, heat, likeness in zip(
            rows,
            shown,
            heats,
            [[rank_correlation(heat, other[place]) for other in others] for place, heat in enumerate(heats)],
            strict=True,
        )
    ]


def _features(trained: Trained, rows: Sequence[ImageRow], root: Path, device: torch.device) -> Tensor | None:
    """What the network was given beside the images; None where it looks at them alone.

    Raises:
        DataError: the table of features is gone, or does not know these images.
    """
    record = trained.manifest.features
    if record is None:
        return None
    data_dir, _ = paths_of(trained.settings.paths, root)
    measured = table.load(table.table_file(data_dir, trained.manifest.dataset.name)).of(rows)
    return torch.from_numpy(inputs.standardise(measured, record)).to(device)
