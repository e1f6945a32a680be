"""The verbs of an incident, in the order of its life: report, then one move after another.

Every verb runs in the caller's transaction and leaves the case, its story, the notices and the photographs
either all changed or not at all. What may happen when, and who may do it, is `lifecycle`'s table; who answers
for the place is `responsibility`'s; this module only carries the answers out.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import Principal
from gis.database import announce
from gis.errors import Conflict, Invalid
from grids.members import Member
from grids.responsibility import Responsibility, responsible_for, unknown_category
from incidents import lifecycle, overrides
from incidents.calendar import current_calendar
from incidents.deadlines import Deadline, deadline, resumed
from incidents.incident import Incident, IncidentMove
from incidents.locating import locate
from incidents.notices import CHANNEL, Notice
from incidents.queries import Filter, count_incidents, no_incident

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
    component_id: int | None = None
    channel: str = "member"
    on_behalf: str | None = None
    chosen_cell: str | None = None
    """The reporter's answer to "which side of the road?": the cell they say they stand in."""


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


@dataclass(frozen=True, slots=True)
class _Category:
    code: str
    name_zh: str
    icon: str
    needs_confirm: bool
    limit_kind: str
    limit_value: float


def report(session: Session, draft: ReportDraft, *, by: Principal, now: datetime, zone: ZoneInfo) -> Reported:
    """Take a report: locate it, find its person, write the case with its first moves, and tell them.

    The same `report_key` of the same reporter is answered with the first result, whoever retries; with
    another body it is Conflict. A report from the grid force or the desk is registered and dispatched at
    once; one from outside waits for `confirm` where its category says so. Raises Invalid for a place or a
    category that cannot be.
    """
    draft = _checked(draft)
    fix = locate(
        draft.lon, draft.lat, draft.crs, accuracy_m=draft.accuracy_m, accuracy_level=draft.accuracy_level
    )
    category = _category(session, draft.category)
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
    )
    waits = draft.channel in OUTSIDE_CHANNELS and category.needs_confirm
    moves = _first_moves(waits, answer)
    stage = moves[-1][2]
    clock = _clock(session, stage, category, now)
    values = _incident_values(draft, fix, category, answer, stage, clock, by=by, now=now)
    row = session.execute(
        _INSERT,
        {
            **values,
            "day": now.astimezone(zone).date(),
            "moves": json.dumps(
                [dict(zip(("move", "from_stage", "to_stage"), m, strict=True)) for m in moves]
            ),
            "actor_name": by.display_name,
            "role": by.role,
            "notice_kind": "task_arrived" if stage == "dispatched" else "case_arrived",
        },
    ).one_or_none()
    if row is None:
        return _answered_before(session, draft, by)
    reported = Reported(row.id, row.number, values["tracking_code"], stage, 1, True, answer)
    _announce(
        session,
        "report",
        reported.id,
        stage,
        1,
        values,
        draft.title or category.name_zh,
        category.icon,
        (fix.lon, fix.lat),
        previous=None,
    )
    return reported


def _checked(draft: ReportDraft) -> ReportDraft:
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
    if any("\x00" in (text or "") for text in (draft.description, draft.title, draft.unit, draft.on_behalf)):
        faults.append(("text holds a NUL character", "文字中含有空字符"))
    if faults:
        raise Invalid(
            en="; ".join(en for en, _ in faults) + ".",
            zh="；".join(zh for _, zh in faults) + "。",
            remedy_en="Shorten or correct these and send again.",
            remedy_zh="请改短或更正后重新提交。",
        )
    return draft


def _body_hash(draft: ReportDraft) -> str:
    return hashlib.sha256(json.dumps(asdict(draft), sort_keys=True, default=str).encode()).hexdigest()


_CATEGORY = sa.text(
    "SELECT code, name_zh, icon, needs_confirm, limit_kind, limit_value::float FROM category"
    " WHERE code = :code AND active"
)


def _category(session: Session, code: str) -> _Category:
    row = session.execute(_CATEGORY, {"code": code}).one_or_none()
    if row is None:
        raise unknown_category(code)
    return _Category(*row)


def _first_moves(waits: bool, answer: Responsibility) -> list[tuple[str, str | None, str]]:
    """(move, from stage, to stage) of a new case: as far as it goes by itself."""
    moves: list[tuple[str, str | None, str]] = [("report", None, "reported")]
    if not waits:
        moves.append(("register", "reported", "registered"))
        if answer.member is not None:
            moves.append(("dispatch", "registered", "dispatched"))
    return moves


def _clock(session: Session, stage: str, category: _Category, now: datetime) -> Deadline | None:
    """The handling clock, from dispatch; before that no deadline of the category runs (decision 12)."""
    if stage != "dispatched":
        return None
    return deadline(now, category.limit_kind, category.limit_value, current_calendar(session))


def _incident_values(
    draft: ReportDraft,
    fix: Any,
    category: _Category,
    answer: Responsibility,
    stage: str,
    clock: Deadline | None,
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
        "floor": draft.floor,
        "unit": draft.unit,
        "stage": stage,
        "version": 1,
        "lon": fix.lon,
        "lat": fix.lat,
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
        "trace": json.dumps(answer.trace, ensure_ascii=False),
        "decision": json.dumps(answer.as_kept(), ensure_ascii=False),
        "member_id": answer.member.id if answer.member else None,
        "handler_id": answer.handler.id if answer.handler and stage == "dispatched" else None,
        "department_code": answer.department,
        "reported_at": now,
        "registered_at": now if stage != "reported" else None,
        "dispatched_at": now if stage == "dispatched" else None,
        "due_at": clock.due_at if clock else None,
        "due_soon_at": clock.due_soon_at if clock else None,
        "limit_words_zh": clock.words_zh if clock else None,
        "limit_words_en": clock.words_en if clock else None,
    }


# fmt: off
_COLUMNS = [
    "tracking_code", "report_key", "body_hash", "reported_by", "channel", "category", "title",
    "description", "on_behalf", "floor", "unit", "stage", "version", "source_lon", "source_lat",
    "source_crs", "accuracy_m", "accuracy_level", "place", "building_id", "component_id", "generation",
    "cell_code", "territory", "rule", "confidence", "border_m", "second_cell", "second_member_id",
    "reason_zh", "reason_en", "trace", "decision", "member_id", "handler_id", "department_code",
    "reported_at", "registered_at", "dispatched_at", "due_at", "due_soon_at", "limit_words_zh",
    "limit_words_en",
]
# fmt: on

_JSON = ("trace", "decision")

_INSERT = sa.text(
    f"""
    WITH new AS (
        INSERT INTO incident (number, geom, {", ".join(_COLUMNS)})
        VALUES (next_case_number(:day), ST_SetSRID(ST_MakePoint(:lon, :lat), 4490),
                {", ".join(f"CAST(:{c} AS jsonb)" if c in _JSON else f":{c}" for c in _COLUMNS)})
        ON CONFLICT (reported_by, report_key) DO NOTHING
        RETURNING id, number
    ), moved AS (
        INSERT INTO incident_move (incident_id, move, from_stage, to_stage, at, account_id, actor_name, role,
                                   member_id, version, territory)
        SELECT new.id, m.move, m.from_stage, m.to_stage, :reported_at, :reported_by, :actor_name, :role,
               CASE WHEN m.move = 'dispatch' THEN :handler_id END, 1, :territory
        FROM new, jsonb_to_recordset(CAST(:moves AS jsonb)) AS m(move text, from_stage text, to_stage text)
    ), told AS (
        INSERT INTO notice (incident_id, kind, member_id, created_at, territory)
        SELECT new.id, :notice_kind, :handler_id, :reported_at, :territory FROM new
    )
    SELECT id, number FROM new
    """
).bindparams(
    sa.bindparam("handler_id", type_=sa.BigInteger),
    sa.bindparam("component_id", type_=sa.BigInteger),
)


def _answered_before(session: Session, draft: ReportDraft, by: Principal) -> Reported:
    """The first answer to this key, or Conflict when the body is another one."""
    row = session.execute(
        sa.select(
            Incident.id,
            Incident.number,
            Incident.tracking_code,
            Incident.stage,
            Incident.version,
            Incident.body_hash,
        ).where(Incident.reported_by == by.account_id, Incident.report_key == draft.report_key)
    ).one()
    if row.body_hash != _body_hash(draft):
        raise Conflict(
            en="This report_key was used before for another report.",
            zh="该 report_key 已用于另一条上报。",
            remedy_en="Give the new report a key of its own; resend the old one unchanged.",
            remedy_zh="新的上报请用新的键；重发旧上报请保持内容不变。",
            incident=row.id,
        )
    return Reported(row.id, row.number, row.tracking_code, row.stage, row.version, False, None)


def move(
    session: Session,
    incident_id: int,
    name: str,
    *,
    by: Principal,
    now: datetime,
    version: int,
    note: str | None = None,
    member_id: int | None = None,
) -> Incident:
    """Carry out one move of the table on a case, as it stood at `version`.

    `member_id` names the person for a dispatch (absent: the one the routing found). The row is locked, so of
    two moves at once one wins and the other gets Conflict. Raises NotFound for a case the person cannot see,
    Conflict for a stale version or a move its stage does not allow, Denied for one the role may not make,
    Invalid for a missing note or an unknown person.
    """
    case = _locked(session, incident_id, by, now)
    if case.version != version:
        raise Conflict(
            en=f"The case has moved on: it is at version {case.version}, you saw {version}.",
            zh=f"该事件已有变化：现为第 {case.version} 版，您看到的是第 {version} 版。",
            remedy_en="Reload it and decide again.",
            remedy_zh="请刷新后再操作。",
            version=case.version,
        )
    previous_stage, previous_handler = case.stage, case.handler_id
    case.stage = lifecycle.next_stage(
        case.stage, name, by.role, is_handler=has_case(case, by), before=_stage_before_parking(session, case)
    )
    _require_note(name, note)
    effect = _EFFECTS.get(name)
    if effect is not None:
        effect(session, case, now, member_id)
    case.version += 1
    if name == "dispatch":
        overrides.keep(session, case, note, by=by, now=now)
    session.add(
        IncidentMove(
            incident_id=case.id,
            move=name,
            from_stage=previous_stage,
            to_stage=case.stage,
            at=now,
            account_id=by.account_id,
            actor_name=by.display_name,
            role=by.role,
            member_id=case.handler_id if name == "dispatch" else None,
            note=note,
            version=case.version,
            territory=case.territory,
        )
    )
    for kind, told in _whom_to_tell(name, previous_handler, case.handler_id):
        session.add(
            Notice(incident_id=case.id, kind=kind, member_id=told, created_at=now, territory=case.territory)
        )
    session.flush()
    _announce(
        session,
        name,
        case.id,
        case.stage,
        case.version,
        case.__dict__,
        case.title,
        "",
        _place_of(session, case.id),
        previous=previous_handler,
    )
    return case


def _locked(session: Session, incident_id: int, by: Principal, now: datetime) -> Incident:
    """The case, locked until the transaction ends; NotFound where the person may not see it."""
    if not count_incidents(session, Filter(ids=[incident_id]), by=by, now=now):
        raise no_incident(incident_id)
    return session.execute(
        sa.select(Incident).where(Incident.id == incident_id).with_for_update()
    ).scalar_one()


def has_case(case: Incident, by: Principal) -> bool:
    """Whether the case is this person's to handle: theirs by name, or their department's."""
    if by.role == "department_handler" and case.department_code is not None:
        return True
    return case.handler_id is not None and case.handler_id == by.member_id


def _stage_before_parking(session: Session, case: Incident) -> str | None:
    """Where a parked case came from, as its story tells; None when it is not parked."""
    if case.stage != "parked":
        return None
    return session.execute(
        sa.select(IncidentMove.from_stage)
        .where(IncidentMove.incident_id == case.id, IncidentMove.move == "park")
        .order_by(IncidentMove.version.desc())
        .limit(1)
    ).scalar_one_or_none()


def _require_note(name: str, note: str | None) -> None:
    if lifecycle.MOVES[name].needs_note and not (note or "").strip():
        raise Invalid(
            en=f"The move {name} needs a reason.",
            zh=f"“{lifecycle.MOVES[name].zh}”须写明理由。",
            remedy_en="Write in a few words why.",
            remedy_zh="请简要写明原因。",
        )


def _whom_to_tell(name: str, before: int | None, after: int | None) -> list[tuple[str, int | None]]:
    """(kind, member) of the notices of a move: who gets a task, who loses one, else whoever has it."""
    if before != after:
        taken = [("task_taken", before)] if before is not None else []
        return taken + ([("task_arrived", after)] if after is not None else [("case_arrived", None)])
    return [(name, after)]


def _register(session: Session, case: Incident, now: datetime, member_id: int | None) -> None:
    case.registered_at = now


def _dispatch(session: Session, case: Incident, now: datetime, member_id: int | None) -> None:
    """Hand the case to a person and start the handling clock."""
    wanted = member_id or case.member_id
    member = session.get(Member, wanted) if wanted is not None else None
    if member is None:
        raise Invalid(
            en=f"There is no member {wanted} to dispatch to.",
            zh=f"没有可派遣的人员 {wanted}。",
            remedy_en="Choose a person of the cell's team.",
            remedy_zh="请从网格团队中选人。",
        )
    category = _category(session, case.category)
    clock = deadline(now, category.limit_kind, category.limit_value, current_calendar(session))
    case.handler_id = member.id
    case.registered_at = case.registered_at or now
    case.dispatched_at = now
    case.due_at, case.due_soon_at = clock.due_at, clock.due_soon_at
    case.limit_words_zh, case.limit_words_en = clock.words_zh, clock.words_en


def _accept(session: Session, case: Incident, now: datetime, member_id: int | None) -> None:
    case.accepted_at = now


def _finish(session: Session, case: Incident, now: datetime, member_id: int | None) -> None:
    case.finished_at = now


def _hand_back(session: Session, case: Incident, now: datetime, member_id: int | None) -> None:
    """Back to the desk: nobody has it, and no handling clock runs until it is dispatched again."""
    case.handler_id = None
    case.dispatched_at = case.accepted_at = case.due_at = case.due_soon_at = None
    case.limit_words_zh = case.limit_words_en = None


def _rework(session: Session, case: Incident, now: datetime, member_id: int | None) -> None:
    case.finished_at = case.verified_at = None


def _verify(session: Session, case: Incident, now: datetime, member_id: int | None) -> None:
    case.verified_at = now


def _end(session: Session, case: Incident, now: datetime, member_id: int | None) -> None:
    case.closed_at = now


def _park(session: Session, case: Incident, now: datetime, member_id: int | None) -> None:
    case.paused_at = now


def _resume(session: Session, case: Incident, now: datetime, member_id: int | None) -> None:
    """The clock goes on with what was left of it when it stopped."""
    if case.due_at is not None and case.paused_at is not None:
        calendar = current_calendar(session)
        category = _category(session, case.category)
        case.due_at, case.due_soon_at = resumed(
            case.due_at, case.paused_at, now, category.limit_kind, category.limit_value, calendar
        )
    case.paused_at = None


def _reopen(session: Session, case: Incident, now: datetime, member_id: int | None) -> None:
    case.closed_at = case.verified_at = case.finished_at = None


_EFFECTS = {
    "register": _register,
    "confirm": _register,
    "dispatch": _dispatch,
    "accept": _accept,
    "finish": _finish,
    "hand_back": _hand_back,
    "rework": _rework,
    "verify": _verify,
    "close": _end,
    "reject": _end,
    "void": _end,
    "park": _park,
    "resume": _resume,
    "reopen": _reopen,
}
"""What a move changes besides the stage. A move that is not here changes the stage alone."""


def _place_of(session: Session, incident_id: int) -> tuple[float, float]:
    row = session.execute(
        sa.text("SELECT ST_X(geom), ST_Y(geom) FROM incident WHERE id = :id"), {"id": incident_id}
    ).one()
    return row[0], row[1]


def _announce(
    session: Session,
    move: str,
    incident_id: int,
    stage: str,
    version: int,
    values: dict[str, Any],
    title: str,
    icon: str,
    place: tuple[float, float],
    *,
    previous: int | None,
) -> None:
    announce(
        session,
        CHANNEL,
        {
            "type": "incident",
            "id": incident_id,
            "move": move,
            "stage": stage,
            "version": version,
            "territory": values["territory"],
            "member_id": values["handler_id"],
            "previous_member_id": previous,
            "reported_by": values["reported_by"],
            "title": title,
            "icon": icon,
            "lon": place[0],
            "lat": place[1],
        },
    )
