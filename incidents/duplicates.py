"""Several reports of one thing: found by kind, space and time, joined under one clock, taken apart again.

Which distance and how many hours make two reports alike is the category's data (`same_within_m`,
`same_within_hours`): a burst pipe is one within fifteen metres, a brawl within fifty. Nothing is joined by
itself. The desk joins what it thinks is one, and a reporter may say so while reporting; the later report
joins the earlier, whose clock goes on. A joined report ends with the other and its reporter gets the same
answer.

Who joins may see less than what is joined to: a resident adds to somebody else's case. The functions of the
database that do it (migration 0008) look and write beyond one's own ground, and only that far.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import Principal
from gis.errors import Conflict, Invalid
from incidents.case_rows import Filter, conditions, no_incident
from incidents.incident import ENDED, Incident
from incidents.step import Step

CARRIED_OVER = ("close", "reject", "void")
"""Moves by which the reports that joined a case end with it."""

_ALIKE = """
    SELECT a.* FROM alike_cases(:category, :lon, :lat, CAST(:at AS timestamptz), CAST(:unit AS text),
                                CAST(:floor AS int), CAST(:room AS text), CAST(:but AS int)) AS a
"""


@dataclass(frozen=True, slots=True)
class Alike:
    """Another case that may be the same thing: no words of its report, nobody's name."""

    id: int
    number: str
    reported_at: datetime
    stage: str
    place: str | None
    reports: int
    version: int
    metres: float


@dataclass(frozen=True, slots=True)
class JoinedReport:
    """A report that lives by another case."""

    id: int
    number: str
    reported_at: datetime
    channel: str
    stage: str
    version: int
    metres: float


def alike(
    session: Session,
    category: str,
    lon: float,
    lat: float,
    at: datetime,
    *,
    unit: str | None = None,
    floor: int | None = None,
    room: str | None = None,
) -> list[Alike]:
    """The living cases that a report at (lon, lat) in EPSG:4490 may be about, the nearest first.

    Of a known unit, floor or door only reports that name no other one are alike.
    """
    return [_alike(row) for row in _look(session, category, lon, lat, at, unit, floor, room)]


def alike_to(session: Session, case: Any, lon: float, lat: float, *, by: Principal) -> list[Alike]:
    """The cases on the person's ground that may be the same thing as a case, the nearest first."""
    rows = _look(
        session, case.category, lon, lat, case.reported_at, case.unit, case.floor, case.room, but=case.id
    )
    where = conditions(Filter(ids=[row.id for row in rows]), by)
    seen = set(session.scalars(sa.text("SELECT i.id FROM incident AS i" + where.sql), where.params))
    return [_alike(row) for row in rows if row.id in seen]


def _look(
    session: Session,
    category: str,
    lon: float,
    lat: float,
    at: datetime,
    unit: str | None,
    floor: int | None,
    room: str | None,
    but: int | None = None,
) -> list[sa.Row]:
    wanted = {
        "category": category, "lon": lon, "lat": lat, "at": at, "unit": unit, "floor": floor, "room": room,
        "but": but,
    }  # fmt: skip
    return list(session.execute(sa.text(_ALIKE), wanted))


def _alike(row: sa.Row) -> Alike:
    return Alike(
        row.id, row.number, row.reported_at, row.stage, row.place, row.reports, row.version, row.metres
    )


def reports_of(session: Session, incident_id: int) -> list[JoinedReport]:
    """The reports that joined a case, oldest first; the caller has made sure the case may be seen."""
    rows = session.execute(
        sa.text(
            """
            SELECT j.id, j.number, j.reported_at, j.channel, j.stage, j.version,
                   ST_Distance(j.geom::geography, i.geom::geography) AS metres
            FROM incident AS j JOIN incident AS i ON i.id = j.joined_to
            WHERE j.joined_to = :id ORDER BY j.reported_at, j.id
            """
        ),
        {"id": incident_id},
    )
    return [JoinedReport(*row) for row in rows]


# ---- effects ---------------------------------------------------------------------------------------------


def lock_first(session: Session, incident_id: int, name: str, case_id: int | None) -> None:
    """Lock the case that is joined to before the one that joins: whoever answers them all locks that way."""
    first = case_id
    if name != "join":
        first = session.scalar(sa.select(Incident.joined_to).where(Incident.id == incident_id))
    if first is not None:
        session.execute(sa.select(Incident.id).where(Incident.id == first).with_for_update())


def join(step: Step) -> None:
    """The case becomes a report of an earlier one: its clock stands, whoever had it has it no more.

    Raises Invalid where no case is named, NotFound for one the person cannot see, Conflict where that one
    came later, has ended, or has joined another itself.
    """
    case, lead = step.case, _lead(step)
    case.joined_to = lead.id
    step.details |= {"joined_to": lead.id, "number": lead.number, "handler": case.handler_id}
    case.handler_id = None
    step.clocks.hold()
    take_in(step.session, lead.id, case.id, step.by, step.now)
    if case.reported_by is not None:
        step.notices.append(joined_notice(case.reported_by, lead.number) | {"created_at": step.now})


def split(step: Step) -> None:
    """The report is a case of its own again, where it was and with whom, and its clock goes on."""
    case = step.case
    case.handler_id = step.parked.get("handler")
    step.clocks.release()
    leave(step)


def leave(step: Step) -> None:
    """The other case stands for one report less."""
    case = step.case
    step.session.execute(
        sa.text("SELECT let_go_report(:lead, :report, :at, :by, :role)"),
        {
            "lead": case.joined_to, "report": case.id, "at": step.now, "by": step.by.display_name,
            "role": step.by.role,
        },
    )  # fmt: skip
    step.details["joined_to"] = case.joined_to
    case.joined_to = None


def carry_over(step: Step, name: str) -> None:
    """The end of a case, or its reopening, for the reports that joined it: each reporter is answered."""
    case = step.case
    if case.reports == 1 or name not in (*CARRIED_OVER, "reopen"):
        return
    step.session.execute(
        sa.text("SELECT answer_reports(:lead, :move, :stage, :at, :by, :role, :reply)"),
        {
            "lead": case.id,
            "move": name,
            "stage": "joined" if name == "reopen" else case.stage,
            "at": step.now,
            "by": step.by.display_name,
            "role": step.by.role,
            "reply": step.note,
        },
    )


def take_in(session: Session, lead_id: int, report_id: int, by: Principal, now: datetime) -> None:
    """The other case stands for one report more, its story says so, and whoever has it is told.

    Raises Conflict where it has ended at this very moment.
    """
    taken = session.scalar(
        sa.text("SELECT take_in_report(:lead, :report, :at, :by, :role)"),
        {"lead": lead_id, "report": report_id, "at": now, "by": by.display_name, "role": by.role},
    )
    if taken is None:
        raise Conflict(
            en="The other case has just ended.",
            zh="另一件刚刚办结。",
            remedy_en="Send it again: the report then stands on its own.",
            remedy_zh="请重新提交，这件将单独受理。",
        )


def joined_notice(account_id: int, number: str) -> dict[str, Any]:
    """What its reporter hears when a report joins another."""
    return {"kind": "joined", "account_id": account_id, "body": {"joined_to": number}}


def _lead(step: Step) -> sa.Row:
    if step.case_id is None:
        raise Invalid(
            en="Joining needs the case to join to.",
            zh="并案须指明并入哪一件。",
            remedy_en="Send case_id: the earlier report of the same thing.",
            remedy_zh="请给出 case_id：同一件事先前的上报。",
        )
    where = conditions(Filter(ids=[step.case_id]), step.by)
    lead = step.session.execute(
        sa.text(f"SELECT i.id, i.number, i.stage, i.reported_at, i.joined_to FROM incident AS i {where.sql}"),
        where.params,
    ).one_or_none()
    if lead is None:
        raise no_incident(step.case_id)
    mine = (step.case.reported_at, step.case.id)
    fits = lead.joined_to is None and lead.stage not in ENDED
    if not fits or (lead.reported_at, lead.id) >= mine:
        raise Conflict(
            en="Only a living case that was reported earlier can take a report in.",
            zh="只能并入更早上报、尚未办结的事件。",
            remedy_en="Join the later report to the earlier one.",
            remedy_zh="请把后报的并入先报的。",
        )
    return lead
