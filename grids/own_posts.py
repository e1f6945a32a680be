"""A member's own posts: which ground is theirs now, and the switch that says whether they are on duty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis import audit
from gis.access import Principal
from gis.errors import Denied


@dataclass(frozen=True, slots=True)
class OwnPost:
    """One post held now. `name` and `geometry` (GeoJSON, EPSG:4490) are the cell's or the area's."""

    post: str
    ground: str
    name: str | None
    community: str | None
    building_id: int | None
    stand_in: bool
    ends_at: datetime | None
    households_count: int | None
    geometry: dict[str, Any] | None


_OWN = sa.text(
    """
    SELECT d.post, d.ground, coalesce(c.name, a.name) AS name, k.name AS community, d.building_id,
           d.stand_in_for IS NOT NULL AS stand_in, d.ends_at, c.households_count,
           ST_AsGeoJSON(coalesce(c.geom, a.geom), 7, 0)::json AS geometry
    FROM duty AS d
    LEFT JOIN generation AS g ON g.status = 'active'
    LEFT JOIN cell AS c ON c.generation = g.name AND c.kind = 'social' AND c.code = d.ground
    LEFT JOIN area AS a ON a.code = d.ground
    LEFT JOIN area AS k ON k.code = c.community_code
    WHERE d.member_id = :member AND d.starts_at <= :at AND (d.ends_at IS NULL OR d.ends_at > :at)
    ORDER BY d.stand_in_for IS NOT NULL, d.ground, d.id
    """
)


_HOLDS_ANY = sa.text(
    "SELECT EXISTS (SELECT FROM duty WHERE member_id = :member AND starts_at <= :at"
    " AND (ends_at IS NULL OR ends_at > :at))"
)


def own_posts(session: Session, member_id: int, *, at: datetime) -> list[OwnPost]:
    """The posts a member holds at a moment, their own before those they stand in for."""
    rows = session.execute(_OWN, {"member": member_id, "at": at}).mappings()
    return [OwnPost(**dict(row)) for row in rows]


def holds_any(session: Session, member_id: int, *, at: datetime) -> bool:
    """Whether a member holds any post at a moment: who holds none has left."""
    return session.execute(_HOLDS_ANY, {"member": member_id, "at": at}).scalar_one()


def is_on_duty(session: Session, member_id: int) -> bool:
    return bool(
        session.execute(sa.text("SELECT on_duty FROM member WHERE id = :id"), {"id": member_id}).scalar()
    )


def set_on_duty(session: Session, on_duty: bool, *, by: Principal, now: datetime) -> bool:
    """The member switches themselves on or off duty; the trail keeps each switch. Returns the new state.

    From the next report on the roster answers accordingly: a stand-in, the leader or the duty officer while
    off. Cases they already have stay theirs. Raises Denied for an account that is no member's.
    """
    if by.member_id is None:
        raise Denied(
            en="This account belongs to nobody on the roster.",
            zh="该账户不对应排班表上的人员。",
            remedy_en="Sign in with a member's account.",
            remedy_zh="请以网格力量的账户登录。",
        )
    changed = session.execute(
        sa.text("UPDATE member SET on_duty = :on WHERE id = :id AND on_duty <> :on RETURNING territory"),
        {"on": on_duty, "id": by.member_id},
    ).scalar()
    if changed is not None:
        action = "duty.on" if on_duty else "duty.off"
        audit.record(session, action, "member", by.member_id, by=by, now=now, territory=changed)
    return on_duty
