"""Evidence of misroutes in the cases: handed back by one cell's people, then done by another's."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import CODE_WIDTHS, prefix_range
from gis.errors import NotFound
from grids import owner_map
from grids.ground_rules import RULES
from grids.misroutes import Kept, Misroute, Strip, strips

_names = [rule.name for rule in RULES]
MOVABLE = _names[_names.index("exception") + 1 :]
"""Rules an exception goes before: what a component, building or special cell decided, it would not move."""

# The hand-back says "not mine"; the next person named, and the cell whose post they held, says whose it was.
_HANDED_ON = sa.text(
    """
    SELECT DISTINCT ON (i.id) i.id, ST_X(i.geom), ST_Y(i.geom), i.cell_code, d.ground
    FROM incident_move AS h
    JOIN incident AS i ON i.id = h.incident_id
    JOIN LATERAL (
        SELECT n.member_id, n.at FROM incident_move AS n
        WHERE n.incident_id = h.incident_id AND n.version > h.version AND n.member_id IS NOT NULL
          AND n.move IN ('dispatch', 'reassign')
        ORDER BY n.version LIMIT 1
    ) AS n ON true
    JOIN duty AS d ON d.member_id = n.member_id AND length(d.ground) = :cell_width
      AND d.starts_at <= n.at AND (d.ends_at IS NULL OR d.ends_at > n.at)
    WHERE h.move = 'hand_back' AND h.at >= :since AND i.rule = ANY(:movable)
      AND i.cell_code >= :low AND i.cell_code < :high
      AND NOT EXISTS (
        SELECT 1 FROM duty AS own WHERE own.member_id = n.member_id AND own.ground = i.cell_code
          AND own.starts_at <= n.at AND (own.ends_at IS NULL OR own.ends_at > n.at))
    ORDER BY i.id, h.version DESC, d.stand_in_for IS NOT NULL, d.id
    """
)

_KEPT = sa.text(
    """
    SELECT ST_X(i.geom), ST_Y(i.geom), i.cell_code FROM incident AS i
    WHERE i.cell_code = ANY(:cells) AND i.finished_at >= :since AND i.rule = ANY(:movable)
      AND NOT EXISTS (SELECT 1 FROM incident_move AS h WHERE h.incident_id = i.id AND h.move = 'hand_back')
    """
)


def misroutes(session: Session, since: datetime, territory: str = "") -> list[Misroute]:
    """Every case of a territory that was handed back since a moment and then went to another cell's team,
    where an exception would have decided otherwise."""
    low, high = prefix_range(territory)
    rows = session.execute(
        _HANDED_ON,
        {"since": since, "low": low, "high": high, "cell_width": CODE_WIDTHS["cell"], "movable": MOVABLE},
    )
    return [Misroute(*row) for row in rows]


EVIDENCE_DAYS = 180
"""How far back misroutes count where no moment is asked for."""


def strip_by_key(session: Session, key: int, *, now: datetime, territory: str | None) -> Strip:
    """The disputed strip of a number on a territory, by the evidence of the last half year.

    Raises NotFound when there is none (any more): it was settled, or lies elsewhere.
    """
    found = (
        ()
        if territory is None
        else disputed_strips(session, now - timedelta(days=EVIDENCE_DAYS), now=now, territory=territory)
    )
    for strip in found:
        if strip.key == key:
            return strip
    raise NotFound(
        en="There is no such strip any more.",
        zh="没有这处争议地段了。",
        remedy_en="It may have been settled; look at the map again.",
        remedy_zh="可能已经解决，请重新查看地图。",
    )


def disputed_strips(session: Session, since: datetime, *, now: datetime, territory: str = "") -> list[Strip]:
    """The disputed strips of a territory by the evidence since a moment, on the ground as it is now."""
    evidence = misroutes(session, since, territory)
    if not evidence:
        return []
    cells = sorted({misroute.from_cell for misroute in evidence})
    kept = [
        Kept(*row) for row in session.execute(_KEPT, {"cells": cells, "since": since, "movable": MOVABLE})
    ]
    city = owner_map.current(session)
    return strips(city, city.at(now), evidence, kept)
