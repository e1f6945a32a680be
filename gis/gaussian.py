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

import numpy as np
import shapely
from scipy.special import owens_t

NEGLIGIBLE_H = 9.0
"""T(h, a) <= exp(-h^2 / 2) / 4 is below 1e-18 from here on, and most edges of a cell are this far away."""
_FLAT = 1e-14
"""Heights are kept from being zero; a triangle as flat as this weighs nothing."""


class Outline:
    """The edges of a polygon made ready to be asked about many fixes, in the polygon's own metric plane.

    Built once a polygon (Polygon or MultiPolygon, holes allowed); an answer is then a few array operations
    over its edges.
    """

    __slots__ = ("_along_x", "_along_y", "_length", "_x", "_y")

    def __init__(self, polygon: shapely.Geometry) -> None:
        parts = shapely.get_parts(shapely.orient_polygons(polygon))
        rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(parts)]
        starts = np.concatenate([ring[:-1] for ring in rings]) if rings else np.empty((0, 2))
        steps = np.concatenate([np.diff(ring, axis=0) for ring in rings]) if rings else np.empty((0, 2))
        length = np.hypot(steps[:, 0], steps[:, 1])
        real = length > 0
        self._x, self._y = starts[real].T.copy()
        self._length = length[real]
        self._along_x, self._along_y = (steps[real] / self._length[:, None]).T.copy()

    def mass(self, x: float, y: float, sigma: float) -> float:
        """Probability that a circular Gaussian at (x, y) falls on the polygon: 0..1 to about 1e-12.

        A centre on an edge is no special case: that edge's triangle is flat and weighs nothing.
        """
        dx, dy = (self._x - x) / sigma, (self._y - y) / sigma
        side = dx * self._along_y - dy * self._along_x  # the height of the triangle, signed by its direction
        height = np.maximum(np.abs(side), _FLAT)
        along = dx * self._along_x + dy * self._along_y
        tan1, tan2 = along / height, (along + self._length / sigma) / height
        weight = (np.arctan(tan2) - np.arctan(tan1)) / (2 * np.pi)
        near = height < NEGLIGIBLE_H
        weight[near] -= owens_t(height[near], tan2[near]) - owens_t(height[near], tan1[near])
        return min(max(float(np.sign(side) @ weight), 0.0), 1.0)


def mass_over(polygon: shapely.Geometry, x: float, y: float, sigma: float) -> float:
    """`Outline.mass` of a polygon that is asked about once."""
    return Outline(polygon).mass(x, y, sigma)
