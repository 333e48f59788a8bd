"""What a synthetic slice shows of disease: one tumour of its class, and findings any class may have."""

import cv2
import numpy as np

from ctexp.data.phantom.canvas import Canvas, Field, Points, at, blob, spline
from ctexp.data.phantom.lungs import AIR, Lung


def incidental(canvas: Canvas, lungs: list[Lung], rng: np.random.Generator) -> None:
    """Findings without meaning for the class: scars, chalk, dependent density, effusion, blebs, nodes."""
    for lung in lungs:
        if rng.random() < 0.2:
            spot = _spot(canvas, lung, rng, 4, 60)
            canvas.fill(blob(rng, spot, rng.uniform(1.3, 3.2), 0.1), rng.uniform(250, 700))
        if rng.random() < 0.18:
            canvas.fill(blob(rng, _spot(canvas, lung, rng, 4, 60), rng.uniform(1.5, 3.5), 0.1), 20.0)
        if rng.random() < 0.3:
            _scar(canvas, lung, rng)
        if rng.random() < 0.25:
            _dependent(canvas, lung, rng)
        if rng.random() < 0.04:
            _infiltrate(canvas, lung, rng)
        if rng.random() < 0.12:
            for _ in range(int(rng.integers(3, 14))):
                bleb = canvas.area(blob(rng, _spot(canvas, lung, rng, 2, 25), rng.uniform(2, 7), 0.15))
                canvas.paint(bleb, AIR + 15, 0.8, lung.share)
        if rng.random() < 0.3:
            node = lung.hilum + rng.normal(0, 5, 2) - at(lung.side * 9, 0)
            canvas.fill(blob(rng, node, rng.uniform(3, 8), 0.08), 40.0)


def tumour(canvas: Canvas, lungs: list[Lung], class_name: str, rng: np.random.Generator) -> None:
    """Draw the tumour of `class_name` into one lung; a normal slice has none."""
    roomy = np.array([lung.share.sum() for lung in lungs])
    lung = lungs[rng.choice(len(lungs), p=roomy / roomy.sum())]
    _TUMOURS[class_name](canvas, lung, rng)


def _adenocarcinoma(canvas: Canvas, lung: Lung, rng: np.random.Generator) -> None:
    """Peripheral and rather small: a solid, spiculated part in ground glass; more ground glass beside it."""
    radius = float(np.clip(rng.lognormal(np.log(12.5), 0.22), 8, 20))
    spot = _spot(canvas, lung, rng, radius * 0.9, radius + 16, away=38)
    _ground_glass(canvas, lung, spot, radius + rng.uniform(8, 17), rng)
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.2, 0.3, 0.3, 0.2]))):
        _ground_glass(canvas, lung, _spot(canvas, lung, rng, 6, 40), rng.uniform(8, 17), rng)
    for angle in rng.uniform(0, 2 * np.pi, rng.integers(7, 15)):
        reach = radius * rng.uniform(1.3, 2.4)
        tip = spot + reach * np.array([np.cos(angle), np.sin(angle)]) + rng.normal(0, 1.5, 2)
        spicule = canvas.strokes([np.stack([spot, (spot + tip) / 2 + rng.normal(0, 0.8, 2), tip])], 1.1)
        canvas.paint(spicule, 0.0, 0.8, lung.share)
    core = blob(rng, spot + rng.normal(0, 0.15 * radius, 2), radius * rng.uniform(0.6, 1.0), 0.17, 8)
    solid = rng.uniform(15, 60) + canvas.texture(rng, 4, 25)
    canvas.paint(canvas.area(core, 1.2), solid, 1.0, lung.share)
    if rng.random() < 0.35:
        bubble = spot + rng.normal(0, 0.3 * radius, 2)
        canvas.fill(blob(rng, bubble, rng.uniform(1, 2), 0.1), -850.0)


def _ground_glass(canvas: Canvas, lung: Lung, spot: Points, radius: float, rng: np.random.Generator) -> None:
    """Lung that is hazy, its vessels still seen."""
    haze = rng.uniform(-560, -290) + canvas.texture(rng, 4, 70)
    canvas.paint(canvas.area(blob(rng, spot, radius, 0.16, 7), 2.5), haze, 0.85, lung.share)


def _large_cell(canvas: Canvas, lung: Lung, rng: np.random.Generator) -> None:
    """A large peripheral mass: lobulated, sharply bounded, uneven inside."""
    radius = float(np.clip(rng.lognormal(np.log(36), 0.18), 22, 50))
    spot = _spot(canvas, lung, rng, radius * 0.55, radius + 10, away=44)
    mass = np.zeros_like(canvas.hu)
    for angle in np.arange(0, 2 * np.pi, 2 * np.pi / rng.integers(5, 8)) + rng.uniform(0, 6):
        lobe = spot + 0.55 * radius * rng.uniform(0.7, 1.2) * np.array([np.cos(angle), np.sin(angle)])
        outline = blob(rng, lobe, radius * rng.uniform(0.45, 0.62), 0.06, 4)
        np.maximum(mass, canvas.full(canvas.area(outline)), out=mass)
    np.maximum(mass, canvas.full(canvas.area(blob(rng, spot, radius * 0.6, 0.05))), out=mass)
    uneven = rng.uniform(35, 80) + canvas.texture(rng, 18, 22) + canvas.texture(rng, 7, 18)
    canvas.hu += mass * _inside(canvas, lung) * (uneven - canvas.hu)
    for _ in range(int(rng.integers(0, 4))):
        necrosis = spot + rng.normal(0, 0.35 * radius, 2)
        patch = canvas.area(blob(rng, necrosis, radius * rng.uniform(0.12, 0.3), 0.2, 6), 2)
        canvas.paint(patch, rng.uniform(0, 22), 0.9, mass)


def _squamous(canvas: Canvas, lung: Lung, rng: np.random.Generator) -> None:
    """Central, at the hilum; often hollow, often with the lung behind it collapsed."""
    radius = float(np.clip(rng.lognormal(np.log(26), 0.18), 16, 38))
    angle = rng.normal(0, 0.7)
    outward = np.array([lung.side * np.cos(angle), np.sin(angle)])
    spot = lung.hilum + outward * radius * rng.uniform(0.35, 0.95)
    inside = np.maximum(
        _inside(canvas, lung), canvas.full(canvas.area(blob(rng, lung.hilum, 0.8 * radius, 0.1)))
    )
    if rng.random() < 0.5:
        _collapse(canvas, lung, spot, outward, radius, rng)
    for turn in rng.uniform(0, 2 * np.pi, rng.integers(3, 9)):
        tip = spot + radius * rng.uniform(1.15, 1.7) * np.array([np.cos(turn), np.sin(turn)])
        canvas.paint(canvas.strokes([np.stack([spot, tip])], rng.uniform(1, 2.5)), 10.0, 0.8, lung.share)
    solid = rng.uniform(30, 70) + canvas.texture(rng, 8, 22)
    outline = blob(rng, spot, radius, 0.14, 7)
    canvas.paint(canvas.area(outline, 1.0), solid, 1.0, inside)
    if rng.random() < 0.85:
        hollow = spot + rng.normal(0, 0.16 * radius, 2)
        cavity = canvas.area(blob(rng, hollow, radius * rng.uniform(0.45, 0.7), 0.11, 6))
        canvas.paint(cavity, AIR + 40, 1.0, inside)
        if rng.random() < 0.35:
            # Fluid lies at the bottom of a cavity, level.
            level = round(canvas.place(hollow[None] + (0, radius * rng.uniform(0.0, 0.3)))[0, 1])
            below = np.arange(canvas.size)[:, None] >= level
            canvas.paint(cavity, 15.0, 1.0, inside * below.astype(np.float32))


def _none(canvas: Canvas, lung: Lung, rng: np.random.Generator) -> None:
    """A normal slice."""


_TUMOURS = {
    "adenocarcinoma": _adenocarcinoma,
    "large_cell_carcinoma": _large_cell,
    "squamous_cell_carcinoma": _squamous,
    "normal": _none,
}


def _collapse(
    canvas: Canvas, lung: Lung, spot: Points, outward: Points, radius: float, rng: np.random.Generator
) -> None:
    """A wedge of airless lung from the tumour to the pleura, with bronchi still open in it."""
    across = np.array([-outward[1], outward[0]])
    reach, spread = rng.uniform(45, 85), rng.uniform(16, 38)
    knots = [spot + 0.6 * radius * across, spot + reach * outward + spread * across,
             spot + (reach + 8) * outward, spot + reach * outward - spread * across,
             spot - 0.6 * radius * across]  # fmt: skip
    wedge = canvas.area(spline(np.array(knots) + rng.normal(0, 3, (5, 2))), 3)
    canvas.paint(wedge, rng.uniform(-60, 45) + canvas.texture(rng, 6, 40), rng.uniform(0.9, 1), lung.share)
    for _ in range(int(rng.integers(1, 5))):
        start = spot + (radius + 2) * outward + rng.normal(0, 0.2, 1) * spread * across
        end = start + rng.uniform(12, 30) * outward + rng.normal(0, 5, 2)
        canvas.paint(canvas.strokes([np.stack([start, end])], rng.uniform(1.2, 2.4)), -850.0, 0.8, lung.share)


def _scar(canvas: Canvas, lung: Lung, rng: np.random.Generator) -> None:
    """A band of scar or plate-like collapse."""
    start = _spot(canvas, lung, rng, 1, 12)
    angle = rng.uniform(0, 2 * np.pi)
    end = start + rng.uniform(12, 38) * np.array([np.cos(angle), np.sin(angle)])
    middle = (start + end) / 2 + rng.normal(0, 2.5, 2)
    band = canvas.strokes([spline([start, middle, end], closed=False)], rng.uniform(1, 3))
    canvas.paint(band, rng.uniform(-250, 20), 0.85, lung.share)


def _dependent(canvas: Canvas, lung: Lung, rng: np.random.Generator) -> None:
    """Density or fluid where the lung lies on the back."""
    lowest = lung.outline[np.argmax(lung.outline[:, 1])]
    shape = blob(rng, lowest + at(lung.side * rng.normal(0, 6), 8), rng.uniform(14, 26), 0.2)
    shape = (shape - lowest) * (rng.uniform(1.2, 1.9), rng.uniform(0.4, 0.9)) + lowest
    fluid = rng.random() < 0.3
    patch = canvas.area(shape, 1 if fluid else 5)
    canvas.paint(patch, 8.0 if fluid else rng.uniform(-650, -250), 0.95, lung.share)


def _infiltrate(canvas: Canvas, lung: Lung, rng: np.random.Generator) -> None:
    """A patch of ground glass or pneumonia."""
    spot = _spot(canvas, lung, rng, 5, 45)
    patch = canvas.area(blob(rng, spot, rng.uniform(8, 22), 0.3, 9), 5)
    canvas.paint(patch, rng.uniform(-650, -300) + canvas.texture(rng, 5, 90), 0.8, lung.share)


def _spot(
    canvas: Canvas, lung: Lung, rng: np.random.Generator, nearest: float, farthest: float, away: float = 0
) -> Points:
    """A place in the lung between `nearest` and `farthest` mm from the pleura, `away` mm from the hilum.

    Where the lung is too small for that, the place that misses it least.
    """
    low, high = lung.outline.min(axis=0), lung.outline.max(axis=0)
    tries = rng.uniform(low, high, (160, 2))
    outline = lung.outline.astype(np.float32)
    depth = np.array([cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in tries])
    column, row = np.clip(np.round(canvas.place(tries)).astype(int), 0, canvas.size - 1).T
    missed = (
        np.maximum(nearest - depth, 0)
        + np.maximum(depth - farthest, 0)
        + np.maximum(away - np.linalg.norm(tries - lung.hilum, axis=1), 0)
        + 40 * (lung.share[row, column] < 0.5)
    )
    best: Points = tries[np.argmin(missed)]
    return best


def _inside(canvas: Canvas, lung: Lung) -> Field:
    """Lung and what a mass may push into: the hilum, but neither ribs nor heart."""
    return cv2.GaussianBlur(lung.share, (0, 0), 1.5 / canvas.pixel_mm).astype(np.float32, copy=False)
