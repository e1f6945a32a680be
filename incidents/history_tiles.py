"""Ended cases as vector tiles: the map's history, for each person their own ground.

A point carries what the map filters by: category, stage, territory and the two times (seconds since 1970);
close up also its number and a title. That is the category's name, not what somebody wrote: free text never
travels in a tile.
"""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import Principal
from gis.tiles import BOX, SourceLayer, Tile, tile_params, tile_sql
from incidents.case_rows import Filter, conditions
from incidents.incident import ENDED

_HISTORY = SourceLayer(
    "incidents",
    f"""
    SELECT i.id, 'closed' AS clock, i.category, i.stage, i.territory,
           CASE WHEN :z >= 15 THEN i.number END AS number, CASE WHEN :z >= 15 THEN k.name_zh END AS title,
           extract(epoch FROM i.reported_at)::bigint AS reported_at,
           extract(epoch FROM i.closed_at)::bigint AS closed_at, i.geom
    FROM incident AS i JOIN category AS k ON k.code = i.category
    WHERE i.geom && {BOX} AND i.stage IN {ENDED} AND """,
    ("clock", "category", "stage", "territory", "number", "title", "reported_at", "closed_at"),
    from_zoom=13,
)


def history_tile(session: Session, tile: Tile, *, by: Principal) -> bytes:
    """The ended cases of a tile that the person may see; empty bytes where there are none."""
    visible = conditions(Filter(), by)
    layer = replace(_HISTORY, rows=_HISTORY.rows + " AND ".join(visible.parts))
    data = session.execute(
        sa.text("SELECT " + tile_sql([layer], tile.z)), {**tile_params(tile), **visible.params}
    ).scalar_one()
    return bytes(data)
