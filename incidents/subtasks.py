"""Several forces on one case: pieces of work for departments and people, each with its own clock and end.

The first receiver stays responsible (首接负责): a case is not finished while another force is still at work
on it, and whoever answers for the case may take a piece of work back with a reason. A piece of work given to
nobody in particular belongs to whoever has the case: so are the steps of a staged deadline
(`incidents.staged_limits`).

Every step is a move of the case like any other (`lifecycle`): it names the version it saw, is a row of the
story and locks the case, so no two forces can write past each other. Here is the table, and what the moves do
to it; `incidents.subtask_rows` reads it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Identity
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.database import Base, territory_column
from gis.errors import Invalid, NotFound
from grids.members import Department
from incidents.clocks import new_clock
from incidents.incident import Incident
from incidents.rules import Limit, Rulebook
from incidents.step import Step, member_named
from incidents.subtask_life import AT_WORK, STAGES, next_subtask_stage

_MOMENT = DateTime(timezone=True)


class Subtask(Base):
    """One piece of work of a case: for a member, for a department, or for whoever has the case."""

    __tablename__ = "subtask"
    __table_args__ = (
        CheckConstraint(f"stage IN {STAGES}", name="stage_known"),
        CheckConstraint("member_id IS NULL OR department_code IS NULL", name="of_one_force"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    what: Mapped[str]
    what_en: Mapped[str | None]
    """The English words of a step; what a person writes has one language."""
    step: Mapped[int | None]
    """Which step of a staged deadline it is."""
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"), index=True)
    department_code: Mapped[str | None] = mapped_column(ForeignKey("department.code"), index=True)
    stage: Mapped[str]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(_MOMENT)
    accepted_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    ended_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    reply: Mapped[str | None]
    """What was said at its end: what was done, or why not."""
    territory: Mapped[str] = territory_column()


class CaseGround(Protocol):
    """What of a case a piece of work is written with."""

    id: Any
    territory: Any
    level: Any


def ask(step: Step) -> None:
    """Give a piece of work to a member or to a department.

    Its time is the category's own limit, or `amount` of that limit's units. Raises Invalid where it is given
    to nobody, or to both.
    """
    if (step.member_id is None) == (step.department is None):
        raise Invalid(
            en="A piece of work is given to one member or to one department.",
            zh="协办须交给一位人员或一个部门。",
            remedy_en="Choose one of them.",
            remedy_zh="请选择其中之一。",
        )
    if step.department is not None:
        _refuse_unknown_department(step.session, step.department)
    else:
        member_named(step, step.member_id)
    own = step.clocks.own_limit
    limit = Limit(own.kind, step.amount) if step.amount is not None else own
    task = begin(
        step.session,
        step.case,
        (step.note or "").strip(),
        limit,
        step.clocks.rules,
        to=(step.member_id, step.department),
        asked_by=step.by.display_name,
        now=step.now,
    )
    step.case.open_subtasks += 1
    step.details |= {"subtask": task.id, "department": task.department_code}
    step.notices.append(_notice(step, task, "assist_asked"))
    _tell_pages(step, task)


def begin(
    session: Session,
    case: CaseGround,
    what: str,
    limit: Limit,
    rules: Rulebook,
    *,
    asked_by: str,
    now: datetime,
    what_en: str | None = None,
    step_number: int | None = None,
    to: tuple[int | None, str | None] = (None, None),
) -> Subtask:
    """Write a piece of work with its clock, which starts at `now`.

    `to` is (member, department): one of them, or neither for whoever has the case. `step_number` and the
    English words are those of a staged deadline. The case's count of open pieces is the caller's to raise.
    """
    task = Subtask(
        incident_id=case.id,
        what=what,
        what_en=what_en,
        step=step_number,
        member_id=to[0],
        department_code=to[1],
        stage="open",
        asked_by=asked_by,
        asked_at=now,
        territory=case.territory,
    )
    session.add(task)
    session.flush()
    session.add(
        new_clock(
            "subtask",
            limit,
            rules,
            now,
            incident_id=case.id,
            level=case.level,
            territory=case.territory,
            subtask_id=task.id,
        )
    )
    session.flush()
    return task


def advance(step: Step) -> None:
    """Accept, finish, hand back, pass on or cancel a piece of work: the move's own name says which.

    Raises NotFound for a number that is none of this case's, and as `next_subtask_stage` and `_pass_on` do.
    """
    task = step.session.get(Subtask, step.subtask_id or 0, populate_existing=True)
    if task is None or task.incident_id != step.case.id:
        raise NotFound(
            en="The case has no such piece of work.",
            zh="该事件没有这项协办。",
            remedy_en="Reload the case and choose one of its pieces of work.",
            remedy_zh="请刷新事件后再选。",
        )
    task.stage = next_subtask_stage(task, step.move, step.case, step.by)
    if task.stage == "accepted":
        task.accepted_at = step.now
    elif task.stage == "open":
        _pass_on(step, task)
    else:
        _end(step, task)
    step.session.flush()
    step.details |= {"subtask": task.id, "what": task.what, "what_en": task.what_en}
    _tell_pages(step, task)
    if step.move == "assist_cancel" and task.step is None:
        step.notices.append(_notice(step, task, "assist_cancel"))


def cancel_all(step: Step) -> None:
    """The case ends another way: what other forces had still to do is cancelled with it."""
    if step.case.open_subtasks == 0:
        return
    for task in step.session.scalars(
        sa.select(Subtask).where(Subtask.incident_id == step.case.id, Subtask.stage.in_(AT_WORK))
    ):
        task.stage = "cancelled"
        _end(step, task)
        _tell_pages(step, task)
        if task.step is None:
            step.notices.append(_notice(step, task, "assist_cancel"))
    step.session.flush()


def has_steps(session: Session, case_id: int) -> bool:
    """Whether the steps of a staged deadline have been begun."""
    begun = sa.select(Subtask.id).where(Subtask.incident_id == case_id, Subtask.step.is_not(None))
    return session.execute(begun.limit(1)).first() is not None


def move_to(session: Session, case: Incident) -> None:
    """The pieces of work lie where the case lies."""
    session.execute(sa.update(Subtask).where(Subtask.incident_id == case.id).values(territory=case.territory))


def _pass_on(step: Step, task: Subtask) -> None:
    """Another person does it, and its clock goes on as it was, like that of a case that is reassigned.

    Raises Invalid where nobody is named, or whoever has it already.
    """
    successor = member_named(step, step.member_id)
    if successor.id == task.member_id:
        raise Invalid(
            en="They have this piece of work already.",
            zh="这项协办已由该人员承办。",
            remedy_en="Choose somebody else.",
            remedy_zh="请选择其他人员。",
        )
    step.notices.append(_notice(step, task, "assist_cancel"))
    _tell_pages(step, task)
    step.details |= {"from_member": task.member_id, "from_department": task.department_code}
    task.member_id, task.department_code, task.accepted_at = successor.id, None, None
    step.notices.append(_notice(step, task, "assist_asked"))


def _end(step: Step, task: Subtask) -> None:
    task.ended_at, task.reply = step.now, (step.note or "").strip() or None
    step.case.open_subtasks -= 1
    step.clocks.stop_subtask(task.id, step.move)


def _refuse_unknown_department(session: Session, code: str) -> None:
    if session.get(Department, code) is None:
        raise Invalid(
            en=f"There is no department {code}.",
            zh=f"没有部门 {code}。",
            remedy_en="Choose a department of the list.",
            remedy_zh="请从部门列表中选择。",
        )


def _notice(step: Step, task: Subtask, kind: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "member_id": task.member_id,
        "department_code": task.department_code,
        "created_at": step.now,
        "body": {"what": task.what},
    }


def _tell_pages(step: Step, task: Subtask) -> None:
    """Whose open pages hear of the move."""
    if task.member_id is not None:
        step.helpers.setdefault("members", []).append(task.member_id)
    if task.department_code is not None:
        step.helpers.setdefault("departments", []).append(task.department_code)
