"""What the map draws from tiles: the sets of source-layers behind /tiles/{set}/{z}/{x}/{y}.pbf.

Everything here is open to all signed-in accounts: names of places, never of people. `dash_app.map_style` is
the reader: its sources, source-layers, filters and minzooms decide what is sent, and nothing more is. A class
of road or a kind of land is left out of the zooms that do not draw it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.errors import NotFound
from gis.tiles import BOX, SourceLayer, Tile, tile_params, tile_sql

_LAND = SourceLayer(
    "land",
    f"""
    SELECT id, kind, geom FROM land
    WHERE geom && {BOX} AND (:z >= 15 OR kind <> 'tree')
      AND (:z >= 13 OR kind NOT IN ('plaza', 'parking', 'estate_green', 'track', 'pitch', 'path', 'wall'))
    ORDER BY ST_Area(geom) DESC, id
    """,
    ("kind",),
    simplify=True,
)
"""Large pieces first, so that a lawn is not hidden under the park it lies in. Before z15 a tree is under two
pixels, and there are thousands."""

_WATER = SourceLayer("water", f"SELECT id, geom FROM water WHERE geom && {BOX}", simplify=True)

_ESTATES = SourceLayer(
    "estates",
    f"SELECT id, kind, geom FROM estate WHERE geom && {BOX}",
    ("kind",),
    from_zoom=12,
    simplify=True,
)

_ROADS = SourceLayer(
    "roads",
    f"""
    SELECT id, class, CASE WHEN bridge THEN true END AS bridge, name, name_en, geom FROM road
    WHERE geom && {BOX} AND class = ANY(CASE WHEN :z < 12 THEN ARRAY['expressway', 'arterial']
        WHEN :z < 13 THEN ARRAY['expressway', 'arterial', 'secondary']
        WHEN :z < 15 THEN ARRAY['expressway', 'arterial', 'secondary', 'local']
        ELSE ARRAY['expressway', 'arterial', 'secondary', 'local', 'lane'] END)
    """,
    ("class", "bridge", "name", "name_en"),
    simplify=True,
)

_WHOLE_CITY = 11
"""The last zoom at which whole districts are looked at."""

_BORDERS = SourceLayer(
    "areas",
    f"""
    WITH edge AS (
        SELECT level, ST_ClipByBox2D(ST_Boundary(geom), {BOX}) AS geom FROM area
        WHERE geom && {BOX} AND (level = 'subdistrict' OR level = 'district' AND :z <= {_WHOLE_CITY}
                                 OR level = 'community' AND :z > {_WHOLE_CITY})
    ), border AS (SELECT level, ST_UnaryUnion(ST_Collect(geom)) AS geom FROM edge GROUP BY level),
    line AS (
        SELECT b.level, ST_LineMerge(CASE WHEN higher.geom IS NULL THEN b.geom
                                          ELSE ST_Difference(b.geom, higher.geom) END) AS geom
        FROM border AS b LEFT JOIN border AS higher
          ON (b.level, higher.level) IN (('community', 'subdistrict'), ('subdistrict', 'district')))
    SELECT level, CASE WHEN :z <= {_WHOLE_CITY} THEN ST_Simplify(geom, :unit * 16, true) ELSE geom END AS geom
    FROM line
    """,
    ("level",),
    ids=False,
)
"""Each border once: two neighbours' dashes laid over each other would make a full line, and a community's
border that is also its subdistrict's belongs to the subdistrict, a subdistrict's to the district. Over a
whole city a border that turns at each block is drawn to two pixels: dashes along every corner would be a
smudge."""

_STREAMS = f"""
    SELECT w.kind, w.name, NULL AS name_en, (mod(degrees(bearing)::int, 180) - 90)::int AS angle,
           ST_Transform(ST_PointOnSurface(piece), 4490) AS geom
    FROM water AS w,
    LATERAL (SELECT ST_Transform(ST_ClipByBox2D(w.geom, ST_Transform(ST_TileEnvelope(:z, :x, :y), 4490)),
                                 3857) AS piece OFFSET 0) AS clipped,
    LATERAL (SELECT ST_ExteriorRing(ST_OrientedEnvelope(piece)) AS ring OFFSET 0) AS around,
    LATERAL (SELECT ST_Azimuth(ST_PointN(ring, n), ST_PointN(ring, n + 1)) AS bearing,
                    ST_Distance(ST_PointN(ring, n), ST_PointN(ring, n + 1)) AS metres
             FROM generate_series(1, 2) AS n ORDER BY 2 DESC LIMIT 1) AS longer_side
    WHERE w.geom && {BOX} AND w.kind IN ('river', 'canal') AND w.name IS NOT NULL AND :z >= 11
      AND metres > 0.4 * 40075016.7 / 2 ^ :z"""
"""A stream's name once a tile, along the longer side of the stretch inside it; not on a mere corner of it.
`angle` is what the map turns the text by: degrees clockwise, never upside down."""

_LABELS = SourceLayer(
    "labels",
    f"""
    SELECT level AS kind, name, name_en, NULL::int AS angle, ST_PointOnSurface(geom) AS geom FROM area
    WHERE geom && {BOX} AND (level = 'subdistrict' OR level = 'district' AND :z <= {_WHOLE_CITY}
                             OR level = 'community' AND :z > {_WHOLE_CITY})
    UNION ALL
    SELECT kind, name, NULL, NULL, ST_PointOnSurface(geom) FROM estate WHERE geom && {BOX} AND :z >= 14
    UNION ALL
    SELECT kind, name, NULL, NULL, ST_PointOnSurface(geom) FROM land
    WHERE geom && {BOX} AND name IS NOT NULL AND (:z >= 14 OR kind IN ('park', 'green') AND :z >= 13)
    UNION ALL {_STREAMS}
    """,
    ("kind", "name", "name_en", "angle"),
    ids=False,
)

_CELLS = SourceLayer(
    "cells",
    f"""
    SELECT id, code, name, geom FROM cell
    WHERE geom && {BOX} AND kind = 'social'
      AND generation = (SELECT name FROM generation WHERE status = 'active')
    """,
    ("code", "name"),
    from_zoom=12,
    simplify=True,
)

_BUILDINGS = SourceLayer(
    "buildings",
    f"""
    SELECT id, style, CASE WHEN :z >= 16 THEN number END AS number, geom FROM building WHERE geom && {BOX}
    """,
    ("style", "number"),
    from_zoom=14,
)

_SHOPS = SourceLayer(
    "shops",
    f"SELECT id, name, category, geom FROM shop WHERE geom && {BOX}",
    ("name", "category"),
    from_zoom=15,
)

_COMPONENTS = SourceLayer(
    "components",
    f"SELECT id, kind, name, state, geom FROM component WHERE geom && {BOX}",
    ("kind", "name", "state"),
    from_zoom=16,
)


@dataclass(frozen=True, slots=True)
class TileSet:
    """The source-layers that travel in one tile, and the tables a change of which makes old tiles wrong."""

    layers: tuple[SourceLayer, ...]
    tables: tuple[str, ...]


TILE_SETS: Mapping[str, TileSet] = MappingProxyType(
    {
        "base": TileSet(
            (_LAND, _ESTATES, _WATER, _ROADS, _BORDERS, _LABELS),
            ("land", "estate", "water", "road", "area"),
        ),
        "cells": TileSet((_CELLS,), ("cell", "generation")),
        "buildings": TileSet((_BUILDINGS,), ("building",)),
        "shops": TileSet((_SHOPS,), ("shop",)),
        "components": TileSet((_COMPONENTS,), ("component",)),
    }
)


@dataclass(frozen=True, slots=True)
class MapTile:
    """A tile and its revision. `data` is None where the asker's copy is good, empty where nothing is."""

    revision: str
    data: bytes | None


def map_tile(session: Session, name: str, tile: Tile, *, known: str | None = None) -> MapTile:
    """One tile of a set, in one statement; not made at all when `known` is still its revision.

    The revision is read together with the rows, and changes in the very transaction that changes a table, so
    a copy a browser keeps is never wrong. Raises NotFound for a set that does not exist.
    """
    tiles = TILE_SETS.get(name)
    if tiles is None:
        raise NotFound(
            en=f"There are no tiles {name}.",
            zh=f"没有瓦片图层 {name}。",
            remedy_en="Tiles are served for " + ", ".join([*TILE_SETS, "incidents"]) + ".",
            remedy_zh="可用的瓦片图层：" + "、".join([*TILE_SETS, "incidents"]) + "。",
        )
    row = session.execute(
        _statement(name, tile.z), {**tile_params(tile), "tables": list(tiles.tables), "known": known}
    ).one()
    return MapTile(row.revision, None if row.data is None else bytes(row.data))


@lru_cache(maxsize=256)
def _statement(name: str, zoom: int) -> sa.TextClause:
    """The query for a set at a zoom. Its own text is part of the revision: a new drawing is a new tile."""
    drawing = tile_sql(TILE_SETS[name].layers, zoom)
    version = hashlib.sha256(drawing.encode()).hexdigest()[:8]
    return sa.text(
        f"""
        SELECT revision, CASE WHEN revision IS DISTINCT FROM :known THEN {drawing} END AS data
        FROM (SELECT '{version}-' || md5(string_agg(stamp::text, '' ORDER BY table_name)) AS revision
              FROM map_stamp WHERE table_name = ANY(:tables)) AS stamped
        """
    )
