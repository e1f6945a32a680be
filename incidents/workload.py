"""Who has how much on their hands, shown where one more is given out: each member's open cases, and what they
were asked to do on other people's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from grids.duties import team
from incidents.case_rows import CLOCK_SQL


@dataclass(frozen=True, slots=True)
class Load:
    """Open cases and pieces of work a member has now; `due_soon`, `overdue` and `paused` are parts of `open`,
    and so are `assists`: the pieces of work on other people's cases."""

    open: int = 0
    due_soon: int = 0
    overdue: int = 0
    paused: int = 0
    assists: int = 0


_LOADS = sa.text(
    f"""
    SELECT member_id, count(*), count(*) FILTER (WHERE clock = 'due_soon'),
           count(*) FILTER (WHERE clock = 'overdue'), count(*) FILTER (WHERE clock = 'paused'),
           count(*) FILTER (WHERE assists)
    FROM (SELECT i.member_id, i.assists, {CLOCK_SQL} AS clock FROM open_work_of(:members) AS i) AS theirs
    GROUP BY member_id
    """
)
"""How laden somebody is counts whoever's ground the work lies on (`api.migrations.functions`)."""


def loads(session: Session, members: Iterable[int], *, now: datetime) -> dict[int, Load]:
    """The load of each of these members; those with nothing to do are there with zeros."""
    wanted = list(members)
    rows = session.execute(_LOADS, {"members": wanted, "now": now})
    return {member: Load() for member in wanted} | {row[0]: Load(*row[1:]) for row in rows}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody a case may be given to. `name` is masked; `why` is on_duty, off_shift, leave or switch."""

    member_id: int
    name: str
    post: str
    on_duty: bool
    why: str
    stand_in: str | None
    proposed: bool
    load: Load


def candidates(
    session: Session, cell_code: str | None, proposed_id: int | None, *, now: datetime, zone: ZoneInfo
) -> list[Candidate]:
    """The team of a cell to choose from: whom the routing proposed first, then those on duty with the least
    to do. A member of several posts is there once, under the first by rank."""
    posts = team(session, cell_code, at=now, zone=zone) if cell_code else []
    first = {post.member_id: post for post in reversed(posts)}
    weights = loads(session, first, now=now)
    found = [
        Candidate(
            member_id=member,
            name=post.name,
            post=post.post,
            on_duty=post.on_duty,
            why=post.why,
            stand_in=post.stand_in,
            proposed=member == proposed_id,
            load=weights[member],
        )
        for member, post in first.items()
    ]
    return sorted(
        found, key=lambda c: (not c.proposed, not c.on_duty, c.load.overdue, c.load.open, c.member_id)
    )
