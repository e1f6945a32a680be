"""Shop houses (底商) in a strip between a road's pavement and the wall of the estate behind it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from etl.demo_city.drawing import Drawing, Sketch
from etl.demo_city.sheet import Floats

CHANCE = {"local": 0.80, "secondary": 0.76, "arterial": 0.45}
"""How likely a side towards a road of this kind has a strip."""
STRIP_DEPTH = 13.5
SETBACK = 1.6
CORNER = 24.0
GATE_HALF = 5.5
LEAST_FRONT = 9.0


def shop_strip(
    plot: shapely.Polygon,
    sides: list[shapely.LineString],
    k: int,
    half: float,
    drawing: Drawing,
    rng: np.random.Generator,
) -> shapely.Geometry:
    """Build shop houses along side `k` of the plot; returns what is left of it behind the strip.

    A side is the middle of its road, `half` the distance from there to the plot.
    """
    side = sides[k]
    here, end = CORNER + half, side.length - CORNER - half
    centre = np.asarray(plot.centroid.coords[0])
    shapely.prepare(plot)
    while here < end - 18:
        length = min(int(rng.integers(3, 8)) * 7.2, end - here)
        a, b = (np.asarray(side.interpolate(t).coords[0]) for t in (here, here + length))
        along = (b - a) / np.hypot(*(b - a))
        inward = np.array([-along[1], along[0]])
        if inward @ (centre - a) < 0:
            inward = -inward
        near, far = half + SETBACK, half + SETBACK + rng.uniform(8.5, 10.5)
        outline = np.array([a + inward * near, b + inward * near, b + inward * far, a + inward * far])
        if shapely.contains_properly(plot, shapely.Polygon(outline)):
            front = float(np.hypot(*(b - a)))
            floors = 2 if rng.random() < 0.7 else 1
            drawing.buildings.append(Sketch(outline, "commercial", "shop", floors, front_m=front, side=k))
        here += length + (rng.uniform(1.2, 3) if rng.random() < 0.55 else rng.uniform(9, 30))
    strip = shapely.buffer(side, half + STRIP_DEPTH, cap_style="flat")
    return shapely.difference(plot, strip)


def beside_gate(sketch: Sketch, way: Floats) -> Sketch | None:
    """The longer part of a shop house beside the way of a gate; None where too little is left."""
    a, b, c, d = sketch.outline
    length = float(np.hypot(*(b - a)))
    at = float((way[1] - a) @ (b - a)) / length
    low, high = (0.0, at - GATE_HALF) if at > length / 2 else (at + GATE_HALF, length)
    if high - low < LEAST_FRONT:
        return None
    front, back = (b - a) / length, (c - d) / np.hypot(*(c - d))
    outline = np.array([a + front * low, a + front * high, d + back * high, d + back * low])
    return replace(sketch, outline=outline, front_m=high - low)
