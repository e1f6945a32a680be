"""Reads of incidents: the queue, the counters over it, the time bar, and one case as a file.

Every read is bound to the person asking (`case_rows`), and `now` decides every clock, so one page shows one
moment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis import cursors
from gis.access import Principal
from gis.errors import Invalid
from incidents.case_file import (
    IncidentDetail,
    MoveRow,
    PersonRow,
    PhotoRow,
    get_incident,
    no_incident,
    people_by_id,
    photos,
    story,
)
from incidents.case_rows import (
    ALIVE_SQL,
    ANSWER_OWED_SQL,
    ANSWER_SQL,
    CLOCK_SQL,
    CLOCKS,
    FROM_SQL,
    HOLLOW_SQL,
    ROW_SQL,
    Filter,
    Row,
    conditions,
    to_row,
    turn_condition,
)
from incidents.incident import ENDED
from incidents.work_queues import QUEUES, queues_for

__all__ = [
    "CLOCKS",
    "ORDERS",
    "Counters",
    "Filter",
    "IncidentDetail",
    "MoveRow",
    "Page",
    "PersonRow",
    "PhotoRow",
    "Row",
    "TimeBar",
    "WorkCounts",
    "count_incidents",
    "count_work",
    "counters",
    "get_incident",
    "list_incidents",
    "no_incident",
    "people_by_id",
    "photos",
    "story",
    "time_bar",
]

ORDERS = {
    "due": (
        "coalesce(CASE WHEN i.stage IN ('closed','rejected','void') THEN NULL ELSE i.due_at END, 'infinity')",
        "ASC",
    ),
    "reported": ("i.reported_at", "DESC"),
    "number": ("i.number", "DESC"),
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows and the cursor of the next one (None at the end)."""

    rows: list[Row]
    next: str | None


@dataclass(frozen=True, slots=True)
class Counters:
    """The six figures over the queue, each with what it is compared with."""

    new_today: int
    new_yesterday_same_time: int
    to_dispatch: int
    oldest_to_dispatch_minutes: int | None
    handling: int
    paused: int
    in_time: int
    due_soon: int
    overdue: int
    closed_today: int
    closed_today_in_time: int
    unanswered: int
    """Of all cases, however old: see `case_rows.ANSWER_SQL`."""
    waiting_for_answer: int


def list_incidents(
    session: Session,
    wanted: Filter,
    *,
    by: Principal,
    now: datetime,
    order: str = "due",
    limit: int = 200,
    after: str | None = None,
) -> Page:
    """A page of cases, the most pressing first (`order` due), or the newest (reported, number).

    Keyset paging: `after` is the cursor of the page before, so a case arriving meanwhile shifts nothing.
    Raises Invalid for an unknown order, stage or cursor.
    """
    if order not in ORDERS:
        raise Invalid(
            en=f"Cannot order by {order}.",
            zh=f"不能按 {order} 排序。",
            remedy_en="Order by " + ", ".join(ORDERS) + ".",
            remedy_zh="可用排序：" + "、".join(ORDERS) + "。",
        )
    column, direction = ORDERS[order]
    where = conditions(wanted, by)
    if after:
        value, last_id = cursors.read(after)
        sign = ">" if direction == "ASC" else "<"
        kind = "text" if order == "number" else "timestamptz"
        where.add(
            f"({column}, i.id) {sign} (CAST(:after_value AS {kind}), :after_id)",
            after_value=value,
            after_id=last_id,
        )
    rows = (
        session.execute(
            sa.text(
                ROW_SQL
                + f", ({column})::text AS sort_key"
                + FROM_SQL
                + where.sql
                + f" ORDER BY {column} {direction}, i.id {direction} LIMIT :limit"
            ),
            {**where.params, "now": now, "limit": limit + 1},
        )
        .mappings()
        .all()
    )
    more = len(rows) > limit
    page = [to_row(dict(row)) for row in rows[:limit]]
    cursor = None
    if more:
        last = rows[limit - 1]
        cursor = cursors.written(last["sort_key"], last["id"])
    return Page(page, cursor)


def count_incidents(session: Session, wanted: Filter, *, by: Principal, now: datetime) -> int:
    """How many cases a filter finds."""
    where = conditions(wanted, by)
    return session.execute(
        sa.text("SELECT count(*)" + _COUNTED_FROM + where.sql), {**where.params, "now": now}
    ).scalar_one()


_COUNTED_FROM = " FROM incident AS i JOIN category AS k ON k.code = i.category"


@dataclass(frozen=True, slots=True)
class WorkCounts:
    """How many cases of a filter there are, how many of them wait for dispatch, for the person asking at all,
    and in each work queue of their role."""

    total: int
    hollow: int
    mine: int
    queues: dict[str, int]


def count_work(session: Session, wanted: Filter, *, by: Principal, now: datetime, today: date) -> WorkCounts:
    """What the tabs and work queues over the list count; `today` is the city's day."""
    names = tuple(queues_for(by.role))
    where = conditions(replace(wanted, open_only=False), by)
    if wanted.open_only:
        where.add(ALIVE_SQL)
    listed = f"i.stage NOT IN {ENDED}" if wanted.open_only else "true"
    counted = [listed, HOLLOW_SQL, turn_condition(by), *(QUEUES[name].condition for name in names)]
    columns = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in counted)
    row = session.execute(
        sa.text("SELECT " + columns + _COUNTED_FROM + where.sql),
        {**where.params, "now": now, "today": today, "me": by.member_id},
    ).one()
    total, hollow, mine, *queues = row
    return WorkCounts(total, hollow, mine, dict(zip(names, queues, strict=True)))


def counters(
    session: Session, *, by: Principal, now: datetime, zone: ZoneInfo, territory: str | None = None
) -> Counters:
    """The figures over the queue for a territory; a day is the city's own calendar day."""
    where = conditions(Filter(territory=territory), by)
    local = now.astimezone(zone)
    today = local.replace(hour=0, minute=0, second=0, microsecond=0)
    row = session.execute(
        sa.text(
            f"""
            WITH i AS (SELECT i.*, {CLOCK_SQL} AS clock, {HOLLOW_SQL} AS hollow, {ANSWER_SQL} AS answer
                       FROM incident AS i {where.sql}
                       AND (i.stage NOT IN {ENDED} OR i.reported_at >= :yesterday OR i.closed_at >= :today
                            OR {ANSWER_OWED_SQL}))
            SELECT count(*) FILTER (WHERE reported_at >= :today),
                   count(*) FILTER (WHERE reported_at >= :yesterday AND reported_at < :yesterday_now),
                   count(*) FILTER (WHERE hollow),
                   floor(extract(epoch FROM :now - min(reported_at) FILTER (WHERE hollow)) / 60)::int,
                   count(*) FILTER (WHERE clock <> 'closed' AND NOT hollow),
                   count(*) FILTER (WHERE clock = 'paused'),
                   count(*) FILTER (WHERE clock = 'in_time'),
                   count(*) FILTER (WHERE clock = 'due_soon'),
                   count(*) FILTER (WHERE clock = 'overdue'),
                   count(*) FILTER (WHERE stage = 'closed' AND closed_at >= :today),
                   count(*) FILTER (WHERE stage = 'closed' AND closed_at >= :today
                                    AND (due_at IS NULL OR coalesce(finished_at, closed_at) <= due_at)),
                   count(*) FILTER (WHERE answer = 'unanswered'),
                   count(*) FILTER (WHERE answer = 'waiting')
            FROM i
            """
        ),
        {
            **where.params,
            "now": now,
            "today": today,
            "yesterday": today - timedelta(days=1),
            "yesterday_now": now - timedelta(days=1),
        },
    ).one()
    return Counters(*row)


@dataclass(frozen=True, slots=True)
class TimeBar:
    """Reports per half hour of the window (closed, open), and the deadlines ahead in it."""

    starts_at: datetime
    step: timedelta
    closed: list[int]
    open: list[int]
    deadlines: list[tuple[int, datetime, str]]


def time_bar(
    session: Session,
    *,
    by: Principal,
    now: datetime,
    starts_at: datetime,
    ends_at: datetime,
    steps: int = 48,
    territory: str | None = None,
) -> TimeBar:
    """What the time bar under the map shows for a window: reports by bin, deadlines still to come."""
    where = conditions(Filter(territory=territory), by)
    step = (ends_at - starts_at) / steps
    params = {**where.params, "now": now, "from": starts_at, "to": ends_at, "step": step.total_seconds()}
    rows = session.execute(
        sa.text(
            f"""
            SELECT floor(extract(epoch FROM i.reported_at - :from) / :step)::int AS bin,
                   count(*) FILTER (WHERE i.stage IN {ENDED}), count(*) FILTER (WHERE i.stage NOT IN {ENDED})
            FROM incident AS i {where.sql} AND i.reported_at >= :from AND i.reported_at < :to GROUP BY 1
            """
        ),
        params,
    )
    closed, still_open = [0] * steps, [0] * steps
    for bin_, n_closed, n_open in rows:
        if 0 <= bin_ < steps:
            closed[bin_], still_open[bin_] = n_closed, n_open
    ahead = session.execute(
        sa.text(
            f"""
            SELECT i.id, i.due_at, {CLOCK_SQL} FROM incident AS i {where.sql} AND i.stage NOT IN {ENDED}
              AND i.paused_at IS NULL AND i.due_at >= :now AND i.due_at < :to ORDER BY i.due_at LIMIT 200
            """
        ),
        params,
    )
    return TimeBar(starts_at, step, closed, still_open, [tuple(row) for row in ahead])
