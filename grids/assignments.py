"""A post is given to somebody, and ended: how a vacancy in the roster is filled.

An assignment begins now or later, never in the past: who answered for a report then is on record, and stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import Principal, prefix_range
from gis.errors import Conflict, Invalid, NotFound
from gis.masking import mask_name
from grids.duties import Duty, keeps_the_roster, own_duty
from grids.duty_check import REQUIRED_POSTS
from grids.members import Member


@dataclass(frozen=True, slots=True)
class Assignable:
    """Somebody who may be given a post: masked, with their role and how many posts they hold already."""

    member_id: int
    name: str
    role: str
    ground: str
    posts: int


_ASSIGNABLE = sa.text(
    """
    SELECT m.id, m.name, m.role, coalesce(c.name, a.name, m.territory), count(d.id)
    FROM member AS m
    LEFT JOIN generation AS g ON g.status = 'active'
    LEFT JOIN cell AS c ON c.generation = g.name AND c.kind = 'social' AND c.code = m.territory
    LEFT JOIN area AS a ON a.code = m.territory
    LEFT JOIN duty AS d
        ON d.member_id = m.id AND d.starts_at <= :now AND (d.ends_at IS NULL OR d.ends_at > :now)
    WHERE m.territory >= :low AND m.territory < :high AND m.anonymised_at IS NULL AND m.role = ANY(:roles)
    GROUP BY m.id, m.name, m.role, m.territory, c.name, a.name
    ORDER BY m.role, m.territory, m.id
    """
)
_ROLES = sorted({post for posts in REQUIRED_POSTS.values() for post in posts})


def assignable(session: Session, territory: str, *, now: datetime) -> list[Assignable]:
    """Everybody of a territory whose trade is one of the required posts, by role and ground."""
    low, high = prefix_range(territory)
    rows = session.execute(_ASSIGNABLE, {"low": low, "high": high, "now": now, "roles": _ROLES})
    return [Assignable(member, mask_name(name), role, ground, n) for member, name, role, ground, n in rows]


def assign(
    session: Session,
    post: str,
    ground: str,
    member_id: int,
    *,
    by: Principal,
    now: datetime,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Duty:
    """Give a post of a ground to somebody, from now or from `starts_at` on, around the clock.

    Raises Denied for a role that keeps no roster; NotFound for a ground that is not one's own or not in
    force, and for an unknown person; Invalid for a post that such a ground does not have, a start in the past
    or an end before the start; Conflict when the person holds the post in that time already.
    """
    keeps_the_roster(by)
    level = _level(session, ground, by)
    starts = starts_at or now
    if post not in REQUIRED_POSTS[level]:
        raise Invalid(
            en=f"This ground has no post {post}.",
            zh=f"该辖区没有岗位 {post}。",
            remedy_en="Use one of " + ", ".join(REQUIRED_POSTS[level]) + ".",
            remedy_zh="可用：" + "、".join(REQUIRED_POSTS[level]) + "。",
        )
    if starts < now:
        raise Invalid(
            en="An assignment cannot begin in the past: who answered then is on record.",
            zh="任职不能从过去开始：当时由谁负责已经留痕。",
            remedy_en="Leave the start out; the post is then held from now on.",
            remedy_zh="不填开始时间，即从现在起任职。",
        )
    if ends_at is not None and ends_at <= starts:
        raise Invalid(
            en="An assignment must end after it starts.",
            zh="任职的结束须晚于开始。",
            remedy_en="Correct the end, or leave it out.",
            remedy_zh="请更正结束时间，或不填。",
        )
    member = session.get(Member, member_id)
    if member is None or member.anonymised_at is not None:
        raise NotFound(
            en=f"There is no member {member_id}.",
            zh=f"没有人员 {member_id}。",
            remedy_en="Choose a member.",
            remedy_zh="请选择人员。",
        )
    _refuse_twice(session, post, ground, member_id, starts, ends_at)
    duty = Duty(
        post=post, member_id=member_id, ground=ground, starts_at=starts, ends_at=ends_at, territory=ground
    )
    session.add(duty)
    session.flush()
    return duty


def end_assignment(session: Session, duty_id: int, *, by: Principal, now: datetime) -> Duty:
    """End a post now. One that has not begun yet is taken away: it never held.

    Raises Denied for a role that keeps no roster, NotFound for a duty that is not on one's ground, Conflict
    for one that is over.
    """
    duty = own_duty(session, duty_id, by)
    if duty.ends_at is not None and duty.ends_at <= now:
        raise Conflict(
            en="This post has ended already.",
            zh="该任职已经结束。",
            remedy_en="Reload the roster.",
            remedy_zh="请刷新值班表。",
        )
    if duty.starts_at >= now:
        session.delete(duty)
    else:
        duty.ends_at = now
    session.flush()
    return duty


_IN_FORCE = sa.text(
    """
    SELECT 'cell' FROM cell AS c JOIN generation AS g ON g.name = c.generation
    WHERE g.status = 'active' AND c.kind = 'social' AND c.code = :ground
    UNION ALL SELECT 'subdistrict' FROM area WHERE level = 'subdistrict' AND code = :ground
    """
)


def _level(session: Session, ground: str, by: Principal) -> str:
    """cell or subdistrict; raises NotFound for any other ground, and for one that is not the person's."""
    level = session.scalar(_IN_FORCE, {"ground": ground}) if by.covers(ground) else None
    if level is None:
        raise NotFound(
            en=f"There is no cell or subdistrict {ground} on your ground.",
            zh=f"您的辖区内没有网格或街道 {ground}。",
            remedy_en="Choose a cell of the roster.",
            remedy_zh="请选择值班表中的网格。",
        )
    return str(level)


def _refuse_twice(
    session: Session, post: str, ground: str, member_id: int, starts: datetime, ends: datetime | None
) -> None:
    held = session.scalar(
        sa.select(Duty.id).where(
            Duty.member_id == member_id,
            Duty.post == post,
            Duty.ground == ground,
            Duty.stand_in_for.is_(None),
            sa.or_(Duty.ends_at.is_(None), Duty.ends_at > starts),
            sa.true() if ends is None else Duty.starts_at < ends,
        )
    )
    if held is not None:
        raise Conflict(
            en="This person holds the post in that time already.",
            zh="该人员在这段时间已任此岗。",
            remedy_en="Choose somebody else, or end that post first.",
            remedy_zh="请另选人员，或先结束原任职。",
            duty=held,
        )
