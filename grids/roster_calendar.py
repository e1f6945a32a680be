"""The roster as a calendar: for every post of a subdistrict, who is there in each stretch of some days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import CODE_WIDTHS, Principal, prefix_range
from gis.errors import NotFound
from grids.duty_check import Hole, holes
from grids.roster import CITY_ZONE, Holder, Roster, load
from grids.spans import Spans


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a post's hours. `name` (masked) is the one who is there; None is a hole.

    `stands_in_for` names the holder where somebody else is there for them.
    """

    starts_at: datetime
    ends_at: datetime
    member_id: int | None
    name: str | None
    stands_in_for: str | None = None


@dataclass(frozen=True, slots=True)
class PostLine:
    """One duty of one person on one ground, with its stretches; `name` is masked."""

    duty_id: int
    post: str
    member_id: int
    name: str
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class GroundLines:
    """One ground: a cell of the subdistrict, or the subdistrict itself."""

    code: str
    name: str
    lines: tuple[PostLine, ...]


@dataclass(frozen=True, slots=True)
class RosterCalendar:
    """A subdistrict's roster over some days, and the holes in it."""

    subdistrict: str
    name: str
    grounds: tuple[GroundLines, ...]
    holes: tuple[Hole, ...]


_GROUNDS = sa.text(
    """
    SELECT code, name FROM area WHERE level = 'subdistrict' AND code = :code
    UNION ALL
    SELECT c.code, c.name FROM cell AS c JOIN generation AS g ON g.name = c.generation
    WHERE g.status = 'active' AND c.kind = 'social' AND c.code >= :low AND c.code < :high
    ORDER BY 1
    """
)


def roster_calendar(
    session: Session,
    subdistrict: str,
    since: datetime,
    until: datetime,
    *,
    by: Principal,
    zone: ZoneInfo = CITY_ZONE,
) -> RosterCalendar:
    """The posts of a subdistrict and its cells over [since, until), but for building heads.

    Raises NotFound for a subdistrict that is unknown or not on the person's ground, Invalid for a window that
    is empty or longer than a quarter.
    """
    low, high = prefix_range(subdistrict)
    grounds = session.execute(_GROUNDS, {"code": subdistrict, "low": low, "high": high}).all()
    known = bool(grounds) and grounds[0][0] == subdistrict
    if not known or len(subdistrict) != CODE_WIDTHS["subdistrict"] or not _may_see(by, subdistrict):
        raise NotFound(
            en=f"There is no subdistrict {subdistrict} on your ground.",
            zh=f"您的辖区内没有街道 {subdistrict}。",
            remedy_en="Choose a subdistrict of your own ground.",
            remedy_zh="请选择本辖区的街道。",
        )
    found = holes(session, since, until, subdistrict, zone=zone)
    window = Spans.of([(since, until)])
    roster = load(session, [code for code, _ in grounds], window, zone=zone)
    return RosterCalendar(
        subdistrict,
        grounds[0][1],
        tuple(GroundLines(code, name, tuple(_lines(roster, code, window))) for code, name in grounds),
        tuple(found),
    )


def subdistricts_of(session: Session, by: Principal) -> Sequence[tuple[str, str]]:
    """(code, name) of the subdistricts whose roster a person may see."""
    rows = session.execute(
        sa.text("SELECT code, name FROM area WHERE level = 'subdistrict' ORDER BY code")
    ).all()
    return [(code, name) for code, name in rows if _may_see(by, code)]


def _may_see(by: Principal, subdistrict: str) -> bool:
    """An office above the subdistrict or of it; offices below see the subdistrict they belong to."""
    return by.sees_territory and (by.covers(subdistrict) or (by.territory or "").startswith(subdistrict))


def _lines(roster: Roster, ground: str, window: Spans) -> Iterator[PostLine]:
    for holder in roster.holders:
        if holder.ground == ground and holder.stand_in_for is None:
            person = roster.people[holder.member_id]
            stretches = tuple(_stretches(roster, holder, window))
            yield PostLine(holder.duty_id, holder.post, person.id, person.shown_name, stretches)


def _stretches(roster: Roster, holder: Holder, window: Spans) -> list[Stretch]:
    """The hours of a duty by who is there, neighbouring pieces with the same answer as one."""
    holder_name = roster.people[holder.member_id].shown_name
    found: list[Stretch] = []
    for start, end in roster.pieces(holder, window):
        there = roster.who_is_there(holder, start)
        who = None if there is None else there.id
        if found and found[-1].ends_at == start and found[-1].member_id == who:
            found[-1] = replace(found[-1], ends_at=end)
            continue
        stands_in_for = holder_name if there is not None and who != holder.member_id else None
        found.append(Stretch(start, end, who, None if there is None else there.shown_name, stands_in_for))
    return found
