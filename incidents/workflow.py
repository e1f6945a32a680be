"""The verbs of an incident: `report` begins its life, `move` carries it on, one row of the table at a time.

Every verb runs in the caller's transaction and leaves the case, its story, its clocks and the notices either
all changed or not at all. What may happen when, and who may do it, is `lifecycle`'s table; what a move
changes besides the stage is told in `effects`; who answers for the place is `responsibility`'s.
"""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from gis.access import Principal
from gis.errors import Conflict, Invalid
from incidents import lifecycle
from incidents.calendar import CITY_ZONE
from incidents.case_file import no_incident
from incidents.case_rows import Filter, conditions
from incidents.categories import Category
from incidents.clocks import CaseClocks
from incidents.effects import EFFECTS, Step
from incidents.incident import Incident, IncidentMove
from incidents.locating import DeclaredPlace
from incidents.notices import Notice, announce_case
from incidents.reporting import MAX_DESCRIPTION, MAX_TITLE, ReportDraft, Reported, report
from incidents.rules import Limit, current_rulebook

__all__ = ["MAX_DESCRIPTION", "MAX_TITLE", "SYSTEM", "ReportDraft", "Reported", "move", "report"]

SYSTEM = Principal(0, "system", "系统", "system", territory="")
"""Who acts when nobody does: a deadline is worked out again, a ladder is climbed."""


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
    amount: float | None = None,
    review_on: date | None = None,
    place: DeclaredPlace | None = None,
    here: tuple[float, float] | None = None,
    zone: ZoneInfo = CITY_ZONE,
) -> Incident:
    """Carry out one move of the table on a case, as it stood at `version`.

    `member_id` names the person for a dispatch (absent: the one the routing found) or a reassignment;
    `amount` the units of an extension; `review_on` the day a parked case is looked at again; `place` the
    right place of a moved pin; `here` where the person stood, lon and lat in EPSG:4490. The row is locked,
    so of two moves at once one wins and the other gets Conflict.

    Raises NotFound for a case the person cannot see, Conflict for a stale version or a move the case does
    not allow, Denied for one the person may not make, Invalid for something that is missing or cannot be.
    """
    step = _locked(session, incident_id, by, now, zone)
    case, had_it, lay_in = step.case, step.case.handler_id, step.case.territory
    _refuse_stale(case, version)
    stage = lifecycle.next_stage(
        case.stage,
        name,
        by.role,
        is_handler=lifecycle.is_with(case, by),
        facts=lifecycle.facts_of(case, by, now),
        before=_stage_before_parking(session, case),
    )
    _require_note(name, note)
    step.note, step.member_id, step.amount = note, member_id, amount
    step.review_on, step.place = review_on, place
    case.version += 1
    _carry_out(step, name, stage, here)
    if step.follow_up is not None:
        _carry_out(step, step.follow_up, lifecycle.MOVES[step.follow_up].to_stage, here)
    _tell(step, name, had_it)
    session.flush()
    for territory in {lay_in, case.territory}:
        announce_case(
            session,
            move=name,
            case=vars(case) | {"icon": step.icon, "territory": territory},
            place=step.lon_lat,
            previous_member_id=had_it,
        )
    return case


def _locked(session: Session, incident_id: int, by: Principal, now: datetime, zone: ZoneInfo) -> Step:
    """The case with its clocks, locked until the transaction ends; NotFound where it may not be seen."""
    i = aliased(Incident, name="i")
    where = conditions(Filter(ids=[incident_id]), by)
    row = session.execute(
        sa.select(
            i,
            sa.func.ST_X(i.geom),
            sa.func.ST_Y(i.geom),
            Category.icon,
            Category.limit_kind,
            Category.limit_value,
            sa.text("(SELECT stamp::text FROM rules_stamp)"),
        )
        .join(Category, Category.code == i.category)
        .where(sa.text(where.condition))
        .with_for_update(of=i)
        .execution_options(populate_existing=True),
        where.params,
    ).one_or_none()
    if row is None:
        raise no_incident(incident_id)
    case, lon, lat, icon, kind, value, stamp = row
    rules = current_rulebook(session, zone, stamp=stamp)
    clocks = CaseClocks(session, case, Limit(kind, float(value)), rules, now)
    return Step(session, case, clocks, by, now, zone, icon, (lon, lat))


def _refuse_stale(case: Incident, version: int) -> None:
    if case.version != version:
        raise Conflict(
            en=f"The case has moved on: it is at version {case.version}, you saw {version}.",
            zh=f"该事件已有变化：现为第 {case.version} 版，您看到的是第 {version} 版。",
            remedy_en="Reload it and decide again.",
            remedy_zh="请刷新后再操作。",
            version=case.version,
        )


def _stage_before_parking(session: Session, case: Incident) -> str | None:
    """Where a parked case came from, as its story tells; None when it is not parked."""
    if case.stage != "parked":
        return None
    return session.scalar(
        sa.select(IncidentMove.from_stage)
        .where(IncidentMove.incident_id == case.id, IncidentMove.move == "park")
        .order_by(IncidentMove.version.desc())
        .limit(1)
    )


def _require_note(name: str, note: str | None) -> None:
    if lifecycle.MOVES[name].needs_note and not (note or "").strip():
        raise Invalid(
            en=f"The move {name} needs a reason.",
            zh=f"“{lifecycle.MOVES[name].zh}”须写明理由。",
            remedy_en="Write in a few words why.",
            remedy_zh="请简要写明原因。",
        )


def _carry_out(step: Step, name: str, stage: str, here: tuple[float, float] | None) -> None:
    """Change the case, let its clocks follow, and add the row to its story."""
    case, from_stage = step.case, step.case.stage
    case.stage = stage
    step.details = {}
    if effect := EFFECTS.get(name):
        effect(step)
    step.clocks.follow(name)
    lon, lat = here or (None, None)
    step.session.add(
        IncidentMove(
            incident_id=case.id,
            move=name,
            from_stage=from_stage,
            to_stage=case.stage,
            at=step.now,
            account_id=step.by.account_id or None,
            actor_name=step.by.display_name,
            role=step.by.role,
            member_id=case.handler_id if name in ("dispatch", "reassign") else None,
            note=step.note,
            lon=lon,
            lat=lat,
            details=step.details,
            version=case.version,
            territory=case.territory,
        )
    )


def _tell(step: Step, name: str, had_it: int | None) -> None:
    """The notices of a move: who gets a task, who loses one, else whoever has it."""
    has_it = step.case.handler_id
    told: list[tuple[str, int | None]] = [(name, has_it)]
    if had_it != has_it:
        told = [("task_taken", had_it)] if had_it is not None else []
        told.append(("task_arrived", has_it) if has_it is not None else ("case_arrived", None))
    step.session.add_all(
        Notice(
            incident_id=step.case.id,
            kind=kind,
            member_id=member_id,
            created_at=step.now,
            territory=step.case.territory,
        )
        for kind, member_id in told
    )
