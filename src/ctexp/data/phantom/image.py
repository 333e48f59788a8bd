"""One synthetic image: a patient, a tumour, a scan, a display window, a crop."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ctexp.data.phantom import lesions, lungs, mediastinum, torso
from ctexp.data.phantom.canvas import Canvas, Field
from ctexp.data.phantom.patient import Subject, Torso
from ctexp.data.phantom.tomography import Scanner

GRID = 320
"""Pixels along a side of the scanned slice."""

VIEWS = 288
"""Projections over 180 degrees."""


def draw(class_name: str, seed: int, index: int) -> NDArray[np.uint8]:
    """Make one image: a patient, the tumour of the class, a scan, a window, a crop, an odd size.

    The same seed and index give the same patient in every class.

    Returns:
        Grey levels, shape (height, width), about 170 x 110 to 1,200 x 870.
    """
    anatomy, disease, scan, view = (np.random.default_rng([seed, index, part]) for part in range(4))
    hu, body, pixel_mm = _slice(class_name, anatomy, disease)
    lung_window = view.random() < 0.9
    scanner = Scanner(VIEWS, scan.lognormal(np.log(9e5), 0.5), 1.7 if lung_window else 1.0)
    seen = scanner.scan(hu, pixel_mm, scan)
    if lung_window:
        black, white = view.normal(-1220, 60), view.uniform(100, 260)
    else:
        black, white = view.normal(-150, 20), view.normal(235, 20)
    grey = np.clip((seen - black) * (255 / (white - black)), 0, 255).astype(np.uint8)
    return _framed(grey, body, view)


def _slice(
    class_name: str, anatomy: np.random.Generator, disease: np.random.Generator
) -> tuple[Field, NDArray[np.intp], float]:
    """The true slice in Hounsfield units, the body's box (left, top, right, bottom), the pixel's size."""
    subject = Subject.sample(anatomy)
    frame = Torso.sample(subject, anatomy)
    canvas = Canvas(GRID, frame.field_of_view, subject.turn, anatomy)
    torso.wall(canvas, subject, frame, anatomy)
    if anatomy.random() < 0.5:
        torso.table(canvas, frame, anatomy)
    canvas.fill(frame.ribs, canvas.texture(anatomy, 8, 10) + np.float32(torso.FAT))
    collapsed = lungs.both(canvas, subject, frame.ribs, anatomy)
    torso.bones(canvas, subject, frame, anatomy)
    mediastinum.organs(canvas, subject, anatomy)
    pair = [lungs.aerated(canvas, lung) for lung in collapsed]
    for lung in pair:
        lungs.vessels(canvas, subject, lung, anatomy)
    lesions.incidental(canvas, pair, anatomy)
    lesions.tumour(canvas, pair, class_name, disease)
    outline = canvas.place(frame.skin)
    box = np.concatenate([outline.min(axis=0), outline.max(axis=0)]).round().astype(np.intp)
    return canvas.hu, box, canvas.pixel_mm


def _framed(grey: NDArray[np.uint8], body: NDArray[np.intp], view: np.random.Generator) -> NDArray[np.uint8]:
    """Cut the body out as a hurried reader's screenshot would, and resize it."""
    margins = view.uniform((-0.02, -0.03, -0.02, -0.03), (0.06, 0.04, 0.06, 0.04)) * GRID
    left, top, right, bottom = np.clip(np.round(body + margins * (-1, -1, 1, 1)).astype(int), 0, GRID)
    cut = grey[top:bottom, left:right]
    width = round(float(np.clip(view.lognormal(np.log(429), 0.36), 172, 1200)))
    height = round(width * cut.shape[0] / cut.shape[1] * view.normal(1, 0.03))
    # Averaging when it gets smaller, smooth interpolation when it gets larger.
    how = cv2.INTER_AREA if width < cut.shape[1] else cv2.INTER_CUBIC
    return cv2.resize(cut, (width, height), interpolation=how).astype(np.uint8, copy=False)
