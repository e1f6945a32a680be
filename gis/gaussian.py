"""How much of a circular Gaussian lies over a polygon: exact, by the polygon's edges alone.

Seen from the centre, each directed edge spans a triangle with the centre. With h the distance of the edge's
line in sigmas and t1, t2 the angles of its ends from the foot of the perpendicular, the Gaussian's mass over
that triangle is

    integral over [t1, t2] of (1 - exp(-h^2 / (2 cos^2 t))) dt / (2 pi)
        = (t2 - t1) / (2 pi) - T(h, tan t2) + T(h, tan t1)

where T is Owen's T function (Owen 1956). Signed by the edge's direction, the triangles of a closed ring add
up to the ring's mass; holes run the other way and subtract themselves. No sampling, no clipping.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from scipy.special import owens_t

NEGLIGIBLE_H = 9.0
"""T(h, a) <= exp(-h^2 / 2) / 4 is below 1e-18 from here on, and most edges of a cell are this far away."""
_FLAT = 1e-14
"""Heights are kept from being zero; a triangle as flat as this weighs nothing."""


class Outline:
    """The edges of a polygon made ready to be asked about many fixes, in the polygon's own metric plane.

    Built once a polygon (Polygon or MultiPolygon, holes allowed). `bounds` are west, south, east and north;
    of an empty polygon they are not numbers, and it reaches nowhere.
    """

    __slots__ = ("bounds", "edges")

    def __init__(self, polygon: shapely.Geometry) -> None:
        parts = shapely.get_parts(shapely.orient_polygons(polygon))
        rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(parts)]
        starts = np.concatenate([ring[:-1] for ring in rings]) if rings else np.empty((0, 2))
        steps = np.concatenate([np.diff(ring, axis=0) for ring in rings]) if rings else np.empty((0, 2))
        length = np.hypot(steps[:, 0], steps[:, 1])
        real = length > 0
        self.edges = np.vstack([starts[real].T, (steps[real] / length[real, None]).T, length[real]])
        """Start x and y, unit vector x and y, and length of each edge: shape (5, edges)."""
        self.bounds: tuple[float, float, float, float] = tuple(shapely.bounds(polygon).tolist())

    def reaches(self, x: float, y: float, radius: float) -> bool:
        """Whether the polygon's box comes within `radius` of a point along both axes."""
        west, south, east, north = self.bounds
        return west - radius <= x <= east + radius and south - radius <= y <= north + radius


def masses_over(outlines: Sequence[Outline], x: float, y: float, sigma: float) -> list[float]:
    """Probability for each polygon that a circular Gaussian at (x, y) falls on it: 0..1 to about 1e-12.

    A centre on an edge is no special case: that edge's triangle is flat and weighs nothing. The edges of all
    polygons are worked out together: starting an array operation costs more than a hundred edges in it.
    """
    if not outlines:
        return []
    start_x, start_y, along_x, along_y, length = np.concatenate([o.edges for o in outlines], axis=1)
    dx, dy = (start_x - x) / sigma, (start_y - y) / sigma
    side = dx * along_y - dy * along_x  # the height of the triangle, signed by its direction
    height = np.maximum(np.abs(side), _FLAT)
    along = dx * along_x + dy * along_y
    tan1, tan2 = along / height, (along + length / sigma) / height
    weight = (np.arctan(tan2) - np.arctan(tan1)) / (2 * np.pi)
    near = np.flatnonzero(height < NEGLIGIBLE_H)
    weight[near] -= owens_t(height[near], tan2[near]) - owens_t(height[near], tan1[near])
    polygon = np.repeat(np.arange(len(outlines)), [o.edges.shape[1] for o in outlines])
    sums = np.bincount(polygon, np.sign(side) * weight, len(outlines))
    return [min(max(mass, 0.0), 1.0) for mass in sums.tolist()]


def mass_over(polygon: shapely.Geometry, x: float, y: float, sigma: float) -> float:
    """`masses_over` one polygon that is asked about once."""
    return masses_over([Outline(polygon)], x, y, sigma)[0]
