"""Replay: which cases were open at a past minute, where, with whom, at which stage and with what time left.

Nothing is kept for it: the story tells stage and person, the row of a moved pin or of redrawn cells tells
where the case was before, and the clocks keep when they ran, stood and were extended. What changed later (an
extension granted, a pause) is taken back before a deadline of that minute is told. Seen are the cases one may
see today.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import Principal, prefix_range
from gis.errors import Invalid
from incidents.calendar import CITY_ZONE, Calendar
from incidents.case_rows import Row, to_row, visible_to
from incidents.clocks import STARTED
from incidents.deadlines import deadline
from incidents.incident import ENDED, JOINED
from incidents.rules import current_rulebooks

MOST = 20_000
"""Cases told at once; more are not open in any city at one minute."""

HOLLOW = ("reported", "registered")
"""Not yet dispatched."""

NAMES_A_PERSON = ("dispatch", "reassign", "hand_back", "undo", "escalate", "reopen", "join", "split")
"""Moves after which somebody else, or nobody, has the case."""

# A case that was open then has not ended since or ended later; of those reopened meanwhile the story decides.
# `was` is the last row of the story, `whose` the last one that gave the case to somebody, `ground` what the
# first later change of pin or cells says of where it was until then, `pin` a later move of the pin. Of the
# clocks that had begun the last one ran: an earlier one still open was taken up again afterwards.
_OPEN_AT = f"""
    SELECT i.id, i.number, i.title, i.category, k.name_zh AS category_zh, k.name_en AS category_en, k.icon,
           was.to_stage AS stage, i.reported_at, CASE WHEN pin.id IS NULL THEN i.place END AS place,
           coalesce(ground.was ->> 'generation', ground.was -> 'decision' ->> 'generation', i.generation)
               AS generation,
           i.department_code, d.name_zh AS department_zh, d.name_en AS department_en,
           was.version, i.reports, i.open_subtasks, i.floor, i.unit, i.room, i.building_id,
           coalesce(ground.was ->> 'territory', i.territory) AS territory,
           CASE WHEN ground.was IS NULL THEN i.cell_code ELSE ground.was ->> 'cell_code' END AS cell_code,
           coalesce((ground.was ->> 'lon')::float8, ST_X(i.geom)) AS lon,
           coalesce((ground.was ->> 'lat')::float8, ST_Y(i.geom)) AS lat,
           CASE WHEN whose.move = 'split' THEN before.member_id ELSE whose.member_id END AS handler_id,
           c.id AS clock_id, c.clock, c.kind, c.value::float8 AS value, c.extended::float8 AS extended,
           c.started_at, c.pauses, held.at AS held_at,
           CASE WHEN had.any THEN c.due_at ELSE i.due_at END AS due_at,
           CASE WHEN had.any THEN c.due_soon_at ELSE i.due_soon_at END AS due_soon_at,
           coalesce(later.granted, 0)::float8 AS granted_later
    FROM incident AS i
    JOIN category AS k ON k.code = i.category
    LEFT JOIN department AS d ON d.code = i.department_code
    JOIN LATERAL (
        SELECT m.to_stage, m.version FROM story_step AS m WHERE m.incident_id = i.id AND m.at <= :at
        ORDER BY m.version DESC, m.id DESC LIMIT 1
    ) AS was ON was.to_stage NOT IN {(*ENDED, JOINED)}
    LEFT JOIN LATERAL (
        SELECT m.move, m.member_id, m.version FROM story_step AS m
        WHERE m.incident_id = i.id AND m.at <= :at AND m.move IN {NAMES_A_PERSON}
        ORDER BY m.version DESC, m.id DESC LIMIT 1
    ) AS whose ON true
    LEFT JOIN LATERAL (
        SELECT (m.details ->> 'handler')::int AS member_id FROM incident_move AS m
        WHERE whose.move = 'split' AND m.incident_id = i.id AND m.move = 'join' AND m.version < whose.version
        ORDER BY m.version DESC LIMIT 1
    ) AS before ON true
    LEFT JOIN LATERAL (
        SELECT m.details -> 'from' AS was FROM incident_move AS m
        WHERE m.incident_id = i.id AND m.at > :at AND m.move IN ('relocate', 'redraw')
        ORDER BY m.version LIMIT 1
    ) AS ground ON true
    LEFT JOIN LATERAL (
        SELECT m.id FROM incident_move AS m
        WHERE m.incident_id = i.id AND m.at > :at AND m.move = 'relocate' LIMIT 1
    ) AS pin ON true
    LEFT JOIN LATERAL (
        SELECT true AS any FROM clock_span AS c WHERE c.incident_id = i.id AND c.subtask_id IS NULL LIMIT 1
    ) AS had ON true
    LEFT JOIN LATERAL (
        SELECT c.* FROM clock_span AS c
        WHERE c.incident_id = i.id AND c.subtask_id IS NULL AND c.started_at <= :at
          AND (c.stopped_at IS NULL OR c.stopped_at > :at)
        ORDER BY c.started_at DESC, c.id DESC LIMIT 1
    ) AS c ON true
    LEFT JOIN LATERAL (
        SELECT m.at FROM story_step AS m
        WHERE m.incident_id = i.id AND m.at <= :at AND m.move IN ('pause', 'park')
        ORDER BY m.version DESC LIMIT 1
    ) AS held ON true
    LEFT JOIN LATERAL (
        SELECT sum((m.details ->> 'granted')::float8) AS granted FROM incident_move AS m
        WHERE m.incident_id = i.id AND m.move = 'grant' AND m.at > :at
          AND (c.stopped_at IS NULL OR m.at <= c.stopped_at)
    ) AS later ON c.extended > 0
"""

_ROWS = """
    SELECT o.*, n.name AS cell_name, p.name AS handler
    FROM ({open_at}
          WHERE {visible} AND i.id = ANY(ARRAY(SELECT alive_at(:at)))) AS o
    LEFT JOIN cell AS n ON n.generation = o.generation AND n.kind = 'social' AND n.code = o.cell_code
    LEFT JOIN member AS p ON p.id = o.handler_id
    {within}
    ORDER BY o.id LIMIT :most
"""


def past_moment(at: datetime, now: datetime) -> datetime:
    """A moment to look back to. Raises Invalid for one that is still to come."""
    if at > now:
        raise Invalid(
            en="This moment is still to come.",
            zh="这一时刻还没有到。",
            remedy_en="Replay shows the past: choose a moment up to now.",
            remedy_zh="回放只看过去：请选择现在以前的时刻。",
        )
    return at


def replay(
    session: Session,
    at: datetime,
    *,
    by: Principal,
    territory: str | None = None,
    categories: Sequence[str] = (),
    stages: Sequence[str] = (),
    clocks: Sequence[str] = (),
    zone: ZoneInfo = CITY_ZONE,
) -> list[Row]:
    """The cases open at `at`, as a list or the map would have shown them then; `territory` is that of then.

    Deadlines follow the calendar as it is known today. A case's words, category, cell names and department
    are today's; the place in words is left out where the pin has been moved since.
    """
    where, within = visible_to(by), ""
    if categories:
        where.add("i.category = ANY(:categories)", categories=list(categories))
    if territory:
        within = "WHERE o.territory >= :ground_low AND o.territory < :ground_high"
        where.params["ground_low"], where.params["ground_high"] = prefix_range(territory)
    sql = _ROWS.format(open_at=_OPEN_AT, visible=where.condition, within=within)
    rows = session.execute(sa.text(sql), {**where.params, "at": at, "most": MOST}).mappings()
    books = current_rulebooks(session, zone)

    def calendar_of(row: Any) -> Calendar:
        return books.of(row["territory"], row["reported_at"]).calendar

    found = [_row(row, at, calendar_of) for row in rows]
    return [
        row for row in found if (not stages or row.stage in stages) and (not clocks or row.clock in clocks)
    ]


@dataclass(frozen=True, slots=True)
class _Clock:
    """A case's clock as it stood at one minute."""

    due_at: datetime | None
    due_soon_at: datetime | None
    paused_at: datetime | None

    def state(self, stage: str, at: datetime) -> str:
        """As `case_rows.CLOCK_SQL` tells it of a living case."""
        if stage == "parked" or self.paused_at is not None:
            return "paused"
        if self.due_at is not None and self.due_at < at:
            return "overdue"
        return "due_soon" if self.due_soon_at is not None and self.due_soon_at <= at else "in_time"


def _clock(row: Any, at: datetime, calendar_of: Callable[[Any], Calendar]) -> _Clock:
    """The clock of a row of `_OPEN_AT`, with what changed after `at` taken back.

    A pause that began with a move that holds the clock is one; any other is a stretch in which this clock
    had done its work and nobody knew that it would be taken up again: then no clock ran.
    """
    if row["clock_id"] is None:
        return _Clock(row["due_at"], row["due_soon_at"], None)
    pauses = [
        (datetime.fromisoformat(begins), datetime.fromisoformat(ends) if ends else None)
        for begins, ends in row["pauses"]
    ]
    standing = next((b for b, e in pauses if b <= at and (e is None or e > at)), None)
    if standing is not None and standing != row["held_at"]:
        return _Clock(None, None, None)
    due_at, due_soon_at = row["due_at"], row["due_soon_at"]
    if row["granted_later"] or any(e is not None and e > at for _, e in pauses):
        then = deadline(
            row["started_at"],
            row["kind"],
            row["value"],
            calendar_of(row),
            extended=row["extended"] - row["granted_later"],
            pauses=[(b, e) for b, e in pauses if e is not None and e <= at],
            started=STARTED[row["clock"]],
        )
        due_at, due_soon_at = then.due_at, then.due_soon_at
    return _Clock(due_at, due_soon_at, standing)


_COLUMNS = {field.name for field in fields(Row)} - {"clock", "hollow", "due_at", "due_soon_at", "paused_at"}


def _row(row: Any, at: datetime, calendar_of: Callable[[Any], Calendar]) -> Row:
    clock = _clock(row, at, calendar_of)
    values = {name: row[name] for name in _COLUMNS - {"closed_at"}}
    return to_row(
        {
            **values,
            "clock": clock.state(row["stage"], at),
            "hollow": row["stage"] in HOLLOW,
            "due_at": clock.due_at,
            "due_soon_at": clock.due_soon_at,
            "paused_at": clock.paused_at,
            "closed_at": None,
        }
    )
