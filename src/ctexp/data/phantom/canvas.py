"""A slice being drawn: shapes given in millimetres become Hounsfield units on a grid, with partial volume.

Everything passes through the same gentle, random distortion and the patient's turn, so that shapes given
as plain ellipses and splines come out as irregular as anatomy is.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

SUPERSAMPLING = 4
"""Shapes are rasterised this much finer than the grid, then averaged: a voxel holds what fills it."""

Points = NDArray[np.float64]
Field = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Patch:
    """How much of each pixel a shape covers, within the shape's bounding box."""

    window: tuple[slice, slice]
    coverage: Field


class Canvas:
    """A square slice in Hounsfield units, the patient's centre at (0, 0), x to the right, y downwards.

    Args:
        size: pixels along a side.
        field_of_view: millimetres along a side.
        turn: the patient's rotation on the table, in radians.
        rng: the source of the distortion.
    """

    def __init__(self, size: int, field_of_view: float, turn: float, rng: np.random.Generator) -> None:
        self.size = size
        self.pixel_mm = field_of_view / size
        self.hu: Field = np.full((size, size), -1000, np.float32)
        self._turn = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        modes = 4
        self._wave = rng.normal(0, 1, (2, modes)) / rng.uniform(25, 70, modes)
        self._phase = rng.uniform(0, 2 * np.pi, modes)
        self._shift = rng.normal(0, 1.3, (modes, 2))

    def place(self, points: ArrayLike) -> Points:
        """Where millimetre positions, shape (n, 2) as (x, y), come to lie on the grid, in pixels."""
        flat = np.asarray(points, np.float64)
        moved = flat + np.sin(flat @ self._wave + self._phase) @ self._shift
        placed: Points = moved @ self._turn.T / self.pixel_mm + (self.size - 1) / 2
        return placed

    def area(self, curve: ArrayLike, blur: float = 0.0) -> Patch:
        """The inside of a closed curve, shape (n, 2) in mm, its edge fading over about `blur` mm."""
        spread = blur / self.pixel_mm
        patch = self._rasterise([self.place(curve)], 0, 3 * spread)
        if spread > 0:
            soft = cv2.GaussianBlur(patch.coverage, (0, 0), spread)
            return Patch(patch.window, soft.astype(np.float32, copy=False))
        return patch

    def strokes(self, paths: list[Points], width: float) -> Patch:
        """Lines `width` mm wide with round ends."""
        return self._rasterise([self.place(path) for path in paths], width / self.pixel_mm)

    def rigid(self, path: Points, width: float) -> Patch:
        """A line that is no part of the patient: neither distorted nor turned."""
        return self._rasterise([path / self.pixel_mm + (self.size - 1) / 2], width / self.pixel_mm)

    def paint(
        self, patch: Patch, value: float | Field, weight: float = 1.0, within: Field | None = None
    ) -> None:
        """Mix `value` (a number, or a field of the whole grid) into what the patch covers.

        Args:
            patch: where.
            value: Hounsfield units.
            weight: 1 replaces what was there, less lets it shine through.
            within: a field of the whole grid from 0 to 1 that limits the painting.
        """
        here = self.hu[patch.window]
        share = patch.coverage * np.float32(weight)
        if within is not None:
            share = share * within[patch.window]
        there = value[patch.window] if isinstance(value, np.ndarray) else np.float32(value)
        here += share * (there - here)

    def fill(self, curve: ArrayLike, value: float | Field, weight: float = 1.0) -> None:
        """Paint the inside of a closed curve."""
        self.paint(self.area(curve), value, weight)

    def line(self, path: Points, width: float, value: float | Field, weight: float = 1.0) -> None:
        """Paint a line `width` mm wide."""
        self.paint(self.strokes([path], width), value, weight)

    def full(self, patch: Patch) -> Field:
        """The patch's coverage on the whole grid."""
        whole = np.zeros_like(self.hu)
        whole[patch.window] = patch.coverage
        return whole

    def texture(self, rng: np.random.Generator, scale: float, deviation: float) -> Field:
        """A smooth random field: bumps of about `scale` mm, standard deviation about `deviation`."""
        cells = max(4, round(self.size * self.pixel_mm / scale))
        coarse = rng.standard_normal((cells, cells), np.float32) * np.float32(deviation * 1.3)
        smooth = cv2.resize(coarse, (self.size, self.size), interpolation=cv2.INTER_CUBIC)
        return smooth.astype(np.float32, copy=False)

    def _rasterise(self, shapes: list[Points], width: float, margin: float = 0.0) -> Patch:
        """Coverage of filled polygons (`width` 0) or of strokes, from one binary drawing at a finer scale.

        All lengths are pixels; the patch reaches `margin` beyond what is drawn.
        """
        margin += width / 2 + 2
        corners = np.concatenate(shapes)
        low = np.clip(np.floor(corners.min(axis=0) - margin), 0, self.size).astype(int)
        high = np.clip(np.ceil(corners.max(axis=0) + margin), 0, self.size).astype(int)
        (left, top), (right, bottom) = low, high
        window = (slice(top, bottom), slice(left, right))
        if right <= left or bottom <= top:
            return Patch(window, np.zeros((max(bottom - top, 0), max(right - left, 0)), np.float32))
        fine = np.zeros(((bottom - top) * SUPERSAMPLING, (right - left) * SUPERSAMPLING), np.uint8)
        # cv2 takes fixed-point coordinates: `shift` says how many of their bits are a fraction.
        shift = 4
        scaled = [
            np.round(((shape - low + 0.5) * SUPERSAMPLING - 0.5) * (1 << shift)).astype(np.int32)
            for shape in shapes
        ]
        strength = 255.0
        if width > 0:
            thickness = max(1, round(width * SUPERSAMPLING))
            cv2.polylines(fine, scaled, False, 255, thickness, cv2.LINE_8, shift)
            # A hair thinner than a fine pixel is drawn a fine pixel wide, and fainter.
            strength = 255.0 * max(1.0, thickness / (width * SUPERSAMPLING))
        else:
            cv2.fillPoly(fine, scaled, 255, cv2.LINE_8, shift)
        small = cv2.resize(fine, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
        return Patch(window, small.astype(np.float32) / np.float32(strength))


def at(x: float, y: float) -> Points:
    """A position, or a step, in mm."""
    return np.array([x, y], np.float64)


def spline(knots: ArrayLike, closed: bool = True, step: int = 10) -> Points:
    """A Catmull-Rom curve through `knots`, shape (n, 2), with `step` points between neighbours."""
    given = np.asarray(knots, np.float64)
    if closed:
        ring = np.concatenate([given[-1:], given, given[:2]])
    else:
        ring = np.concatenate([2 * given[:1] - given[1:2], given, 2 * given[-1:] - given[-2:-1]])
    before, start, end, after = (ring[offset : len(ring) - 3 + offset, None] for offset in range(4))
    t = np.linspace(0, 1, step, endpoint=False)[None, :, None]
    curve = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    points: Points = curve.reshape(-1, 2)
    return points if closed else np.concatenate([points, given[-1:]])


def ellipse(
    centre: ArrayLike, half_axes: ArrayLike, tilt: float = 0.0, power: float = 2.0, points: int = 64
) -> Points:
    """A (super)ellipse: half-axes in mm, tilt in radians, `power` 2 for an ellipse, more for a boxy one."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    unit = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    shape = np.sign(unit) * np.abs(unit) ** (2 / power) * np.asarray(half_axes, np.float64)
    cosine, sine = np.cos(tilt), np.sin(tilt)
    turned: Points = shape @ np.array([[cosine, sine], [-sine, cosine]]) + np.asarray(centre, np.float64)
    return turned


def blob(
    rng: np.random.Generator, centre: ArrayLike, radius: float, roughness: float, lobes: int = 5
) -> Points:
    """An irregular closed outline around `centre`.

    Args:
        rng: the source of its irregularity.
        centre: (x, y) in mm.
        radius: mean radius in mm.
        roughness: typical deviation of the radius, as a fraction.
        lobes: the highest number of bumps around it.
    """
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    orders = np.arange(2, lobes + 1)
    weights = rng.normal(0, 1, len(orders)) / np.sqrt(len(orders) / 2)
    waves = np.cos(np.outer(angle, orders) + rng.uniform(0, 2 * np.pi, len(orders)))
    distance = radius * np.clip(1 + roughness * waves @ weights, 0.45, 1.7)
    outline: Points = np.asarray(centre, np.float64) + distance[:, None] * np.stack(
        [np.cos(angle), np.sin(angle)], axis=1
    )
    return outline


def tube(path: ArrayLike, width: float, bluntness: float = 6.0) -> Points:
    """The outline of a tube along a few points, narrowing to its ends: sharply if blunt, slowly if not."""
    centre = spline(path, closed=False)
    tangent = np.gradient(centre, axis=0)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    along = np.abs(np.linspace(-1, 1, len(centre)))
    half = width / 2 * np.sqrt(np.clip(1 - along**bluntness, 0.03, 1))[:, None]
    outline: Points = np.concatenate([centre + normal * half, (centre - normal * half)[::-1]])
    return outline


def offset(curve: Points, distance: float | NDArray[np.float64]) -> Points:
    """A closed curve moved outwards along its normals by `distance` mm (inwards if negative).

    The curve runs clockwise on the screen (as `ellipse` and `blob` make it).
    """
    tangent = np.roll(curve, -1, axis=0) - np.roll(curve, 1, axis=0)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    moved: Points = curve + normal * np.asarray(distance, np.float64).reshape(-1, 1)
    return moved
