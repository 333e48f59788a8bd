"""The applier for processors: OpenCV on 8-bit images, one by one in as many threads as there are cores.

OpenCV's own threads slow such small images down, here and in the process as a whole; it gets one.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from ctexp.data.augment.plan import Affine, Plan, Slides, Surface, spline_basis

_MOST_BUFFERS = 4
_MOST_THREADS = 8  # what the interpreter can keep busy with images of a tenth of a millisecond


class HostApplier:
    """Carries out plans on arrays."""

    def __init__(self) -> None:
        cv2.setNumThreads(1)
        self._buffers: list[NDArray[np.uint8]] = []
        self._threads = min(len(os.sched_getaffinity(0)), _MOST_THREADS)
        self._pool = ThreadPoolExecutor(self._threads)

    def apply(self, images: NDArray[np.uint8], plan: Plan) -> NDArray[np.uint8]:
        """Change a batch; the input is left as it is.

        Args:
            images: grey levels, shape (B, height, width).
            plan: what to do to each.

        Returns:
            Shape (B, height, width); `images` itself where there is nothing to do. Its memory is used again once
            nobody holds the array, or anything made of its memory.
        """
        if plan.is_empty:
            return images
        changed = self._free_buffer(images.shape)
        fill = plan.fill(len(images))

        def change(places: NDArray[np.int64]) -> None:
            for place in places:
                _change(images[place], changed[place], plan, place, int(fill[place]))

        places = np.arange(len(images))
        if plan.quality is None and not isinstance(plan.geometry, Affine | Surface):
            change(places)  # done before a thread has begun
        else:
            list(self._pool.map(change, np.array_split(places, self._threads)))
        return changed

    def _free_buffer(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """Memory for a batch: fresh pages cost a tenth of what is done to them."""
        for buffer in self._buffers:
            # Known to the list, to this loop and to the function that counts.
            if buffer.shape == shape and sys.getrefcount(buffer) == 3:
                return buffer
        fresh = np.empty(shape, np.uint8)
        self._buffers = [fresh, *self._buffers[: _MOST_BUFFERS - 1]]
        return fresh


def _change(image: NDArray[np.uint8], out: NDArray[np.uint8], plan: Plan, place: int, fill: int) -> None:
    """All of the plan for the image at one place of the batch, into `out`."""
    if plan.quality is not None:
        image = _recompressed(image, int(plan.quality[place]))
    if plan.tables is not None:
        image = np.asarray(cv2.LUT(image, plan.tables[place]), np.uint8)
    match plan.geometry:
        case None:
            out[...] = image
        case Slides(flips, shifts):
            _slide(image, out, flips[place], shifts[place], fill)
        case Affine(source):
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            size = image.shape[::-1]
            cv2.warpAffine(image, source[place], size, out, flags, cv2.BORDER_CONSTANT, fill)
        case Surface(controls):
            rows, columns = (spline_basis(side).astype(np.float32) for side in image.shape)
            x, y = rows @ controls[place].astype(np.float32) @ columns.T
            cv2.remap(image, x, y, cv2.INTER_LINEAR, out, cv2.BORDER_CONSTANT, fill)
    if plan.noise is not None:
        begin = plan.noise.offsets[place]
        noise = plan.noise.bank[begin : begin + image.size].reshape(image.shape)
        cv2.add(out, noise, out, dtype=cv2.CV_8U)
    if plan.patches is not None:
        top, bottom, left, right = plan.patches.boxes[place]
        out[top:bottom, left:right] = plan.patches.levels[place]


def _recompressed(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    _, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.uint8)


def _slide(
    image: NDArray[np.uint8],
    out: NDArray[np.uint8],
    flips: NDArray[np.bool_],
    shifts: NDArray[np.int64],
    fill: int,
) -> None:
    """Mirror, then shift; what both have in common is copied, the rest filled."""
    (height, width), (right, down) = image.shape, shifts
    if flips.any():
        across, over = flips
        image = np.asarray(cv2.flip(image, -1 if across and over else int(across)), np.uint8)
    seen = out[max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)]
    if seen.size < out.size:
        out[...] = fill
    seen[...] = image[max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)]
