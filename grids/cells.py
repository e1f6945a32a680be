"""Grid cells (网格) and their generations: one generation is one drawing of all cells, activated as a whole."""

from __future__ import annotations

from datetime import datetime

from geoalchemy2 import Geometry
from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Identity, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from gis.database import Base, Code, territory_column

KINDS = ("unit", "social", "responsibility", "special")

HOUSEHOLDS_BAND = (300, 500)
"""A social cell's size in households; outside it the cell is shown as too thin or too thick."""


class Generation(Base):
    """A complete drawing of the cells. At most one is active; a loaded one can be tried out by name."""

    __tablename__ = "generation"
    __table_args__ = (
        CheckConstraint("status IN ('loaded', 'active', 'retired')", name="status_known"),
        Index("uq_generation_active", "status", unique=True, postgresql_where=text("status = 'active'")),
        {"info": {"open": True}},
    )

    name: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str]
    status: Mapped[str] = mapped_column(default="loaded", server_default="loaded")
    valid_from: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    valid_to: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    loaded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    activated_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Cell(Base):
    """One cell of one kind in one generation. Only active social cells give `territory` (decision 3)."""

    __tablename__ = "cell"
    __table_args__ = (
        UniqueConstraint("generation", "kind", "code"),
        CheckConstraint(f"kind IN {KINDS}", name="kind_known"),
        CheckConstraint("kind <> 'social' OR code ~ '^[0-9]{15}$'", name="social_code_width"),
        Index("ix_cell_code", "code"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    generation: Mapped[str] = mapped_column(ForeignKey("generation.name"))
    kind: Mapped[str]
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str]
    community_code: Mapped[str | None] = mapped_column(Code, index=True)
    source_code: Mapped[str | None] = mapped_column(index=True)
    area_m2: Mapped[float]
    households_count: Mapped[int] = mapped_column(default=0, server_default="0")
    geom: Mapped[object] = mapped_column(Geometry("MULTIPOLYGON", srid=4490), nullable=False)
    territory: Mapped[str] = territory_column()
