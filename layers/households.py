"""Households and residents: no geometry of their own, they live on a unit, floor and door of a building.

These tables hold what a city knows about people. Nothing here is ever put into a tile, a URL or a log.
"""

from __future__ import annotations

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Identity, Text
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
    phone: Mapped[str | None]
    is_head: Mapped[bool] = mapped_column(default=False, server_default="false")
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    source_code: Mapped[str | None] = mapped_column(index=True)
    territory: Mapped[str] = territory_column()
