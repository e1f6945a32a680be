"""The people who answer for the ground, and the departments that answer for the work."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import DateTime, Identity
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.database import Base, territory_column

ROSTER_KEEPERS = frozenset(
    {
        "admin",
        "city_officer",
        "district_officer",
        "subdistrict_officer",
        "community_officer",
        "command_operator",
    }
)
"""Roles that set shifts, decide on leave and name stand-ins, each on their own ground."""


class Member(Base):
    """One person of the grid force. Which ground is theirs, and when, is told by `duty`."""

    __tablename__ = "member"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    phone: Mapped[str | None] = mapped_column(deferred=True)
    """Hidden from work for persons (`gis.policies`); `shown_phone` tells it masked."""
    role: Mapped[str]
    on_duty: Mapped[bool] = mapped_column(default=True, server_default="true")
    source_code: Mapped[str | None] = mapped_column(index=True)
    anonymised_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When their name was removed, some time after they left."""
    territory: Mapped[str] = territory_column()


class Department(Base):
    """A department (责任部门) that categories and components name by code."""

    __tablename__ = "department"
    __table_args__ = ({"info": {"open": True}},)

    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]


def departments(session: Session) -> list[Department]:
    """All departments, by code."""
    return list(session.scalars(sa.select(Department).order_by(Department.code)))
