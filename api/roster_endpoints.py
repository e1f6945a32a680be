"""The roster: its calendar and holes, leave and stand-ins, shifts; and whom a case may be given to."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from api import parameters
from api.gate import SignedInDoor
from api.parameters import MAX_ID, IncidentId, Moment, TerritoryText
from api.schemas import Body
from gis.access import Principal
from gis.database import Session, announce
from gis.errors import Denied
from grids import assignments, duties, leaves
from grids.duty_check import Hole, holes
from grids.leaves import KINDS, LeaveRow
from grids.roster_calendar import RosterCalendar, roster_calendar
from incidents.notices import CHANNEL
from incidents.queries import get_incident
from incidents.workload import Candidate, candidates

router = APIRouter(prefix="/api/v1", tags=["roster"])

Id = Annotated[int, Field(ge=1, le=MAX_ID)]
LeaveId = Annotated[int, Path(ge=1, le=MAX_ID)]
DutyId = Annotated[int, Path(ge=1, le=MAX_ID)]
From = Annotated[Moment, Query(alias="from")]
To = Annotated[Moment, Query(description="Not included.")]


class HolesShown(BaseModel):
    """Every hole of the span, in order of time."""

    holes: list[Hole]


class LeavesShown(BaseModel):
    leaves: list[LeaveRow]


class CandidatesShown(BaseModel):
    """Whom a case may be given to, the proposed person first, with what each has on their hands."""

    candidates: list[Candidate]


class LeaveBody(Body):
    """Leave asked for. `member_id` is left out for one's own; an office may ask for its people."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime
    kind: Annotated[str, Field(max_length=20, description=", ".join(KINDS))] = "leave"
    stand_in_id: Id | None = None
    member_id: Id | None = None


class DecisionBody(Body):
    """Approve or refuse, naming who stands in on the way."""

    decision: Literal["approve", "refuse"]
    stand_in_id: Id | None = None


class StandInBody(Body):
    member_id: Id


class ShiftBody(Body):
    """Hours of one weekday (Monday = 0), the city's time; an end at or before the start is the next day's."""

    weekday: Annotated[int, Field(ge=0, le=6)]
    starts: time
    ends: time


class ShiftsBody(Body):
    """The weekly hours of a duty; none means around the clock."""

    shifts: Annotated[list[ShiftBody], Field(max_length=50)]


class DutyBody(Body):
    """A post given to somebody, from now on where `starts_at` is left out; a start in the past is refused."""

    post: Annotated[str, Field(max_length=30)]
    ground: Annotated[str, Field(max_length=15, description="A cell's code, or a subdistrict's.")]
    member_id: Id
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None


class DutyAnswer(BaseModel):
    """A post as it was given."""

    id: int
    post: str
    ground: str
    member_id: int
    starts_at: datetime
    ends_at: datetime | None


class LeaveAnswer(BaseModel):
    """A leave after it was asked for or decided on."""

    id: int
    status: str
    starts_at: datetime
    ends_at: datetime
    stand_in_id: int | None

    @classmethod
    def of(cls, leave: leaves.Leave) -> LeaveAnswer:
        return cls(
            id=leave.id,
            status=leave.status,
            starts_at=leave.starts_at,
            ends_at=leave.ends_at,
            stand_in_id=leave.stand_in_id,
        )


@router.get("/roster/holes")
def roster_holes(door: SignedInDoor, from_: From, to: To, territory: TerritoryText = None) -> HolesShown:
    """Where nobody would be there: ground, post, from when to when. Before a case meets it, not after."""
    with door.open() as (session, by, _):
        ground = parameters.own_ground(by, territory)
        return HolesShown(holes=holes(session, from_, to, ground, zone=door.means.settings.zone))


@router.get("/roster/{subdistrict}")
def roster(
    door: SignedInDoor, subdistrict: Annotated[str, Path(max_length=15)], from_: From, to: To
) -> RosterCalendar:
    """The calendar of a subdistrict: each post of it and its cells, who is there when, and the holes."""
    with door.open() as (session, by, _):
        return roster_calendar(session, subdistrict, from_, to, by=by, zone=door.means.settings.zone)


@router.get("/leaves")
def list_leaves(door: SignedInDoor, from_: From, to: To) -> LeavesShown:
    """Leave that touches a span: of one's ground for an office, else one's own."""
    parameters.has_window(from_, to)
    with door.open() as (session, by, _):
        return LeavesShown(leaves=list(leaves.leaves(session, from_, to, by=by)))


@router.post("/leaves", status_code=201)
def ask_for_leave(door: SignedInDoor, body: LeaveBody) -> LeaveAnswer:
    """Ask for leave; it counts once the office has approved it."""
    with door.open() as (session, by, now):
        leave = leaves.ask(
            session,
            _member_of(by, body.member_id),
            body.starts_at,
            body.ends_at,
            by=by,
            now=now,
            kind=body.kind,
            stand_in_id=body.stand_in_id,
        )
        return LeaveAnswer.of(leave)


@router.post("/leaves/{leave_id}/decision")
def decide_on_leave(door: SignedInDoor, leave_id: LeaveId, body: DecisionBody) -> LeaveAnswer:
    """Approve or refuse a leave of one's ground."""
    with door.open() as (session, by, now):
        approve = body.decision == "approve"
        leave = leaves.decide(session, leave_id, approve, by=by, now=now, stand_in_id=body.stand_in_id)
        _tell_of(session, leave)
        return LeaveAnswer.of(leave)


@router.put("/leaves/{leave_id}/stand-in")
def name_stand_in(door: SignedInDoor, leave_id: LeaveId, body: StandInBody) -> LeaveAnswer:
    """Name who stands in. A chain that would come back to the absent person is refused and named."""
    with door.open() as (session, by, _):
        leave = leaves.assign_stand_in(session, leave_id, body.member_id, by=by)
        if leave.status == "approved":
            _tell_of(session, leave)
        return LeaveAnswer.of(leave)


@router.delete("/leaves/{leave_id}")
def withdraw_leave(door: SignedInDoor, leave_id: LeaveId) -> LeaveAnswer:
    """Take a leave back; one under way ends now."""
    with door.open() as (session, by, now):
        return LeaveAnswer.of(leaves.withdraw(session, leave_id, by=by, now=now))


@router.post("/duties", status_code=201)
def give_post(door: SignedInDoor, body: DutyBody) -> DutyAnswer:
    """Give a post of one's ground to somebody, around the clock until its hours are set."""
    with door.open() as (session, by, now):
        duty = assignments.assign(
            session,
            body.post,
            body.ground,
            body.member_id,
            by=by,
            now=now,
            starts_at=body.starts_at,
            ends_at=body.ends_at,
        )
        return DutyAnswer(
            id=duty.id,
            post=duty.post,
            ground=duty.ground,
            member_id=duty.member_id,
            starts_at=duty.starts_at,
            ends_at=duty.ends_at,
        )


@router.delete("/duties/{duty_id}", status_code=204)
def end_post(door: SignedInDoor, duty_id: DutyId) -> None:
    """End a post now; what was decided under it stays."""
    with door.open() as (session, by, now):
        assignments.end_assignment(session, duty_id, by=by, now=now)


@router.put("/duties/{duty_id}/shifts", status_code=204)
def set_shifts(door: SignedInDoor, duty_id: DutyId, body: ShiftsBody) -> None:
    """Give a duty its weekly hours in place of those it had."""
    with door.open() as (session, by, _):
        hours = [(shift.weekday, shift.starts, shift.ends) for shift in body.shifts]
        duties.set_shifts(session, duty_id, hours, by=by)


@router.get("/incidents/{incident_id}/candidates")
def case_candidates(door: SignedInDoor, incident_id: IncidentId) -> CandidatesShown:
    """Whom a case may be dispatched to: the team of its cell, with open, due and overdue cases of each."""
    with door.open() as (session, by, now):
        case = get_incident(session, incident_id, by=by, now=now)
        proposed = None if case.proposed is None else case.proposed.id
        found = candidates(session, case.row.cell_code, proposed, now=now, zone=door.means.settings.zone)
        return CandidatesShown(candidates=found)


def _tell_of(session: Session, leave: leaves.Leave) -> None:
    """Tell the absent member, and whoever stands in, what has been decided."""
    change = {
        "type": "leave",
        "id": leave.id,
        "status": leave.status,
        "starts_at": leave.starts_at,
        "ends_at": leave.ends_at,
        "members": [leave.member_id, *([leave.stand_in_id] if leave.stand_in_id else [])],
    }
    announce(session, CHANNEL, change)


def _member_of(by: Principal, wanted: int | None) -> int:
    member = wanted if wanted is not None else by.member_id
    if member is None:
        raise Denied(
            en="This account belongs to nobody on the roster.",
            zh="该账户不对应排班表上的人员。",
            remedy_en="Name the member the leave is for.",
            remedy_zh="请写明为谁请假。",
        )
    return member
