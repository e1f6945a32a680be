"""The table of legal moves: what may happen to a case, from which stage, to which, and by whom.

Pure data and pure functions. The workflow obeys this table, the buttons offer it, the API documents it, and
`docs/lifecycle.md` is drawn from it; nothing else decides what may happen next.
"""

from __future__ import annotations

from dataclasses import dataclass

from gis.errors import Conflict, Denied, Invalid
from incidents.incident import ENDED, STAGES

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
CHECKERS = DESK | {"member", "leader", "inspector"}
"""Roles that look whether the work was done."""
EVERYBODY = DESK | WORKERS | {"inspector", "analyst", "resident", "system"}

OPEN = tuple(stage for stage in STAGES if stage not in ENDED)

SAME = "same"
"""The move leaves the stage as it is."""
BEFORE = "before"
"""The move leads back to the stage the case was parked in."""


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the table.

    `to_stage` is a stage, SAME or BEFORE. `handler` is True for a move only the person who has the case may
    make, False for one that person must not make, None where it does not matter. `needs` names a fact the
    case must show besides its stage (`Facts`).
    """

    zh: str
    en: str
    from_stages: tuple[str, ...]
    to_stage: str
    roles: frozenset[str]
    handler: bool | None = None
    needs: str | None = None
    needs_note: bool = False
    takes_member: bool = False


MOVES: dict[str, Move] = {
    "report": Move("上报", "Report", (), "reported", EVERYBODY),
    "register": Move("立案", "Register", ("reported",), "registered", DESK),
    "confirm": Move("核实", "Confirm", ("reported",), "registered", CHECKERS),
    "dispatch": Move("派遣", "Dispatch", ("registered",), "dispatched", DESK | {"leader"}, takes_member=True),
    "accept": Move("签收", "Accept", ("dispatched",), "handling", WORKERS, handler=True),
    "finish": Move("处置完成", "Finish", ("dispatched", "handling"), "handled", WORKERS, handler=True),
    "verify": Move("核查", "Verify", ("handled",), "verified", CHECKERS, handler=False),
    "close": Move("结案", "Close", ("verified",), "closed", DESK),
    "resume": Move("恢复", "Resume", ("parked",), BEFORE, DESK | {"leader"}),
    "rework": Move(
        "返工", "Rework", ("handled", "verified"), "handling", CHECKERS, handler=False, needs_note=True
    ),
    "hand_back": Move(
        "退回", "Hand back", ("dispatched", "handling"), "registered", WORKERS, handler=True, needs_note=True
    ),
    "supervise": Move(
        "督办",
        "Supervise",
        ("registered", "dispatched", "handling", "handled", "verified"),
        SAME,
        DESK | {"leader", "inspector"},
        needs_note=True,
    ),
    "extend": Move(
        "延期", "Extend", ("dispatched", "handling"), SAME, WORKERS, handler=True, needs_note=True
    ),
    "park": Move(
        "挂账", "Park", ("registered", "dispatched", "handling"), "parked", DESK | {"leader"}, needs_note=True
    ),
    "reject": Move("不予立案", "Reject", ("reported",), "rejected", DESK, needs_note=True),
    "void": Move(
        "作废", "Make void", tuple(s for s in OPEN if s != "reported"), "void", DESK, needs_note=True
    ),
    "appeal": Move("申诉", "Appeal", ("closed", "rejected"), SAME, WORKERS | {"resident"}, needs_note=True),
    "reopen": Move("重开", "Reopen", ENDED, "registered", DESK | {"leader", "resident"}, needs_note=True),
}
"""The table, in the order a panel offers what is open: the next step first, then the ways aside, then out."""


def next_stage(
    stage: str | None,
    name: str,
    role: str,
    *,
    is_handler: bool = False,
    before: str | None = None,
) -> str:
    """The stage a case comes to by a move.

    `before` is the stage a parked case came from. Raises Invalid for a name that is no move, Denied where
    the role may never make it or the handler would judge their own work, Conflict where the stage does not
    allow it; the remedy of a Conflict lists what is open.
    """
    move = MOVES.get(name)
    if move is None:
        raise _no_such_move(name)
    if role not in move.roles:
        raise _denied(
            f"The role {role} may not make the move {name}.",
            f"角色 {role} 不能办理“{move.zh}”。",
            f"Ask one of: {', '.join(sorted(move.roles))}.",
            "可办理的角色：" + "、".join(sorted(move.roles)) + "。",
        )
    if stage not in move.from_stages and not (stage is None and not move.from_stages):
        raise _conflict(stage, name, role, is_handler)
    if move.handler is True and not is_handler:
        raise _denied(
            f"Only the person who has the case may make the move {name}.",
            f"“{move.zh}”只能由该事件的处置人办理。",
            "Ask them, or have the case dispatched to you.",
            "请联系处置人，或先改派给您。",
        )
    if move.handler is False and is_handler:
        raise _denied(
            f"The person who handled the case may not make the move {name}: somebody else judges the work.",
            f"处置人不能办理本人事件的“{move.zh}”，须由他人核查。",
            "Ask another member, the cell leader or an inspector.",
            "请由其他网格员、网格长或监督员办理。",
        )
    return _arrival(move, stage, before)


def moves_open_to(stage: str, role: str, *, is_handler: bool = False) -> list[str]:
    """The names of the moves a role may make now, in the order a panel should offer them."""
    return [
        name
        for name, move in MOVES.items()
        if stage in move.from_stages
        and role in move.roles
        and (move.handler is None or move.handler == is_handler)
    ]


def _arrival(move: Move, stage: str | None, before: str | None) -> str:
    if move.to_stage == SAME:
        return stage or ""
    if move.to_stage == BEFORE:
        return before or "registered"
    return move.to_stage


def _no_such_move(name: str) -> Invalid:
    return Invalid(
        en=f"There is no move {name}.",
        zh=f"没有动作 {name}。",
        remedy_en="Moves are " + ", ".join(MOVES) + ".",
        remedy_zh="动作有 " + "、".join(MOVES) + "。",
    )


def _denied(en: str, zh: str, remedy_en: str, remedy_zh: str) -> Denied:
    return Denied(en=en, zh=zh, remedy_en=remedy_en, remedy_zh=remedy_zh)


def _conflict(stage: str | None, name: str, role: str, is_handler: bool) -> Conflict:
    still = moves_open_to(stage, role, is_handler=is_handler) if stage else []
    return Conflict(
        en=f"A case at stage {stage} cannot make the move {name}.",
        zh=f"处于“{stage}”阶段的事件不能办理“{MOVES[name].zh}”。",
        remedy_en="Open to you now: " + (", ".join(still) or "nothing") + ".",
        remedy_zh="现在可办：" + ("、".join(MOVES[m].zh for m in still) or "无") + "。",
        open=still,
    )
