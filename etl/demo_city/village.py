"""Urban villages (城中村) and old lane quarters (里弄): rows of houses through one smooth bend.

The bend is one to one, so houses that do not overlap before it do not overlap after it.
"""

from __future__ import annotations

import numpy as np
import shapely

from etl.demo_city.drawing import Drawing, Sketch, walled
from etl.demo_city.outlines import Frame
from etl.demo_city.sheet import Floats

HOUSEHOLDS_WANTED = 400
LEAST_HOUSE_M2 = 42.0


def draw_village(
    plot: shapely.Polygon, frame: Frame, rng: np.random.Generator, *, lanes: bool = False
) -> Drawing:
    """A quarter of small houses on `plot`; `lanes` builds the longer, straighter rows of a lane quarter."""
    drawing = Drawing(ground=plot)
    inner = walled(frame, plot, 1.5)
    if inner is None:
        return drawing
    houses = _clipped(_bent(_rows(inner, rng, lanes), rng, 0.15 if lanes else 1.0), inner)
    if not houses:
        return drawing
    crowd = float(np.clip(HOUSEHOLDS_WANTED / len(houses), 1.2, 7 if lanes else 5))
    storeys = [2, 2, 3, 3] if lanes else [2, 3, 3, 4, 5, 6] if crowd > 2.4 else [1, 2, 2, 3]
    floors = rng.choice(storeys, len(houses))
    flats = np.maximum(1, rng.poisson(crowd * floors / floors.mean()))
    notched = rng.random(len(houses)) < 0.3
    shops = rng.random(len(houses)) < 0.14
    for outline, floor, flat, notch, shop in zip(houses, floors, flats, notched, shops, strict=True):
        shape = _notched(outline, rng) if notch and len(outline) == 4 else outline
        drawing.buildings.append(
            Sketch(
                frame.out(shape),
                "mixed" if shop else "residential",
                "village",
                int(floor),
                units=1,
                doors=-(-int(flat) // int(floor)),
                flats=int(flat),
                front_m=6.0 if shop else 0.0,
            )
        )
    return drawing


def _rows(inner: shapely.Polygon, rng: np.random.Generator, lanes: bool) -> Floats:
    """Houses as (n, 4, 2) before bending: rows back to back or across an alley, gaps now and then."""
    west, south, east, north = inner.bounds
    rows, y = [], south - 9
    while y < north + 8:
        depth = rng.uniform(9.5, 14)
        n = int((east - west + 24) / 9) + 2
        if lanes:
            widths = rng.uniform(14, 34, n)
            gaps = np.where(rng.random(n) < 0.3, 4.2, 1.2)
        else:
            widths = np.where(rng.random(n) < 0.12, rng.uniform(15, 24, n), rng.uniform(8.5, 13.5, n))
            gaps = np.where(rng.random(n) < 0.16, rng.uniform(3, 5.5, n), rng.uniform(0.7, 1.4, n))
        x = west - 8 + rng.uniform(-6, 0) + np.concatenate([[0.0], np.cumsum(widths + gaps)[:-1]])
        box = np.stack(
            [
                np.stack([x, np.full(n, y)], -1),
                np.stack([x + widths, np.full(n, y)], -1),
                np.stack([x + widths, np.full(n, y + depth)], -1),
                np.stack([x, np.full(n, y + depth)], -1),
            ],
            1,
        )
        crooked = rng.random(box.shape) * np.array([0.3, 0.4 if lanes else 1.1])
        rows.append(box + crooked * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]))
        y += depth + (rng.uniform(0.9, 1.5) if rng.random() < 0.45 else rng.uniform(3.2, 4.6))
    houses = np.concatenate(rows)
    return houses[rng.random(len(houses)) > 0.05]


def _bent(houses: Floats, rng: np.random.Generator, strength: float) -> Floats:
    """All corners through one smooth, one-to-one bend."""
    a, b, c, d = rng.uniform(0, 6, 4)
    x, y = houses[..., 0], houses[..., 1]
    return np.stack(
        [
            x + strength * (5 * np.sin(y / 34 + a) + 2.5 * np.sin(y / 15 + c)),
            y + strength * (5 * np.sin(x / 40 + b) + 2.2 * np.sin(x / 17 + d)),
        ],
        -1,
    )


def _clipped(houses: Floats, inner: shapely.Polygon) -> list[Floats]:
    """The houses cut off at the plot's edge; slivers and shreds are left out."""
    shapes = shapely.polygons(houses)
    shapely.prepare(inner)
    shapes = shapes[shapely.is_valid(shapes) & shapely.intersects(inner, shapes)]
    whole = shapely.contains_properly(inner, shapes)
    shapes[~whole] = shapely.intersection(inner, shapes[~whole])
    area, around = shapely.area(shapes), shapely.length(shapes)
    compact = 4 * np.pi * area > 0.5 * around**2
    kept = shapes[(shapely.get_type_id(shapes) == 3) & (area > LEAST_HOUSE_M2) & compact]
    return [shapely.get_coordinates(shape)[:-1] for shape in kept]


def _notched(house: Floats, rng: np.random.Generator) -> Floats:
    """An L-shaped house: one corner of four taken out."""
    s, t = rng.uniform(0.4, 0.65, 2)
    a, b, c, d = house
    side = b + (c - b) * s
    top = d + (c - d) * t
    inner = a + (b - a) * t + ((d - a) + ((c - b) - (d - a)) * t) * s
    return np.array([a, b, side, inner, top, d])
