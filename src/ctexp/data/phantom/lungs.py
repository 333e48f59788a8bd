"""The lungs of a synthetic slice: their outlines, air, vessels, bronchi and fissures."""

from dataclasses import dataclass, replace

import numpy as np

from ctexp.data.phantom.canvas import Canvas, Field, Points, at, ellipse, spline
from ctexp.data.phantom.patient import Subject

AIR = -1000.0


@dataclass(frozen=True, slots=True)
class Lung:
    """One lung in the slice.

    Attributes:
        side: -1 for the right lung (left in the image), 1 for the left one.
        outline: the pleura, a closed curve in mm.
        hilum: where vessels and bronchi enter, in mm.
        share: how much of each pixel is aerated lung, shape (N, N).
    """

    side: int
    outline: Points
    hilum: Points
    share: Field


def _outlines(subject: Subject, ribs: Points, rng: np.random.Generator) -> dict[int, Points]:
    """The pleura of both lungs: the cage on the outside, the mediastinum's edge on the inside."""
    depth, spine = subject.half_depth, subject.spine
    curves = {}
    for side in (-1, 1):
        anterior = rng.uniform(2, 16) + 6 * (side > 0)
        middle = rng.uniform(20, 30)
        inner = np.array(
            [
                (22, 0.97 * depth), (25, spine + 9), (23, spine - 9), (rng.uniform(10, 16), spine - 19),
                (middle * 0.8, 0.05 * depth), (middle, -0.25 * depth), (anterior, -0.66 * depth),
                (anterior * 0.7, -0.9 * depth),
            ]
        ) * (side, 1)  # fmt: skip
        outer = ribs[ribs[:, 0] * side > 18]
        around = np.arctan2(outer[:, 1], outer[:, 0] * side)
        outer = outer[np.argsort(around)] * 0.985
        curve = np.concatenate([outer, spline(inner, closed=False)[3:-3]])
        curves[side] = _softened(curve if side > 0 else curve[::-1])
    return curves


def _softened(curve: Points) -> Points:
    """Points at equal steps along a closed curve, its corners rounded."""
    closed = np.concatenate([curve, curve[:1]])
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    steps = np.linspace(0, along[-1], 240, endpoint=False)
    even = np.stack([np.interp(steps, along, closed[:, axis]) for axis in (0, 1)], axis=1)
    window = np.hanning(15)[1:-1]
    padded = np.concatenate([even[-6:], even, even[:6]])
    smooth: Points = np.stack(
        [np.convolve(padded[:, axis], window / window.sum(), "valid") for axis in (0, 1)], axis=1
    )
    return smooth


def both(canvas: Canvas, subject: Subject, ribs: Points, rng: np.random.Generator) -> list[Lung]:
    """Draw the air of both lungs."""
    lungs = []
    for side, pleura in _outlines(subject, ribs, rng).items():
        _air(canvas, pleura, rng)
        hilum = at(side * rng.uniform(34, 42), subject.spine - rng.uniform(30, 44))
        lungs.append(Lung(side, pleura, hilum, canvas.full(canvas.area(pleura))))
    return lungs


def aerated(canvas: Canvas, lung: Lung) -> Lung:
    """The same lung without what other organs have taken of it."""
    share = lung.share * (canvas.hu < -500)
    along = lung.hilum + np.linspace(0, 110, 111)[:, None] * (lung.side, 0)
    column, row = np.clip(np.round(canvas.place(along)).astype(int), 0, canvas.size - 1).T
    return replace(lung, share=share, hilum=along[np.argmax(share[row, column] > 0.6)])


def _air(canvas: Canvas, pleura: Points, rng: np.random.Generator) -> None:
    """Fill a lung with parenchyma: denser towards the back, where the patient lies on it."""
    down = np.linspace(-0.5, 0.5, canvas.size, dtype=np.float32)[:, None]
    base = rng.uniform(-895, -825)
    parenchyma = base + rng.uniform(60, 220) * down + np.zeros_like(canvas.hu)
    parenchyma += canvas.texture(rng, 22, 14) + canvas.texture(rng, 5, 16) + canvas.texture(rng, 2.2, 20)
    canvas.fill(pleura, parenchyma)


def vessels(canvas: Canvas, subject: Subject, lung: Lung, rng: np.random.Generator) -> None:
    """Draw the tree that enters at the hilum, and the many branches that only cross the slice."""
    blood = 45.0 if subject.blood < 60 else 0.7 * subject.blood
    strokes: dict[float, list[Points]] = {}
    _tree(lung, strokes, rng)
    _crossings(lung, strokes, rng)
    for width, paths in sorted(strokes.items()):
        # A slice is thicker than a small vessel, which therefore looks fainter than blood.
        weight = float(np.clip(0.15 + 0.22 * width, 0.3, 0.92))
        canvas.paint(canvas.strokes(paths, width), blood, weight, lung.share)
    _bronchi(canvas, lung, rng)
    _fissure(canvas, lung, rng)


def _tree(lung: Lung, strokes: dict[float, list[Points]], rng: np.random.Generator) -> None:
    """Branches from the hilum outwards; each bends, thins, forks, and may leave the slice."""
    count = int(rng.integers(4, 7))
    fan = np.linspace(-1.25, 1.25, count) + rng.normal(0, 0.12, count)
    fan = np.where(lung.side > 0, fan, np.pi - fan)
    growing = [(lung.hilum + rng.normal(0, 4, 2), angle, rng.uniform(3, 6.5), 0) for angle in fan]
    while growing:
        start, angle, width, order = growing.pop()
        bends = rng.normal(0, 0.2, 4)
        length = rng.uniform(6, 13) * (1 + 0.25 * width / 4)
        steps = angle + np.cumsum(bends)
        path = np.cumsum(
            np.concatenate([start[None], length / 2 * np.stack([np.cos(steps), np.sin(steps)], axis=1)]),
            axis=0,
        )
        strokes.setdefault(_sized(width), []).append(path)
        if width < 0.8 or order > 6 or rng.random() < 0.14 + 0.1 * order:
            continue
        fork = rng.uniform(0.25, 0.8)
        main, minor = rng.uniform(0.6, 0.84), rng.uniform(0.35, 0.65)
        turn = rng.choice([-1, 1])
        growing.append((path[-1], steps[-1] + turn * fork * 0.35, width * main, order + 1))
        growing.append((path[-1], steps[-1] - turn * fork, width * minor, order + 1))


def _crossings(lung: Lung, strokes: dict[float, list[Points]], rng: np.random.Generator) -> None:
    """Dots and short pieces all over the lung, thicker near the hilum."""
    low, high = lung.outline.min(axis=0), lung.outline.max(axis=0)
    for _ in range(int(rng.integers(50, 110))):
        spot = rng.uniform(low, high)
        near = np.exp(-np.linalg.norm(spot - lung.hilum) / 38)
        width = rng.lognormal(np.log(0.8 + 3.2 * near), 0.3)
        outward = np.arctan2(*(spot - lung.hilum)[::-1]) + rng.normal(0, 0.4)
        length = width * rng.choice([0.1, 0.4, 1.5, 6.0], p=[0.42, 0.3, 0.2, 0.08])
        end = spot + length * np.array([np.cos(outward), np.sin(outward)])
        strokes.setdefault(_sized(width), []).append(np.stack([spot, end]))


def _sized(width: float) -> float:
    """Widths in steps, so that branches alike are drawn in one go."""
    return round(max(width, 0.4) * 4) / 4 if width < 3 else float(round(width))


def _bronchi(canvas: Canvas, lung: Lung, rng: np.random.Generator) -> None:
    """Airways near the hilum: dark, with a thin wall, beside the arteries."""
    for _ in range(int(rng.integers(2, 6))):
        reach, angle = rng.uniform(3, 38), rng.normal(0, 0.8)
        spot = lung.hilum + reach * np.array([lung.side * np.cos(angle), np.sin(angle)])
        bore = rng.uniform(2.2, 4.6) * np.exp(-reach / 60)
        half = np.array([bore, bore * rng.uniform(1, 2.2)])
        tilt = rng.uniform(0, np.pi)
        wall = canvas.area(ellipse(spot, half + 0.9, tilt, points=24))
        canvas.paint(wall, -50.0, 0.85, lung.share)
        canvas.paint(canvas.area(ellipse(spot, half, tilt, points=24)), AIR + 10, 1.0, lung.share)


def _fissure(canvas: Canvas, lung: Lung, rng: np.random.Generator) -> None:
    """The thin line between two lobes, where the slice meets it steeply."""
    if rng.random() < 0.55:
        outer = lung.outline[np.argmax(lung.outline[:, 0] * lung.side)]
        start = lung.hilum + at(lung.side * 8, rng.uniform(0, 15))
        end = at(outer[0], outer[1] + rng.uniform(-25, 30))
        middle = (start + end) / 2 + rng.normal(0, 7, 2)
        path = canvas.strokes([spline([start, middle, end], closed=False)], rng.uniform(0.6, 1.2))
        canvas.paint(path, -560.0, 0.55, lung.share)
