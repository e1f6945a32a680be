"""One case as a file: its person and reason, its clock, its story and its photographs, for its panel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import Principal
from gis.masking import mask_name, mask_phone
from incidents import overrides
from incidents.calendar import Calendar
from incidents.case_rows import FROM_SQL, ROW_SQL, Filter, Row, conditions, no_incident, to_row
from incidents.deadlines import Span, stretches
from incidents.duplicates import Alike, JoinedReport, alike_to, reports_of
from incidents.lifecycle import MOVES, SENDERS, is_with, open_moves
from incidents.subtask_rows import SubtaskRow, subtasks_of
from incidents.tracking import RatingRow, rating_of


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
    lon: float | None
    lat: float | None
    details: dict[str, Any]
    """What the move changed besides the stage, without the routing's whole old answer."""


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
    assists: int
    """Pieces of work on other people's cases."""


@dataclass(frozen=True, slots=True)
class ClockRow:
    """One clock of a case, with its sum in words."""

    clock: str
    level: str
    kind: str
    value: float
    extended: float
    started_at: datetime
    pauses: list[list[str | None]]
    due_at: datetime
    due_soon_at: datetime
    words_zh: str
    words_en: str
    provisional: bool
    stopped_at: datetime | None
    stopped_by: str | None

    def spans(self, now: datetime, calendar: Calendar) -> list[Span]:
        """Its time to scale, counted or not: from its start to its deadline, or past it to its end or now."""
        pauses = [
            (datetime.fromisoformat(begins), datetime.fromisoformat(ends) if ends else now)
            for begins, ends in self.pauses
            if begins
        ]
        until = max(self.due_at, self.stopped_at or now)
        return stretches(self.started_at, until, self.kind, calendar, pauses)


@dataclass(frozen=True, slots=True)
class IncidentDetail:
    """One case with everything its panel shows."""

    row: Row
    description: str
    answers: dict[str, Any]
    questions: list[dict[str, Any]]
    """Answers to the questions of its category, and the questions as they read now."""
    on_behalf: str | None
    channel: str
    group_zh: str
    group_en: str
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
    proposed: PersonRow | None
    """Whom the routing named for the work: the one a dispatch may name without a reason."""
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
    tracking_code: str
    reported_by_me: bool
    mine: bool
    story: list[MoveRow]
    photos: list[PhotoRow]
    level: str
    grade: int
    supervised_at: datetime | None
    review_on: date | None
    extension_asked: float | None
    appealed_at: datetime | None
    clocks: list[ClockRow]
    """Every clock it ever had, oldest first; the last one runs unless it has been stopped; those of pieces
    of work stand with them."""
    subtasks: list[SubtaskRow]
    joined_to: int | None
    joined_to_number: str | None
    """The case it lives by, for a report that joined another."""
    joined: list[JoinedReport]
    """The reports that joined it."""
    alike: list[Alike]
    """Cases that may be the same thing, for those who may join them."""
    answered_at: datetime | None
    rating: RatingRow | None
    """What the reporter thought of its end; a low one offers to reopen it."""
    moves: list[str]
    """What the person asking may do with it now, the next step first."""

    @property
    def clock(self) -> ClockRow | None:
        """The clock that runs now."""
        return next((clock for clock in self.clocks if clock.stopped_at is None), None)


_DETAIL_SQL = (
    ROW_SQL
    + """, i.description, i.answers, k.questions, i.on_behalf, i.channel, k.group_zh, k.group_en,
           i.accuracy_m, i.source_crs, i.rule, i.decision, i.generation, i.confidence, i.border_m,
           i.second_cell, s.name AS second_cell_name, i.second_member_id, i.member_id,
           i.reason_zh, i.reason_en, i.trace,
           k.limit_kind, k.limit_value::float AS limit_value, i.limit_words_zh, i.limit_words_en,
           i.registered_at, i.dispatched_at, i.accepted_at, i.finished_at, i.verified_at,
           i.tracking_code, i.reported_by, i.level, i.grade, i.supervised_at, i.review_on,
           i.extension_asked::float AS extension_asked, i.appealed_at, i.joined_to, i.answered_at,
           (SELECT x.number FROM incident AS x WHERE x.id = i.joined_to) AS joined_to_number
    """
    + FROM_SQL
    + """
    LEFT JOIN cell AS s ON s.generation = i.generation AND s.kind = 'social' AND s.code = i.second_cell
    """
)


def get_incident(session: Session, incident_id: int, *, by: Principal, now: datetime) -> IncidentDetail:
    """One case with its person, reason, story and photographs. NotFound outside one's ground."""
    where = conditions(Filter(ids=[incident_id]), by)
    found = session.execute(sa.text(_DETAIL_SQL + where.sql), {**where.params, "now": now}).one_or_none()
    if found is None:
        raise no_incident(incident_id)
    values = dict(found._mapping)
    row = to_row({name: values.pop(name) for name in Row.__dataclass_fields__})
    member_id, second_id = values.pop("member_id"), values.pop("second_member_id")
    proposed_id = overrides.proposed(found)
    del values["decision"]
    people = people_by_id(session, {member_id, proposed_id, row.handler_id, second_id} - {None})
    return IncidentDetail(
        row=row,
        member=people.get(member_id),
        proposed=people.get(proposed_id),
        handler=people.get(row.handler_id),
        second_member=people.get(second_id),
        reported_by_me=values.pop("reported_by") == by.account_id,
        mine=is_with(found, by),
        story=story(session, incident_id),
        photos=photos(session, incident_id),
        clocks=clocks(session, incident_id),
        subtasks=subtasks_of(session, [found], by=by, now=now)[incident_id],
        joined=reports_of(session, incident_id) if found.reports > 1 else [],
        alike=alike_to(session, found, found.lon, found.lat, by=by) if _may_join(found, by) else [],
        rating=rating_of(session, incident_id),
        moves=open_moves(found, by, now),
        **values,
    )


def _may_join(case: Any, by: Principal) -> bool:
    """Whether cases like this one are worth looking for: the person may join it, or join others to it."""
    living = case.stage in MOVES["take_in"].from_stages and case.joined_to is None
    return living and by.role in SENDERS


def people_by_id(session: Session, ids: set[int | None]) -> dict[int | None, PersonRow]:
    """Cards of members by id, names and phones masked, with what they have on their hands."""
    if not ids:
        return {}
    rows = session.execute(
        sa.text(
            """
            SELECT m.id, m.name, m.role, shown_phone(m.id), m.on_duty,
                   work.cases, work.assists
            FROM member AS m CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE NOT w.assists) AS cases,
                       count(*) FILTER (WHERE w.assists) AS assists
                FROM open_work_of(ARRAY[m.id]) AS w
            ) AS work
            WHERE m.id = ANY(:ids)
            """
        ),
        {"ids": list(ids)},
    )
    return {
        row[0]: PersonRow(row[0], mask_name(row[1]), row[2], mask_phone(row[3]), row[4], row[5], row[6])
        for row in rows
    }


def story(session: Session, incident_id: int) -> list[MoveRow]:
    """All moves of a case in order; the caller has made sure it may be seen."""
    rows = session.execute(
        sa.text(
            """
            SELECT s.id, s.move, s.from_stage, s.to_stage, s.at, s.actor_name, s.role, m.name AS member,
                   s.note, s.version, s.lon, s.lat, s.details #- '{from,decision}' AS details
            FROM incident_move AS s LEFT JOIN member AS m ON m.id = s.member_id
            WHERE s.incident_id = :id ORDER BY s.at, s.id
            """
        ),
        {"id": incident_id},
    )
    return [
        MoveRow(
            **{
                **row,
                "actor_name": row["actor_name"] if row["role"] == "system" else mask_name(row["actor_name"]),
                "member": mask_name(row["member"]) if row["member"] else None,
            }
        )
        for row in rows.mappings()
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


def clocks(session: Session, incident_id: int) -> list[ClockRow]:
    """Every clock of a case, oldest first; the caller has made sure the case may be seen."""
    rows = session.execute(
        sa.text(
            """
            SELECT clock, level, kind, value::float, extended::float, started_at, pauses, due_at, due_soon_at,
                   words_zh, words_en, provisional, stopped_at, stopped_by
            FROM case_clock WHERE incident_id = :id AND subtask_id IS NULL ORDER BY id
            """
        ),
        {"id": incident_id},
    )
    return [ClockRow(*row) for row in rows]
