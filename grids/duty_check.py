"""Holes in the roster, found before an incident falls into one: which ground, which post, from when to when.

Three kinds, by interval arithmetic over `grids.roster`, exact to the microsecond:

    vacant   nobody holds the post at all
    away     the post is rostered, but its holder is on leave and nobody stands in
    nobody   neither member, leader nor the subdistrict's duty officer is there: a case would find no one

Hours in which a post is simply not rostered (a member's night) are no hole of that post as long as somebody
along the chain is there; if not, they are holes of the kind `nobody`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import CODE_WIDTHS, prefix_range
from gis.errors import Invalid
from grids.receivers import CHAIN
from grids.roster import CITY_ZONE, Roster, load
from grids.spans import Spans

REQUIRED_POSTS = {
    "cell": ("member", "leader", "police_officer", "property_manager"),
    "subdistrict": ("subdistrict_duty_officer",),
}
"""The posts every ground of a level must have filled: 1 + 1 + 1 of a cell (its building heads are N)."""

LONGEST_DAYS = 92


@dataclass(frozen=True, slots=True)
class Hole:
    """One hole. `post` is None for the kind `nobody`; `members` are those away, masked."""

    kind: str
    ground: str
    ground_name: str
    post: str | None
    starts_at: datetime
    ends_at: datetime
    members: tuple[str, ...] = ()


_GROUNDS = sa.text(
    """
    SELECT 'cell' AS level, c.code, c.name FROM cell AS c JOIN generation AS g ON g.name = c.generation
    WHERE g.status = 'active' AND c.kind = 'social' AND c.code >= :low AND c.code < :high
    UNION ALL
    SELECT 'subdistrict', code, name FROM area WHERE level = 'subdistrict' AND code >= :low AND code < :high
    ORDER BY 2
    """
)


def holes(
    session: Session, since: datetime, until: datetime, territory: str = "", *, zone: ZoneInfo = CITY_ZONE
) -> list[Hole]:
    """Every hole of the grounds under a territory code in [since, until), in order of time.

    Raises Invalid for an empty window or one longer than a quarter.
    """
    if not since < until or (until - since).days > LONGEST_DAYS:
        raise Invalid(
            en=f"The days to check must be 1 to {LONGEST_DAYS}.",
            zh=f"检查的时段须为 1 至 {LONGEST_DAYS} 天。",
            remedy_en="Choose an end after the start, within a quarter.",
            remedy_zh="请把结束定在开始之后、一个季度以内。",
        )
    low, high = prefix_range(territory)
    grounds = session.execute(_GROUNDS, {"low": low, "high": high}).all()
    codes = {code for _, code, _ in grounds} | {code[: CODE_WIDTHS["subdistrict"]] for _, code, _ in grounds}
    window = Spans.of([(since, until)])
    roster = load(session, sorted(codes), window, zone=zone)
    found = [hole for level, code, name in grounds for hole in _holes_of(roster, level, code, name, window)]
    return sorted(found, key=lambda hole: (hole.starts_at, hole.ground, hole.post or ""))


def _holes_of(roster: Roster, level: str, ground: str, name: str, window: Spans) -> Iterator[Hole]:
    for post in REQUIRED_POSTS[level]:
        holders = roster.of(ground, post)
        assigned = Spans.union(roster.term(holder, window) for holder in holders)
        rostered = Spans.union(roster.hours(holder, window) for holder in holders)
        for start, end in window - assigned:
            yield Hole("vacant", ground, name, post, start, end)
        for start, end in rostered - filled(roster, ground, post, window):
            members = tuple(
                roster.people[h.member_id].shown_name for h in holders if roster.on_shift(h, start)
            )
            yield Hole("away", ground, name, post, start, end, members)
    for start, end in window - reachable(roster, ground, window):
        yield Hole("nobody", ground, name, None, start, end)


def filled(roster: Roster, ground: str, post: str, window: Spans) -> Spans:
    """When somebody is there for a post, in person or standing in."""
    return Spans.union(roster.held(holder, window) for holder in roster.of(ground, post))


def reachable(roster: Roster, ground: str, window: Spans) -> Spans:
    """When anybody along the chain of receivers is there for a ground."""
    grounds = {ground, ground[: CODE_WIDTHS["subdistrict"]]}
    return Spans.union(filled(roster, where, post, window) for post in CHAIN for where in grounds)
