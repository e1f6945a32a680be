"""Point to polygon, exactly: which polygon of a layer covers a point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.errors import Invalid

__all__ = ["PartitionIndex"]


class PartitionIndex:
    """Find the polygon that covers a point; positions are those of the input, the lowest one wins a tie."""

    def __init__(self, polygons: NDArray[np.object_]) -> None:
        self._polygons = polygons
        self._tree = shapely.STRtree(polygons)

    @classmethod
    def build(cls, polygons: Sequence[shapely.Geometry] | NDArray[np.object_]) -> PartitionIndex:
        """Index `polygons` (Polygon or MultiPolygon, lon/lat). Raises Invalid on any other geometry."""
        array = np.array(polygons, dtype=object).reshape(-1)
        wrong = np.flatnonzero(~np.isin(shapely.get_type_id(array), (3, 6)))
        if len(wrong):
            raise Invalid(
                en=f"{len(wrong)} of {len(array)} geometries are not polygons, first at {wrong[0]}.",
                zh=f"{len(array)} 个几何中有 {len(wrong)} 个不是多边形，首个位于第 {wrong[0]} 个。",
                positions=wrong[:100].tolist(),
            )
        return cls(array)

    def locate(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int32]:
        """Position of the polygon covering each point, -1 where none does."""
        x, y = (np.atleast_1d(np.asarray(v, np.float64)) for v in (x, y))
        found = np.full(len(x), np.iinfo(np.int32).max, np.int32)
        good = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        point, polygon = self._tree.query(shapely.points(x[good], y[good]), predicate="intersects")
        np.minimum.at(found, good[point], polygon.astype(np.int32))
        found[found == np.iinfo(np.int32).max] = -1
        return found

    def locate_one(self, x: float, y: float) -> int:
        """Position of the polygon covering one point, or -1."""
        return int(self.locate(np.array([x]), np.array([y]))[0])
