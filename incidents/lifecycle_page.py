"""The table of moves as a page for people: `python -m incidents.lifecycle_page > docs/lifecycle.md`."""

from __future__ import annotations

from collections.abc import Iterator

from incidents.incident import STAGES
from incidents.lifecycle import BEFORE, DESK, EVERYBODY, FACTS, FIELD, MOVES, SAME, Move
from incidents.subtask_life import SUBTASK_MOVES

STAGE_NAMES = {
    "reported": ("已上报", "reported"),
    "registered": ("已立案", "registered"),
    "dispatched": ("已派遣", "dispatched"),
    "handling": ("处置中", "handling"),
    "handled": ("待核查", "handled"),
    "verified": ("待结案", "verified"),
    "closed": ("已结案", "closed"),
    "rejected": ("不予立案", "rejected"),
    "parked": ("挂账", "parked"),
    "void": ("已作废", "void"),
    "joined": ("已并案", "joined"),
}

BACK_FROM = {"resume": "park", "split": "join"}
"""A move that leads back -> the one that led aside."""

GROUPS = {"everybody": EVERYBODY, "the desk": DESK, "the cell's team": FIELD}


def diagram() -> str:
    """The moves that change the stage, as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    lines += [f"    {stage}: {STAGE_NAMES[stage][0]} {stage}" for stage in STAGES]
    arrows: dict[tuple[str, str], list[str]] = {}
    for name, move in MOVES.items():
        for start, end in _arrows(name, move):
            arrows.setdefault((start, end), []).append(f"{move.zh} {name}")
    lines += [f"    {start} --> {end}: {'<br/>'.join(names)}" for (start, end), names in arrows.items()]
    return "\n".join(lines)


def _arrows(name: str, move: Move) -> Iterator[tuple[str, str]]:
    """(from, to) of a move, for the starts from which it leads anywhere else."""
    if not move.from_stages:
        yield "[*]", move.to_stage
    ends = MOVES[BACK_FROM[name]].from_stages if move.to_stage == BEFORE else (move.to_stage,)
    for start in move.from_stages:
        for end in ends:
            if end not in (SAME, start):
                yield start, end


def table() -> str:
    """Every row of the table, in the order a panel offers the moves."""
    lines = [
        "| move | 动作 | from | to | who | asks for | only if |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, move in MOVES.items():
        cells = (name, move.zh, _from(move), _to(move), _who(move), _asks(move), _only_if(move))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _from(move: Move) -> str:
    return ", ".join(move.from_stages) or "nothing yet"


def _to(move: Move) -> str:
    return {SAME: "stays", BEFORE: "where it was before"}.get(move.to_stage, move.to_stage)


def _who(move: Move) -> str:
    """The roles, told by group where the whole group may."""
    left, told = set(move.roles), []
    for name, roles in GROUPS.items():
        if roles <= left:
            told.append(name)
            left -= roles
    standing = {True: "who has it: ", False: "anybody else of: ", None: ""}[move.handler]
    return standing + ", ".join([*told, *sorted(left)])


def _asks(move: Move) -> str:
    asked = {
        "a reason": move.needs_note,
        "a person": move.takes_member,
        "an amount of time": move.takes_amount,
        "a day": move.takes_date,
        "a place": move.takes_place,
        "a person or a department": move.takes_force,
        "another case": move.takes_case,
        "a piece of work": move.of_subtask,
    }
    return ", ".join(what for what, wanted in asked.items() if wanted)


def _only_if(move: Move) -> str:
    needs = FACTS[move.needs][1] if move.needs else ""
    unless = f"not: {FACTS[move.unless][1]}" if move.unless else ""
    return needs or unless


def subtask_table() -> str:
    """What may become of a piece of work given to another force."""
    lines = ["| move | 动作 | from | to | who |", "|---|---|---|---|---|"]
    for name, move in SUBTASK_MOVES.items():
        who = "the force it was given to" if move.receiver else "who is in charge of the case"
        cells = (name, MOVES[name].zh, ", ".join(move.from_stages), move.to_stage, who)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page() -> str:
    """The whole page."""
    return f"""# The life of an incident 事件的一生

Written from `incidents/lifecycle.py` by `python -m incidents.lifecycle_page`; do not edit it by hand. The
same table decides what the workflow allows, which buttons a panel shows and what the API answers.

```mermaid
{diagram()}
```

## Every move 全部动作

The desk: {", ".join(sorted(DESK))}. The cell's team: {", ".join(sorted(FIELD))}.

{table()}

## A piece of work of another force 协办

A case is finished by whoever has it, once no other force is at work on it any more. Each piece of work has
its own clock. The steps of a staged deadline are pieces of work of whoever has the case; they are neither
accepted nor handed back.

{subtask_table()}
"""


if __name__ == "__main__":
    print(page(), end="")
