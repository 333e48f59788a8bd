"""Between the lungs: heart, great vessels, airways, oesophagus and, lower down, the liver's dome."""

import numpy as np

from ctexp.data.phantom.canvas import Canvas, Field, Points, at, blob, ellipse, offset, tube
from ctexp.data.phantom.patient import Subject
from ctexp.data.phantom.torso import FAT

TISSUE = 44.0
AIR = -990.0


def organs(canvas: Canvas, subject: Subject, rng: np.random.Generator) -> None:
    """Draw what the slice's level shows between the lungs."""
    if subject.level < 0.2:
        _arch(canvas, subject, rng)
    elif subject.level < 0.45:
        _bifurcation(canvas, subject, rng)
    else:
        _heart(canvas, subject, rng)
        if subject.level > 0.84:
            _dome(canvas, subject, rng)
    _descending(canvas, subject, rng)


def _grain(canvas: Canvas, rng: np.random.Generator, value: float) -> Field:
    """A nearly even tissue."""
    return canvas.texture(rng, 8, 6) + np.float32(value)


def _vessel(canvas: Canvas, subject: Subject, outline: Points, rng: np.random.Generator) -> None:
    """A great vessel: a thin wall around blood, now and then a speck of chalk in it."""
    canvas.fill(offset(outline, 1.6), TISSUE)
    canvas.fill(outline, subject.blood + rng.normal(0, 0.04 * subject.blood))
    if rng.random() < 0.12:
        start = int(rng.integers(len(outline) - 8))
        canvas.line(outline[start : start + int(rng.integers(2, 8))], rng.uniform(1.5, 3), 650.0)


def _airway(canvas: Canvas, centre: Points, half: tuple[float, float], tilt: float = 0.0) -> None:
    """Trachea or main bronchus."""
    canvas.fill(ellipse(centre, np.array(half) + 1.5, tilt), TISSUE)
    canvas.fill(ellipse(centre, half, tilt), AIR)


def _oesophagus(canvas: Canvas, centre: Points, rng: np.random.Generator) -> None:
    """A small flat tube before the spine, sometimes with air in it."""
    canvas.fill(ellipse(centre, (rng.uniform(6, 9), rng.uniform(4.5, 6)), rng.normal(0, 0.3)), TISSUE)
    if rng.random() < 0.4:
        canvas.fill(ellipse(centre + rng.normal(0, 1, 2), (rng.uniform(1, 3), rng.uniform(1, 2))), AIR)


def _arch(canvas: Canvas, subject: Subject, rng: np.random.Generator) -> None:
    """At or just above the aortic arch."""
    front = subject.spine - 16
    canvas.fill(blob(rng, (2, front - 34), 30, 0.1), FAT + 8)
    _oesophagus(canvas, at(rng.normal(4, 2), front - 8), rng)
    trachea = at(rng.normal(-2, 3), front - 21)
    _airway(canvas, trachea, (rng.uniform(7.5, 10), rng.uniform(8, 11)))
    if subject.level < 0.09:
        for spot, radius in (((-17, -44), 6.5), ((3, -46), 4.5), ((18, -34), 5.0)):
            centre = np.array(spot) + at(0, front) + rng.normal(0, 3, 2)
            _vessel(canvas, subject, blob(rng, centre, radius * rng.uniform(0.85, 1.2), 0.04), rng)
        vein = tube([(-28, front - 56), (0, front - 62), (30, front - 52)], 11)
        _vessel(canvas, subject, vein, rng)
    else:
        arch = np.array([(-14, -52), (4, -47), (19, -28), (24, -6)]) + at(0, front) + rng.normal(0, 2, 2)
        _vessel(canvas, subject, tube(arch, rng.uniform(22, 28)), rng)
        _vessel(canvas, subject, ellipse((-25, front - 38), (8, rng.uniform(8, 12)), 0.2), rng)


def _bifurcation(canvas: Canvas, subject: Subject, rng: np.random.Generator) -> None:
    """Where windpipe and pulmonary artery divide."""
    front = subject.spine - 16
    canvas.fill(blob(rng, (4, front - 38), 40, 0.08), FAT + 8)
    _oesophagus(canvas, at(rng.normal(3, 2), front - 7), rng)
    canvas.fill(ellipse((-9, front - 2), (4, 4)), subject.blood * 0.9)
    ascending = at(-13, front - 50) + rng.normal(0, 3, 2)
    radius = rng.uniform(14, 18.5)
    trunk = at(18, front - 56) + rng.normal(0, 3, 2)
    right = np.array([trunk, (12, front - 36), (-14, front - 29), (-40, front - 24)])
    left = np.array([trunk, (27, front - 38), (42, front - 25)])
    if subject.level > 0.27:
        _vessel(canvas, subject, tube(right, rng.uniform(15, 20)), rng)
    if rng.random() < 0.75:
        _vessel(canvas, subject, tube(left, rng.uniform(14, 19)), rng)
    _vessel(canvas, subject, blob(rng, trunk, rng.uniform(13, 16), 0.05), rng)
    _vessel(canvas, subject, blob(rng, ascending, radius, 0.04), rng)
    _vessel(canvas, subject, ellipse((-33, front - 38), (8, rng.uniform(8, 12)), 0.2), rng)
    spread = np.interp(subject.level, [0.2, 0.45], [7, 26])
    for side in (-1, 1):
        bronchus = at(side * spread - 2, front - 14 - rng.uniform(0, 4))
        _airway(canvas, bronchus, (rng.uniform(6, 9), rng.uniform(5, 7)), side * 0.35)


def _heart(canvas: Canvas, subject: Subject, rng: np.random.Generator) -> None:
    """The heart, apex to the left and front, in its fat; chambers show when there is contrast medium."""
    front = subject.spine - 16
    room = min(subject.half_width / 132, subject.half_depth / 84)
    scale = room * rng.uniform(0.78, 1.0) * np.interp(subject.level, [0.45, 0.6], [0.85, 1])
    centre = at(14 * room, front - 12 - 43 * scale) + rng.normal(0, 3, 2)
    tilt = rng.normal(-0.55, 0.12)
    across, along = at(np.cos(tilt), np.sin(tilt)), at(-np.sin(tilt), np.cos(tilt))
    half = at(60, 44) * scale * rng.normal(1, 0.05, 2)
    shape = _egg(rng, centre, half, tilt)
    rim = rng.uniform(1.5, 6) * np.clip(subject.fat / 13, 0.6, 1.6)
    canvas.fill(offset(shape, rim + 1.2), 20.0)
    canvas.fill(offset(shape, rim), _grain(canvas, rng, FAT + 6))
    canvas.fill(shape, _grain(canvas, rng, TISSUE + (45 if subject.blood > 60 else 2)))

    def within(right: float, down: float) -> Points:
        place: Points = centre + scale * (right * across + down * along)
        return place

    chambers = [((22, 11), (25, 15)), ((10, -22), (30, 12)), ((-36, -8), (15, 22))]
    if subject.level < 0.75:
        chambers.append(((-16, 24), (24, 13)))
    for place, size in chambers:
        half = at(*size) * scale * rng.uniform(0.9, 1.1)
        outline = _egg(rng, within(*place), half, tilt + rng.normal(0, 0.15))
        # The heart beats while it is scanned, so edges inside it are never sharp.
        canvas.paint(canvas.area(outline, 1.8), subject.blood * rng.uniform(0.85, 1.05))
    if subject.level < 0.58:
        _vessel(canvas, subject, blob(rng, within(-10, -2), 14 * scale, 0.05), rng)
    for border, inwards in (((-18, -40), (-12, -18)), ((46, -24), (30, -10)), ((8, 42), (6, 26))):
        groove = tube(
            np.array([within(*border), within(*inwards)]) + rng.normal(0, 2, (2, 2)), rng.uniform(3, 8), 2
        )
        canvas.paint(canvas.area(groove, 1.0), FAT + 15, 0.8)
    _oesophagus(canvas, at(rng.normal(5, 3), front - 4), rng)


def _egg(rng: np.random.Generator, centre: Points, half: Points, tilt: float) -> Points:
    """A blunt ellipse with a pointed end, slightly irregular."""
    unit = blob(rng, (0, 0), 1, 0.035, 4)
    unit[:, 1] *= 1 - 0.22 * unit[:, 0]
    cosine, sine = np.cos(tilt), np.sin(tilt)
    egg: Points = (unit * half) @ np.array([[cosine, sine], [-sine, cosine]]) + centre
    return egg


def _dome(canvas: Canvas, subject: Subject, rng: np.random.Generator) -> None:
    """Liver under the right lung, spleen or stomach under the left one."""
    grown = np.interp(subject.level, [0.84, 1], [0.45, 1.0])
    liver = 55 + (45 if subject.blood > 60 else 0) + rng.normal(0, 6)
    centre = at(-0.48 * subject.half_width, rng.normal(-6, 5))
    half = at(0.42 * subject.half_width, 0.62 * subject.half_depth) * grown * rng.uniform(0.85, 1.1)
    canvas.fill(_egg(rng, centre, half, rng.normal(1.4, 0.2)), _grain(canvas, rng, liver))
    canvas.fill(ellipse((-24, subject.spine - 44), (11, 9)), subject.blood * 0.9)
    if rng.random() < 0.6:
        centre = at(0.55 * subject.half_width, rng.normal(22, 6))
        half = at(0.33 * subject.half_width, 0.42 * subject.half_depth) * grown
        canvas.fill(_egg(rng, centre, half, rng.normal(0.8, 0.3)), _grain(canvas, rng, FAT + 10))
        canvas.fill(_egg(rng, centre, half * 0.8, rng.normal(0.8, 0.3)), _grain(canvas, rng, liver - 8))
        if rng.random() < 0.4:
            canvas.fill(ellipse(centre + at(-4, -10), half * (0.45, 0.28)), AIR)


def _descending(canvas: Canvas, subject: Subject, rng: np.random.Generator) -> None:
    """The descending aorta, to the left of the spine."""
    if subject.level > 0.14:
        centre = at(24, subject.spine - 12) + rng.normal(0, 2.5, 2)
        canvas.fill(blob(rng, centre, 17, 0.05), FAT + 10)
        _vessel(canvas, subject, blob(rng, centre, rng.uniform(10, 15), 0.04), rng)
