"""Leave: asked for on the phone, decided at the desk, with somebody standing in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.access import Principal, prefix_range
from gis.database import Base, territory_column
from gis.errors import Conflict, Denied, Invalid, NotFound
from gis.masking import mask_name
from grids.members import ROSTER_KEEPERS, Member

KINDS = ("leave", "sick", "training", "other")
STATUSES = ("asked", "approved", "refused", "withdrawn")


class Leave(Base):
    """A span in which a member is away; it counts once approved. The span is half open."""

    __tablename__ = "leave"
    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS}", name="kind_known"),
        CheckConstraint(f"status IN {STATUSES}", name="status_known"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("stand_in_id <> member_id", name="stand_in_is_another"),
        Index("ix_leave_member_span", "member_id", "ends_at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    kind: Mapped[str] = mapped_column(default="leave", server_default="leave")
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    stand_in_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"), index=True)
    status: Mapped[str] = mapped_column(default="asked", server_default="asked")
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decided_by: Mapped[str | None]
    territory: Mapped[str] = territory_column()


@dataclass(frozen=True, slots=True)
class LeaveRow:
    """One leave as a list shows it; names are masked."""

    id: int
    member_id: int
    member: str
    kind: str
    starts_at: datetime
    ends_at: datetime
    stand_in_id: int | None
    stand_in: str | None
    status: str
    decided_at: datetime | None
    decided_by: str | None
    territory: str


def ask(
    session: Session,
    member_id: int,
    starts_at: datetime,
    ends_at: datetime,
    *,
    by: Principal,
    now: datetime,
    kind: str = "leave",
    stand_in_id: int | None = None,
) -> Leave:
    """Ask for leave, one's own or (for a decider) somebody's on one's ground.

    Raises Invalid for a span that is empty or over, an unknown kind or somebody standing in for themselves;
    NotFound for a member the asker may not know; Conflict when it overlaps another leave of theirs.
    """
    member = _member(session, member_id, by)
    if not (starts_at < ends_at and now < ends_at):
        raise Invalid(
            en="Leave must end after it starts, and not lie in the past.",
            zh="请假的结束须晚于开始，且不能整段都在过去。",
            remedy_en="Correct the start and the end.",
            remedy_zh="请更正开始和结束时间。",
        )
    if kind not in KINDS:
        raise Invalid(
            en=f"There is no kind of leave {kind}.",
            zh=f"没有请假类型 {kind}。",
            remedy_en="Use one of " + ", ".join(KINDS) + ".",
            remedy_zh="可用：" + "、".join(KINDS) + "。",
        )
    _refuse_overlap(session, member_id, starts_at, ends_at)
    leave = Leave(
        member_id=member.id,
        kind=kind,
        starts_at=starts_at,
        ends_at=ends_at,
        status="asked",
        asked_at=now,
        territory=member.territory,
    )
    session.add(leave)
    session.flush()
    if stand_in_id is not None:
        _name_stand_in(session, leave, stand_in_id)
    return leave


def decide(
    session: Session,
    leave_id: int,
    approve: bool,
    *,
    by: Principal,
    now: datetime,
    stand_in_id: int | None = None,
) -> Leave:
    """Approve or refuse a leave that was asked for, naming a stand-in on the way if one is given.

    Raises Denied for a role that does not decide, NotFound outside one's ground, Conflict when it has been
    decided before, and what `assign_stand_in` raises.
    """
    leave = _locked(session, leave_id, by)
    if leave.status != "asked":
        raise Conflict(
            en=f"This leave is already {leave.status}.",
            zh=f"该请假已是“{leave.status}”状态。",
            remedy_en="Reload the list.",
            remedy_zh="请刷新列表。",
        )
    if stand_in_id is not None:
        _name_stand_in(session, leave, stand_in_id)
    leave.status = "approved" if approve else "refused"
    leave.decided_at, leave.decided_by = now, by.display_name
    session.flush()
    return leave


def assign_stand_in(session: Session, leave_id: int, stand_in_id: int, *, by: Principal) -> Leave:
    """Name (or change) who stands in for a leave, approved or still asked for.

    Raises Invalid when the person stands in for themselves or the chain would come back to them, naming the
    chain; NotFound for an unknown person.
    """
    leave = _locked(session, leave_id, by)
    if leave.status not in ("asked", "approved"):
        raise Conflict(
            en=f"This leave is {leave.status}: nobody needs to stand in.",
            zh=f"该请假为“{leave.status}”，无须代班。",
            remedy_en="Reload the list.",
            remedy_zh="请刷新列表。",
        )
    _name_stand_in(session, leave, stand_in_id)
    return leave


def withdraw(session: Session, leave_id: int, *, by: Principal, now: datetime) -> Leave:
    """Take one's own leave back, or cut it short where it has begun: from `now` on the member is there."""
    leave = session.get(Leave, leave_id, with_for_update=True)
    if leave is None or (leave.member_id != by.member_id and not _may_decide(by, leave.territory)):
        raise _no_leave(leave_id)
    if leave.status not in ("asked", "approved") or leave.ends_at <= now:
        raise Conflict(
            en="This leave is over or was not granted.",
            zh="该请假已结束或未获批准。",
            remedy_en="Reload the list.",
            remedy_zh="请刷新列表。",
        )
    if leave.status == "approved" and leave.starts_at < now:
        leave.ends_at = now
    else:
        leave.status = "withdrawn"
    session.flush()
    return leave


_LIST = sa.text(
    """
    SELECT l.id, l.member_id, m.name AS member, l.kind, l.starts_at, l.ends_at, l.stand_in_id,
           s.name AS stand_in, l.status, l.decided_at, l.decided_by, l.territory
    FROM leave AS l JOIN member AS m ON m.id = l.member_id LEFT JOIN member AS s ON s.id = l.stand_in_id
    WHERE l.starts_at < :until AND l.ends_at > :since AND l.status <> 'withdrawn'
      AND (l.member_id = :member_id OR (l.territory >= :low AND l.territory < :high))
    ORDER BY l.starts_at, l.id
    """
).bindparams(sa.bindparam("member_id", type_=sa.BigInteger))


def leaves(session: Session, since: datetime, until: datetime, *, by: Principal) -> Sequence[LeaveRow]:
    """The leaves that touch a span: of one's ground for a desk role, else one's own."""
    low, high = prefix_range(by.territory) if by.sees_territory and by.territory is not None else ("", "")
    rows = session.execute(
        _LIST, {"since": since, "until": until, "member_id": by.member_id, "low": low, "high": high}
    ).mappings()
    return [
        LeaveRow(
            **{
                **row,
                "member": mask_name(row["member"]),
                "stand_in": mask_name(row["stand_in"] or "") or None,
            }
        )
        for row in rows
    ]


def _member(session: Session, member_id: int, by: Principal) -> Member:
    member = session.get(Member, member_id)
    if member is None or not (member_id == by.member_id or _may_decide(by, member.territory)):
        raise NotFound(
            en=f"There is no member {member_id} on your ground.",
            zh=f"您的辖区内没有人员 {member_id}。",
            remedy_en="Choose a member of your own ground.",
            remedy_zh="请选择本辖区的人员。",
        )
    return member


def _may_decide(by: Principal, territory: str) -> bool:
    return by.role in ROSTER_KEEPERS and by.covers(territory)


def _locked(session: Session, leave_id: int, by: Principal) -> Leave:
    if by.role not in ROSTER_KEEPERS:
        raise Denied(
            en="Your role does not decide on leave.",
            zh="您的角色不能审批请假。",
            remedy_en="Ask the subdistrict office.",
            remedy_zh="请联系街道办。",
        )
    leave = session.get(Leave, leave_id, with_for_update=True)
    if leave is None or not by.covers(leave.territory):
        raise _no_leave(leave_id)
    return leave


def _no_leave(leave_id: int) -> NotFound:
    return NotFound(
        en=f"There is no leave {leave_id}.",
        zh=f"没有请假 {leave_id}。",
        remedy_en="Reload the list.",
        remedy_zh="请刷新列表。",
    )


def _refuse_overlap(session: Session, member_id: int, starts_at: datetime, ends_at: datetime) -> None:
    overlapping = session.scalar(
        sa.select(Leave.id).where(
            Leave.member_id == member_id,
            Leave.status.in_(("asked", "approved")),
            Leave.starts_at < ends_at,
            Leave.ends_at > starts_at,
        )
    )
    if overlapping is not None:
        raise Conflict(
            en="There is already a leave in this time.",
            zh="这段时间已有请假。",
            remedy_en="Withdraw it first, or choose another time.",
            remedy_zh="请先撤回，或另选时间。",
            leave=overlapping,
        )


def _name_stand_in(session: Session, leave: Leave, stand_in_id: int) -> None:
    if session.get(Member, stand_in_id) is None:
        raise NotFound(
            en=f"There is no member {stand_in_id}.",
            zh=f"没有人员 {stand_in_id}。",
            remedy_en="Choose a member.",
            remedy_zh="请选择人员。",
        )
    circle = stand_in_circle(session, leave, stand_in_id)
    if circle:
        raise Invalid(
            en="Standing in would go round in a circle: " + " → ".join(map(str, circle)) + ".",
            zh="代班形成了循环：" + " → ".join(map(str, circle)) + "。",
            remedy_en="Name somebody who is not away in this time.",
            remedy_zh="请指定这段时间在岗的人。",
            members=circle,
        )
    leave.stand_in_id = stand_in_id
    session.flush()


_CHAIN = sa.text(
    """
    WITH RECURSIVE chain (id, path, starts_at, ends_at) AS (
        SELECT CAST(:stand_in AS bigint), ARRAY[CAST(:absent AS bigint), CAST(:stand_in AS bigint)],
               CAST(:starts_at AS timestamptz), CAST(:ends_at AS timestamptz)
        UNION ALL
        SELECT l.stand_in_id, c.path || l.stand_in_id::bigint,
               greatest(c.starts_at, l.starts_at), least(c.ends_at, l.ends_at)
        FROM chain AS c JOIN leave AS l ON l.member_id = c.id
        WHERE l.status IN ('asked', 'approved') AND l.stand_in_id IS NOT NULL AND l.id <> :leave
          AND l.starts_at < c.ends_at AND l.ends_at > c.starts_at AND c.id <> :absent
          AND cardinality(c.path) < 50
    )
    SELECT path FROM chain WHERE id = :absent ORDER BY cardinality(path) LIMIT 1
    """
)


def stand_in_circle(session: Session, leave: Leave, stand_in_id: int) -> list[int] | None:
    """The members of the circle that `stand_in_id` for this leave would close, or None.

    Only leaves that overlap in time, all along the chain, close a circle.
    """
    if stand_in_id == leave.member_id:
        return [leave.member_id, leave.member_id]
    return session.scalar(
        _CHAIN,
        {
            "stand_in": stand_in_id,
            "absent": leave.member_id,
            "leave": leave.id,
            "starts_at": leave.starts_at,
            "ends_at": leave.ends_at,
        },
    )
