"""Reminders: who has a case hears once that its deadline comes near, and once that it has passed; so does the
force that has a piece of work of it. The desk hears when a parked point is to be looked at again.

The clocks themselves are the schedule: there is no second list of what is due when, so a paused, extended or
recomputed clock needs nobody to correct one. A sweep tells what is due and not told yet.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, DateTime, ForeignKey
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.database import Base, territory_column
from incidents.calendar import CITY_ZONE
from incidents.notices import announce_case

REMINDERS = ("due_soon", "overdue")


class Reminder(Base):
    """One reminder that was given, so that it is given once; a deadline that moves is another one."""

    __tablename__ = "reminder"
    __table_args__ = (CheckConstraint(f"kind IN {REMINDERS}", name="kind_known"),)

    clock_id: Mapped[int] = mapped_column(ForeignKey("case_clock.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    territory: Mapped[str] = territory_column()


# Two workers share what is due by SKIP LOCKED. One that reads before the other commits and locks afterwards
# still sees an untold clock: for that the primary key of `reminder` stands.
_REMIND = sa.text(
    """
    WITH due AS (
        SELECT c.id AS clock_id, c.clock, c.due_at, c.incident_id, c.subtask_id,
               CASE WHEN c.due_at <= :now THEN 'overdue' ELSE 'due_soon' END AS kind
        FROM case_clock AS c JOIN incident AS i ON i.id = c.incident_id
        WHERE c.stopped_at IS NULL AND c.due_soon_at <= :now AND i.paused_at IS NULL
          AND NOT EXISTS (SELECT FROM reminder AS r WHERE r.clock_id = c.id AND r.due_at = c.due_at
                             AND r.kind = CASE WHEN c.due_at <= :now THEN 'overdue' ELSE 'due_soon' END)
        ORDER BY c.due_soon_at LIMIT :limit FOR UPDATE OF c SKIP LOCKED
    ), given AS (
        INSERT INTO reminder (clock_id, kind, due_at, at, territory)
        SELECT d.clock_id, d.kind, d.due_at, :now, i.territory
        FROM due AS d JOIN incident AS i ON i.id = d.incident_id
        ON CONFLICT DO NOTHING RETURNING clock_id, kind
    ), told AS (
        INSERT INTO notice (incident_id, kind, member_id, department_code, body, created_at, territory)
        SELECT i.id, d.kind,
               CASE WHEN s.department_code IS NULL THEN coalesce(s.member_id, i.handler_id) END,
               s.department_code,
               jsonb_build_object('clock', d.clock, 'due_at', d.due_at, 'what', s.what), :now, i.territory
        FROM given JOIN due AS d USING (clock_id, kind) JOIN incident AS i ON i.id = d.incident_id
        LEFT JOIN subtask AS s ON s.id = d.subtask_id
    )
    SELECT given.kind AS reminder, i.id, i.stage, i.version, i.territory, i.reported_by, i.title, k.icon,
           i.handler_id, ST_X(i.geom) AS lon, ST_Y(i.geom) AS lat, s.member_id AS helper, s.department_code
    FROM given JOIN due AS d USING (clock_id, kind) JOIN incident AS i ON i.id = d.incident_id
    JOIN category AS k ON k.code = i.category
    LEFT JOIN subtask AS s ON s.id = d.subtask_id
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
