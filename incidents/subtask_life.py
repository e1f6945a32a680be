"""The small life of a piece of work given to another force: stages, moves, and by whom. Pure.

open -> accepted -> finished, or handed back, or cancelled; passed on to somebody else it is open again. The
moves are rows of `lifecycle.MOVES`.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from gis.access import Principal
from gis.errors import Conflict, Denied
from incidents.lifecycle import MOVES, CaseLike, in_charge, is_with, speaks_for

STAGES = ("open", "accepted", "finished", "handed_back", "cancelled")
AT_WORK = ("open", "accepted")
"""Stages in which its clock runs and the case waits for it."""


class SubtaskMove(NamedTuple):
    """From which stages to which; `receiver` True: by the force it was given to, False: by who asked."""

    from_stages: tuple[str, ...]
    to_stage: str
    receiver: bool


SUBTASK_MOVES = {
    "assist_accept": SubtaskMove(("open",), "accepted", True),
    "assist_finish": SubtaskMove(AT_WORK, "finished", True),
    "assist_hand_back": SubtaskMove(AT_WORK, "handed_back", True),
    "assist_pass": SubtaskMove(AT_WORK, "open", False),
    "assist_cancel": SubtaskMove(AT_WORK, "cancelled", False),
}
OF_A_STEP = ("assist_finish", "assist_cancel")
"""A step of a staged deadline belongs to whoever has the case: it is neither accepted, handed back nor passed
on."""


class SubtaskLike(Protocol):
    """What of a piece of work, a row or an object, decides what may happen to it."""

    stage: Any
    member_id: Any
    department_code: Any
    step: Any


def is_with_subtask(task: SubtaskLike, case: CaseLike, person: Principal) -> bool:
    """Whether a piece of work is this person's: theirs by name, their department's, or of their case."""
    if task.department_code is not None:
        return person.role == "department_handler" and speaks_for(person, task.department_code)
    if task.member_id is not None:
        return task.member_id == person.member_id
    return is_with(case, person)


def subtask_moves(task: SubtaskLike, case: CaseLike, person: Principal) -> list[str]:
    """The names of the moves a person may make with a piece of work now, the next step first."""
    return [
        name
        for name, move in SUBTASK_MOVES.items()
        if task.stage in move.from_stages
        and case.stage in MOVES[name].from_stages
        and person.role in MOVES[name].roles
        and (task.step is None or name in OF_A_STEP)
        and (is_with_subtask(task, case, person) if move.receiver else in_charge(case, person))
    ]


def next_subtask_stage(task: SubtaskLike, name: str, case: CaseLike, person: Principal) -> str:
    """The stage a piece of work comes to by a move that `lifecycle.next_stage` has let through.

    Raises Conflict where its stage does not allow the move, Denied where it is another force's. Whether the
    person steers the case was asked there already (the fact `in_charge`).
    """
    if name in subtask_moves(task, case, person):
        return SUBTASK_MOVES[name].to_stage
    words = MOVES[name]
    if task.stage not in SUBTASK_MOVES[name].from_stages or (task.step is not None and name not in OF_A_STEP):
        raise Conflict(
            en=f"The move {name} is not possible: the piece of work is {task.stage.replace('_', ' ')}.",
            zh=f"不能办理“{words.zh}”：该协办的状态不允许。",
            remedy_en="Reload the case and see what became of it.",
            remedy_zh="请刷新后查看该协办的情况。",
        )
    raise Denied(
        en=f"The move {name} is for the force the work was given to.",
        zh=f"“{words.zh}”须由承办的力量办理。",
        remedy_en="Ask those it was given to, or the desk.",
        remedy_zh="请联系承办方或值班台。",
    )
