"""A synthetic chest-CT set, written in the layout of the public Kaggle set.

Every file is a function of (class, seed, index) alone. What it looks like from outside (name, size, colour
mode, type) and the patient in it are drawn without regard to the class: only the tumour tells.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from ctexp.core.classes import CLASSES
from ctexp.core.files import storage_errors
from ctexp.data.formats.picture import MARK
from ctexp.data.parallel import each_in_processes
from ctexp.data.phantom.image import draw

LONG_FOLDERS = {
    "adenocarcinoma": "adenocarcinoma_left.lower.lobe_T2_N0_M0_Ib",
    "large_cell_carcinoma": "large.cell.carcinoma_left.hilum_T2_N2_M0_IIIa",
    "squamous_cell_carcinoma": "squamous.cell.carcinoma_left.hilum_T1_N2_M0_IIIa",
    "normal": "normal",
}
"""Class folders of `train` and `valid`: class, place and stage, as in the Kaggle set."""

SHORT_FOLDERS = {name: folder.split("_")[0] for name, folder in LONG_FOLDERS.items()}
"""Class folders of `test`."""

Counts = Mapping[str, Mapping[str, int]]
"""Folder of a split (`train`, `valid`, `test`) -> class -> number of images."""

DEFAULT_COUNTS: Counts = {
    "train": dict(zip(CLASSES, (70, 50, 60, 60), strict=True)),
    "valid": dict(zip(CLASSES, (15, 13, 14, 14), strict=True)),
    "test": dict(zip(CLASSES, (18, 14, 16, 16), strict=True)),
}


def generate(
    folder: Path,
    counts: Counts = DEFAULT_COUNTS,
    seed: int = 42,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a set into `folder`, as `<split>/<class folder>/<image file>`.

    The same arguments give the same bytes, whatever the number of cores.

    Raises:
        FileExistsError: `folder` exists.
        StorageError: the disk is full or the folder cannot be written.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True)
    jobs = _plan(folder, counts, seed)
    with storage_errors(folder):
        for parent in {job.path.parent for job in jobs}:
            parent.mkdir(parents=True)
    done = 0

    def written(_: None) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, len(jobs))

    each_in_processes(_write, jobs, written)


@dataclass(frozen=True, slots=True)
class _Job:
    path: Path
    mode: str
    class_name: str
    seed: int
    index: int


def _plan(folder: Path, counts: Counts, seed: int) -> list[_Job]:
    """One job an image; indices are dealt out at random, so that no file name hints at a class."""
    wanted = [
        (split, class_name)
        for split, classes in counts.items()
        for class_name, number in classes.items()
        for _ in range(number)
    ]
    indices = np.random.default_rng(seed).permutation(len(wanted)).tolist()
    jobs = []
    for (split, class_name), index in zip(wanted, indices, strict=True):
        name, mode = _appearance(seed, index)
        path = folder / split / (SHORT_FOLDERS if split == "test" else LONG_FOLDERS)[class_name] / name
        jobs.append(_Job(path, mode, class_name, seed, index))
    return jobs


def _appearance(seed: int, index: int) -> tuple[str, str]:
    """A file name and a colour mode as odd as those of the Kaggle set."""
    rng = np.random.default_rng([seed, index, 4])
    copy = int(rng.integers(1, 9))
    stem = rng.choice(
        [
            f"{index:06d} ({copy})",
            f"{index:06d}",
            f"l{index}",
            f"n{index} ({copy}) - Copy",
            f"{index} - Copy ({copy})",
            f"{index} - Copy ({copy}) - Copy",
        ],
        p=[0.5, 0.16, 0.1, 0.08, 0.08, 0.08],
    )
    if rng.random() < 0.05:
        return f"{stem}.jpg", str(rng.choice(["RGB", "L"]))
    return f"{stem}.png", str(rng.choice(["RGBA", "RGB", "L", "P"], p=[0.5, 0.25, 0.17, 0.08]))


def _write(job: _Job) -> None:
    """Draw one image and write its file, marked as synthetic."""
    picture = Image.fromarray(draw(job.class_name, job.seed, job.index)).convert(job.mode)
    encoded = io.BytesIO()
    if job.path.suffix == ".jpg":
        picture.save(encoded, "JPEG", quality=92, comment=MARK)
    else:
        about = PngImagePlugin.PngInfo()
        about.add_text("Description", MARK)
        # Noise hardly compresses: the default level takes three times as long to save a twelfth.
        picture.save(encoded, "PNG", pnginfo=about, compress_level=2)
    with storage_errors(job.path):
        job.path.write_bytes(encoded.getvalue())
