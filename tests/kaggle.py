"""A folder tree shaped like Kaggle's "Chest CT-Scan images": its names, modes, sizes, counts and duplicates.

The pictures are a mottled oval with a spot whose place tells the class, so that a short training can learn
something; nobody would take them for CT images. Each has its own mottling, coarse and fine, as each patient
has vessels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.near_copies import COMBINATIONS, altered

COUNTS = {
    "train": {
        "adenocarcinoma": 195,
        "large_cell_carcinoma": 115,
        "squamous_cell_carcinoma": 155,
        "normal": 148,
    },
    "valid": {"adenocarcinoma": 23, "large_cell_carcinoma": 21, "squamous_cell_carcinoma": 15, "normal": 13},
    "test": {"adenocarcinoma": 120, "large_cell_carcinoma": 51, "squamous_cell_carcinoma": 90, "normal": 54},
}
"""Images per split folder and class at scale 1: 613, 72 and 315."""

LONG_NAMES = {
    "adenocarcinoma": "adenocarcinoma_left.lower.lobe_T2_N0_M0_Ib",
    "large_cell_carcinoma": "large.cell.carcinoma_left.hilum_T2_N2_M0_IIIa",
    "squamous_cell_carcinoma": "squamous.cell.carcinoma_left.hilum_T1_N2_M0_IIIa",
    "normal": "normal",
}
"""Class folders of train and valid."""

SHORT_NAMES = {name: name.replace("_", ".") for name in LONG_NAMES}
"""Class folders of test."""

_REPEATS_IN_TRAIN = 8  # one normal is there so many times
_TEST_NORMALS_FROM_TRAIN = 46  # files whose bytes are those of a train normal …
_DISTINCT_FROM_TRAIN = 19  # … and so many different ones among them
_JPEG_EVERY = 20  # of the normals, which makes about 12 of all 1,000
_MODES = ("RGBA", "RGB", "P", "RGBA", "RGB", "L")


@dataclass(frozen=True)
class NearCopy:
    """A planted near duplicate.

    Attributes:
        original: the image id of the one it was made of, as an import names it.
        copy: its own.
        ways: what was done, names of `tests.near_copies.WAYS`.
    """

    original: str
    copy: str
    ways: tuple[str, ...]


@dataclass(frozen=True)
class _File:
    name: str
    content: bytes


def build_kaggle_tree(folder: Path, scale: float, seed: int) -> None:
    """Write `folder/Data/{train,valid,test}/<class>/<image>`, the same bytes for the same arguments.

    Args:
        folder: where `Data` is made.
        scale: the factor to all counts, at most 1; every class keeps at least two images in every split.
        seed: for the pictures and their sizes.
    """
    rng = np.random.default_rng(seed)
    train_normals: list[_File] = []
    for split, classes in COUNTS.items():
        for class_name, full_count in classes.items():
            files = _files(rng, split, class_name, _scaled(full_count, scale))
            if class_name == "normal" and split == "train":
                _repeat_one(files, _scaled(_REPEATS_IN_TRAIN, scale))
                train_normals = files
            if class_name == "normal" and split == "test":
                copies = min(_scaled(_TEST_NORMALS_FROM_TRAIN, scale), len(files) - 1)
                _copy_from(train_normals, files, copies, _scaled(_DISTINCT_FROM_TRAIN, scale))
            names = SHORT_NAMES if split == "test" else LONG_NAMES
            target = folder / "Data" / split / names[class_name]
            target.mkdir(parents=True)
            for file in files:
                (target / file.name).write_bytes(file.content)


def plant_near_copies(folder: Path, count: int, seed: int) -> list[NearCopy]:
    """Replace `count` images of a tree by near copies of `count` others, so that its numbers stay.

    Originals and places are taken at random from all splits and classes but the normals of train and test,
    which hold the exact duplicates. The copies are made in every way and combination of two ways in turn.

    Args:
        folder: where `build_kaggle_tree` made `Data`.
        count: how many copies, at most half of the images that may be taken.
        seed: for the choice and the alterations.
    """
    rng = np.random.default_rng(seed)
    data = folder / "Data"
    kept = {data / split / "normal" for split in ("train", "test")}
    files = [file for file in sorted(data.glob("*/*/*")) if file.parent not in kept]
    chosen = [files[place] for place in rng.permutation(len(files))[: 2 * count]]
    planted = []
    for number, (original, place) in enumerate(zip(chosen[:count], chosen[count:], strict=True)):
        ways = COMBINATIONS[number % len(COMBINATIONS)]
        with Image.open(original) as image:
            picture = altered(np.array(image.convert("L")), ways, rng)
        place.unlink()
        copy = place.with_suffix(".png")
        copy.write_bytes(_encoded(picture, "L", is_jpeg=False))
        planted.append(NearCopy(_image_id(data, original), _image_id(data, copy), ways))
    return planted


def _image_id(data: Path, file: Path) -> str:
    return file.relative_to(data).as_posix().replace("valid/", "val/")


def _scaled(count: int, scale: float) -> int:
    return max(2, round(count * scale))


def _repeat_one(files: list[_File], times: int) -> None:
    """Make the last `times` files copies of one."""
    for place in range(len(files) - min(times, len(files) - 1), len(files)):
        files[place] = _copied(files[-1], files[place])


def _copy_from(originals: list[_File], files: list[_File], copies: int, distinct: int) -> None:
    """Make the first `copies` files copies of `distinct` originals in turn."""
    for place in range(copies):
        files[place] = _copied(originals[place % distinct], files[place])


def _copied(original: _File, place: _File) -> _File:
    return _File(f"{Path(place.name).stem}{Path(original.name).suffix}", original.content)


def _files(rng: np.random.Generator, split: str, class_name: str, count: int) -> list[_File]:
    files = []
    for number, stem in zip(range(count), _stems(class_name), strict=False):
        picture = _picture(rng, class_name)
        if split == "test" and class_name != "normal":
            picture[-1] = 0  # the dark bottom row that tells this source from the others
        is_jpeg = class_name == "normal" and number % _JPEG_EVERY == 1
        content = _encoded(picture, "L" if is_jpeg else _MODES[number % len(_MODES)], is_jpeg)
        files.append(_File(f"{stem}.{'jpg' if is_jpeg else 'png'}", content))
    return files


def _stems(class_name: str) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        if class_name == "normal":
            yield from (f"n{number} (2) - Copy", f"{number} - Copy (2) - Copy", f"{number}", f"{number} (3)")
        else:
            yield from (f"{number:06d} ({number % 9 + 1})", f"{number:06d}", f"l{number}")


def _picture(rng: np.random.Generator, class_name: str) -> NDArray[np.uint8]:
    """Grey levels, shape (height, width) between 110×172 and 874×1200, the median near 285×429."""
    larger = 1.25 if class_name == "normal" else 0.95
    factor = larger * np.exp(rng.normal(0, 0.3))
    width = int(np.clip(429 * factor, 172, 1200))
    height = int(np.clip(285 * factor * np.exp(rng.normal(0, 0.1)), 110, 874))
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    body = np.hypot(x / rng.uniform(0.8, 0.95), y / rng.uniform(0.7, 0.9)) < 1
    picture = 40 + 60 * body + rng.normal(0, 6, (height, width))
    for details, strength in ((8, 12), (60, 12)):
        picture += strength * _mottling(rng, width, height, details)
    spots = {
        "adenocarcinoma": (-0.4, 0.3),
        "large_cell_carcinoma": (0.4, -0.3),
        "squamous_cell_carcinoma": (0.0, 0.0),
    }
    if class_name in spots:
        spot_x, spot_y = spots[class_name] + rng.normal(0, 0.05, 2)
        picture += 110 * (np.hypot(x - spot_x, y - spot_y) < rng.uniform(0.15, 0.25))
    return np.asarray(picture.clip(0, 255), np.uint8)


def _mottling(rng: np.random.Generator, width: int, height: int, details: int) -> NDArray[np.float32]:
    """Smooth noise of unit strength, with so many details along the width."""
    few = Image.fromarray(rng.normal(size=(details, details)).astype(np.float32))
    return np.asarray(few.resize((width, height), Image.Resampling.BICUBIC))


def _encoded(picture: NDArray[np.uint8], mode: str, is_jpeg: bool) -> bytes:
    grey = Image.fromarray(picture)
    image = grey.convert("RGB").quantize(64, dither=Image.Dither.NONE) if mode == "P" else grey.convert(mode)
    buffer = BytesIO()
    if is_jpeg:
        image.save(buffer, "JPEG", quality=90)
    else:
        image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
