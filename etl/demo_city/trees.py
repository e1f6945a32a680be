"""Trees: rows inside estate walls and along the embankment, loose ones in parks and between buildings."""

from __future__ import annotations

import numpy as np
import shapely

from etl.demo_city.drawing import Drawing, polygons
from etl.demo_city.sheet import Floats

ROW_STEP = 8.5
ROW_INSET = 3.2
CROWN = (1.7, 3.2)
"""Least and largest radius of a crown."""
M2_A_TREE = {
    "park": 170.0,
    "riverside": 330.0,
    "estate": 420.0,
    "school": 900.0,
    "hospital": 700.0,
    "civic": 600.0,
}
ROWS = ("estate", "school", "hospital", "civic", "commercial", "riverside")
CORNERS = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], -1)


def plant(drawing: Drawing, use: str, rng: np.random.Generator) -> None:
    """Add all crowns of one plot to its land as one multipolygon, clear of buildings, lanes, paths, ponds."""
    ground = drawing.ground
    if ground is None or ground.is_empty:
        return
    spots = [_loose(ground, ground.area / M2_A_TREE[use], rng)] if use in M2_A_TREE else []
    if use in ROWS:
        spots.append(_row_along(ground, rng))
    if not spots:
        return
    xy = np.concatenate(spots)
    radius = rng.uniform(*CROWN, len(xy))
    points = shapely.points(xy)
    shapely.prepare(ground)
    free = shapely.contains_properly(ground, points)
    for obstacle, clearance in _obstacles(drawing):
        shapely.prepare(obstacle)
        free &= ~shapely.dwithin(obstacle, points, clearance)
    xy, radius = xy[free], radius[free]
    if len(xy):
        crowns = shapely.polygons(xy[:, None] + CORNERS * radius[:, None, None])
        drawing.land.append(("tree", shapely.multipolygons(crowns)))


def _loose(ground: shapely.Geometry, wanted: float, rng: np.random.Generator) -> Floats:
    """About `wanted` points anywhere in the bounding box's share of the ground."""
    west, south, east, north = ground.bounds
    n = int(wanted * (east - west) * (north - south) / ground.area)
    return rng.uniform((west, south), (east, north), (n, 2))


def _row_along(ground: shapely.Geometry, rng: np.random.Generator) -> Floats:
    """A row just inside the wall; one stretch of it, a random third, stays open."""
    inner = ground.buffer(-ROW_INSET)
    if inner.is_empty:
        return np.empty((0, 2))
    ring = shapely.get_parts(inner)[0].exterior
    at = np.arange(0.0, ring.length, ROW_STEP)
    open_from = rng.uniform(0, ring.length)
    planted = (at - open_from) % ring.length > ring.length / 3
    return shapely.get_coordinates(shapely.line_interpolate_point(ring, at[planted]))


def _obstacles(drawing: Drawing) -> list[tuple[shapely.Geometry, float]]:
    """What trees keep clear of, and by how much."""
    obstacles: list[tuple[shapely.Geometry, float]] = []
    if drawing.buildings:
        obstacles.append(
            (shapely.multipolygons(polygons([sketch.outline for sketch in drawing.buildings])), 3.0)
        )
    if drawing.lanes:
        obstacles.append((shapely.multilinestrings(shapely.linestrings(np.stack(drawing.lanes))), 4.0))
    hard = [shape for kind, shape in drawing.land if kind != "estate_green"]
    hard += list(polygons(drawing.ponds))
    if hard:
        obstacles.append((shapely.geometrycollections(hard), 1.5))
    return obstacles
