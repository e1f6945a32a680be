"""Estates (小区) and the buildings in them: footprints, floors, units and use."""

from __future__ import annotations

from geoalchemy2 import Geometry
from sqlalchemy import CheckConstraint, ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from gis.database import Base, Code, territory_column


class Estate(Base):
    """A named place with one wall or one name around it: estate, urban village, lane quarter, works ..."""

    __tablename__ = "estate"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    source_code: Mapped[str | None] = mapped_column(index=True)
    geom: Mapped[object] = mapped_column(Geometry("MULTIPOLYGON", srid=4490), nullable=False)
    territory: Mapped[str] = territory_column()


class Building(Base):
    """One footprint. Residents hang on it by unit, floor and door; the count is kept for the map."""

    __tablename__ = "building"
    __table_args__ = (
        CheckConstraint("floors IS NULL OR floors BETWEEN 0 AND 200", name="floors_plausible"),
        CheckConstraint("households_count >= 0", name="households_not_negative"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str | None]
    number: Mapped[str | None]
    estate_id: Mapped[int | None] = mapped_column(ForeignKey("estate.id"), index=True)
    address: Mapped[str | None]
    use: Mapped[str] = mapped_column(default="other", server_default="other")
    style: Mapped[str] = mapped_column(default="other", server_default="other")
    floors: Mapped[int | None]
    units: Mapped[int | None]
    height_m: Mapped[float | None]
    households_count: Mapped[int] = mapped_column(default=0, server_default="0")
    cell_code: Mapped[str | None] = mapped_column(Code, index=True)
    source_code: Mapped[str | None] = mapped_column(index=True)
    geom: Mapped[object] = mapped_column(Geometry("POLYGON", srid=4490), nullable=False)
    territory: Mapped[str] = territory_column()
