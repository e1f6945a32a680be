"""Outlines of what is built: slabs, towers, courts, ovals; in metres, lower left corner at the origin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from etl.demo_city.sheet import Floats


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame turned about `origin` by `angle` (radians), so that a plot's rows lie along its x axis."""

    origin: Floats
    angle: float

    def into(self, points: ArrayLike) -> Floats:
        """Ground metres -> this frame."""
        return _turned(np.asarray(points, float) - self.origin, -self.angle)

    def out(self, points: ArrayLike) -> Floats:
        """This frame -> ground metres."""
        return _turned(np.asarray(points, float), self.angle) + self.origin


def _turned(points: Floats, angle: float) -> Floats:
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([points[..., 0] * c - points[..., 1] * s, points[..., 0] * s + points[..., 1] * c], -1)


def rectangle(width: float, depth: float) -> Floats:
    return np.array([(0, 0), (width, 0), (width, depth), (0, depth)], float)


def slab(units: int, unit_width: float, depth: float) -> Floats:
    """A slab block: a balcony for each unit (单元) to the south, a stair bay for each to the north."""
    south, north = [], []
    for i in range(units):
        left, right = i * unit_width, (i + 1) * unit_width
        south += [(left + 0.6, 0.9), (left + 0.6, 0), (right - 0.6, 0), (right - 0.6, 0.9)]
        middle = left + unit_width / 2
        north += [
            (middle - 1.6, depth - 1.1),
            (middle - 1.6, depth),
            (middle + 1.6, depth),
            (middle + 1.6, depth - 1.1),
        ]
    width = units * unit_width
    return np.array(
        [(0, 0.9), *south, (width, 0.9), (width, depth - 1.1), *north[::-1], (0, depth - 1.1)], float
    )


def tower(width: float, depth: float) -> Floats:
    """The butterfly plan of a point tower: every flat gets some south."""
    a, b = width * 0.3, depth * 0.24
    return np.array(
        [
            (a, 0), (width - a, 0), (width - a, b), (width, b), (width, depth - 0.7 * b),
            (width - 0.7 * a, depth - 0.7 * b), (width - 0.7 * a, depth), (0.7 * a, depth),
            (0.7 * a, depth - 0.7 * b), (0, depth - 0.7 * b), (0, b), (a, b),
        ]
    )  # fmt: skip


def angled(width: float, depth: float, wing: float) -> Floats:
    """An L: one wing along the south, one along the west."""
    return np.array([(0, 0), (width, 0), (width, wing), (wing, wing), (wing, depth), (0, depth)], float)


def court(width: float, depth: float, wing: float) -> Floats:
    """A U open to the north. The wings never meet."""
    w = min(wing, 0.38 * width, 0.6 * depth)
    return np.array(
        [
            (0, 0),
            (width, 0),
            (width, depth),
            (width - w, depth),
            (width - w, w),
            (w, w),
            (w, depth),
            (0, depth),
        ]
    )


def chamfered(side: float, corner: float) -> Floats:
    """A square with cut corners: an office tower."""
    a, b = corner, side - corner
    return np.array([(a, 0), (b, 0), (side, a), (side, b), (b, side), (a, side), (0, b), (0, a)], float)


def oval(width: float, depth: float, n: int = 36) -> Floats:
    """A superellipse: a round mall or hall."""
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)

    def bulge(wave: Floats) -> Floats:
        return np.sign(wave) * np.abs(wave) ** 0.6

    return np.stack([width / 2 * (1 + bulge(np.cos(t))), depth / 2 * (1 + bulge(np.sin(t)))], -1)


def pond(x: float, y: float, radius: float, rng: np.random.Generator, flat: float = 0.7) -> Floats:
    """A smooth closed line about (x, y): a lake or a garden pond."""
    t = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    wobble = sum(a * np.sin(k * t + rng.uniform(0, 6)) for k, a in ((2, 0.18), (3, 0.14), (5, 0.06)))
    return np.stack([x + radius * (1 + wobble) * np.cos(t), y + radius * flat * (1 + wobble) * np.sin(t)], -1)


def race_track(width: float, length: float, n: int = 10) -> Floats:
    """A running track lying south to north: two straights and two half circles."""
    r = width / 2
    t = np.linspace(0, np.pi, n)
    top = np.stack([r + r * np.cos(t), length - r + r * np.sin(t)], -1)
    bottom = np.stack([r - r * np.cos(t), r - r * np.sin(t)], -1)
    return np.concatenate([top, bottom])
