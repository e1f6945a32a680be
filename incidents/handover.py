"""Handing over: what a member who leaves has open passes to a successor, case by case, post by post."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import Principal
from gis.errors import Invalid, NotFound
from incidents.subtask_life import AT_WORK
from incidents.workflow import move


@dataclass(frozen=True, slots=True)
class HandedOver:
    """How many cases, pieces of work on other people's cases and posts have passed, and to whom."""

    member_id: int
    name: str
    cases: int
    assists: int
    posts: int


_LEADER = sa.text(
    """
    SELECT l.member_id FROM duty AS d
    JOIN duty AS l ON l.ground = d.ground AND l.post = 'leader' AND l.member_id <> d.member_id
    WHERE d.member_id = :member AND d.starts_at <= :now AND (d.ends_at IS NULL OR d.ends_at > :now)
      AND l.starts_at <= :now AND (l.ends_at IS NULL OR l.ends_at > :now) AND l.stand_in_for IS NULL
    ORDER BY d.ground, l.id LIMIT 1
    """
)
_OPEN = sa.text(
    """
    SELECT id, version FROM incident
    WHERE handler_id = :member AND stage IN ('dispatched', 'handling') ORDER BY id
    """
)
_ASKED = sa.text(
    f"""
    SELECT s.id, s.incident_id, i.version FROM subtask AS s JOIN incident AS i ON i.id = s.incident_id
    WHERE s.member_id = :member AND s.stage IN {AT_WORK} ORDER BY s.incident_id, s.id LIMIT 1
    """
)
"""The next piece of work; one at a time, for each that passes makes a new version of its case."""
_WAITING = (
    sa.text("UPDATE incident SET handler_id = :to WHERE handler_id = :member AND stage = 'parked'"),
    sa.text(
        "UPDATE incident SET member_id = :to"
        " WHERE member_id = :member AND stage IN ('reported', 'registered')"
    ),
)
"""What nobody works on yet: it is only meant for somebody else from now on."""
_POSTS = sa.text(
    """
    WITH ended AS (
        UPDATE duty SET ends_at = :now
        WHERE member_id = :member AND starts_at < :now AND (ends_at IS NULL OR ends_at > :now)
        RETURNING id, post, ground, building_id, territory
    ), passed AS (
        INSERT INTO duty (post, member_id, ground, building_id, starts_at, ends_at, territory)
        SELECT e.post, :to, e.ground, e.building_id, :now, NULL, e.territory FROM ended AS e
        WHERE NOT EXISTS (SELECT FROM duty AS has WHERE has.member_id = :to AND has.ground = e.ground
                          AND has.post = e.post AND (has.ends_at IS NULL OR has.ends_at > :now))
        RETURNING id, post, ground, building_id
    ), hours AS (
        INSERT INTO shift (duty_id, weekday, starts, ends, territory)
        SELECT p.id, s.weekday, s.starts, s.ends, s.territory
        FROM passed AS p JOIN ended AS e ON (e.post, e.ground) = (p.post, p.ground)
             AND e.building_id IS NOT DISTINCT FROM p.building_id
        JOIN shift AS s ON s.duty_id = e.id
    ), later AS (
        DELETE FROM duty WHERE member_id = :member AND starts_at >= :now
    ), stood_in AS (
        UPDATE leave SET stand_in_id = CASE WHEN member_id = :to THEN NULL ELSE :to END
        WHERE stand_in_id = :member AND ends_at > :now
    )
    SELECT count(*) FROM ended
    """
)


def hand_over(
    session: Session,
    member_id: int,
    to_id: int | None,
    *,
    by: Principal,
    now: datetime,
    note: str,
    zone: ZoneInfo,
) -> HandedOver:
    """Pass everything a member has open to `to_id`, else to the leader of their cell, in one transaction.

    Cases under way are reassigned and pieces of work passed on by the ordinary moves, so their stories and
    clocks tell of it; posts end now and begin for the successor with the same hours, unless the successor
    holds them already. Raises NotFound when there is no such successor, Invalid when there is nobody to fall
    back on, and what the moves raise.
    """
    successor = (
        to_id if to_id is not None else session.execute(_LEADER, {"member": member_id, "now": now}).scalar()
    )
    if successor is None or successor == member_id:
        raise Invalid(
            en="There is no leader to hand over to.",
            zh="没有可接手的网格长。",
            remedy_en="Name the person who takes over.",
            remedy_zh="请指定接手人。",
        )
    name = session.execute(sa.text("SELECT name FROM member WHERE id = :id"), {"id": successor}).scalar()
    if name is None:
        raise NotFound(
            en=f"There is no member {successor}.",
            zh=f"没有人员 {successor}。",
            remedy_en="Choose somebody of the list.",
            remedy_zh="请从列表中选择。",
        )
    both = {"member": member_id, "to": successor, "now": now}
    posts = session.execute(_POSTS, both).scalar_one()
    open_cases = session.execute(_OPEN, both).all()
    for incident_id, version in open_cases:
        move(
            session, incident_id, "reassign", by=by, now=now, version=version, note=note, member_id=successor,
            zone=zone,
        )  # fmt: skip
    assists = 0
    while piece := session.execute(_ASKED, both).one_or_none():
        move(
            session, piece.incident_id, "assist_pass", by=by, now=now, version=piece.version, note=note,
            member_id=successor, subtask_id=piece.id, zone=zone,
        )  # fmt: skip
        assists += 1
    for statement in _WAITING:
        session.execute(statement, both)
    return HandedOver(successor, name, len(open_cases), assists, posts)
