"""Who is that now? From the roster of an instant to the person who receives, and the one who handles.

The receiver is the first who is there of: the ground's member, whoever stands in for them, the ground's
leader (or their stand-in), the subdistrict's duty officer (or theirs). The chain is data, `CHAIN`, and the
same one tells where nobody at all would be there (`grids.duty_check`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gis.access import CODE_WIDTHS
from gis.masking import mask_name
from grids.reasons import POST_NAMES, Trace
from grids.roster import Holder, Roster, Someone

CHAIN = ("member", "leader", "subdistrict_duty_officer")
"""The posts that receive, in order."""

_ABSENT = {
    "leave": ("请假", "on leave"),
    "switch": ("已签退", "signed off"),
    "off_shift": ("不在班次", "off shift"),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the roster. `phone` is masked already."""

    id: int
    name: str
    post: str
    ground: str
    on_duty: bool
    phone: str | None = None
    stand_in_for: int | None = None

    @property
    def shown_name(self) -> str:
        """The name as shown in a sentence: surname and crosses (design: 王××)."""
        return mask_name(self.name)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One person in line for a post. `why` is on_duty, leave, switch or off_shift."""

    person: Person
    why: str


def grounds_of(code: str | None, territory: str | None) -> tuple[str, ...]:
    """The grounds whose posts answer for a cell, most precise first: the cell, the social cell beneath a
    special one, and the subdistrict."""
    territory = territory or ""
    beneath = territory if len(territory) == CODE_WIDTHS["cell"] else None
    subdistrict = territory[: CODE_WIDTHS["subdistrict"]]
    return tuple(dict.fromkeys(g for g in (code, beneath, subdistrict) if g))


def first_receiver(roster: Roster, grounds: Sequence[str], at: datetime, trace: Trace) -> Person | None:
    """Who receives for a ground at `at`, telling the trace of everybody passed over.

    When nobody at all is on duty the first in line is named all the same, and the trace says so: a case
    without a person is worse than a case that waits for one.
    """
    fallback = None
    for candidate in _in_line(roster, grounds, at):
        _tell(candidate, trace)
        if candidate.person.on_duty:
            return candidate.person
        fallback = fallback or candidate.person
    if fallback is None:
        trace.note("roster", "这片地没有排任何人。", "Nobody holds a post here.")
    else:
        trace.note("roster", "无人值班，先记在名下。", "Nobody is on duty; it is kept in their name.")
    return fallback


def handler(
    roster: Roster,
    grounds: Sequence[str],
    role: str | None,
    department: str | None,
    at: datetime,
    trace: Trace,
) -> Person | None:
    """Who does the work where the category belongs to another post (decision 7); None: whoever receives."""
    person = None
    if role and role != "member":
        candidates = [c for ground in grounds for c in _candidates(roster, ground, role, at)]
        person = next((c.person for c in candidates if c.person.on_duty), None)
        if person:
            zh, en = POST_NAMES[role]
            trace.note(
                "category",
                f"此类别由{zh} {person.shown_name} 处置。",
                f"This category is handled by the {en}, {person.shown_name}.",
            )
    if department and person is None:
        trace.note("category", f"责任部门：{department}。", f"Responsible department: {department}.")
    return person


def building_head(
    roster: Roster, at: datetime, trace: Trace, *, unit: str | None = None, floor: int | None = None
) -> Person | None:
    """The head of the building the roster was loaded for, on duty or not.

    Of several the one whose part of the building the door lies in, the smallest part first. Of a door whose
    unit or floor is not told whoever has the whole building is the head; where nobody has, one of the others.
    """
    heads = [h for h in roster.holders if h.post == "building_head" and h.stand_in_for is None]
    fitting = [head for head in heads if head.holds_door(unit, floor)]
    if not fitting:
        return None
    holder = max(fitting, key=lambda head: head.nearness(unit, floor))
    head = next(_line_of(roster, holder, at)).person
    trace.note(
        "building_head", f"楼栋长 {head.shown_name} 协同。", f"Building head {head.shown_name} is told."
    )
    return head


def considered(roster: Roster, grounds: Sequence[str], at: datetime) -> list[dict[str, Any]]:
    """The snapshot kept with the decision: everybody in line for any post of these grounds, and why not."""
    posts = dict.fromkeys((*CHAIN, *POST_NAMES))
    lines = (c for ground in grounds for post in posts for c in _candidates(roster, ground, post, at))
    return [
        {
            "member_id": c.person.id,
            "name": c.person.shown_name,
            "post": c.person.post,
            "ground": c.person.ground,
            "on_duty": c.person.on_duty,
            "why": c.why,
            "stand_in_for": c.person.stand_in_for,
        }
        for c in lines
    ]


def _in_line(roster: Roster, grounds: Sequence[str], at: datetime) -> Iterator[Candidate]:
    for post in CHAIN:
        for ground in grounds:
            yield from _candidates(roster, ground, post, at)


def _candidates(roster: Roster, ground: str, post: str, at: datetime) -> Iterator[Candidate]:
    """Holders of a post on a ground, those who are there first, each followed by their stand-ins."""
    lines = [list(_line_of(roster, holder, at)) for holder in roster.of(ground, post)]
    lines.sort(key=lambda line: not line[0].person.on_duty)
    for line in lines:
        yield from line


def _line_of(roster: Roster, holder: Holder, at: datetime) -> Iterator[Candidate]:
    """One holder and, while their hours run and they are away, the chain of those standing in."""
    yield _candidate(roster, roster.people[holder.member_id], holder, at)
    if roster.on_shift(holder, at):
        for person in roster.stand_ins(holder, at):
            yield _candidate(roster, person, holder, at)


def _candidate(roster: Roster, someone: Someone, holder: Holder, at: datetime) -> Candidate:
    why = roster.why(holder, someone.id, at)
    person = Person(
        someone.id,
        someone.name,
        holder.post,
        holder.ground,
        why == "on_duty",
        someone.phone,
        None if someone.id == holder.member_id else holder.member_id,
    )
    return Candidate(person, why)


def _tell(candidate: Candidate, trace: Trace) -> None:
    person = candidate.person
    zh, en = POST_NAMES[person.post]
    as_zh, as_en = ("代班", "the stand-in") if person.stand_in_for else (zh, f"the {en}")
    if person.on_duty:
        trace.note(
            "roster", f"{as_zh} {person.shown_name} 正在值班。", f"{person.shown_name}, {as_en}, is on duty."
        )
        return
    because_zh, because_en = _ABSENT[candidate.why]
    trace.note(
        "roster",
        f"{as_zh} {person.shown_name} 不在岗（{because_zh}）。",
        f"{person.shown_name}, {as_en}, is off duty ({because_en}).",
    )
