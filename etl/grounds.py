"""The cell and the territory that many things stand on, by the same exact index that routes a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from gis import crs
from gis.geometry import in_metres, metric_zone
from gis.partition_index import PartitionIndex
from grids import owner_map
from grids.owner_map import OwnerMap

FAR_M = 2000.0
"""Farther than this outside the city a thing is not the city's (decision 1)."""

UNKNOWN = ""
"""The territory of ground no area and no cell is known for: only the whole city's officers see it."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Standing:
    """For each point: its cell's code or None, its territory, and the metres it lies outside the city."""

    cell: list[str | None]
    territory: list[str]
    outside_m: Floats


class Grounds:
    """The ground of the city as it is in this transaction: active cells first, then areas, finest first."""

    def __init__(self, cells: OwnerMap | None, areas: Sequence[tuple[str, shapely.Geometry]]) -> None:
        self._cells = cells
        self._levels: list[tuple[list[str], PartitionIndex, NDArray[Any]]] = []
        for width in sorted({len(code) for code, _ in areas}, reverse=True):
            codes = [code for code, _ in areas if len(code) == width]
            shapes = np.array([geom for code, geom in areas if len(code) == width], object)
            self._levels.append((codes, PartitionIndex.build(shapes), shapes))
        self._shapes = (
            self._levels[-1][2] if self._levels else (cells.geoms if cells else np.empty(0, object))
        )

    @classmethod
    def of_city(cls, session: Session) -> Grounds:
        """The grounds of whatever is loaded; with neither areas nor an active generation, of nothing."""
        active = session.execute(sa.text("SELECT 1 FROM generation WHERE status = 'active'")).scalar()
        return cls(owner_map.current(session) if active else None, _areas(session))

    @classmethod
    def of_areas(cls, session: Session) -> Grounds:
        """The grounds of the areas alone: what a new drawing of cells is laid upon."""
        return cls(None, _areas(session))

    def at(self, lon: Floats, lat: Floats) -> Standing:
        """Where points stand. The territory is the social cell's, beneath a special cell too (decision 3).

        Off every cell the finest area that covers gives it; off every area the nearest of the coarsest level
        does, and `outside_m` is above 0.
        """
        cell: list[str | None] = [None] * len(lon)
        territory = [UNKNOWN] * len(lon)
        outside = np.zeros(len(lon))
        left = np.arange(len(lon))
        if self._cells is not None:
            codes = self._cells.codes
            found = self._cells.covering(lon, lat)
            for i in np.flatnonzero(found >= 0):
                cell[i] = codes[found[i]]
            social = self._cells.social_covering(lon, lat)
            for i in np.flatnonzero(social >= 0):
                territory[i] = codes[social[i]]
            left = np.flatnonzero(social < 0)
        for codes, index, _ in self._levels:
            found = index.locate(lon[left], lat[left])
            for i in np.flatnonzero(found >= 0):
                territory[left[i]] = codes[found[i]]
            left = left[found < 0]
        if len(left) and len(self._shapes):
            nearest, outside[left] = self._nearest(lon[left], lat[left])
            for i, position in zip(left, nearest, strict=True):
                territory[i] = self._codes[position]
        return Standing(cell, territory, outside)

    def holds(self, lon: Floats, lat: Floats) -> NDArray[np.bool_]:
        """Whether each point lies within the bounds of the city."""
        if not len(self._shapes):
            return np.zeros(len(lon), bool)
        west, south, east, north = shapely.total_bounds(self._shapes)
        return (west <= lon) & (lon <= east) & (south <= lat) & (lat <= north)

    @property
    def _codes(self) -> list[str]:
        """The codes of `_shapes`: areas, or the community digits of cells where no areas are loaded."""
        if self._levels:
            return self._levels[-1][0]
        assert self._cells is not None
        return [code[:12] for code in self._cells.codes]

    def _nearest(self, lon: Floats, lat: Floats) -> tuple[NDArray[np.int64], Floats]:
        """(position of the nearest shape, metres to it); what the zone cannot reach is infinitely far."""
        zone = metric_zone(self._shapes)
        tree = shapely.STRtree(in_metres(self._shapes, zone))
        x, y = crs.to_metres(lon, lat, zone=zone)
        reached = np.isfinite(x) & np.isfinite(y)
        position, metres = np.zeros(len(lon), np.int64), np.full(len(lon), np.inf)
        pairs, distance = tree.query_nearest(
            shapely.points(x[reached], y[reached]), return_distance=True, all_matches=False
        )
        at = np.flatnonzero(reached)[pairs[0]]
        position[at], metres[at] = pairs[1], distance
        return position, metres


def _areas(session: Session) -> list[tuple[str, shapely.Geometry]]:
    rows = session.execute(sa.text("SELECT code, ST_AsBinary(geom) FROM area ORDER BY code"))
    return [(code, shapely.from_wkb(bytes(wkb))) for code, wkb in rows]
