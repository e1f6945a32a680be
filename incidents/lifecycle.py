"""The table of legal moves: what may happen to a case, from which stage, to which, and by whom.

Pure data and pure functions. The workflow obeys this table, the buttons offer it, the API documents it, and
`docs/lifecycle.md` is drawn from it; nothing else decides what may happen next.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from gis.access import DESK_ROLES, Principal
from gis.errors import Conflict, Denied, Invalid
from incidents.incident import ENDED, JOINED, LEVELS

DESK = frozenset(
    {
        "admin",
        "city_officer",
        "district_officer",
        "subdistrict_officer",
        "community_officer",
        "command_operator",
    }
)
"""Roles that sort, send and close."""
FIELD = frozenset({"member", "leader", "police_officer", "property_manager", "building_head"})
"""Roles of a cell's team."""
WORKERS = FIELD | {"department_handler"}
"""Roles a case may be sent to."""
SENDERS = DESK | {"leader"}
CHECKERS = DESK | {"member", "leader", "inspector"}
"""Roles that look whether the work was done."""
SYSTEM = frozenset({"system"})
EVERYBODY = DESK | WORKERS | {"inspector", "analyst", "resident"} | SYSTEM

SAME = "same"
"""The move leaves the stage as it is."""
BEFORE = "before"
"""The move leads back to the stage the case was parked in."""

UNDO_WITHIN = timedelta(minutes=1)
"""How long a dispatch can be taken back as if it had never been."""

OF_THE_REPORTER = frozenset({"appeal", "reopen"})
"""Moves a desk may make with a case it has only reported, wherever it lies."""

ANSWERS = frozenset({"close", "reject", "void", "dismiss"})
"""Moves by which the reporter is answered."""

FACTS = {
    "paused": ("计时已暂停", "the clock is paused"),
    "extension_asked": ("有待批的延期申请", "an extension is asked for"),
    "appealed": ("有待答复的申诉", "an appeal waits for its answer"),
    "just_dispatched": ("派遣不到一分钟且未签收", "dispatched less than a minute ago and not accepted"),
    "top_level": ("已在最高层级", "the case is at the highest level"),
    "elsewhere": ("不在本人辖区", "the case lies outside the person's territory"),
    "in_charge": ("由本人派遣或主办", "the person sends cases or answers for this one"),
    "subtasks_open": ("还有协办未完成", "another force is still at work on it"),
    "depended_on": (
        "有上报并入，或有协办未完成",
        "other reports have joined it, or another force is still at work on it",
    ),
}
"""What may be true of a case besides its stage: name -> words for a person."""


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the table.

    `to_stage` is a stage, SAME or BEFORE. `handler` is True for a move only the person who has the case may
    make, False for one that person must not make, None where it does not matter. `needs` names a fact that
    must be true of the case, `unless` one that must not. The last fields say what the move has to be told.
    """

    zh: str
    en: str
    from_stages: tuple[str, ...]
    to_stage: str
    roles: frozenset[str]
    handler: bool | None = None
    needs: str | None = None
    unless: str | None = None
    needs_note: bool = False
    takes_member: bool = False
    takes_amount: bool = False
    takes_date: bool = False
    takes_place: bool = False
    takes_force: bool = False
    takes_case: bool = False
    of_subtask: bool = False
    """Made with one piece of work of another force: offered beside it, not at the foot of the case."""


_WAITING = ("registered", "dispatched", "handling")
_WORKING = ("dispatched", "handling")
_ALIVE = ("registered", "dispatched", "handling", "handled", "verified")

# fmt: off
MOVES: dict[str, Move] = {
    "report": Move("上报", "Report", (), "reported", EVERYBODY),
    # the next step
    "register": Move("立案", "Register", ("reported",), "registered", DESK),
    "confirm": Move("核实", "Confirm", ("reported",), "registered", CHECKERS),
    "dispatch": Move("派遣", "Dispatch", ("registered",), "dispatched", SENDERS, takes_member=True),
    "accept": Move("签收", "Accept", ("dispatched",), "handling", WORKERS, handler=True),
    "finish": Move("处置完成", "Finish", _WORKING, "handled", WORKERS, handler=True, unless="subtasks_open"),
    "verify": Move("核查", "Verify", ("handled",), "verified", CHECKERS, handler=False),
    "close": Move("结案", "Close", ("verified",), "closed", DESK),
    # answers that are waited for
    "resume": Move("恢复", "Resume", ("parked",), BEFORE, SENDERS),
    "go_on": Move("恢复计时", "Restart the clock", _WORKING, SAME, SENDERS, needs="paused"),
    "grant": Move("准予延期", "Grant the extension", _WORKING, SAME, DESK, needs="extension_asked",
                  takes_amount=True),
    "refuse": Move("不予延期", "Refuse the extension", _WORKING, SAME, DESK, needs="extension_asked",
                   needs_note=True),
    "dismiss": Move("驳回申诉", "Dismiss the appeal", ENDED, SAME, DESK, needs="appealed", needs_note=True),
    "undo": Move("撤销派遣", "Undo the dispatch", ("dispatched",), "registered", SENDERS,
                 needs="just_dispatched"),
    # ways aside
    "rework": Move("返工", "Rework", ("handled", "verified"), "handling", CHECKERS, handler=False,
                   needs_note=True),
    "hand_back": Move("退回", "Hand back", _WORKING, "registered", WORKERS, handler=True, needs_note=True),
    "extend": Move("申请延期", "Ask for an extension", _WORKING, SAME, WORKERS, handler=True,
                   unless="extension_asked", needs_note=True, takes_amount=True),
    "reassign": Move("改派", "Reassign", _WORKING, "dispatched", SENDERS, needs_note=True, takes_member=True),
    "supervise": Move("督办", "Supervise", _ALIVE, SAME, SENDERS | {"inspector"}, needs_note=True),
    "relocate": Move("改位置", "Move the pin", ("reported", *_WAITING), SAME, SENDERS, needs_note=True,
                     takes_place=True),
    "escalate": Move("上报上级", "Escalate", _WAITING, "registered", SENDERS | SYSTEM, unless="top_level",
                     needs_note=True),
    "pause": Move("暂停计时", "Pause the clock", _WORKING, SAME, DESK, unless="paused", needs_note=True),
    "park": Move("挂账", "Park", _WAITING, "parked", SENDERS, needs_note=True, takes_date=True),
    # several forces on one case
    "assist": Move("发起协办", "Ask another force", _WAITING, SAME, SENDERS | WORKERS, needs="in_charge",
                   needs_note=True, takes_force=True),
    "assist_accept": Move("协办签收", "Accept the work", _WAITING, SAME, WORKERS, of_subtask=True),
    "assist_finish": Move("协办完成", "Finish the work", _WAITING, SAME, WORKERS, of_subtask=True),
    "assist_hand_back": Move("协办退回", "Hand the work back", _WAITING, SAME, WORKERS, needs_note=True,
                             of_subtask=True),
    "assist_pass": Move("协办改派", "Pass the work on", (*_WAITING, "parked"), SAME, SENDERS, needs_note=True,
                        takes_member=True, of_subtask=True),
    "assist_cancel": Move("撤销协办", "Cancel the work", (*_WAITING, "parked"), SAME, SENDERS | WORKERS,
                          needs="in_charge", needs_note=True, of_subtask=True),
    # several reports of one thing
    "join": Move("并案", "Join to another report", ("reported", *_WAITING), JOINED, SENDERS,
                 unless="depended_on", takes_case=True),
    "split": Move("拆案", "Take apart again", (JOINED,), BEFORE, SENDERS, needs_note=True),
    # ways out, and back
    "reject": Move("不予立案", "Reject", ("reported",), "rejected", DESK, needs_note=True),
    "void": Move("作废", "Make void", (*_ALIVE, "parked"), "void", DESK, needs_note=True),
    "appeal": Move("申诉", "Appeal", ("closed", "rejected"), SAME, WORKERS | {"resident"}, needs_note=True),
    "reopen": Move("重开", "Reopen", ENDED, "registered", SENDERS | {"resident"}, needs_note=True),
    # what the system tells
    "recompute": Move("时限重算", "Deadline recomputed", ("reported", *_ALIVE, "parked"), SAME, SYSTEM),
    "take_in": Move("并入上报", "A report joined", ("reported", *_ALIVE, "parked"), SAME, SYSTEM),
    "let_go": Move("拆出上报", "A report left", ("reported", *_ALIVE, "parked"), SAME, SYSTEM),
    "redraw": Move("网格调整", "Cells redrawn", ("reported", *_ALIVE, "parked", JOINED), SAME, SYSTEM),
}
# fmt: on
"""The table, in the order a panel offers what is open: the next step first, then the ways aside, then out."""


class CaseLike(Protocol):
    """What of a case, a row or an object, decides what may happen to it."""

    stage: Any
    level: Any
    territory: Any
    member_id: Any
    handler_id: Any
    department_code: Any
    reports: Any
    open_subtasks: Any
    paused_at: Any
    extension_asked: Any
    appealed_at: Any
    dispatched_at: Any
    accepted_at: Any


def is_with(case: CaseLike, person: Principal) -> bool:
    """Whether the case is this person's to handle: theirs by name, or their department's."""
    if person.role == "department_handler" and speaks_for(person, case.department_code):
        return True
    return case.handler_id is not None and case.handler_id == person.member_id


def speaks_for(person: Principal, department: str | None) -> bool:
    """Whether a department's account answers for this department; one that names none answers for all."""
    return department is not None and person.department in (None, department)


def in_charge(case: CaseLike, person: Principal) -> bool:
    """Whether the case is the person's to steer: they send cases, have this one, or received it first."""
    first = case.member_id is not None and case.member_id == person.member_id
    return person.role in SENDERS or first or is_with(case, person)


def facts_of(case: CaseLike, person: Principal, now: datetime) -> frozenset[str]:
    """What is true at `now` besides the stage: of the case, and of the person's standing to it."""
    dispatched_ago = now - case.dispatched_at if case.dispatched_at else None
    held = {
        "paused": case.paused_at is not None,
        "extension_asked": case.extension_asked is not None,
        "appealed": case.appealed_at is not None,
        "just_dispatched": dispatched_ago is not None
        and dispatched_ago <= UNDO_WITHIN
        and case.accepted_at is None,
        "top_level": case.level == LEVELS[-1],
        "elsewhere": person.role in DESK_ROLES
        and not person.covers(case.territory)
        and not is_with(case, person),
        "in_charge": in_charge(case, person),
        "subtasks_open": case.open_subtasks > 0,
        "depended_on": case.reports > 1 or case.open_subtasks > 0,
    }
    return frozenset(name for name, true in held.items() if true)


def open_moves(case: CaseLike, person: Principal, now: datetime) -> list[str]:
    """The names of the moves a person may make with a case now, in the order a panel should offer them."""
    return moves_open_to(
        case.stage, person.role, is_handler=is_with(case, person), facts=facts_of(case, person, now)
    )


def next_stage(
    stage: str | None,
    name: str,
    role: str,
    *,
    is_handler: bool = False,
    facts: Collection[str] = (),
    before: str | None = None,
) -> str:
    """The stage a case comes to by a move.

    `before` is the stage a parked case came from. Raises Invalid for a name that is no move, Denied where
    the role may never make it or the handler would judge their own work, Conflict where the stage or a fact
    does not allow it; the remedy of a Conflict lists what is open.
    """
    move = MOVES.get(name)
    if move is None:
        raise _no_such_move(name)
    if role not in move.roles:
        raise Denied(
            en=f"The role {role} may not make the move {name}.",
            zh=f"角色 {role} 不能办理“{move.zh}”。",
            remedy_en=f"Ask one of: {', '.join(sorted(move.roles))}.",
            remedy_zh="可办理的角色：" + "、".join(sorted(move.roles)) + "。",
        )
    if "elsewhere" in facts and name not in OF_THE_REPORTER:
        raise Denied(
            en="The case lies outside your territory.",
            zh="该事件不在您的辖区内。",
            remedy_en="The desk of its own territory moves it on.",
            remedy_zh="由属地办理。",
        )
    if stage not in (move.from_stages or (None,)):
        raise _not_now(move, name, f"at stage {stage}", f"处于 {stage} 阶段", stage, role, is_handler, facts)
    if move.needs and move.needs not in facts:
        zh, en = FACTS[move.needs]
        raise _not_now(move, name, f"unless {en}", f"须“{zh}”", stage, role, is_handler, facts)
    if move.unless in facts:
        zh, en = FACTS[move.unless or ""]
        raise _not_now(move, name, f"while {en}", f"现“{zh}”", stage, role, is_handler, facts)
    if move.handler is not None and move.handler != is_handler:
        raise _wrong_person(move, name)
    return {SAME: stage or "", BEFORE: before or "registered"}.get(move.to_stage, move.to_stage)


def moves_open_to(
    stage: str, role: str, *, is_handler: bool = False, facts: Collection[str] = ()
) -> list[str]:
    """The names of the moves a role may make now, in the order a panel should offer them."""
    return [
        name
        for name, move in MOVES.items()
        if stage in move.from_stages
        and role in move.roles
        and not move.of_subtask
        and (move.handler is None or move.handler == is_handler)
        and (move.needs is None or move.needs in facts)
        and move.unless not in facts
        and ("elsewhere" not in facts or name in OF_THE_REPORTER)
    ]


def _no_such_move(name: str) -> Invalid:
    return Invalid(
        en=f"There is no move {name}.",
        zh=f"没有动作 {name}。",
        remedy_en="Moves are " + ", ".join(MOVES) + ".",
        remedy_zh="动作有 " + "、".join(MOVES) + "。",
    )


def _wrong_person(move: Move, name: str) -> Denied:
    if move.handler:
        return Denied(
            en=f"Only the person who has the case may make the move {name}.",
            zh=f"“{move.zh}”只能由该事件的处置人办理。",
            remedy_en="Ask them, or have the case reassigned to you.",
            remedy_zh="请联系处置人，或先改派给您。",
        )
    return Denied(
        en=f"Whoever handled the case may not make the move {name}: somebody else judges the work.",
        zh=f"处置人不能办理本人事件的“{move.zh}”，须由他人核查。",
        remedy_en="Ask another member, the cell leader or an inspector.",
        remedy_zh="请由其他网格员、网格长或监督员办理。",
    )


def _not_now(
    move: Move,
    name: str,
    why_en: str,
    why_zh: str,
    stage: str | None,
    role: str,
    is_handler: bool,
    facts: Collection[str],
) -> Conflict:
    still = moves_open_to(stage, role, is_handler=is_handler, facts=facts) if stage else []
    return Conflict(
        en=f"The move {name} is not possible {why_en}.",
        zh=f"不能办理“{move.zh}”：{why_zh}。",
        remedy_en="Open to you now: " + (", ".join(still) or "nothing") + ".",
        remedy_zh="现在可办：" + ("、".join(MOVES[other].zh for other in still) or "无") + "。",
        open=still,
    )
