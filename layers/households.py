"""Households and residents: no geometry of their own, they live on a unit, floor and door of a building.

These tables hold what a city knows about people. Nothing here is ever put into a tile, a URL or a log.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKey, Identity, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from gis.database import Base, territory_column


class Household(Base):
    """One dwelling and those who live in it."""

    __tablename__ = "household"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    building_id: Mapped[int] = mapped_column(ForeignKey("building.id"), index=True)
    unit: Mapped[str | None]
    floor: Mapped[int | None]
    door: Mapped[str | None]
    residents_count: Mapped[int] = mapped_column(default=0, server_default="0")
    source_code: Mapped[str | None] = mapped_column(index=True)
    territory: Mapped[str] = territory_column()


class Resident(Base):
    """One person of a household."""

    __tablename__ = "resident"
    __table_args__ = (CheckConstraint("gender IS NULL OR gender IN ('m', 'f')", name="gender_known"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"), index=True)
    name: Mapped[str]
    gender: Mapped[str | None]
    birth_year: Mapped[int | None]
    phone: Mapped[str | None] = mapped_column(index=True)
    is_head: Mapped[bool] = mapped_column(default=False, server_default="false")
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    source_code: Mapped[str | None] = mapped_column(index=True)
    erased_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When the person was made nameless; from then on no file and no correction names them again."""
    territory: Mapped[str] = territory_column()


class ResidentCorrection(Base):
    """One field of a person put right: what it was, what it is, and why. As personal as the person's row.

    `salt` makes the digest in the trail (`layers.subject_rights`): once this row is gone, nobody can try
    words on it. `undoes` is the correction this one took back.
    """

    __tablename__ = "resident_correction"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id", ondelete="CASCADE"), index=True)
    field: Mapped[str]
    before: Mapped[str | None]
    after: Mapped[str | None]
    reason: Mapped[str]
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    account_id: Mapped[int | None]
    username: Mapped[str]
    undoes: Mapped[int | None]
    territory: Mapped[str] = territory_column()
