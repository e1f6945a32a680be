"""Who holds which post on which ground, from when to when, and who stands in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Identity, Index, SmallInteger, Time, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.database import Base, Code, territory_column
from gis.masking import mask_name, mask_phone

POSTS = (
    "member",
    "leader",
    "police_officer",
    "property_manager",
    "building_head",
    "street_chief",
    "subdistrict_duty_officer",
)


class Duty(Base):
    """One post held by one person over a span of time.

    `ground` is a social cell's code, or a subdistrict's for the posts of a subdistrict. `ends_at` absent
    means until further notice; the span is half open, so a handover at noon has exactly one holder.
    `stand_in_for` names the member whose post this one holds meanwhile.
    """

    __tablename__ = "duty"
    __table_args__ = (
        CheckConstraint(f"post IN {POSTS}", name="post_known"),
        CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="ends_after_start"),
        Index("ix_duty_ground_post", "ground", "post"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    post: Mapped[str]
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    ground: Mapped[str] = mapped_column(Code)
    building_id: Mapped[int | None] = mapped_column(ForeignKey("building.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    stand_in_for: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    territory: Mapped[str] = territory_column()


class Shift(Base):
    """Hours of the week in which a duty is held; a duty without shifts is held around the clock.

    `weekday` counts from Monday = 0. `starts` and `ends` are wall-clock times in the city's time zone; an end
    at or before the start lies on the next day, so 20:00 to 08:00 is a night and 00:00 to 00:00 a whole day.
    """

    __tablename__ = "shift"
    __table_args__ = (CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday_known"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id", ondelete="CASCADE"), index=True)
    weekday: Mapped[int] = mapped_column(SmallInteger)
    starts: Mapped[time] = mapped_column(Time)
    ends: Mapped[time] = mapped_column(Time)
    territory: Mapped[str] = territory_column()


@dataclass(frozen=True, slots=True)
class Post:
    """One post of a team as a card shows it: masked, with the person standing in for an absent one."""

    duty_id: int
    post: str
    member_id: int
    name: str
    phone: str | None
    on_duty: bool
    ends_at: datetime | None
    building_id: int | None
    stand_in: str | None


_TEAM = text(
    """
    SELECT d.id AS duty_id, d.post, m.id AS member_id, m.name, m.phone, m.on_duty, d.ends_at, d.building_id,
           (SELECT s.name FROM duty AS t JOIN member AS s ON s.id = t.member_id
             WHERE t.ground = d.ground AND t.stand_in_for = m.id AND t.starts_at <= :at
               AND (t.ends_at IS NULL OR t.ends_at > :at) ORDER BY t.starts_at DESC, t.id LIMIT 1) AS stand_in
    FROM duty AS d JOIN member AS m ON m.id = d.member_id
    WHERE d.ground = :ground AND d.stand_in_for IS NULL AND d.starts_at <= :at
      AND (d.ends_at IS NULL OR d.ends_at > :at)
    ORDER BY array_position(CAST(:posts AS text[]), d.post), d.id
    """
)


def team(session: Session, ground: str, *, at: datetime) -> list[Post]:
    """The team of a cell (1 + 1 + 1 + N) or the posts of a subdistrict at a moment, in the order of rank."""
    rows = session.execute(
        _TEAM,
        {
            "ground": ground,
            "at": at,
            "posts": ["leader", "member", *sorted(set(POSTS) - {"leader", "member"})],
        },
    ).mappings()
    return [
        Post(
            **{
                **row,
                "name": mask_name(row["name"]),
                "phone": mask_phone(row["phone"]),
                "stand_in": mask_name(row["stand_in"] or "") or None,
            }
        )
        for row in rows
    ]
