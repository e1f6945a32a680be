"""A report: locate it, find its person, write the case with its first moves and clock, and tell them.

One SQL statement writes it all (`incidents.report_rows`), so a report costs one round trip after its
questions are answered and two phones sending the same key can never make two cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import Principal
from gis.errors import Conflict, Invalid
from gis.text import can_be_kept
from grids.responsibility import Responsibility, look, responsible_for
from incidents import answers, duplicates, staged_limits
from incidents.incident import Incident
from incidents.locating import locate
from incidents.notices import announce_case
from incidents.report_draft import MAX_DESCRIPTION, MAX_TITLE, ReportDraft, body_hash, refuse_faulty
from incidents.report_rows import (
    CLOCK_COPY,
    INSERT,
    as_json,
    category_of,
    first_clock,
    first_moves,
    first_notices,
    incident_values,
    joining_moves,
)
from incidents.rules import current_rulebook

__all__ = ["MAX_DESCRIPTION", "MAX_TITLE", "OUTSIDE_CHANNELS", "ReportDraft", "Reported", "report"]

OUTSIDE_CHANNELS = frozenset({"resident", "hotline", "wechat", "sensor"})
"""Channels whose reports wait for `confirm` where the category says so (decision 11)."""


@dataclass(frozen=True, slots=True)
class Reported:
    """The answer to a report. `created` is False when the same key had been answered before."""

    id: int
    number: str
    tracking_code: str
    stage: str
    version: int
    created: bool
    responsibility: Responsibility | None
    joined_to: str | None = None
    """The number of the case that the report has joined."""


def report(session: Session, draft: ReportDraft, *, by: Principal, now: datetime, zone: ZoneInfo) -> Reported:
    """Take a report: locate it, find its person, write the case with its first moves, and tell them.

    The same `report_key` of the same reporter is answered with the first result, whoever retries and
    whatever has changed since; with another body it is Conflict. A report from the grid force or the desk is
    registered and dispatched at once; one from outside waits for `confirm` where its category says so.
    Raises Invalid for a place or a category that cannot be.
    """
    try:
        return _report(session, draft, by=by, now=now, zone=zone)
    except Invalid:
        answered = _answered_before(session, draft, by)
        if answered is None:
            raise
        return answered


def _report(
    session: Session, draft: ReportDraft, *, by: Principal, now: datetime, zone: ZoneInfo
) -> Reported:
    refuse_faulty(draft)
    fix = locate(
        draft.lon, draft.lat, draft.crs, accuracy_m=draft.accuracy_m, accuracy_level=draft.accuracy_level
    )
    place = look(session, fix, category=draft.category, component_id=draft.component_id)
    category = category_of(place)
    answers.refuse_faulty(place.questions, draft.answers)
    answer = responsible_for(
        session,
        fix,
        at=now,
        category=draft.category,
        component_id=draft.component_id,
        floor=draft.floor,
        unit=draft.unit,
        zone=zone,
        chosen_cell=draft.chosen_cell,
        place=place,
    )
    lead = _said_to_be_the_same(session, draft, (fix.lon, fix.lat), now)
    waits = draft.channel in OUTSIDE_CHANNELS and category.needs_confirm
    moves = joining_moves(lead) if lead else first_moves(waits, answer)
    rules = current_rulebook(session, zone, stamp=category.rules_stamp, territory=answer.territory, at=now)
    values = incident_values(draft, category, answer, moves[-1]["to_stage"], by=by, now=now)
    values["joined_to"] = lead.id if lead else None
    clock = first_clock(values, category, rules, now)
    values |= {column: clock[key] for column, key in CLOCK_COPY.items()} if clock else {}
    row = INSERT.first(
        session,
        {
            "day": now.astimezone(zone).date(),
            "lon": fix.lon,
            "lat": fix.lat,
            "actor_name": by.display_name,
            "role": by.role,
            "case": as_json(values),
            "clock": as_json(clock or {}),
            "moves": as_json(moves),
            "notices": as_json(
                [duplicates.joined_notice(by.account_id, lead.number)]
                if lead
                else first_notices(values, answer)
            ),
        },
    )
    if row is None:
        answered = _answered_before(session, draft, by)
        assert answered is not None, "nothing was inserted, so the key exists"
        return answered
    if lead:
        duplicates.take_in(session, lead.id, row.id, by, now)
    elif values["stage"] == "dispatched":
        staged_limits.begin_with_report(
            session, row.id, category.code, values, rules, stamp=category.rules_stamp, by=by, now=now
        )
    announce_case(
        session,
        move="report",
        case=values | {"id": row.id, "icon": category.icon},
        place=(fix.lon, fix.lat),
        previous_member_id=None,
    )
    joined = lead.number if lead else None
    return Reported(row.id, row.number, values["tracking_code"], values["stage"], 1, True, answer, joined)


def _said_to_be_the_same(
    session: Session, draft: ReportDraft, place: tuple[float, float], now: datetime
) -> duplicates.Alike | None:
    """The case the reporter names, where it may be the same thing; else the report stands on its own."""
    if draft.same_as is None:
        return None
    found = duplicates.alike(
        session, draft.category, *place, now, unit=draft.unit, floor=draft.floor, room=draft.room
    )
    return next((case for case in found if case.id == draft.same_as), None)


def _answered_before(session: Session, draft: ReportDraft, by: Principal) -> Reported | None:
    """The first answer to this key, None where it is new; Conflict when the body is another one."""
    if not can_be_kept(draft.report_key):
        return None
    row = session.execute(
        sa.select(
            Incident.id,
            Incident.number,
            Incident.tracking_code,
            Incident.stage,
            Incident.version,
            Incident.body_hash,
        ).where(Incident.reported_by == by.account_id, Incident.report_key == draft.report_key)
    ).one_or_none()
    if row is None:
        return None
    if row.body_hash != body_hash(draft):
        raise Conflict(
            en="This report_key was used before for another report.",
            zh="该 report_key 已用于另一条上报。",
            remedy_en="Give the new report a key of its own; resend the old one unchanged.",
            remedy_zh="新的上报请用新的键；重发旧上报请保持内容不变。",
            incident=row.id,
        )
    return Reported(row.id, row.number, row.tracking_code, row.stage, row.version, False, None)
