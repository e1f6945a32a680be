"""The 137 ladder: what a level does not settle in its time climbs to the next one by itself."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from incidents import workflow
from incidents.calendar import CITY_ZONE
from incidents.incident import LEVELS
from incidents.rules import Traits, current_rulebook

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
    SELECT i.id, i.version, i.category, i.level, i.channel, i.grade
    FROM case_clock AS c JOIN incident AS i ON i.id = c.incident_id
    WHERE c.stopped_at IS NULL AND c.due_at <= :now AND c.clock IN ('handle', 'level')
      AND i.stage IN ('registered', 'dispatched', 'handling') AND i.paused_at IS NULL AND i.level <> :top
      AND i.due_at <= :now
    ORDER BY c.due_at, i.id LIMIT :limit FOR UPDATE OF i SKIP LOCKED
    """
)


def climb(session: Session, now: datetime, zone: ZoneInfo = CITY_ZONE, *, limit: int = 500) -> list[int]:
    """Escalate the cases whose handling or level clock has run out and whose rule set knows a next level.

    A case that somebody moves at the same moment is left to them and to the next sweep. Returns the ids of
    the cases that climbed.
    """
    rules = current_rulebook(session, zone)
    climbed = []
    for row in session.execute(_DUE, {"now": now, "top": LEVELS[-1], "limit": limit}).all():
        above = LEVELS[LEVELS.index(row.level) + 1]
        if rules.limit("level", Traits(row.category, above, row.channel, row.grade)) is None:
            continue
        here_zh, above_zh = LEVEL_NAMES[row.level][0], LEVEL_NAMES[above][0]
        workflow.move(
            session,
            row.id,
            "escalate",
            by=workflow.SYSTEM,
            now=now,
            version=row.version,
            note=f"{here_zh}时限已到，自动上报{above_zh}。",
            zone=zone,
        )
        climbed.append(row.id)
    return climbed
