"""A report: locate it, find its person, write the case with its first moves and clock, and tell them.

One SQL statement writes it all (`incidents.report_rows`), so a report costs one round trip after its
questions are answered and two phones sending the same key can never make two cases.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gis.access import Principal
from gis.errors import Invalid
from grids.responsibility import look, responsible_for
from incidents import answers, duplicates, staged_limits
from incidents.locating import locate
from incidents.notices import announce_case
from incidents.report_answers import Reported, answered_before
from incidents.report_draft import MAX_DESCRIPTION, MAX_TITLE, ReportDraft, refuse_faulty
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
        answered = answered_before(session, draft, by)
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
        answered = answered_before(session, draft, by)
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
