"""The 137 ladder: what a level does not settle in its time climbs to the next one by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.errors import Conflict
from incidents import workflow
from incidents.calendar import CITY_ZONE
from incidents.incident import LEVELS
from incidents.rules import Traits, current_rulebooks

LEVEL_NAMES = {
    "community": ("社区", "community"),
    "subdistrict": ("街道", "subdistrict"),
    "district": ("区", "district"),
    "city": ("市", "city"),
}

# Only what is due is touched: the partial index on running clocks answers it. Cases that somebody is moving
# are left out, so two workers share the rest; `i.due_at` is asked again because a locked row is read afresh.
_DUE = sa.text(
    """
    SELECT i.id, i.version, i.category, i.level, i.channel, i.grade, i.territory, i.reported_at, c.due_at
    FROM case_clock AS c JOIN incident AS i ON i.id = c.incident_id
    WHERE c.stopped_at IS NULL AND c.due_at <= :now AND (c.due_at, i.id) > (:due_at, :id)
      AND c.clock IN ('handle', 'level')
      AND i.stage IN ('registered', 'dispatched', 'handling') AND i.paused_at IS NULL AND i.level <> :top
      AND i.due_at <= :now
    ORDER BY c.due_at, i.id LIMIT :limit FOR UPDATE OF i SKIP LOCKED
    """
)
_BEGINNING = {"due_at": datetime(1, 1, 2, tzinfo=UTC), "id": 0}


def climb(session: Session, now: datetime, zone: ZoneInfo = CITY_ZONE, *, limit: int = 500) -> list[int]:
    """Escalate the cases whose handling or level clock has run out and whose rule set knows a next level.

    A case that somebody moves at the same moment is left to them and to the next sweep; one that the rule set
    keeps where it is does not stand in the way of those behind it. Returns the ids of the cases that climbed:
    fewer than `limit` means that none is left.
    """
    books = current_rulebooks(session, zone)
    if not books.know_a_ladder:
        return []
    climbed: list[int] = []
    seen = dict(_BEGINNING)
    while len(climbed) < limit:
        wanted = {"now": now, "top": LEVELS[-1], "limit": limit - len(climbed), **seen}
        rows = session.execute(_DUE, wanted).all()
        for row in rows:
            above = LEVELS[LEVELS.index(row.level) + 1]
            rules = books.of(row.territory, row.reported_at)
            if rules.limit("level", Traits(row.category, above, row.channel, row.grade)) is None:
                continue
            if _escalate(session, row.id, row.version, row.level, above, now, zone):
                climbed.append(row.id)
        if not rows:
            break
        seen = {"due_at": rows[-1].due_at, "id": rows[-1].id}
    return climbed


def _escalate(
    session: Session, incident_id: int, version: int, level: str, above: str, now: datetime, zone: ZoneInfo
) -> bool:
    """Carry out the move; False where the case has meanwhile become one that does not climb."""
    try:
        workflow.move(
            session,
            incident_id,
            "escalate",
            by=workflow.SYSTEM,
            now=now,
            version=version,
            note=f"{LEVEL_NAMES[level][0]}时限已到，自动上报{LEVEL_NAMES[above][0]}。",
            zone=zone,
        )
    except Conflict:
        return False
    return True
