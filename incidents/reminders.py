"""Reminders: who has a case hears once that its deadline comes near, and once that it has passed; so does the
force that has a piece of work of it. The desk hears when a parked point is to be looked at again.

The clocks themselves are the schedule: there is no second list of what is due when, so a paused, extended or
recomputed clock needs nobody to correct one. A sweep tells what is due and writes on the clock of which
deadline it has told, so the next one does not even read it.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from incidents.calendar import CITY_ZONE
from incidents.clocks import tell_at, to_tell
from incidents.notices import announce_case

# Two workers share what is due by SKIP LOCKED. One that reads before the other commits and locks afterwards
# reads the row again, and finds it told.
_REMIND = sa.text(
    f"""
    WITH due AS (
        SELECT c.id AS clock_id, c.clock, c.due_at,
               CASE WHEN c.due_at <= :now THEN 'overdue' ELSE 'due_soon' END AS reminder,
               i.id, i.stage, i.version, i.territory, i.reported_by, i.title, i.category, i.handler_id,
               ST_X(i.geom) AS lon, ST_Y(i.geom) AS lat, s.member_id AS helper, s.department_code, s.what
        FROM case_clock AS c JOIN incident AS i ON i.id = c.incident_id
        LEFT JOIN subtask AS s ON s.id = c.subtask_id
        WHERE {to_tell("c")} AND {tell_at("c")} <= :now AND i.paused_at IS NULL
        ORDER BY {tell_at("c")} LIMIT :limit FOR UPDATE OF c SKIP LOCKED
    ), told_of AS (
        UPDATE case_clock AS c
        SET soon_told_of = c.due_at,
            late_told_of = CASE WHEN c.due_at <= :now THEN c.due_at ELSE c.late_told_of END
        WHERE c.id = ANY(ARRAY(SELECT clock_id FROM due))
    ), told AS (
        INSERT INTO notice (incident_id, kind, member_id, department_code, body, created_at, territory)
        SELECT d.id, d.reminder,
               CASE WHEN d.department_code IS NULL THEN coalesce(d.helper, d.handler_id) END,
               d.department_code,
               jsonb_build_object('clock', d.clock, 'due_at', d.due_at, 'what', d.what), :now, d.territory
        FROM due AS d
    )
    SELECT d.*, k.icon FROM due AS d JOIN category AS k ON k.code = d.category
    """
)


def remind(session: Session, now: datetime, *, limit: int = 500) -> int:
    """Write and announce the notices that are due: to whoever has the case, else to the desk.

    A clock that stands is not reminded of; one found late hears only that it is overdue. Returns how many
    were given, at most `limit`: fewer means that nothing is left.
    """
    rows = session.execute(_REMIND, {"now": now, "limit": limit}).all()
    for row in rows:
        announce_case(
            session,
            move=row.reminder,
            case=dict(row._mapping),
            place=(row.lon, row.lat),
            previous_member_id=row.handler_id,
            helpers={
                "members": [row.helper] if row.helper else [],
                "departments": [row.department_code] if row.department_code else [],
            },
        )
    return len(rows)


_REVIEW = sa.text(
    """
    WITH due AS (
        SELECT i.id FROM incident AS i
        WHERE i.stage = 'parked' AND i.review_on <= :today AND i.review_told_on IS DISTINCT FROM i.review_on
        ORDER BY i.review_on, i.id LIMIT :limit FOR UPDATE SKIP LOCKED
    ), told AS (
        INSERT INTO notice (incident_id, kind, body, created_at, territory)
        SELECT i.id, 'review_due', jsonb_build_object('review_on', i.review_on), :now, i.territory
        FROM due JOIN incident AS i USING (id)
    )
    UPDATE incident AS i SET review_told_on = i.review_on
    FROM due, category AS k
    WHERE i.id = due.id AND k.code = i.category
    RETURNING i.id, i.stage, i.version, i.territory, i.reported_by, i.title, k.icon, i.handler_id,
              ST_X(i.geom) AS lon, ST_Y(i.geom) AS lat
    """
)


def remind_of_reviews(
    session: Session, now: datetime, zone: ZoneInfo = CITY_ZONE, *, limit: int = 500
) -> int:
    """Tell the desk of the parked points whose day of review has come: once for each day that was set.

    Returns how many it told of, at most `limit`.
    """
    today = now.astimezone(zone).date()
    rows = session.execute(_REVIEW, {"now": now, "today": today, "limit": limit}).all()
    for row in rows:
        announce_case(
            session,
            move="review_due",
            case=dict(row._mapping),
            place=(row.lon, row.lat),
            previous_member_id=row.handler_id,
        )
    return len(rows)
