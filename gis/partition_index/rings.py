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

AT_A_TIME = 512
"""Taking polygons apart copies them; so many at a time keep that small."""
_POLYGON, _MULTIPOLYGON = 3, 6
_NONE = np.empty(0, np.int64)


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
    xy = np.empty((int(shapely.get_num_coordinates(polygons).sum()), 2))
    ends, ring_parts, positions = [_NONE], [_NONE], [_NONE]
    vertices = parts = 0
    for first in range(0, len(polygons), AT_A_TIME):
        single, position = shapely.get_parts(polygons[first : first + AT_A_TIME], return_index=True)
        whole = ~shapely.is_empty(single)
        if not whole.any():
            continue
        _, some, (starts, rings) = shapely.to_ragged_array(single[whole], include_z=False)
        xy[vertices : vertices + len(some)] = some
        ends.append(vertices + starts[1:])
        ring_parts.append(parts + np.repeat(np.arange(len(rings) - 1), np.diff(rings)))
        positions.append(first + position[whole])
        vertices, parts = vertices + len(some), parts + len(rings) - 1
    part, polygon = (np.concatenate(numbers).astype(np.int32) for numbers in (ring_parts, positions))
    laid_out = Rings(xy, np.concatenate(ends), part, polygon)
    _refuse_unfit(laid_out)
    return laid_out


def _refuse_unfit(rings: Rings) -> None:
    vertex = _first_unfit(rings.xy)
    if vertex < 0:
        return
    position = int(rings.polygon[rings.part[np.searchsorted(rings.ends, vertex, side="right")]])
    x, y = rings.xy[vertex].tolist()
    raise Invalid(
        en=f"Polygon {position} has a vertex at ({x}, {y}), which is no place.",
        zh=f"第 {position} 个多边形有顶点 ({x}, {y})，不是有效位置。",
        remedy_en="Give finite coordinates, in degrees or metres.",
        remedy_zh="请给出有限的坐标（度或米）。",
        positions=[position],
    )


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
