"""The chest wall of a synthetic slice: skin, fat, muscle and bones.

Hounsfield units are textbook ones.
"""

import numpy as np
from numpy.typing import NDArray

from ctexp.data.phantom.canvas import Canvas, Points, at, blob, ellipse, offset, spline, tube
from ctexp.data.phantom.patient import Subject, Torso

FAT, MUSCLE, CORTEX, MARROW, CARTILAGE = -102.0, 52.0, 760.0, 165.0, 105.0


def wall(canvas: Canvas, subject: Subject, torso: Torso, rng: np.random.Generator) -> None:
    """Draw skin, fat and muscle."""
    skin, flesh = torso.skin, torso.flesh
    for arm in torso.arms:
        _arm(canvas, subject, arm, rng)
    lard = canvas.texture(rng, 14, 9) + canvas.texture(rng, 4, 7) + FAT
    meat = canvas.texture(rng, 9, 9) + canvas.texture(rng, 3, 9) + MUSCLE
    canvas.fill(skin, 25.0)
    canvas.fill(offset(skin, -2.0), lard)
    # Wisps of connective tissue in the fat.
    for _ in range(rng.integers(10, 26)):
        start = rng.integers(len(skin))
        span = skin.take(range(start, start + rng.integers(3, 11)), axis=0, mode="wrap")
        depth = rng.uniform(0.2, 0.95) * subject.fat
        canvas.line(span * (1 - depth / 150), rng.uniform(0.4, 1.0), -45.0, 0.7)
    if subject.breast:
        _glands(canvas, skin, flesh, rng)
    canvas.fill(flesh, meat)
    _fat_planes(canvas, subject, torso, rng)


def _arm(canvas: Canvas, subject: Subject, outline: Points, rng: np.random.Generator) -> None:
    """An upper arm and its bone."""
    centre = outline.mean(axis=0)
    canvas.fill(outline, 25.0)
    canvas.fill(offset(outline, -2), FAT)
    canvas.fill(offset(outline, -3 - 0.4 * subject.fat), MUSCLE)
    canvas.line(spline([centre + at(-14, 8), centre + at(2, 12), centre + at(16, 4)], closed=False), 1.5, FAT)
    canvas.fill(blob(rng, centre, 11, 0.05), CORTEX)
    canvas.fill(blob(rng, centre, 6.5, 0.05), -40.0)


def _glands(canvas: Canvas, skin: Points, flesh: Points, rng: np.random.Generator) -> None:
    """Strands of gland in a woman's breasts."""
    thick = np.linalg.norm(skin - flesh, axis=1)
    below_skin = canvas.full(canvas.area(offset(skin, -2)))
    for side in (-1, 1):
        middle = int(np.argmax(np.where((skin[:, 1] < 0) & (skin[:, 0] * side > 0), thick, 0)))
        for _ in range(int(rng.integers(3, 14))):
            along = (middle + int(rng.normal(0, 6))) % len(skin)
            spot = flesh[along] + rng.uniform(0.25, 0.75) * (skin - flesh)[along]
            strand = np.cumsum(np.concatenate([spot[None], rng.normal(0, 3.5, (4, 2))]), axis=0)
            path = canvas.strokes([spline(strand, closed=False)], rng.uniform(1, 5))
            canvas.paint(path, 20.0, 0.8, below_skin)


def _fat_planes(canvas: Canvas, subject: Subject, torso: Torso, rng: np.random.Generator) -> None:
    """Thin layers of fat that part the muscles."""
    ribs, flesh = torso.ribs, torso.flesh
    plump = np.clip(subject.fat / 16, 0.5, 1.6)
    for share in (0.3, 0.55, 0.78):
        between = ribs + (flesh - ribs) * share
        for _ in range(7):
            start = rng.integers(len(ribs))
            span = between.take(range(start, start + rng.integers(8, 24)), axis=0, mode="wrap")
            span = span + np.linspace(0, 1, len(span))[:, None] * rng.normal(0, 4, 2)
            canvas.line(span, plump * rng.uniform(0.8, 2.6), FAT + 15, 0.85)
    back = ribs[:, 1].max()
    for side in (-1, 1):
        erector = ellipse((side * 30, back + 18), (22, 15 * subject.muscle), side * 0.25, 2.3)
        canvas.fill(offset(erector, 1.2 * plump), FAT + 10, 0.8)
        canvas.fill(erector, MUSCLE + 4)
        canvas.line(spline(erector[8:30:6], closed=False), 0.9, FAT + 30, 0.6)
    canvas.line(np.array([(0.0, back), (rng.normal(0, 2), flesh[:, 1].max())]), 2.2 * plump, FAT)


def bones(canvas: Canvas, subject: Subject, torso: Torso, rng: np.random.Generator) -> None:
    """Draw ribs, shoulder blades, breastbone and a vertebra."""
    _ribs(canvas, subject, torso.ribs, rng)
    if subject.level < 0.62:
        _shoulder_blades(canvas, subject, torso, rng)
    front = torso.ribs[:, 1].min()
    if subject.level < 0.8:
        centre, half = (rng.normal(0, 2), front - 8), (rng.uniform(13, 23), rng.uniform(4.5, 7))
        outline = blob(rng, (0, 0), 1, 0.05, 4) * half + centre
        canvas.fill(outline, CORTEX * 0.7)
        canvas.fill(offset(outline, -1.2), rng.uniform(110, 200))
    _vertebra(canvas, subject.spine, rng)


def _bone(canvas: Canvas, path: Points, width: float, marrow: float = MARROW) -> None:
    """A long bone cut along `path`: a shell of cortex around marrow."""
    canvas.line(path, width, CORTEX)
    if width > 4:
        canvas.line(path, width - 3.2, marrow)


def _ribs(canvas: Canvas, subject: Subject, ribs: Points, rng: np.random.Generator) -> None:
    """Oblique cuts of ribs, one after another around the cage, and cartilage in front."""
    track = offset(ribs, 6)
    angle = np.degrees(np.arctan2(track[:, 1], np.abs(track[:, 0])))
    for side in (-1, 1):
        here = -78 + rng.uniform(0, 16)
        while here < 76:
            # Ribs fall steeply at the side, so a slice cuts them short there and long at the back.
            length = rng.uniform(9, 17) if abs(here) < 45 else rng.uniform(14, 30)
            inside = np.flatnonzero((angle >= here) & (angle <= here + length) & (track[:, 0] * side > 0))
            path = track[inside[np.argsort(angle[inside])]] * (1 + rng.normal(0, 0.006))
            if len(path) > 1:
                _rib(canvas, path, here < -48 and rng.random() < 0.75, rng)
            here += length + rng.uniform(7, 17)
        if subject.level > 0.15 and rng.random() < 0.75:
            head = np.array([(19, 5), (31, 15), (46, 19)]) * (side, 1) + at(0, subject.spine)
            head = spline(head + rng.normal(0, 1.5, head.shape), closed=False)
            _bone(canvas, head[: rng.integers(9, len(head))], rng.uniform(5.5, 7.5))


def _rib(canvas: Canvas, path: Points, is_cartilage: bool, rng: np.random.Generator) -> None:
    """One cut of a rib, thinner towards its ends."""
    if is_cartilage:
        canvas.line(path, 9.5, CARTILAGE + rng.normal(0, 12))
        return
    outline = tube(path[:: max(1, len(path) // 4)], rng.uniform(7.5, 10.5), rng.uniform(2, 5))
    canvas.fill(outline, CORTEX)
    canvas.fill(offset(outline, -1.6), MARROW + rng.normal(0, 35))


def _shoulder_blades(canvas: Canvas, subject: Subject, torso: Torso, rng: np.random.Generator) -> None:
    """The blades: thin curved plates among the muscles of the back, thick at their outer border."""
    low = np.interp(subject.level, [0, 0.62], [0, 1])
    middle = torso.ribs + 0.55 * (torso.flesh - torso.ribs)
    angle = np.degrees(np.arctan2(middle[:, 1], np.abs(middle[:, 0])))
    for side in (-1, 1):
        first, last = np.array([-2 + 22 * low, 64 - 16 * low]) + rng.normal(0, 4, 2)
        inside = np.flatnonzero((angle > first) & (angle < last) & (middle[:, 0] * side > 0))
        blade = middle[inside[np.argsort(angle[inside])]] * rng.uniform(0.98, 1.01)
        canvas.line(blade, rng.uniform(2.6, 3.6), CORTEX * 0.85)
        _bone(canvas, blade[: len(blade) // 4], rng.uniform(6, 11))
        if low < 0.4:
            root = blade[len(blade) // 2]
            ridge = [root, root + at(side * 9, 3), root + at(side * 19, 9)]
            canvas.fill(tube(ridge, rng.uniform(7, 10), 2), CORTEX)


def _vertebra(canvas: Canvas, depth: float, rng: np.random.Generator) -> None:
    """A thoracic vertebra, its body's middle at `depth`: body, canal with the cord, arch and processes."""
    half = at(rng.uniform(16, 19), rng.uniform(13, 15.5))
    canal = depth + half[1] + 8
    arch = np.array([(-12, -9), (-14, 3), (0, 13), (14, 3), (12, -9)]) + at(0, canal)
    _bone(canvas, arch + rng.normal(0, 0.8, arch.shape), rng.uniform(6, 8))
    for side in (-1, 1):
        if rng.random() < 0.8:
            tip = at(side * rng.uniform(28, 36), canal + rng.uniform(8, 14))
            _bone(canvas, np.array([at(side * 13, canal + 2), tip]), rng.uniform(5, 7.5))
    spinous = np.array([at(0, canal + 13), at(rng.normal(0, 1.5), canal + rng.uniform(30, 40))])
    _bone(canvas, spinous, rng.uniform(5, 7))
    body = ellipse((0, depth), half, 0, 2.5)
    # The back of a vertebral body is hollow.
    body[:, 1] -= np.where(body[:, 1] > depth, 2.5 * np.exp(-((body[:, 0] / 8) ** 2)), 0)
    canvas.fill(body, CORTEX * 0.75)
    canvas.fill(offset(body, -1.7), MARROW + canvas.texture(rng, 4, 45))
    for half_axes, value in (((9.5, 8.5), -30.0), ((7.5, 6.5), 22.0), ((4.5, 3.5), 42.0)):
        canvas.fill(ellipse((0, canal), half_axes), value)


def table(canvas: Canvas, torso: Torso, rng: np.random.Generator) -> None:
    """The couch below the patient: two thin shells with foam between."""
    placed = canvas.place(np.concatenate([torso.skin, *torso.arms]))
    lowest = (placed[:, 1].max() - canvas.size / 2) * canvas.pixel_mm + rng.uniform(1, 5)
    reach = np.linspace(-1, 1, 41) * rng.uniform(190, 230)
    shell: NDArray[np.float64] = np.stack([reach, lowest - 0.0006 * reach**2 + 4], axis=1)
    canvas.paint(canvas.rigid(shell + at(0, 4), 8.0), -900.0)
    canvas.paint(canvas.rigid(shell, 1.4), -150.0)
    canvas.paint(canvas.rigid(shell + at(0, 9), 1.4), -250.0)
