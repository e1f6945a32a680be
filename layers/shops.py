"""Shops along the streets: a point at the door, a name and a trade."""

from __future__ import annotations

from geoalchemy2 import Geometry
from sqlalchemy import ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from gis.database import Base, Code, territory_column


class Shop(Base):
    """One business open to the street."""

    __tablename__ = "shop"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    category: Mapped[str]
    building_id: Mapped[int | None] = mapped_column(ForeignKey("building.id"), index=True)
    address: Mapped[str | None]
    cell_code: Mapped[str | None] = mapped_column(Code, index=True)
    source_code: Mapped[str | None] = mapped_column(index=True)
    geom: Mapped[object] = mapped_column(Geometry("POINT", srid=4490), nullable=False)
    territory: Mapped[str] = territory_column()
