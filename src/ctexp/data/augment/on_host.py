"""The applier for processors: OpenCV on 8-bit images, one by one in as many threads as there are cores.

OpenCV's own threads slow such small images down, here and in the process as a whole; it gets one.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from ctexp.data.augment.plan import Affine, Plan, Slides, Surface, spline_basis

_MOST_THREADS = 8  # what the interpreter can keep busy with images of a tenth of a millisecond


class HostApplier:
    """Carries out plans on arrays."""

    def __init__(self) -> None:
        cv2.setNumThreads(1)
        self._threads = min(len(os.sched_getaffinity(0)), _MOST_THREADS)
        self._pool = ThreadPoolExecutor(self._threads)

    def apply(self, images: NDArray[np.uint8], plan: Plan) -> None:
        """Change a batch in its place: the memory of another would cost a tenth of the work.

        Args:
            images: grey levels, shape (B, height, width).
            plan: what to do to each.
        """
        if plan.is_empty:
            return
        fill = plan.fill(len(images))

        def change(places: NDArray[np.int64]) -> None:
            for place in places:
                images[place] = _changed(images[place], plan, place, int(fill[place]))

        places = np.arange(len(images))
        if plan.quality is None and not isinstance(plan.geometry, Affine | Surface):
            change(places)  # done before a thread has begun
        else:
            list(self._pool.map(change, np.array_split(places, self._threads)))


def _changed(image: MatLike, plan: Plan, place: int, fill: int) -> MatLike:
    """The image at one place of the batch after all of the plan."""
    if plan.quality is not None:
        image = _recompressed(image, int(plan.quality[place]))
    if plan.tables is not None:
        image = cv2.LUT(image, plan.tables[place])
    match plan.geometry:
        case Slides(flips, shifts):
            image = _slid(image, flips[place], shifts[place], fill)
        case Affine(source):
            flags, size = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, image.shape[::-1]
            image = cv2.warpAffine(image, source[place], size, flags=flags, borderValue=fill)
        case Surface(controls):
            rows, columns = (spline_basis(side).astype(np.float32) for side in image.shape)
            x, y = rows @ controls[place].astype(np.float32) @ columns.T
            image = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderValue=fill)
    if plan.noise is not None:
        begin = plan.noise.offsets[place]
        noise = plan.noise.bank[begin : begin + image.size].reshape(image.shape)
        image = cv2.add(image, noise, dtype=cv2.CV_8U)
    if plan.patches is not None:
        top, bottom, left, right = plan.patches.boxes[place]
        image[top:bottom, left:right] = plan.patches.levels[place]
    return image


def _recompressed(image: MatLike, quality: int) -> MatLike:
    _, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.uint8)


def _slid(image: MatLike, flips: NDArray[np.bool_], shifts: NDArray[np.int64], fill: int) -> MatLike:
    """Mirror, then shift; what both have in common is copied, the rest filled."""
    if flips.any():
        across, over = flips
        image = cv2.flip(image, -1 if across and over else int(across))
    if not shifts.any():
        return image
    (height, width), (right, down) = image.shape, shifts
    slid = np.full_like(image, fill)
    slid[max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = image[
        max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)
    ]
    return slid
