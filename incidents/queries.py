"""Reads of incidents: the queue, the counters, one case with its story, the time bar, a cell, a building.

Every read is bound to the person asking: the whole of their territory for desk roles, else what they handle,
own or have reported. Rows outside are simply not there. `now` decides every clock, so one page shows one
moment.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import Principal, prefix_range
from gis.errors import Invalid, NotFound
from gis.masking import mask_name, mask_phone
from incidents.incident import ENDED, STAGES

CLOCKS = ("overdue", "due_soon", "in_time", "paused", "closed")

CLOCK_SQL = f"""
    CASE WHEN i.stage IN {ENDED} THEN 'closed'
         WHEN i.stage = 'parked' OR i.paused_at IS NOT NULL THEN 'paused'
         WHEN i.due_at < :now THEN 'overdue'
         WHEN i.due_soon_at <= :now THEN 'due_soon'
         ELSE 'in_time' END"""
"""The state of a case's clock at :now, from the alias `i`; the one definition for all readers."""

HOLLOW_SQL = "i.stage IN ('reported', 'registered')"
"""Not yet dispatched: drawn as the same outline, hollow."""

ORDERS = {
    "due": (
        "coalesce(CASE WHEN i.stage IN ('closed','rejected','void') THEN NULL ELSE i.due_at END, 'infinity')",
        "ASC",
    ),
    "reported": ("i.reported_at", "DESC"),
    "number": ("i.number", "DESC"),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What to list. Empty means no restriction; `bbox` is west, south, east, north in EPSG:4490."""

    bbox: tuple[float, float, float, float] | None = None
    stages: Sequence[str] = ()
    categories: Sequence[str] = ()
    clocks: Sequence[str] = ()
    territory: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    closed_since: datetime | None = None
    """Of the ended cases only those that ended since; open ones are not concerned."""
    q: str | None = None
    overdue: bool | None = None
    open_only: bool = False
    hollow: bool | None = None
    mine: str | None = None
    """tasks: what I have to handle; reports: what I reported."""
    ids: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One case as a list or the map shows it. `handler` is masked; nothing else here is personal."""

    id: int
    number: str
    title: str
    category: str
    category_zh: str
    category_en: str
    icon: str
    stage: str
    clock: str
    hollow: bool
    due_at: datetime | None
    due_soon_at: datetime | None
    paused_at: datetime | None
    reported_at: datetime
    closed_at: datetime | None
    place: str | None
    territory: str
    cell_code: str | None
    cell_name: str | None
    handler_id: int | None
    handler: str | None
    department_code: str | None
    department_zh: str | None
    department_en: str | None
    version: int
    lon: float
    lat: float


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
    unanswered_today: int
    reports_today: int


_ROW_SQL = f"""
    SELECT i.id, i.number, i.title, i.category, k.name_zh AS category_zh, k.name_en AS category_en, k.icon,
           i.stage, {CLOCK_SQL} AS clock, {HOLLOW_SQL} AS hollow, i.due_at, i.due_soon_at, i.paused_at,
           i.reported_at, i.closed_at, i.place, i.territory, i.cell_code, c.name AS cell_name, i.handler_id,
           m.name AS handler, i.department_code, d.name_zh AS department_zh, d.name_en AS department_en,
           i.version, ST_X(i.geom) AS lon, ST_Y(i.geom) AS lat
"""
_FROM_SQL = """
    FROM incident AS i
    JOIN category AS k ON k.code = i.category
    LEFT JOIN cell AS c ON c.generation = i.generation AND c.kind = 'social' AND c.code = i.cell_code
    LEFT JOIN member AS m ON m.id = i.handler_id
    LEFT JOIN department AS d ON d.code = i.department_code
"""


@dataclass
class _Where:
    """Conditions and their parameters, gathered one by one."""

    parts: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)

    def add(self, condition: str, **params: Any) -> None:
        self.parts.append(condition)
        self.params.update(params)

    @property
    def sql(self) -> str:
        return " WHERE " + " AND ".join(self.parts) if self.parts else ""


def _visible(where: _Where, by: Principal) -> None:
    """Restrict to what the person may see: their ground for a desk role, else their own tasks and reports."""
    own = ["i.reported_by = :me_account"]
    where.params["me_account"] = by.account_id
    if by.member_id is not None:
        own.append("i.handler_id = :me_member OR i.member_id = :me_member")
        where.params["me_member"] = by.member_id
    if by.role == "department_handler" and by.territory is not None:
        own.append(
            "(i.department_code IS NOT NULL AND i.territory >= :mine_low AND i.territory < :mine_high)"
        )
    if by.sees_territory:
        own.append("(i.territory >= :mine_low AND i.territory < :mine_high)")
    if by.territory is not None:
        where.params["mine_low"], where.params["mine_high"] = prefix_range(by.territory)
    where.add("(" + " OR ".join(own) + ")")


def _where(wanted: Filter, by: Principal) -> _Where:
    where = _Where()
    _visible(where, by)
    if wanted.bbox:
        where.add(
            "i.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)",
            **dict(zip(("west", "south", "east", "north"), wanted.bbox, strict=True)),
        )
    if wanted.stages:
        unknown = set(wanted.stages) - set(STAGES)
        if unknown:
            raise Invalid(
                en=f"There is no stage {', '.join(sorted(unknown))}.",
                zh=f"没有阶段 {'、'.join(sorted(unknown))}。",
                remedy_en="Stages are " + ", ".join(STAGES) + ".",
                remedy_zh="阶段为 " + "、".join(STAGES) + "。",
            )
        where.add("i.stage = ANY(:stages)", stages=list(wanted.stages))
    if wanted.categories:
        where.add("i.category = ANY(:categories)", categories=list(wanted.categories))
    if wanted.clocks:
        where.add(f"({CLOCK_SQL}) = ANY(:clocks)", clocks=list(wanted.clocks))
    if wanted.territory:
        low, high = prefix_range(wanted.territory)
        where.add("i.territory >= :low AND i.territory < :high", low=low, high=high)
    if wanted.since:
        where.add("i.reported_at >= :since", since=wanted.since)
    if wanted.until:
        where.add("i.reported_at < :until", until=wanted.until)
    if wanted.closed_since:
        where.add(
            f"(i.stage NOT IN {ENDED} OR i.closed_at >= :closed_since)", closed_since=wanted.closed_since
        )
    if wanted.overdue is not None:
        where.add(f"(({CLOCK_SQL}) = 'overdue') = :overdue", overdue=wanted.overdue)
    if wanted.open_only:
        where.add(f"i.stage NOT IN {ENDED}")
    if wanted.hollow is not None:
        where.add(f"({HOLLOW_SQL}) = :hollow", hollow=wanted.hollow)
    if wanted.ids:
        where.add("i.id = ANY(:ids)", ids=list(wanted.ids))
    if wanted.mine == "tasks":
        where.add("i.handler_id = :me_member_only", me_member_only=by.member_id)
    if wanted.mine == "reports":
        where.add("i.reported_by = :me_account")
    if wanted.q:
        where.add(
            "(i.number ILIKE :q OR i.title ILIKE :q OR i.place ILIKE :q OR i.cell_code LIKE :q_prefix)",
            q="%" + _like(wanted.q) + "%",
            q_prefix=_like(wanted.q) + "%",
        )
    return where


def _like(text: str) -> str:
    """A search text with LIKE's own signs taken literally."""
    return text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


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
    where = _where(wanted, by)
    if after:
        value, last_id = _cursor(after)
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
                _ROW_SQL
                + f", ({column})::text AS sort_key"
                + _FROM_SQL
                + where.sql
                + f" ORDER BY {column} {direction}, i.id {direction} LIMIT :limit"
            ),
            {**where.params, "now": now, "limit": limit + 1},
        )
        .mappings()
        .all()
    )
    more = len(rows) > limit
    page = [_row(dict(row)) for row in rows[:limit]]
    cursor = None
    if more:
        last = rows[limit - 1]
        cursor = base64.urlsafe_b64encode(json.dumps([last["sort_key"], last["id"]]).encode()).decode()
    return Page(page, cursor)


def _cursor(after: str) -> tuple[str, int]:
    try:
        value, last_id = json.loads(base64.urlsafe_b64decode(after.encode()))
        return str(value), int(last_id)
    except (ValueError, TypeError) as error:
        raise Invalid(
            en="The paging cursor cannot be read.",
            zh="翻页游标无法识别。",
            remedy_en="Pass `next` of the page before unchanged, or leave `after` out.",
            remedy_zh="请原样传回上一页的 next，或不填 after。",
        ) from error


def _row(values: dict[str, Any]) -> Row:
    values.pop("sort_key", None)
    values["handler"] = mask_name(values["handler"]) if values["handler"] else None
    return Row(**values)


def count_incidents(session: Session, wanted: Filter, *, by: Principal, now: datetime) -> int:
    """How many cases a filter finds."""
    where = _where(wanted, by)
    return session.execute(
        sa.text("SELECT count(*) FROM incident AS i" + where.sql), {**where.params, "now": now}
    ).scalar_one()


def counters(
    session: Session, *, by: Principal, now: datetime, zone: ZoneInfo, territory: str | None = None
) -> Counters:
    """The figures over the queue for a territory; a day is the city's own calendar day."""
    where = _where(Filter(territory=territory), by)
    local = now.astimezone(zone)
    today = local.replace(hour=0, minute=0, second=0, microsecond=0)
    row = session.execute(
        sa.text(
            f"""
            WITH i AS (SELECT i.*, {CLOCK_SQL} AS clock, {HOLLOW_SQL} AS hollow FROM incident AS i {where.sql}
                       AND (i.stage NOT IN {ENDED} OR i.reported_at >= :yesterday OR i.closed_at >= :today))
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
                   count(*) FILTER (WHERE reported_at >= :today AND stage = 'reported'),
                   count(*) FILTER (WHERE reported_at >= :today)
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
    where = _where(Filter(territory=territory), by)
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


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One line of the story."""

    id: int
    move: str
    from_stage: str | None
    to_stage: str
    at: datetime
    actor_name: str
    role: str
    member: str | None
    note: str | None
    version: int


@dataclass(frozen=True, slots=True)
class PhotoRow:
    """One photograph; the file is asked for by its id."""

    id: int
    kind: str
    width: int
    height: int
    at: datetime


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person as shown on a card: masked."""

    id: int
    name: str
    role: str
    phone: str | None
    on_duty: bool
    open_cases: int


@dataclass(frozen=True, slots=True)
class IncidentDetail:
    """One case with everything its panel shows."""

    row: Row
    description: str
    on_behalf: str | None
    channel: str
    group_zh: str
    group_en: str
    floor: int | None
    unit: str | None
    accuracy_m: float | None
    source_crs: str
    rule: str
    generation: str | None
    confidence: float
    border_m: float | None
    second_cell: str | None
    second_cell_name: str | None
    second_member: PersonRow | None
    reason_zh: str
    reason_en: str
    trace: list[dict[str, str]]
    member: PersonRow | None
    handler: PersonRow | None
    limit_kind: str
    limit_value: float
    limit_words_zh: str | None
    limit_words_en: str | None
    registered_at: datetime | None
    dispatched_at: datetime | None
    accepted_at: datetime | None
    finished_at: datetime | None
    verified_at: datetime | None
    building_id: int | None
    tracking_code: str
    reported_by_me: bool
    mine: bool
    story: list[MoveRow]
    photos: list[PhotoRow]


def no_incident(incident_id: object) -> NotFound:
    return NotFound(
        en=f"There is no case {incident_id} that you can see.",
        zh=f"没有您可查看的事件 {incident_id}。",
        remedy_en="Check the number; a case outside your territory is not shown.",
        remedy_zh="请核对编号；辖区以外的事件不显示。",
    )


def get_incident(session: Session, incident_id: int, *, by: Principal, now: datetime) -> IncidentDetail:
    """One case with its person, reason, story and photographs. NotFound outside one's ground."""
    where = _where(Filter(ids=[incident_id]), by)
    params = {**where.params, "now": now}
    found = (
        session.execute(
            sa.text(
                _ROW_SQL
                + """, i.description, i.on_behalf, i.channel, k.group_zh, k.group_en, i.floor, i.unit,
              i.accuracy_m, i.source_crs, i.rule, i.generation, i.confidence, i.border_m, i.second_cell,
              s.name AS second_cell_name,
              i.second_member_id, i.reason_zh, i.reason_en, i.trace, i.member_id, k.limit_kind,
              k.limit_value::float AS limit_value, i.limit_words_zh, i.limit_words_en, i.registered_at,
              i.dispatched_at, i.accepted_at, i.finished_at, i.verified_at, i.building_id, i.tracking_code,
              i.reported_by"""
                + _FROM_SQL
                + " LEFT JOIN cell AS s ON s.generation = i.generation AND s.kind = 'social'"
                + " AND s.code = i.second_cell"
                + where.sql
            ),
            params,
        )
        .mappings()
        .one_or_none()
    )
    if found is None:
        raise no_incident(incident_id)
    values = dict(found)
    row = _row({name: values.pop(name) for name in Row.__dataclass_fields__})
    people = people_by_id(session, {values["member_id"], row.handler_id, values["second_member_id"]} - {None})
    member_id, reported_by = values.pop("member_id"), values.pop("reported_by")
    return IncidentDetail(
        row=row,
        member=people.get(member_id),
        handler=people.get(row.handler_id),
        second_member=people.get(values.pop("second_member_id")),
        reported_by_me=reported_by == by.account_id,
        mine=by.member_id is not None and row.handler_id == by.member_id,
        story=story(session, incident_id),
        photos=photos(session, incident_id),
        **values,
    )


def people_by_id(session: Session, ids: set[int | None]) -> dict[int | None, PersonRow]:
    """Cards of members by id, names and phones masked, with their number of open cases."""
    if not ids:
        return {}
    rows = session.execute(
        sa.text(
            f"""
            SELECT m.id, m.name, m.role, m.phone, m.on_duty,
                   (SELECT count(*) FROM incident AS i WHERE i.handler_id = m.id AND i.stage NOT IN {ENDED})
            FROM member AS m WHERE m.id = ANY(:ids)
            """
        ),
        {"ids": list(ids)},
    )
    return {
        row[0]: PersonRow(row[0], mask_name(row[1]), row[2], mask_phone(row[3]), row[4], row[5])
        for row in rows
    }


def story(session: Session, incident_id: int) -> list[MoveRow]:
    """All moves of a case in order; the caller has made sure it may be seen."""
    rows = session.execute(
        sa.text(
            """
            SELECT s.id, s.move, s.from_stage, s.to_stage, s.at, s.actor_name, s.role, m.name, s.note,
                   s.version
            FROM incident_move AS s LEFT JOIN member AS m ON m.id = s.member_id
            WHERE s.incident_id = :id ORDER BY s.at, s.id
            """
        ),
        {"id": incident_id},
    )
    return [
        MoveRow(*row[:5], mask_name(row[5]), row[6], mask_name(row[7]) if row[7] else None, *row[8:])
        for row in rows
    ]


def photos(session: Session, incident_id: int) -> list[PhotoRow]:
    """Photographs of a case, oldest first."""
    rows = session.execute(
        sa.text(
            "SELECT id, kind, width, height, at FROM incident_photo WHERE incident_id = :id ORDER BY at, id"
        ),
        {"id": incident_id},
    )
    return [PhotoRow(*row) for row in rows]
