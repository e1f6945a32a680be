"""The owner map: which cell owns each point of the city, held in memory and always the database's latest.

One `OwnerMap` is an immutable picture of one generation: the social cells with an exact index over them, the
special cells that lie over them, and the areas around. `current(session)` returns the picture of the
generation asked for and loads a new one only when something in it has changed: triggers on the tables give
`owner_map_stamp` a new value in the same transaction, and one look at the stamp tells.

Exact questions (which cell covers) are asked in stored degrees, as the cells were drawn; distances and
probabilities are taken in metres of the city's Gauss-Kruger zone.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from gis import crs
from gis.errors import Invalid, NotFound
from gis.gaussian import mass_over
from gis.geometry import Fix, in_metres, metric_zone
from gis.partition_index import PartitionIndex

KEPT = 8
"""Pictures kept per process: the active generation and a few on trial."""

HALF_THE_GLOBE_M = 2e7

FAR_SIGMAS = 6.0
"""Beyond this many sigmas a circular Gaussian has less than 2e-8 of its mass."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the map says about one point, before anybody asks who is on duty.

    `rule` is special, covered, shared_edge, near or orphan. `border_m` is the distance to ground of another
    owner (or of nobody); for near and orphan it is the distance to the owner's cell. `confidence` is the
    share of the fix's Gaussian that falls on ground of this owner.
    """

    rule: str
    cell: int | None
    border_m: float
    confidence: float
    second: int | None
    second_confidence: float


class OwnerMap:
    """All cells of one generation as arrays: index i is cell i, sorted by code, so ties go to the lowest."""

    def __init__(
        self,
        generation: str,
        codes: list[str],
        names: list[str],
        geoms: NDArray[np.object_],
        *,
        special: NDArray[np.bool_] | None = None,
        areas: list[tuple[str, shapely.Geometry]] | None = None,
    ) -> None:
        self.generation = generation
        self.codes = codes
        self.names = names
        self.geoms = geoms
        self.special = np.zeros(len(codes), bool) if special is None else special
        self.areas = areas or []
        self.position = {code: i for i, code in enumerate(codes)}
        self._social = np.flatnonzero(~self.special)
        self._over = np.flatnonzero(self.special)
        self._index = PartitionIndex.build(list(geoms[self._social]))
        self._over_tree = shapely.STRtree(geoms[self._over])
        self.zone = metric_zone(geoms) if len(geoms) else crs.metric_crs(113.1)
        self._metric = in_metres(geoms, self.zone)
        self._tree = shapely.STRtree(self._metric)
        self._borders = shapely.boundary(self._metric)

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the city in degrees: of its areas, else of its cells (decision 1)."""
        shapes = np.array([geom for _, geom in self.areas], object) if self.areas else self.geoms
        west, south, east, north = shapely.total_bounds(shapes)
        return float(west), float(south), float(east), float(north)

    @cached_property
    def _city(self) -> shapely.Geometry:
        """The city's ground in metres: the union of the areas, or of the cells where none are loaded."""
        if not self.areas:
            return shapely.union_all(self._metric)
        shortest = min(len(code) for code, _ in self.areas)
        top = np.array([geom for code, geom in self.areas if len(code) == shortest], object)
        return shapely.union_all(in_metres(top, self.zone))

    def metres_outside(self, lon: float, lat: float) -> float:
        """Metres from the point to the city; 0 inside. Beyond the zone's reach it is half the globe."""
        point = self._point(lon, lat)
        if not np.isfinite([point.x, point.y]).all():
            return HALF_THE_GLOBE_M
        return float(shapely.distance(self._city, point))

    def covering(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int32]:
        """Index of the owning cell of each point (special cells first, then social), -1 where none covers."""
        found = self._index.locate(lon, lat)
        owner = np.where(found >= 0, self._social[found], -1) if len(self._social) else found
        if len(self._over):
            point, over = self._over_tree.query(shapely.points(lon, lat), predicate="intersects")
            for i, cell in sorted(zip(point, self._over[over], strict=True), reverse=True):
                owner[i] = cell
        return owner.astype(np.int32)

    def covering_one(self, lon: float, lat: float) -> int:
        """`covering` for one point, without the arrays."""
        if len(self._over):
            over = self._over_tree.query(shapely.Point(lon, lat), predicate="intersects")
            if len(over):
                return int(self._over[over.min()])
        found = self._index.locate_one(lon, lat)
        return int(self._social[found]) if found >= 0 else -1

    def ground_at(self, fix: Fix, *, near_limit_m: float, cell: int | None = None) -> Ground:
        """Which cell owns the fix, by which rule, how far its border is and how sure that is.

        `cell` is given where a rule above this map has already named the owner (a component's cell, a
        building's cell); then only border and confidence are computed. Ties on shared edges go to the
        lowest code. Off every cell the nearest within `near_limit_m` metres owns; farther, nobody (orphan).
        """
        point = self._point(fix.lon, fix.lat)
        rule = "covered"
        if cell is None:
            cell = self.covering_one(fix.lon, fix.lat)
            if cell >= 0 and self.special[cell]:
                rule = "special"
        if cell < 0:
            return self._off_every_cell(point, fix.sigma_m, near_limit_m)
        border_m = float(shapely.distance(self._borders[cell], point))
        around = self._within(point, max(FAR_SIGMAS * fix.sigma_m, border_m) + 1.0, without=cell)
        distances = shapely.distance(self._metric[around], point)
        if rule == "covered" and border_m < 0.01 and self._covers_too(around, fix):
            rule = "shared_edge"
        second = int(around[np.lexsort((around, distances))[0]]) if len(around) else None
        if border_m >= FAR_SIGMAS * fix.sigma_m:
            return Ground(rule, cell, border_m, 1.0, second, 0.0)
        masses = self._masses(point, fix.sigma_m, np.append(around, cell))
        confidence = masses.pop(cell)
        if masses:
            second = max(masses, key=lambda i: (masses[i], -i))
        return Ground(
            rule, cell, border_m, confidence, second, masses.get(second, 0.0) if second is not None else 0.0
        )

    def _covers_too(self, around: NDArray[np.int64], fix: Fix) -> bool:
        """Whether another cell covers the point as well, asked exactly, in degrees."""
        return bool(shapely.intersects_xy(self.geoms[around], fix.lon, fix.lat).any())

    def _within(self, point: shapely.Point, radius: float, *, without: int = -1) -> NDArray[np.int64]:
        found = np.sort(self._tree.query(point, predicate="dwithin", distance=radius))
        return found[found != without]

    def _masses(self, point: shapely.Point, sigma: float, cells: NDArray[np.int64]) -> dict[int, float]:
        """The Gaussian's mass on the final ground of each cell: a special cell takes its ground away."""
        over = [int(i) for i in cells if self.special[i]]
        lid = shapely.union_all(self._metric[over]) if over else None
        return {
            int(i): mass_over(
                self._metric[i]
                if lid is None or self.special[i]
                else shapely.difference(self._metric[i], lid),
                point.x,
                point.y,
                sigma,
            )
            for i in cells
        }

    def _off_every_cell(self, point: shapely.Point, sigma: float, near_limit_m: float) -> Ground:
        """The near rule, else orphan. The nearest cell wins; equal distances go to the lowest code."""
        if not np.isfinite([point.x, point.y]).all() or not len(around := self._within(point, near_limit_m)):
            return Ground("orphan", None, 0.0, 0.0, None, 0.0)
        distances = shapely.distance(self._metric[around], point)
        order = np.lexsort((around, distances))
        cell = int(around[order[0]])
        second = int(around[order[1]]) if len(order) > 1 else None
        share = self._nearest_shares(point, sigma, around)
        return Ground(
            "near",
            cell,
            float(distances[order[0]]),
            share.get(cell, 0.0),
            second,
            share.get(second, 0.0) if second is not None else 0.0,
        )

    def _nearest_shares(
        self, point: shapely.Point, sigma: float, around: NDArray[np.int64]
    ) -> dict[int, float]:
        """Share of the Gaussian nearest to each cell, by 256 points of equal mass on a sunflower spiral."""
        n = 256
        rank = (np.arange(n) + 0.5) / n
        radius, angle = sigma * np.sqrt(-2.0 * np.log1p(-rank)), np.arange(n) * np.pi * (3.0 - np.sqrt(5.0))
        spread = shapely.points(point.x + radius * np.cos(angle), point.y + radius * np.sin(angle))
        nearest = np.argmin(shapely.distance(self._metric[around][:, None], spread[None, :]), axis=0)
        return {int(around[i]): float(count) / n for i, count in enumerate(np.bincount(nearest))}

    def way_to_border(self, cell: int, lon: float, lat: float) -> tuple[float, float]:
        """The point (lon, lat) of the cell's border nearest to a place: the end of a dimension line."""
        way = shapely.shortest_line(self._borders[cell], self._point(lon, lat))
        (x, y), _ = way.coords
        border_lon, border_lat = crs.from_metres(x, y, zone=self.zone)
        return float(border_lon), float(border_lat)

    def area_at(self, lon: float, lat: float) -> str | None:
        """The most precise area covering the point, or the nearest one of the lowest level loaded."""
        if not self.areas:
            return None
        point = shapely.Point(lon, lat)
        covering = [code for code, geom in self.areas if shapely.intersects(geom, point)]
        if covering:
            return max(covering, key=lambda code: (len(code), [-int(d) for d in code]))
        finest = max(len(code) for code, _ in self.areas)
        return min(
            ((shapely.distance(geom, point), code) for code, geom in self.areas if len(code) == finest)
        )[1]

    def _point(self, lon: float, lat: float) -> shapely.Point:
        x, y = crs.to_metres(lon, lat, zone=self.zone)
        return shapely.Point(float(x), float(y))


_pictures: OrderedDict[tuple[str, str], tuple[str, OwnerMap]] = OrderedDict()
_lock = threading.Lock()

_STAMP = sa.text(
    "SELECT (SELECT stamp::text FROM owner_map_stamp),"
    " coalesce(CAST(:name AS text), (SELECT name FROM generation WHERE status = 'active'))"
)
_CELLS = sa.text(
    "SELECT code, name, kind, ST_AsBinary(geom) FROM cell"
    " WHERE generation = :generation AND kind IN ('social', 'special') ORDER BY code, kind"
)
_AREAS = sa.text("SELECT code, ST_AsBinary(geom) FROM area ORDER BY code")


def current(session: Session, generation: str | None = None) -> OwnerMap:
    """The owner map of `generation`, or of the active one; from memory unless the ground has changed.

    Raises Invalid when no generation is active, NotFound when the one named holds no cells.
    """
    stamp, name = session.execute(_STAMP, {"name": generation}).one()
    return at_stamp(session, stamp, name)


def at_stamp(session: Session, stamp: str, generation: str | None) -> OwnerMap:
    """The picture for a stamp already read in this transaction (a caller that asked for more in one trip)."""
    if generation is None:
        raise Invalid(
            en="No generation of cells is active yet.",
            zh="还没有启用任何一版网格。",
            remedy_en="Load cells and run: citygrid cells activate NAME",
            remedy_zh="请先导入网格并运行：citygrid cells activate 版本名",
        )
    key = (str(session.get_bind().engine.url), generation)
    with _lock:
        kept = _pictures.get(key)
        if kept and kept[0] == stamp:
            _pictures.move_to_end(key)
            return kept[1]
        picture = _load(session, generation)
        _pictures[key] = (stamp, picture)
        _pictures.move_to_end(key)
        while len(_pictures) > KEPT:
            _pictures.popitem(last=False)
        return picture


def _load(session: Session, generation: str) -> OwnerMap:
    rows = session.execute(_CELLS, {"generation": generation}).all()
    if not rows:
        raise NotFound(
            en=f"Generation {generation} holds no social cells.",
            zh=f"版本 {generation} 没有社会治理网格。",
            remedy_en="Name a generation that is loaded; citygrid cells check lists them.",
            remedy_zh="请给出已导入的版本名；citygrid cells check 可列出。",
        )
    areas = [(code, shapely.from_wkb(bytes(wkb))) for code, wkb in session.execute(_AREAS)]
    return OwnerMap(
        generation,
        [row.code for row in rows],
        [row.name for row in rows],
        shapely.from_wkb(np.array([bytes(row[3]) for row in rows], object)),
        special=np.array([row.kind == "special" for row in rows]),
        areas=areas,
    )
