"""A year's holiday notice is entered, and every clock that had to guess is worked out again (decision 13)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis import audit
from gis.access import Principal
from gis.errors import Conflict, Denied, Invalid
from incidents import workflow
from incidents.calendar import CITY_ZONE, CalendarDay

MAY_ENTER = frozenset({"admin", "city_officer"})
"""Roles that enter a calendar: it moves deadlines in the whole city."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A year whose calendar is asked for, and how many open cases wait for it."""

    year: int
    cases: int


# A provisional clock that runs now, with the years it runs through in the city's own time.
_PROVISIONAL = """
    SELECT c.incident_id, y.year
    FROM case_clock AS c, generate_series(
        extract(year FROM c.started_at AT TIME ZONE :zone)::int,
        extract(year FROM c.due_at AT TIME ZONE :zone)::int
    ) AS y(year)
    WHERE c.stopped_at IS NULL AND c.provisional
"""


def years_wanted(session: Session, zone: ZoneInfo = CITY_ZONE) -> list[Wanted]:
    """The unpublished years that open cases reach into: the alarm that asks for a calendar."""
    rows = session.execute(
        sa.text(
            f"""
            SELECT p.year, count(*) FROM ({_PROVISIONAL}) AS p
            WHERE NOT EXISTS (SELECT 1 FROM calendar_day AS d WHERE extract(year FROM d.day) = p.year)
            GROUP BY p.year ORDER BY p.year
            """
        ),
        {"zone": zone.key},
    )
    return [Wanted(*row) for row in rows]


def enter_year(
    session: Session,
    year: int,
    off: Mapping[date, str],
    worked: Collection[date],
    *,
    by: Principal,
    now: datetime,
    zone: ZoneInfo = CITY_ZONE,
) -> list[int]:
    """Enter a year's notice: the days off by their holiday, and the weekend days worked instead.

    Replaces what was known of the year and returns the ids of the cases whose deadline was worked out again.
    Raises Denied for a role that may not, Invalid with every fault of the notice at once.
    """
    if by.role not in MAY_ENTER:
        raise Denied(
            en="The calendar is entered by the city.",
            zh="放假安排由市级录入。",
            remedy_en=f"Ask one of: {', '.join(sorted(MAY_ENTER))}.",
            remedy_zh="可录入的角色：" + "、".join(sorted(MAY_ENTER)) + "。",
        )
    _refuse_faulty(year, off, worked)
    session.execute(sa.delete(CalendarDay).where(sa.extract("year", CalendarDay.day) == year))
    named = [(day, False, name) for day, name in off.items()] + [(day, True, "调休") for day in worked]
    session.add_all(
        CalendarDay(day=day, is_workday=works, name=name, source=f"entered by {by.username}")
        for day, works, name in named
    )
    session.flush()
    audit.record(
        session, "enter_calendar", "calendar_day", year, by=by, now=now, off=len(off), worked=len(worked)
    )
    return recompute_provisional(session, year, now, zone)


def read_year(session: Session, year: str) -> dict[str, Any] | None:
    """What is known of a year, {off: {day: holiday}, worked: [day]}; None before its notice."""
    days = session.scalars(
        sa.select(CalendarDay)
        .where(sa.extract("year", CalendarDay.day) == int(year))
        .order_by(CalendarDay.day)
    ).all()
    if not days:
        return None
    return {
        "off": {day.day.isoformat(): day.name or "" for day in days if not day.is_workday},
        "worked": [day.day.isoformat() for day in days if day.is_workday],
    }


def write_year(
    session: Session,
    year: int,
    state: Mapping[str, Any] | None,
    *,
    by: Principal,
    now: datetime,
    zone: ZoneInfo = CITY_ZONE,
) -> list[int]:
    """Enter a year from plain values, as `read_year` gives them; see `enter_year`.

    Raises Conflict for None: deadlines have been worked out by the year's notice, it can only be corrected.
    """
    if state is None:
        raise Conflict(
            en=f"Deadlines stand on the notice of {year}; it cannot be taken out.",
            zh=f"已有时限按 {year} 年放假安排计算，不能撤除。",
            remedy_en="Enter the right days of the year instead.",
            remedy_zh="请直接改成正确的放假安排。",
        )
    off = {date.fromisoformat(day): name for day, name in state["off"].items()}
    worked = [date.fromisoformat(day) for day in state["worked"]]
    return enter_year(session, year, off, worked, by=by, now=now, zone=zone)


def recompute_provisional(
    session: Session, year: int, now: datetime, zone: ZoneInfo = CITY_ZONE
) -> list[int]:
    """Work out again every running provisional clock that reaches into `year`; a story row tells each change.

    Clocks that have stopped keep the deadline people worked by. Returns the cases' ids.
    """
    cases = session.execute(
        sa.text(
            f"""
            SELECT DISTINCT i.id, i.version
            FROM ({_PROVISIONAL}) AS p JOIN incident AS i ON i.id = p.incident_id
            WHERE p.year = :year ORDER BY i.id
            """
        ),
        {"zone": zone.key, "year": year},
    ).all()
    for case_id, version in cases:
        workflow.move(session, case_id, "recompute", by=workflow.SYSTEM, now=now, version=version, zone=zone)
    return [case_id for case_id, _ in cases]


def _refuse_faulty(year: int, off: Mapping[date, str], worked: Collection[date]) -> None:
    faults = []
    if not off:
        faults.append(("no day off is named", "没有写放假日"))
    for day in sorted({*off, *worked}):
        if day.year != year:
            faults.append((f"{day} is not in {year}", f"{day} 不在 {year} 年"))
    for day in sorted(set(off) & set(worked)):
        faults.append((f"{day} is both off and worked", f"{day} 既放假又上班"))
    for day in sorted(worked):
        if day.weekday() < 5:
            faults.append((f"{day} is worked anyway, it is no weekend", f"{day} 不是周末，本来就上班"))
    if faults:
        raise Invalid(
            en="The notice cannot be: " + "; ".join(en for en, _ in faults) + ".",
            zh="放假安排有误：" + "；".join(zh for _, zh in faults) + "。",
            remedy_en="Correct these days and send the whole year again.",
            remedy_zh="请更正后重新提交全年安排。",
        )
