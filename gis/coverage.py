"""Is a layer a partition? Its gaps, overlaps and slivers, each with its place and area.

The maker of a partition and its checker come in pairs: this is the checker. Everything here is measured in
metres of one plane (see `gis.geometry.in_metres`); positions are those of the input.

Where two polygons overlap, an edge of at least one of them runs inside the other, and GEOS' coverage routines
find such edges in one sweep. So a clean layer of a hundred thousand cells costs that sweep alone, and only
the polygons it names are ever intersected with what they meet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Shapes = NDArray[np.object_]

SLIVER_WIDTH_M = 1.0
"""A fault narrower than this on average is a slip of the pen, not a piece of ground."""
LEAST_AREA_M2 = 0.05
"""Below this a fault is rounding: a hundred metres of border drawn half a millimetre off."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a layer: `kind` is gap, overlap or outside; `positions` are the polygons concerned.

    `geom` is its ground, `x`, `y` a point on it, all in the plane of the input. `sliver` tells that it is
    narrower than `SLIVER_WIDTH_M`: twice the area over the perimeter.
    """

    kind: str
    positions: tuple[int, ...]
    area_m2: float
    sliver: bool
    x: float
    y: float
    geom: shapely.Geometry


def overlaps(shapes: Shapes, least_m2: float = LEAST_AREA_M2) -> list[Fault]:
    """Ground that two polygons claim, one fault a connected piece, in order of positions.

    A piece that three polygons claim is told once for each pair of them.
    """
    suspects = _with_foreign_edges(shapes)
    tree = shapely.STRtree(shapes)
    asked, met = tree.query(shapes[suspects], predicate="intersects")
    pairs = np.sort(np.column_stack([suspects[asked], met]), axis=1)
    pairs = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)
    common = shapely.intersection(shapes[pairs[:, 0]], shapes[pairs[:, 1]])
    return [
        fault
        for pair, ground in zip(pairs, common, strict=True)
        for fault in _pieces("overlap", (int(pair[0]), int(pair[1])), ground, least_m2)
    ]


def gaps(
    shapes: Shapes, within: shapely.Geometry | None = None, least_m2: float = LEAST_AREA_M2
) -> list[Fault]:
    """Ground that no polygon claims: of `within`, or without it the holes the layer encloses."""
    together = union(shapes)
    wanted = _without_holes(together) if within is None else within
    return _pieces("gap", (), shapely.difference(wanted, together), least_m2)


def outside(shapes: Shapes, homes: Shapes, least_m2: float = LEAST_AREA_M2) -> list[Fault]:
    """Ground of polygon i that lies outside `homes[i]`; a home that is None is not asked about."""
    asked = np.flatnonzero([home is not None for home in homes])
    left = shapely.difference(shapes[asked], homes[asked])
    return [
        fault
        for position, ground in zip(asked, left, strict=True)
        for fault in _pieces("outside", (int(position),), ground, least_m2)
    ]


def union(shapes: Shapes) -> shapely.Geometry:
    """All ground of the layer; along shared edges alone where it is a coverage, which is far quicker."""
    if shapely.coverage_is_valid(shapes):
        return shapely.coverage_union_all(shapes)
    return shapely.union_all(shapes)


def _with_foreign_edges(shapes: Shapes) -> NDArray[np.int64]:
    """Positions of the polygons with an edge that is not wholly an edge of a neighbour, or free of them."""
    return np.flatnonzero(~shapely.is_empty(shapely.coverage_invalid_edges(shapes)))


def _without_holes(geometry: shapely.Geometry) -> shapely.Geometry:
    return shapely.union_all(shapely.polygons(shapely.get_exterior_ring(shapely.get_parts(geometry))))


def _pieces(kind: str, positions: tuple[int, ...], ground: shapely.Geometry, least_m2: float) -> list[Fault]:
    """The connected polygons of some ground that are large enough to be told of."""
    faults = []
    for part in shapely.get_parts(ground):
        area = float(shapely.area(part))
        if area < least_m2:
            continue
        width = 2 * area / float(shapely.length(part))
        at = shapely.point_on_surface(part)
        faults.append(Fault(kind, positions, area, width < SLIVER_WIDTH_M, at.x, at.y, part))
    return faults
