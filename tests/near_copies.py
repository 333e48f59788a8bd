"""Ways in which a picture comes back as another file: encoded anew, resized, brighter, cut, framed."""

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8]
Way = Callable[[Grey, np.random.Generator], Grey]


def _jpeg(grey: Grey, rng: np.random.Generator) -> Grey:
    file = BytesIO()
    Image.fromarray(grey).save(file, "JPEG", quality=int(rng.integers(60, 96)))
    return np.array(Image.open(file))


def _palette(grey: Grey, rng: np.random.Generator) -> Grey:
    colours = int(rng.choice([16, 24, 32]))
    few = Image.fromarray(grey).convert("RGB").quantize(colours, dither=Image.Dither.NONE)
    return np.array(few.convert("L"))


def _resize(grey: Grey, rng: np.random.Generator) -> Grey:
    return _scaled(grey, rng, 1.0)


def _stretch(grey: Grey, rng: np.random.Generator) -> Grey:
    return _scaled(grey, rng, float(rng.uniform(0.92, 1.08)))


def _scaled(grey: Grey, rng: np.random.Generator, aspect: float) -> Grey:
    factor = float(np.exp(rng.uniform(np.log(0.4), np.log(2))))
    size = (round(grey.shape[1] * factor * aspect), round(grey.shape[0] * factor))
    how = rng.choice([Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS])
    return np.array(Image.fromarray(grey).resize(size, Image.Resampling(how)))


def _brightness(grey: Grey, rng: np.random.Generator) -> Grey:
    return np.asarray(np.clip(grey + 255 * _shift(rng), 0, 255), np.uint8)


def _contrast(grey: Grey, rng: np.random.Generator) -> Grey:
    return np.asarray(np.clip((grey - 128.0) * (1 + _shift(rng)) + 128, 0, 255), np.uint8)


def _shift(rng: np.random.Generator) -> float:
    return float(rng.choice([-1, 1]) * rng.uniform(0.03, 0.15))


def _crop(grey: Grey, rng: np.random.Generator) -> Grey:
    """3 % of a side's length off one to four sides."""
    top, bottom, left, right = _sides(grey, rng, 0.03)
    return grey[top : grey.shape[0] - bottom, left : grey.shape[1] - right]


def _border(grey: Grey, rng: np.random.Generator) -> Grey:
    """A frame of one level, up to 3 % wide, on one to four sides."""
    top, bottom, left, right = _sides(grey, rng, float(rng.uniform(0.005, 0.03)))
    level = int(rng.choice([0, 128, 255]))
    return np.pad(grey, ((top, bottom), (left, right)), constant_values=level)


def _sides(grey: Grey, rng: np.random.Generator, part: float) -> tuple[int, int, int, int]:
    chosen = rng.permutation(4) < rng.integers(1, 5)
    height, width = grey.shape
    top, bottom, left, right = np.ceil(np.array([height, height, width, width]) * part) * chosen
    return int(top), int(bottom), int(left), int(right)


WAYS: Mapping[str, Way] = {
    "jpeg": _jpeg,
    "palette": _palette,
    "resize": _resize,
    "stretch": _stretch,
    "brightness": _brightness,
    "contrast": _contrast,
    "crop": _crop,
    "border": _border,
}

COMBINATIONS: Sequence[tuple[str, ...]] = [
    *((way,) for way in WAYS),
    *(
        pair
        for pair in permutations(WAYS, 2)
        if set(pair) not in ({"crop", "border"}, {"resize", "stretch"}, {"brightness", "contrast"})
    ),
]
"""Each way alone, then two in a row; what would be twice the same or undo itself is not among them."""


def altered(grey: Grey, ways: Sequence[str], rng: np.random.Generator) -> Grey:
    """The picture after `ways`, names of `WAYS`, one after the other."""
    for way in ways:
        grey = WAYS[way](grey, rng)
    return np.ascontiguousarray(grey)
