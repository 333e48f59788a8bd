"""The patient of a synthetic slice: who it is, and the outlines of the chest.

Lengths are millimetres, x to the right of the image (the patient's left), y towards the back. Typical
sizes are textbook ones; nothing here is taken from a real image.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ctexp.data.phantom.canvas import Points, blob, spline


@dataclass(frozen=True, slots=True)
class Subject:
    """What tells one patient and slice from another, drawn at random and without regard to class."""

    level: float
    """Where the slice lies: 0 just above the aortic arch, 1 at the liver's dome."""
    half_width: float
    half_depth: float
    fat: float
    muscle: float
    blood: float
    """Hounsfield units of blood: about 42, or 120 to 280 with contrast medium."""
    breast: float
    arms: bool
    turn: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Subject":
        """Draw a patient."""
        level = float(rng.uniform(0, 0.92))
        woman = rng.random() < 0.45
        size = rng.normal(1, 0.075) * (0.93 if woman else 1.0)
        shoulder = np.interp(level, [0, 0.3, 0.7, 1], [0.84, 0.95, 1.0, 1.0])
        return cls(
            level=level,
            half_width=float(132 * size * shoulder * rng.normal(1, 0.04)),
            half_depth=float(84 * size * shoulder * rng.normal(1, 0.075)),
            fat=float(np.clip(rng.lognormal(np.log(10.5), 0.5), 3, 27)),
            muscle=float(np.clip(rng.normal(1, 0.22), 0.55, 1.6) * (0.85 if woman else 1.05)),
            blood=float(rng.uniform(120, 280) if rng.random() < 0.6 else rng.uniform(34, 50)),
            breast=float(rng.uniform(5, 26) if woman and level > 0.25 else 0),
            arms=bool(level < 0.5 and rng.random() < 0.14),
            turn=float(np.clip(rng.normal(0, np.radians(5)), -0.26, 0.26)),
        )

    @property
    def spine(self) -> float:
        """How far behind the centre the middle of the vertebral body lies."""
        return 0.9 * self.half_depth - 27


@dataclass(frozen=True, slots=True)
class Torso:
    """Outlines in the slice, closed curves that run clockwise on the screen.

    Attributes:
        ribs: the inside of the rib cage.
        flesh: the outside of the muscles, point by point beside `ribs`.
        skin: the outside of all, point by point beside `flesh`.
        arms: upper arms at the patient's sides, if they hang there.
    """

    ribs: Points
    flesh: Points
    skin: Points
    arms: tuple[Points, ...]

    @classmethod
    def sample(cls, subject: Subject, rng: np.random.Generator) -> "Torso":
        """Draw the outlines of a patient."""
        ribs = _cage(subject, rng)
        around = np.array([-180, -140, -112, -96, -90, -84, -68, -40, 0, 40, 68, 84, 90, 96, 112, 140])
        muscle = np.array([11, 15, 11, 4, 3, 4, 11, 15, 11, 22, 34, 36, 33, 36, 34, 22], float)
        upper = np.interp(subject.level, [0, 0.4], [1.0, 0.0])
        muscle += upper * np.array([22, 16, 8, 2, 0, 2, 8, 16, 22, 22, 12, 7, 6, 7, 12, 22])
        muscle = 11 + subject.muscle * muscle * (1 + rng.normal(0, 0.07, len(around)))
        fat = np.array([1.4, 1.2, 1, 0.8, 0.7, 0.8, 1, 1.2, 1.4, 1.2, 0.9, 0.8, 0.75, 0.8, 0.9, 1.2])
        fat = 3 + subject.fat * fat * (1 + rng.normal(0, 0.1, len(around)))
        angle = np.degrees(np.arctan2(ribs[:, 1], ribs[:, 0]))
        flesh = _thickened(ribs, np.interp(angle, around, muscle, period=360))
        thick = np.interp(angle, around, fat, period=360)
        # A woman lying on her back: the breasts lie flat, and to the sides.
        for side in (-46, -134):
            away = (angle - side - rng.normal(0, 4)) / rng.uniform(16, 22)
            thick += subject.breast * rng.uniform(0.85, 1.15) * np.exp(-0.5 * away**2)
        skin = _thickened(flesh, thick)
        return cls(ribs, flesh, skin, _arms(subject, skin, rng) if subject.arms else ())

    @property
    def field_of_view(self) -> float:
        """Millimetres a square must measure to hold the patient, whichever way turned."""
        reach = np.linalg.norm(np.concatenate([self.skin, *self.arms]), axis=1).max()
        return 2 * float(reach) + 16


def _cage(subject: Subject, rng: np.random.Generator) -> Points:
    """The inner outline of the rib cage, a closed curve, clockwise on the screen."""
    half = np.array(
        [
            (1.0, 0.1), (0.94, 0.5), (0.74, 0.83), (0.44, 0.98), (0.16, 0.92),
            (0.0, 0.9), (-0.16, 0.92), (-0.44, 0.98), (-0.74, 0.83), (-0.94, 0.5),
            (-1.0, 0.1), (-0.93, -0.32), (-0.7, -0.72), (-0.36, -0.95), (0.0, -0.93),
            (0.36, -0.95), (0.7, -0.72), (0.93, -0.32),
        ]
    )  # fmt: skip
    pointed = rng.uniform(-0.07, 0.05)
    half[[12, 16]] *= 1 + pointed
    half *= 1 + rng.normal(0, 0.018, half.shape)
    return spline(half * (subject.half_width, subject.half_depth))


def _thickened(curve: Points, thickness: NDArray[np.float64]) -> Points:
    """A curve moved away from the centre and smoothed; along normals it would cross itself at the spine."""
    moved = curve * (1 + thickness / np.linalg.norm(curve, axis=1))[:, None]
    smooth: Points = np.mean([np.roll(moved, step, axis=0) for step in range(-4, 5)], axis=0)
    return smooth


def _arms(subject: Subject, skin: Points, rng: np.random.Generator) -> tuple[Points, ...]:
    """Upper arms that hang beside the chest."""
    radius = 32 + 0.5 * subject.fat + 5 * subject.muscle
    reach = np.abs(skin[:, 0]).max() + radius
    return tuple(
        blob(rng, (side * (reach - rng.uniform(2, 10)), rng.uniform(0, 45)), radius, 0.05, 4)
        for side in (-1, 1)
    )
