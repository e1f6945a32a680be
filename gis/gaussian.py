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


def mass_over(polygon: shapely.Geometry, x: float, y: float, sigma: float) -> float:
    """Probability that a circular Gaussian at (x, y) falls on `polygon`, all in the same metric plane.

    `polygon` is a Polygon or MultiPolygon, holes allowed; the result is within 0..1 to about 1e-12. A centre
    on an edge is no special case: that edge's triangle is flat and weighs nothing.
    """
    oriented = shapely.orient_polygons(polygon)
    total = 0.0
    for part in shapely.get_parts(oriented):
        for ring in shapely.get_rings(part):
            total += _ring_mass((shapely.get_coordinates(ring) - (x, y)) / sigma)
    return min(max(total, 0.0), 1.0)


def _ring_mass(ring: np.ndarray) -> float:
    """Signed mass of a unit Gaussian at the origin over a closed ring of vertices (n, 2), in sigmas."""
    start, end = ring[:-1], ring[1:]
    step = end - start
    length = np.hypot(step[:, 0], step[:, 1])
    cross = start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0]
    seen = (length > 0) & (np.abs(cross) > 1e-14 * length)
    step, length, cross = step[seen], length[seen], cross[seen]
    height = np.abs(cross) / length
    along_start = np.einsum("ij,ij->i", start[seen], step) / length
    along_end = np.einsum("ij,ij->i", end[seen], step) / length
    tan1, tan2 = along_start / height, along_end / height
    mass = (np.arctan(tan2) - np.arctan(tan1)) / (2 * np.pi)
    near = height < NEGLIGIBLE_H
    mass[near] -= owens_t(height[near], tan2[near]) - owens_t(height[near], tan1[near])
    return float(np.sum(np.sign(cross) * mass))
