"""The 137 ladder: what a level does not settle in its time climbs to the next one by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.errors import Conflict
from incidents import workflow
from incidents.calendar import CITY_ZONE
from incidents.clocks import to_climb
from incidents.incident import LEVELS
from incidents.rules import Rulebooks, Traits, current_rulebooks

LEVEL_NAMES = {
    "community": ("社区", "community"),
    "subdistrict": ("街道", "subdistrict"),
    "district": ("区", "district"),
    "city": ("市", "city"),
}

# Only what is due is touched: the index over the clocks still to be asked about gives a page of them, and
# their cases are looked up by id. In one statement PostgreSQL would take the page for a tenth of all clocks
# and read the whole table of cases beside it.
_DUE = sa.text(
    f"""
    SELECT c.due_at, c.incident_id FROM case_clock AS c
    WHERE {to_climb("c")} AND c.due_at <= :now AND (c.due_at, c.incident_id) > (:due_at, :id)
    ORDER BY c.due_at, c.incident_id LIMIT :limit
    """
)
# Cases that somebody is moving are left out, so two workers share the rest; `i.due_at` is asked again because
# a locked row is read afresh.
_LOCK = sa.text(
    f"""
    SELECT i.id, i.version, i.category, i.level, i.channel, i.grade, i.territory, i.reported_at,
           c.id AS clock_id
    FROM incident AS i JOIN case_clock AS c ON c.incident_id = i.id
    WHERE i.id = ANY(:ids) AND {to_climb("c")} AND c.due_at <= :now AND i.due_at <= :now
      AND i.stage IN ('registered', 'dispatched', 'handling') AND i.paused_at IS NULL
    ORDER BY c.due_at, i.id FOR UPDATE OF i SKIP LOCKED
    """
)
_STAY = sa.text("UPDATE case_clock SET climb_asked_of = due_at WHERE id = ANY(:clocks)")
_BEGINNING = {"due_at": datetime(1, 1, 2, tzinfo=UTC), "id": 0}


def climb(session: Session, now: datetime, zone: ZoneInfo = CITY_ZONE, *, limit: int = 500) -> list[int]:
    """Escalate the cases whose handling or level clock has run out and whose rule set knows a next level.

    A case that somebody moves at the same moment is left to them and to the next sweep; one that stays where
    it is, at the top or by its rule set, is not asked about again before its deadline or its ground changes.
    Returns the ids of the cases that climbed: fewer than `limit` means that none is left.
    """
    books = current_rulebooks(session, zone)
    if not books.know_a_ladder:
        return []
    climbed: list[int] = []
    seen = dict(_BEGINNING)
    while len(climbed) < limit:
        page = session.execute(_DUE, {"now": now, "limit": limit - len(climbed), **seen}).all()
        if not page:
            break
        seen = {"due_at": page[-1].due_at, "id": page[-1].incident_id}
        stay: list[int] = []
        for row in session.execute(_LOCK, {"now": now, "ids": [due.incident_id for due in page]}).all():
            above = _next_level(row, books)
            if above is None:
                stay.append(row.clock_id)
            elif _escalate(session, row.id, row.version, row.level, above, now, zone):
                climbed.append(row.id)
        session.execute(_STAY, {"clocks": stay})
    return climbed


def _next_level(row: sa.Row[Any], books: Rulebooks) -> str | None:
    """The level a case climbs to when its time is up; None at the top, and where its rules know no ladder."""
    if row.level == LEVELS[-1]:
        return None
    above = LEVELS[LEVELS.index(row.level) + 1]
    traits = Traits(row.category, above, row.channel, row.grade)
    ladder = books.of(row.territory, row.reported_at).limit("level", traits)
    return None if ladder is None else above


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
