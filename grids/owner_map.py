"""The owner map: which cell owns each point of the city, held in memory and always the database's latest.

One `OwnerMap` is an immutable picture of one generation: the social cells with an exact index over them,
the special cells and exceptions that lie over them, and the areas around. `current(session)` returns the
picture of the generation asked for and loads a new one only when something in it has changed: triggers on
the tables give `owner_map_stamp` a new value in the same transaction, and one look at the stamp tells.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from gis.errors import Invalid, NotFound
from gis.geometry import metric_zone
from grids import exceptions
from grids.owner_picture import OwnerMap

__all__ = ["OwnerMap", "at_stamp", "current"]

KEPT = 8
"""Pictures kept per process: the active generation and a few on trial."""

_pictures: OrderedDict[tuple[str, str], tuple[str, OwnerMap]] = OrderedDict()
_lock = threading.Lock()

_ACTIVE = sa.text("SELECT status = 'active' FROM generation WHERE name = :generation")
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
# Those that stand on several cells of a drawing.
_FOOTPRINTS_ON_TRIAL = sa.text(
    """
    SELECT ST_X(ST_PointOnSurface(b.geom)), ST_Y(ST_PointOnSurface(b.geom)), ST_AsBinary(b.geom)
    FROM building AS b
    WHERE (SELECT count(*) FROM cell AS c WHERE c.generation = :generation AND c.kind IN ('social', 'special')
             AND c.geom && b.geom AND ST_Intersects(c.geom, b.geom)) > 1
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
    key = (_address(session.get_bind().engine), generation)
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


@lru_cache(maxsize=16)
def _address(engine: sa.Engine) -> str:
    """Where a database is. The stamp decides; this only keeps two databases from pushing each other's picture
    out. The options are left aside: a person's connection and the house's own see the same ground."""
    return str(engine.url.difference_update_query(["options"]))


def _load(session: Session, generation: str) -> OwnerMap:
    rows = session.execute(_CELLS, {"generation": generation}).all()
    if not rows:
        raise NotFound(
            en=f"Generation {generation} holds no social cells.",
            zh=f"版本 {generation} 没有社会治理网格。",
            remedy_en="Name a generation that is loaded; citygrid cells check lists them.",
            remedy_zh="请给出已导入的版本名；citygrid cells check 可列出。",
        )
    in_force = session.scalar(_ACTIVE, {"generation": generation})
    footprints = session.execute(_FOOTPRINTS, {"generation": generation}) if in_force else ()
    geoms = _shapes([row[3] for row in rows])
    city = OwnerMap(
        generation,
        [row.code for row in rows],
        [row.name for row in rows],
        geoms,
        special=np.array([row.kind == "special" for row in rows]),
        areas=[(code, shapely.from_wkb(bytes(wkb))) for code, wkb in session.execute(_AREAS)],
        strips=exceptions.strips(session, metric_zone(geoms)),
        footprints=[(code, shapely.from_wkb(bytes(wkb))) for code, wkb in footprints],
        barriers=_shapes(session.scalars(_BARRIERS)),
    )
    if in_force:
        return city
    across = session.execute(_FOOTPRINTS_ON_TRIAL, {"generation": generation})
    return city.on_trial(buildings=[(lon, lat, shapely.from_wkb(bytes(wkb))) for lon, lat, wkb in across])


def _shapes(wkbs: Iterable[bytes]) -> NDArray[np.object_]:
    return shapely.from_wkb(np.array([bytes(wkb) for wkb in wkbs], object))
