"""The base map: roads, land use and water. Open to every signed-in account; nobody's personal data."""

from __future__ import annotations

from geoalchemy2 import Geometry
from sqlalchemy import CheckConstraint, Identity
from sqlalchemy.orm import Mapped, mapped_column

from gis.database import Base

ROAD_CLASSES = ("expressway", "arterial", "secondary", "local", "lane")


class Road(Base):
    """A centre line with its class and drawn width in metres; a bridge is drawn over what it crosses."""

    __tablename__ = "road"
    __table_args__ = (
        CheckConstraint(f"class IN {ROAD_CLASSES}", name="class_known"),
        {"info": {"open": True}},
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str | None]
    name_en: Mapped[str | None]
    class_: Mapped[str] = mapped_column("class")
    width_m: Mapped[float | None]
    bridge: Mapped[bool] = mapped_column(default=False, server_default="false")
    source_code: Mapped[str | None] = mapped_column(index=True)
    geom: Mapped[object] = mapped_column(Geometry("MULTILINESTRING", srid=4490), nullable=False)


class Land(Base):
    """A piece of land use: park, green, school, pitch, wall strip, plaza ..."""

    __tablename__ = "land"
    __table_args__ = ({"info": {"open": True}},)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(index=True)
    name: Mapped[str | None]
    source_code: Mapped[str | None] = mapped_column(index=True)
    geom: Mapped[object] = mapped_column(Geometry("MULTIPOLYGON", srid=4490), nullable=False)


class Water(Base):
    """A river, canal or pond as an area."""

    __tablename__ = "water"
    __table_args__ = ({"info": {"open": True}},)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[str]
    name: Mapped[str | None]
    source_code: Mapped[str | None] = mapped_column(index=True)
    geom: Mapped[object] = mapped_column(Geometry("MULTIPOLYGON", srid=4490), nullable=False)
