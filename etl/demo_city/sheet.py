"""The sheet the town is drawn on: whole metres (u, v), bent once into ground metres.

On the sheet the river is the straight band around v = 0 and every road a line of constant u or v, so
blocks, plots and cells are plain rectangles and neighbours share whole edges. `bend` maps the sheet onto the
ground: lines of constant v follow the river's curves, lines of constant u cross it at right angles, and the
whole town is turned a little, as most are. It is smooth and one to one, so what shares an edge on the sheet
shares it on the ground, vertex by vertex.

Ground metres are eastings and northings of the city's Gauss-Kruger zone less a false origin (`to_degrees`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf

from gis import crs

Floats = NDArray[np.float64]

CENTRE = (113.1, 23.0)
"""Lon, lat of the sheet's origin: near here no real district has the demo's code (decision 5)."""
RIVER_BAND = 112
"""From the river's axis to the riverside roads."""
RIVER_REACH = 560.0
"""How far from the river its bends are still felt in the roads."""
TURN = np.deg2rad(-7.0)
DEGREE_DECIMALS = 9
"""0.1 mm: the same corner is the same pair of numbers in every polygon that has it."""


class Rect(NamedTuple):
    """A rectangle of the sheet."""

    west: int
    east: int
    south: int
    north: int

    @property
    def centre(self) -> tuple[float, float]:
        return (self.west + self.east) / 2, (self.south + self.north) / 2


def bend(u: ArrayLike, v: ArrayLike) -> Floats:
    """Sheet -> ground: arrays of n values each -> (n, 2) metres, rounded to the millimetre.

    The rounding is what makes a corner equal in all polygons: vectorised sine may differ in its last bit
    with the position in the array.
    """
    u, v = np.asarray(u, float), np.asarray(v, float)
    meander, slope = _meander(u)
    near = np.exp(-((v / RIVER_REACH) ** 2))
    reach = (
        RIVER_REACH * np.sqrt(np.pi) / 2 * erf(v / RIVER_REACH)
    )  # its slope in v is `near`: square crossings
    x = u - slope * reach + 34 * np.sin(v / 340 + 0.4) + 22 * np.sin((u + v) / 260)
    y = v + meander * near + 24 * np.sin(u / 330) + 18 * np.sin((u - v) / 230 + 2)
    turned = np.stack([x * np.cos(TURN) - y * np.sin(TURN), x * np.sin(TURN) + y * np.cos(TURN)], -1)
    return np.round(turned, 3)


def _meander(u: Floats) -> tuple[Floats, Floats]:
    """How far the river swings to the north at u, and the slope of that."""
    height, slope = np.zeros_like(u), np.zeros_like(u)
    for swing, length, phase in ((225.0, 3300.0, 0.5), (34.0, 1700.0, 1.1)):
        k = 2 * np.pi / length
        height = height + swing * np.sin(k * u + phase)
        slope = slope + swing * k * np.cos(k * u + phase)
    return height, slope


def river_half_width(u: ArrayLike) -> Floats:
    """Half the river's width on the sheet, along its axis."""
    u = np.asarray(u, float)
    return 64 + 9 * np.sin(u / 410 + 1) + 5 * np.sin(u / 150)


def sides_m(rect: Rect) -> tuple[float, float]:
    """Mean width (along u) and depth (along v) of a rectangle on the ground."""
    corners = bend(
        [rect.west, rect.east, rect.east, rect.west], [rect.south, rect.south, rect.north, rect.north]
    )
    edges = np.hypot(*(np.roll(corners, -1, 0) - corners).T)
    return float(edges[0] + edges[2]) / 2, float(edges[1] + edges[3]) / 2


def area_m2(rect: Rect) -> float:
    """Area of a rectangle on the ground, from its mean sides."""
    width, depth = sides_m(rect)
    return width * depth


def line_along(axis: str, at: float, start: float, end: float, step: float = 20.0) -> Floats:
    """A line of constant `axis` ("u" or "v") from start to end as (n, 2) ground metres."""
    t = np.linspace(start, end, max(2, int(abs(end - start) / step) + 1))
    return bend(np.full_like(t, at), t) if axis == "u" else bend(t, np.full_like(t, at))


ZONE = crs.metric_crs(CENTRE[0])


def false_origin(width: int) -> Floats:
    """What to add to ground metres to get easting, northing: the sheet's middle falls on `CENTRE`."""
    here = bend([width / 2], [0.0])[0]
    return np.array([float(c) for c in crs.to_metres(*CENTRE, zone=ZONE)]) - here


def to_degrees(geometries: NDArray[np.object_], origin: Floats) -> NDArray[np.object_]:
    """Ground metres -> the same geometries in EPSG:4490; equal vertices stay equal."""
    return shapely.transform(geometries, lambda xy: degrees(xy, origin))


def degrees(xy: Floats, origin: Floats) -> Floats:
    """(n, 2) ground metres -> (n, 2) lon, lat."""
    lon, lat = crs.from_metres(xy[:, 0] + origin[0], xy[:, 1] + origin[1], zone=ZONE)
    return np.round(np.column_stack([lon, lat]), DEGREE_DECIMALS).astype(float)
