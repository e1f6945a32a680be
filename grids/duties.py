"""Who holds which post on which ground, from when to when, and who stands in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from gis.database import Base, Code, territory_column

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
