"""The owner map: which cell owns each point of the city, held in memory and always the database's latest.

One `OwnerMap` is an immutable picture of one generation: the social cells with an exact index over them,
the special cells and exceptions that lie over them, and the areas around. `current(session)` returns the
picture of the generation asked for and loads a new one only when something in it has changed: triggers on
the tables give `owner_map_stamp` a new value in the same transaction, and one look at the stamp tells.

Exact questions (which cell covers) are asked in stored degrees, as the cells were drawn; distances and
probabilities are taken in metres of the city's Gauss-Kruger zone, on the final ground (`grids.final_ground`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from gis import crs
from gis.access import CODE_WIDTHS
from gis.errors import Invalid, NotFound
from gis.geometry import in_metres, metric_zone
from gis.partition_index import PartitionIndex
from grids import exceptions
from grids.exceptions import Strip
from grids.final_ground import FinalGround, Overlay

KEPT = 8
"""Pictures kept per process: the active generation and a few on trial."""

HALF_THE_GLOBE_M = 2e7

NEAR_LIMIT_M = 50.0
"""How far off every cell the nearest one still owns (decision 6)."""


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
        strips: Sequence[Strip] = (),
        footprints: Sequence[tuple[str, shapely.Geometry]] = (),
        barriers: NDArray[np.object_] | None = None,
    ) -> None:
        """`geoms`, `areas`, `footprints` (cell code, shape) and `barriers` are lon/lat; `strips` metres."""
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
        self._social_tree = shapely.STRtree(geoms[self._social])
        self._over_index = PartitionIndex.build(list(geoms[self._over]))
        self.zone = metric_zone(geoms) if len(geoms) else crs.metric_crs(113.1)
        self._metric = in_metres(geoms, self.zone)
        self._strips = [strip for strip in strips if strip.cell_code in self.position]
        known = [(code, geom) for code, geom in footprints if code in self.position]
        shapes = in_metres(np.array([geom for _, geom in known], object), self.zone)
        self._footprints = [(code, shape) for (code, _), shape in zip(known, shapes, strict=True)]
        self._barriers = in_metres(np.empty(0, object) if barriers is None else barriers, self.zone)
        self._grounds: dict[tuple[int, ...], FinalGround] = {}

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
        point = self.point(lon, lat)
        if not np.isfinite([point.x, point.y]).all():
            return HALF_THE_GLOBE_M
        return float(shapely.distance(self._city, point))

    def covering(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int32]:
        """Index of the owning cell of each point (special cells first, then social), -1 where none covers."""
        owner = _cells(self._social, self._index.locate(lon, lat))
        if len(self._over):
            over = _cells(self._over, self._over_index.locate(lon, lat))
            owner = np.where(over >= 0, over, owner)
        return owner

    def covering_one(self, lon: float, lat: float) -> int:
        """`covering` for one point, without the arrays."""
        special = self.special_at(lon, lat)
        return self.social_at(lon, lat) if special < 0 else special

    def special_at(self, lon: float, lat: float) -> int:
        """The special cell over a point (the lowest code where several are), or -1."""
        found = self._over_index.locate_one(lon, lat)
        return int(self._over[found]) if found >= 0 else -1

    def social_at(self, lon: float, lat: float) -> int:
        """The social cell that covers a point (the lowest code on a shared edge), or -1."""
        found = self._index.locate_one(lon, lat)
        return int(self._social[found]) if found >= 0 else -1

    def social_all_at(self, lon: float, lat: float) -> NDArray[np.int64]:
        """Every social cell that covers a point, asked exactly, in degrees: several on a shared edge."""
        return self._social[self._social_tree.query(shapely.Point(lon, lat), predicate="intersects")]

    def at(self, moment: datetime) -> FinalGround:
        """The final ground at a moment: this picture with the exceptions then in force painted over it."""
        in_force = tuple(strip.id for strip in self._strips if strip.holds_at(moment))
        ground = self._grounds.get(in_force)
        if ground is None:
            if len(self._grounds) >= KEPT:
                self._grounds.clear()
            ground = self._grounds[in_force] = self._final_ground(frozenset(in_force))
        return ground

    def _final_ground(self, in_force: frozenset[int]) -> FinalGround:
        overlays = [
            *(Overlay(self.position[code], shape) for code, shape in self._footprints),
            *(Overlay(int(i), self._metric[i]) for i in self._over),
            *(Overlay(self.position[s.cell_code], s.shape, s) for s in self._strips if s.id in in_force),
        ]
        return FinalGround(self._metric, ~self.special, overlays, self._barriers, near_limit_m=NEAR_LIMIT_M)

    def territory_of(self, cell: int | None, lon: float, lat: float) -> str:
        """The most precise code of the hierarchy for a point owned by `cell`: the social cell's; beneath a
        special cell, that of the social cell it lies over (decision 3); off every cell, the area's."""
        if cell is not None and not self.special[cell]:
            return self.codes[cell]
        beneath = self.social_at(lon, lat)
        if beneath >= 0:
            return self.codes[beneath]
        return self.area_at(lon, lat) or self.codes[0][: CODE_WIDTHS["city"]]

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

    def point(self, lon: float, lat: float) -> shapely.Point:
        """The point in metres of the city's zone; not finite where the zone does not reach."""
        x, y = crs.to_metres(lon, lat, zone=self.zone)
        return shapely.Point(float(x), float(y))


def _cells(cells: NDArray[np.int64], found: NDArray[np.int32]) -> NDArray[np.int32]:
    """Positions in an index over some cells -> those cells; -1 stays -1, as the last of one more."""
    return np.append(cells, -1)[found].astype(np.int32)


_pictures: OrderedDict[tuple[int, str], tuple[str, OwnerMap]] = OrderedDict()
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
# Footprints that lie on ground of another cell than their building's; the others change nothing. From the
# cell to its buildings, so that PostGIS prepares each cell once: ten times as fast as the other way round.
_FOOTPRINTS = sa.text(
    """
    WITH across AS (
        SELECT DISTINCT b.id FROM cell AS c
        JOIN building AS b ON b.geom && c.geom AND b.cell_code <> c.code AND ST_Intersects(c.geom, b.geom)
        WHERE c.generation = :generation AND c.kind IN ('social', 'special')
    )
    SELECT b.cell_code, ST_AsBinary(b.geom) FROM across JOIN building AS b USING (id)
    WHERE NOT EXISTS (SELECT 1 FROM cell AS s WHERE s.generation = :generation AND s.kind = 'special'
                        AND s.code = b.cell_code AND s.geom && b.geom AND ST_Covers(s.geom, b.geom))
    ORDER BY b.id
    """
)
_BARRIERS = sa.text(
    "SELECT ST_AsBinary(geom) FROM water UNION ALL SELECT ST_AsBinary(geom) FROM land WHERE kind = 'wall'"
)


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
    # The stamp decides; the engine only keeps two databases from pushing each other's picture out.
    key = (id(session.get_bind().engine), generation)
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
    footprints = session.execute(_FOOTPRINTS, {"generation": generation})
    geoms = _shapes([row[3] for row in rows])
    return OwnerMap(
        generation,
        [row.code for row in rows],
        [row.name for row in rows],
        geoms,
        special=np.array([row.kind == "special" for row in rows]),
        areas=areas,
        strips=exceptions.strips(session, metric_zone(geoms)),
        footprints=[(code, shapely.from_wkb(bytes(wkb))) for code, wkb in footprints],
        barriers=_shapes(session.scalars(_BARRIERS)),
    )


def _shapes(wkbs: Iterable[bytes]) -> NDArray[np.object_]:
    return shapely.from_wkb(np.array([bytes(wkb) for wkb in wkbs], object))
