"""Reading pieces of work: those of a case, and those that wait for a person or a department."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import Principal, prefix_range
from gis.masking import mask_name
from incidents.subtask_life import AT_WORK, is_with_subtask, subtask_moves


@dataclass(frozen=True, slots=True)
class SubtaskRow:
    """One piece of work with its clock, and what the person asking may do with it; `who` is masked."""

    id: int
    incident_id: int
    what: str
    what_en: str | None
    step: int | None
    stage: str
    member_id: int | None
    who: str | None
    role: str | None
    department_code: str | None
    department_zh: str | None
    department_en: str | None
    asked_by: str
    asked_at: datetime
    accepted_at: datetime | None
    ended_at: datetime | None
    reply: str | None
    clock: str
    due_at: datetime | None
    due_soon_at: datetime | None
    words_zh: str | None
    words_en: str | None
    mine: bool
    moves: list[str]


_CLOCK = f"""
    CASE WHEN s.stage NOT IN {AT_WORK} THEN 'closed'
         WHEN i.paused_at IS NOT NULL THEN 'paused'
         WHEN c.due_at < :now THEN 'overdue'
         WHEN c.due_soon_at <= :now THEN 'due_soon'
         ELSE 'in_time' END"""
"""The state at :now of the clock `c` of a piece of work `s` of the case `i`."""

_ROWS = sa.text(
    f"""
    SELECT s.id, s.incident_id, s.what, s.what_en, s.step, s.stage, s.member_id, m.name AS who, m.role,
           s.department_code, d.name_zh AS department_zh, d.name_en AS department_en, s.asked_by, s.asked_at,
           s.accepted_at, s.ended_at, s.reply, {_CLOCK} AS clock, c.due_at, c.due_soon_at,
           c.words_zh, c.words_en
    FROM subtask AS s
    JOIN incident AS i ON i.id = s.incident_id
    LEFT JOIN case_clock AS c ON c.subtask_id = s.id
    LEFT JOIN member AS m ON m.id = s.member_id
    LEFT JOIN department AS d ON d.code = s.department_code
    WHERE s.incident_id = ANY(:cases) ORDER BY s.step NULLS LAST, s.id
    """
)


def subtasks_of(
    session: Session, cases: Sequence[Any], *, by: Principal, now: datetime
) -> dict[int, list[SubtaskRow]]:
    """The pieces of work of some cases by the case's id: steps in their order, then the others, oldest first.

    A case is anything with an `id` that `lifecycle.CaseLike` describes; the caller has made sure that the
    person may see it.
    """
    known = {case.id: case for case in cases}
    found: dict[int, list[SubtaskRow]] = {case_id: [] for case_id in known}
    for row in session.execute(_ROWS, {"cases": list(known), "now": now}):
        case = known[row.incident_id]
        values = row._asdict() | {
            "who": mask_name(row.who) if row.who else None,
            "asked_by": mask_name(row.asked_by),
            "mine": is_with_subtask(row, case, by),
            "moves": subtask_moves(row, case, by),
        }
        found[row.incident_id].append(SubtaskRow(**values))
    return found


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of work with what its receiver must know of the case; `version` is the case's."""

    task: SubtaskRow
    number: str
    title: str
    category_zh: str
    category_en: str
    icon: str
    place: str | None
    floor: int | None
    unit: str | None
    room: str | None
    version: int
    lon: float
    lat: float


_WORK = sa.text(
    f"""
    SELECT i.id, i.stage, i.member_id, i.handler_id, i.department_code, i.version, i.number, i.title, i.place,
           i.floor, i.unit, i.room, k.name_zh AS category_zh, k.name_en AS category_en, k.icon,
           ST_X(i.geom) AS lon, ST_Y(i.geom) AS lat
    FROM incident AS i JOIN category AS k ON k.code = i.category
    WHERE i.id = ANY(ARRAY(
        SELECT s.incident_id FROM subtask AS s
        WHERE s.stage IN {AT_WORK}
          AND (s.member_id = :member
               OR (:department_role AND s.department_code IS NOT NULL
                   AND s.territory >= :low AND s.territory < :high
                   AND (CAST(:department AS text) IS NULL OR s.department_code = :department)))))
    """
)


def work_of(session: Session, *, by: Principal, now: datetime) -> list[Work]:
    """What the person, or their department on its ground, was asked to do and has not done, by deadline.

    The steps of a staged deadline are not among it: they show with the case they belong to.
    """
    low, high = prefix_range(by.territory or "")
    cases = session.execute(
        _WORK,
        {
            "member": by.member_id,
            "department_role": by.role == "department_handler" and by.territory is not None,
            "department": by.department,
            "low": low,
            "high": high,
        },
    ).all()
    tasks = subtasks_of(session, cases, by=by, now=now)
    shown = [field.name for field in fields(Work) if field.name != "task"]
    found = [
        Work(task=task, **{name: getattr(case, name) for name in shown})
        for case in cases
        for task in tasks[case.id]
        if task.mine and task.step is None and task.stage in AT_WORK
    ]
    return sorted(found, key=lambda work: (work.task.due_at is None, work.task.due_at, work.task.id))
