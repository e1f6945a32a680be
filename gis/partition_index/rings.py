"""Polygons laid out as one run of vertices, the form everything else here works on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.errors import Invalid
from gis.partition_index.jit import kernel
from gis.partition_index.predicates import LARGEST, SMALLEST

_POLYGON, _MULTIPOLYGON = 3, 6


class Rings(NamedTuple):
    """All rings of a layer, one after the other. Edge i runs from vertex i to i + 1 of the same ring.

    `ends` is where each ring ends in `xy` (n, 2); `part` is the polygon of a multipolygon a ring belongs to,
    -1 for a ring that counts no more; `polygon` is the position in the input of each part, ascending.
    """

    xy: NDArray[np.float64]
    ends: NDArray[np.int64]
    part: NDArray[np.int32]
    polygon: NDArray[np.int32]

    def part_of_edges(self) -> NDArray[np.int32]:
        """The part of each edge, -1 where vertex i is the last of its ring and begins none."""
        part = np.repeat(self.part, np.diff(self.ends, prepend=0))
        part[self.ends - 1] = -1
        return part


def rings_of(polygons: NDArray[np.object_]) -> Rings:
    """The rings of polygons and multipolygons; empty ones have none.

    Raises Invalid for any other geometry and for coordinates that cannot be compared exactly.
    """
    wrong = np.flatnonzero(~np.isin(shapely.get_type_id(polygons), (_POLYGON, _MULTIPOLYGON)))
    if len(wrong):
        raise Invalid(
            en=f"{len(wrong)} of {len(polygons)} geometries are not polygons, first at {wrong[0]}.",
            zh=f"{len(polygons)} 个几何中有 {len(wrong)} 个不是多边形，首个位于第 {wrong[0]} 个。",
            remedy_en="Give polygons or multipolygons only.",
            remedy_zh="请只给出多边形或多部件多边形。",
            positions=wrong[:100].tolist(),
        )
    parts, polygon = shapely.get_parts(polygons, return_index=True)
    whole = ~shapely.is_empty(parts)
    parts, polygon = parts[whole], polygon[whole].astype(np.int32)
    if not len(parts):
        return Rings(np.empty((0, 2)), np.empty(0, np.int64), np.empty(0, np.int32), polygon)
    _, xy, (starts, first_rings) = shapely.to_ragged_array(parts, include_z=False)
    unfit = _first_unfit(xy)
    if unfit >= 0:
        ring = int(np.searchsorted(starts, unfit, side="right")) - 1
        position = int(polygon[np.searchsorted(first_rings, ring, side="right") - 1])
        x, y = xy[unfit].tolist()
        raise Invalid(
            en=f"Polygon {position} has a vertex at ({x}, {y}), which is no place.",
            zh=f"第 {position} 个多边形有顶点 ({x}, {y})，不是有效位置。",
            remedy_en="Give finite coordinates, in degrees or metres.",
            remedy_zh="请给出有限的坐标（度或米）。",
            positions=[position],
        )
    part = np.repeat(np.arange(len(parts), dtype=np.int32), np.diff(first_rings))
    return Rings(np.ascontiguousarray(xy), np.asarray(starts[1:], np.int64), part, polygon)


def replaced(rings: Rings, changes: Mapping[int, shapely.Geometry]) -> tuple[Rings, NDArray[np.float64]]:
    """The rings with those of some positions changed, and the vertices that went or came.

    The old rings keep their place and count no more; the new ones follow at the end.
    """
    positions = np.array(sorted(changes), np.int32)
    new = rings_of(np.array([changes[int(position)] for position in positions], object))
    gone = (rings.part >= 0) & np.isin(rings.polygon[rings.part], positions)
    polygon = np.concatenate([rings.polygon, positions[new.polygon]])
    order = np.argsort(polygon, kind="stable")
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order))
    kept = np.where(gone | (rings.part < 0), -1, rank[rings.part])
    together = Rings(
        np.concatenate([rings.xy, new.xy]),
        np.concatenate([rings.ends, len(rings.xy) + new.ends]),
        np.concatenate([kept, rank[len(rings.polygon) + new.part]]).astype(np.int32),
        polygon[order],
    )
    went = np.repeat(gone, np.diff(rings.ends, prepend=0))
    return together, np.concatenate([rings.xy[went], new.xy])


def compacted(rings: Rings) -> Rings:
    """The rings without those that count no more."""
    counts = rings.part >= 0
    lengths = np.diff(rings.ends, prepend=0)
    return Rings(
        rings.xy[np.repeat(counts, lengths)], np.cumsum(lengths[counts]), rings.part[counts], rings.polygon
    )


@kernel
def _first_unfit(xy):
    """The first vertex with a coordinate that is neither 0 nor of a size exact arithmetic takes, or -1."""
    for i in range(len(xy)):
        for value in xy[i]:
            if value != 0.0 and not SMALLEST <= abs(value) <= LARGEST:
                return i
    return -1
