"""The verbs of an incident: `report` begins its life, `move` carries it on, one row of the table at a time.

Every verb runs in the caller's transaction and leaves the case, its story, its clocks and the notices either
all changed or not at all. What may happen when, and who may do it, is `lifecycle`'s table; what a move
changes besides the stage is told in `effects`; who answers for the place is `responsibility`'s.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gis.access import Principal
from gis.errors import Invalid
from gis.text import can_be_kept
from incidents import duplicates, lifecycle
from incidents.calendar import CITY_ZONE
from incidents.case_store import lock, write
from incidents.clocks import CaseClocks
from incidents.effects import EFFECTS
from incidents.incident import Incident
from incidents.locating import DeclaredPlace
from incidents.notices import announce_case
from incidents.reporting import MAX_DESCRIPTION, MAX_TITLE, ReportDraft, Reported, report
from incidents.rules import current_rulebook
from incidents.step import Step

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
    department: str | None = None,
    subtask_id: int | None = None,
    case_id: int | None = None,
    here: tuple[float, float] | None = None,
    zone: ZoneInfo = CITY_ZONE,
) -> Incident:
    """Carry out one move of the table on a case, as it stood at `version`.

    `member_id` names the person for a dispatch (absent: the one the routing found), a reassignment or a piece
    of work that is passed on; `amount` the units of an extension; `review_on` the day a parked case is looked
    at again; `place` the right place of a moved pin; `department` or `member_id` the force that is asked to
    help, `subtask_id` its piece of work, `case_id` the earlier case that a report joins; `here` where the
    person stood, lon and lat in EPSG:4490. The row is locked, so of two moves at once one wins and the other
    gets Conflict. A story never runs backwards: where the server's clock was set back, the move is told at
    the moment of the one before.

    Raises NotFound for a case the person cannot see, Conflict for a stale version or a move the case does
    not allow, Denied for one the person may not make, Invalid for something that is missing or cannot be.
    """
    if name in ("join", "split", "reopen"):
        duplicates.lock_first(session, incident_id, name, case_id)
    locked = lock(session, incident_id, version, by)
    case, now = locked.case, max(now, locked.moved_at)
    had_it, lay_in = case.handler_id, case.territory
    stage = lifecycle.next_stage(
        case.stage,
        name,
        by.role,
        is_handler=lifecycle.is_with(case, by),
        facts=lifecycle.facts_of(case, by, now),
        before=locked.parked_from,
    )
    _refuse_note(name, note)
    rules = current_rulebook(session, zone, stamp=locked.rules_stamp, territory=lay_in, at=case.reported_at)
    clocks = CaseClocks(case, list(locked.clocks), locked.own, rules, now)
    step = Step(
        name, session, case, clocks, by, now, zone, locked.lon_lat, locked.rules_stamp, note, member_id,
        amount, review_on, place, department, subtask_id, case_id, locked.parked,
    )  # fmt: skip
    case.version += 1
    story = [_carry_out(step, name, stage, here)]
    if step.follow_up is not None:
        story.append(_carry_out(step, step.follow_up, lifecycle.MOVES[step.follow_up].to_stage, here))
    write(session, locked, step.lon_lat, clocks.rows, story, _notices(step, name, had_it))
    duplicates.carry_over(step, name)
    for territory in {lay_in, case.territory}:
        announce_case(
            session,
            move=name,
            case=vars(case) | {"icon": locked.icon, "territory": territory},
            place=step.lon_lat,
            previous_member_id=had_it,
            helpers=step.helpers,
        )
    return case


def _refuse_note(name: str, note: str | None) -> None:
    """A reason that is missing, too long, or no text."""
    wanted = lifecycle.MOVES[name]
    if wanted.needs_note and not (note or "").strip():
        raise Invalid(
            en=f"The move {name} needs a reason.",
            zh=f"“{wanted.zh}”须写明理由。",
            remedy_en="Write in a few words why.",
            remedy_zh="请简要写明原因。",
        )
    if note and (len(note) > MAX_DESCRIPTION or not can_be_kept(note)):
        raise Invalid(
            en=f"The note is longer than {MAX_DESCRIPTION} characters or holds a character that is none.",
            zh=f"说明超过 {MAX_DESCRIPTION} 字，或含有无法保存的字符。",
            remedy_en="Shorten or correct it.",
            remedy_zh="请改短或更正。",
        )


def _carry_out(step: Step, name: str, stage: str, here: tuple[float, float] | None) -> dict[str, Any]:
    """Change the case, let its clocks follow, and return the row of its story."""
    case, from_stage = step.case, step.case.stage
    step.move = name
    case.stage = stage
    step.details = {}
    if effect := EFFECTS.get(name):
        effect(step)
    step.clocks.follow(name)
    lon, lat = here or (None, None)
    return {
        "move": name,
        "from_stage": from_stage,
        "to_stage": case.stage,
        "at": step.now,
        "account_id": step.by.account_id or None,
        "actor_name": step.by.display_name,
        "role": step.by.role,
        "member_id": _person_of(step, name),
        "note": step.note,
        "version": case.version,
        "lon": lon,
        "lat": lat,
        "details": step.details,
    }


def _person_of(step: Step, name: str) -> int | None:
    """Whom a move gives work to."""
    if name in ("dispatch", "reassign"):
        return step.case.handler_id
    return step.member_id if name in ("assist", "assist_pass") else None


def _notices(step: Step, name: str, had_it: int | None) -> list[dict[str, Any]]:
    """Who hears of a move: who gets a task, who loses one, else whoever has it; of an answer its reporter;
    and whom the move itself has named."""
    has_it = step.case.handler_id
    told: list[tuple[str, int | None]] = [(name, has_it)]
    if had_it != has_it:
        told = [("task_taken", had_it)] if had_it is not None else []
        if name != "join":
            told.append(("task_arrived", has_it) if has_it is not None else ("case_arrived", None))
    notices: list[dict[str, Any]] = [
        {"kind": kind, "member_id": member, "created_at": step.now} for kind, member in told
    ]
    if name in lifecycle.ANSWERS and step.case.reported_by is not None:
        notices.append(
            {
                "kind": "answered",
                "account_id": step.case.reported_by,
                "created_at": step.now,
                "body": {"reply": step.note or "", "stage": step.case.stage},
            }
        )
    return notices + step.notices
