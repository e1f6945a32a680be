"""A report: locate it, find its person, write the case with its first moves and clock, and tell them.

One SQL statement writes it all, so a report costs one round trip after its questions are answered and two
phones sending the same key can never make two cases.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import Principal
from gis.database import Statement
from gis.errors import Conflict, Invalid
from gis.text import can_be_kept
from grids.responsibility import Responsibility, look, responsible_for, unknown_category
from incidents import answers, duplicates, staged_limits
from incidents.clocks import STARTED, clock_wanted
from incidents.deadlines import deadline
from incidents.incident import AT_ONCE, LEVELS, ORDINARY, Incident
from incidents.locating import locate
from incidents.notices import announce_case
from incidents.rules import Limit, Rulebook, Traits, current_rulebook

OUTSIDE_CHANNELS = frozenset({"resident", "hotline", "wechat", "sensor"})
"""Channels whose reports wait for `confirm` where the category says so (decision 11)."""

MAX_DESCRIPTION = 4000
MAX_TITLE = 60


@dataclass(frozen=True, slots=True)
class ReportDraft:
    """What somebody reports. `lon`, `lat` are in the declared `crs`; nothing here is trusted yet."""

    report_key: str
    lon: float
    lat: float
    crs: str
    category: str
    description: str = ""
    title: str | None = None
    accuracy_m: float | None = None
    accuracy_level: int | None = None
    floor: int | None = None
    unit: str | None = None
    room: str | None = None
    component_id: int | None = None
    channel: str = "member"
    on_behalf: str | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    """To the questions of its category, by their keys."""
    chosen_cell: str | None = None
    """The reporter's answer to "which side of the road?": the cell they say they stand in."""
    same_as: int | None = None
    """The case nearby that the reporter says is the same thing; believed where it is alike."""


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


@dataclass(frozen=True, slots=True)
class _Category:
    code: str
    name_zh: str
    icon: str
    needs_confirm: bool
    urgent: bool
    limit_kind: str
    limit_value: float
    rules_stamp: str


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
    _refuse_faulty(draft)
    fix = locate(
        draft.lon, draft.lat, draft.crs, accuracy_m=draft.accuracy_m, accuracy_level=draft.accuracy_level
    )
    place = look(session, fix, category=draft.category, component_id=draft.component_id)
    category = _category_of(place)
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
    moves = _joining_moves(lead) if lead else _first_moves(waits, answer)
    rules = current_rulebook(session, zone, stamp=category.rules_stamp, territory=answer.territory, at=now)
    values = _incident_values(draft, category, answer, moves[-1]["to_stage"], by=by, now=now)
    values["joined_to"] = lead.id if lead else None
    clock = _first_clock(values, category, rules, now)
    values |= {column: clock[key] for column, key in _CLOCK_COPY.items()} if clock else {}
    row = _INSERT.first(
        session,
        {
            "day": now.astimezone(zone).date(),
            "lon": fix.lon,
            "lat": fix.lat,
            "actor_name": by.display_name,
            "role": by.role,
            "case": _json(values),
            "clock": _json(clock or {}),
            "moves": _json(moves),
            "notices": _json(
                [duplicates.joined_notice(by.account_id, lead.number)] if lead else _notices(values, answer)
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


def _refuse_faulty(draft: ReportDraft) -> None:
    """Faults of the text itself, all at once."""
    faults = []
    if not 1 <= len(draft.report_key) <= 80:
        faults.append(("report_key must have 1 to 80 characters", "report_key 须为 1 至 80 个字符"))
    if len(draft.description) > MAX_DESCRIPTION:
        faults.append(
            (f"description is longer than {MAX_DESCRIPTION} characters", f"描述超过 {MAX_DESCRIPTION} 字")
        )
    if draft.title and len(draft.title) > MAX_TITLE:
        faults.append((f"title is longer than {MAX_TITLE} characters", f"标题超过 {MAX_TITLE} 字"))
    told = (getattr(draft, field.name) for field in fields(draft))
    if not all(can_be_kept(text) for text in told if isinstance(text, str)):
        faults.append(("text holds a character that is none", "文字中含有无法保存的字符"))
    if faults:
        raise Invalid(
            en="; ".join(en for en, _ in faults) + ".",
            zh="；".join(zh for _, zh in faults) + "。",
            remedy_en="Shorten or correct these and send again.",
            remedy_zh="请改短或更正后重新提交。",
        )


def _body_hash(draft: ReportDraft) -> str:
    body = {field.name: getattr(draft, field.name) for field in fields(draft)}
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _category_of(place: Any) -> _Category:
    """The category as `look` has read it; one that is no longer used is none."""
    if not place.active:
        raise unknown_category(place.category)
    return _Category(
        place.category,
        place.name_zh,
        place.icon,
        place.needs_confirm,
        place.urgent,
        place.limit_kind,
        place.limit_value,
        place.rules_stamp,
    )


def _first_moves(waits: bool, answer: Responsibility) -> list[dict[str, Any]]:
    """The moves of a new case: as far as it goes by itself."""
    moves: list[dict[str, Any]] = [{"move": "report", "from_stage": None, "to_stage": "reported"}]
    if not waits:
        moves.append({"move": "register", "from_stage": "reported", "to_stage": "registered"})
        if answer.member is not None:
            moves.append({"move": "dispatch", "from_stage": "registered", "to_stage": "dispatched"})
    return moves


def _joining_moves(lead: duplicates.Alike) -> list[dict[str, Any]]:
    """The moves of a report that joins another case at once."""
    details = {"joined_to": lead.id, "number": lead.number, "handler": None}
    return [
        {"move": "report", "from_stage": None, "to_stage": "reported"},
        {"move": "join", "from_stage": "reported", "to_stage": "joined", "details": details},
    ]


def _notices(values: dict[str, Any], answer: Responsibility) -> list[dict[str, Any]]:
    """Who hears of a new case: its handler, else who may confirm it, else the desk; a building head too."""
    if values["stage"] == "dispatched":
        told = [{"kind": "task_arrived", "member_id": values["handler_id"]}]
    elif values["stage"] == "reported" and values["member_id"] is not None:
        told = [{"kind": "confirm_wanted", "member_id": values["member_id"]}]
    else:
        told = [{"kind": "case_arrived", "member_id": None}]
    head = answer.building_head
    if head is not None and head.id != values["handler_id"]:
        told.append({"kind": "building_told", "member_id": head.id})
    return told


def _first_clock(
    values: dict[str, Any], category: _Category, rules: Rulebook, now: datetime
) -> dict[str, Any] | None:
    """The clock that runs at the first stage, as columns of `case_clock`; None where no rule wants one."""
    traits = Traits(category.code, LEVELS[0], values["channel"], values["grade"])
    own = Limit(category.limit_kind, category.limit_value)
    wanted = clock_wanted(values["stage"], traits, own, rules)
    if wanted is None:
        return None
    name, limit = wanted
    due = deadline(now, limit.kind, limit.value, rules.calendar, started=STARTED[name])
    return {
        "clock": name,
        "level": LEVELS[0],
        "kind": limit.kind,
        "value": limit.value,
        "started_at": now,
        "due_at": due.due_at,
        "due_soon_at": due.due_soon_at,
        "words_zh": due.words_zh,
        "words_en": due.words_en,
        "provisional": due.provisional,
        "territory": values["territory"],
    }


_CLOCK_COPY = {
    "due_at": "due_at",
    "due_soon_at": "due_soon_at",
    "limit_words_zh": "words_zh",
    "limit_words_en": "words_en",
}
"""Column of the case <- column of its running clock."""


def _incident_values(
    draft: ReportDraft,
    category: _Category,
    answer: Responsibility,
    stage: str,
    *,
    by: Principal,
    now: datetime,
) -> dict[str, Any]:
    """Column -> value of the new row, but for the number, which the database gives."""
    return {
        "tracking_code": secrets.token_hex(8),
        "report_key": draft.report_key,
        "body_hash": _body_hash(draft),
        "reported_by": by.account_id,
        "channel": draft.channel,
        "category": category.code,
        "title": draft.title or category.name_zh,
        "description": draft.description,
        "on_behalf": draft.on_behalf,
        "answers": draft.answers,
        "floor": draft.floor,
        "unit": draft.unit,
        "room": draft.room,
        "stage": stage,
        "version": 1,
        "grade": AT_ONCE if category.urgent else ORDINARY,
        "source_lon": draft.lon,
        "source_lat": draft.lat,
        "source_crs": draft.crs,
        "accuracy_m": draft.accuracy_m,
        "accuracy_level": draft.accuracy_level,
        "place": answer.place,
        "building_id": answer.building_id,
        "component_id": draft.component_id,
        "generation": answer.generation,
        "cell_code": answer.cell_code,
        "territory": answer.territory,
        "rule": answer.rule,
        "confidence": answer.confidence,
        "border_m": answer.border_m,
        "second_cell": answer.second_cell,
        "second_member_id": answer.second_member.id if answer.second_member else None,
        "reason_zh": answer.reason_zh,
        "reason_en": answer.reason_en,
        "trace": answer.trace,
        "decision": answer.as_kept(),
        "member_id": answer.member.id if answer.member else None,
        "handler_id": answer.handler.id if answer.handler and stage == "dispatched" else None,
        "department_code": answer.department,
        "reported_at": now,
        "registered_at": now if stage != "reported" else None,
        "dispatched_at": now if stage == "dispatched" else None,
    }


# fmt: off
_COLUMNS = ", ".join([
    "tracking_code", "report_key", "body_hash", "reported_by", "channel", "category", "title",
    "description", "on_behalf", "answers", "floor", "unit", "room", "joined_to", "stage", "version",
    "grade", "source_lon", "source_lat",
    "source_crs", "accuracy_m", "accuracy_level", "place", "building_id", "component_id", "generation",
    "cell_code", "territory", "rule", "confidence", "border_m", "second_cell", "second_member_id",
    "reason_zh", "reason_en", "trace", "decision", "member_id", "handler_id", "department_code",
    "reported_at", "registered_at", "dispatched_at", "due_at", "due_soon_at", "limit_words_zh",
    "limit_words_en",
])
_CLOCK_COLUMNS = ", ".join([
    "clock", "level", "kind", "value", "started_at", "due_at", "due_soon_at", "words_zh", "words_en",
    "provisional", "territory",
])
# fmt: on

# The rows travel as JSON, typed by the tables themselves: one value to send is far cheaper than sixty.
_INSERT = Statement(
    f"""
    WITH new AS (
        INSERT INTO incident (number, geom, {_COLUMNS})
        SELECT next_case_number(:day), ST_SetSRID(ST_MakePoint(:lon, :lat), 4490), {_COLUMNS}
        FROM jsonb_populate_record(CAST(NULL AS incident), CAST(:case AS jsonb))
        ON CONFLICT (reported_by, report_key) DO NOTHING
        RETURNING id, number, reported_at, reported_by, handler_id, territory
    ), moved AS (
        INSERT INTO incident_move (incident_id, move, from_stage, to_stage, at, account_id, actor_name, role,
                                   member_id, version, details, territory)
        SELECT new.id, m.move, m.from_stage, m.to_stage, new.reported_at, new.reported_by, :actor_name, :role,
               CASE WHEN m.move = 'dispatch' THEN new.handler_id END, 1,
               coalesce(m.details, jsonb_build_object()), new.territory
        FROM new, jsonb_to_recordset(CAST(:moves AS jsonb))
            AS m(move text, from_stage text, to_stage text, details jsonb)
    ), clocked AS (
        INSERT INTO case_clock (incident_id, {_CLOCK_COLUMNS})
        SELECT new.id, {", ".join(f"c.{column}" for column in _CLOCK_COLUMNS.split(", "))}
        FROM new, jsonb_populate_record(CAST(NULL AS case_clock), CAST(:clock AS jsonb)) AS c
        WHERE c.clock IS NOT NULL
    ), told AS (
        INSERT INTO notice (incident_id, kind, member_id, account_id, body, created_at, territory)
        SELECT new.id, n.kind, n.member_id, n.account_id, coalesce(n.body, jsonb_build_object()),
               new.reported_at, new.territory
        FROM new, jsonb_to_recordset(CAST(:notices AS jsonb))
            AS n(kind text, member_id bigint, account_id bigint, body jsonb)
    )
    SELECT id, number FROM new
    """
)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


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
    if row.body_hash != _body_hash(draft):
        raise Conflict(
            en="This report_key was used before for another report.",
            zh="该 report_key 已用于另一条上报。",
            remedy_en="Give the new report a key of its own; resend the old one unchanged.",
            remedy_zh="新的上报请用新的键；重发旧上报请保持内容不变。",
            incident=row.id,
        )
    return Reported(row.id, row.number, row.tracking_code, row.stage, row.version, False, None)
