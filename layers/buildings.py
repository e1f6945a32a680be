"""Estates (小区) and the buildings in them: footprints, floors, units and use."""

from __future__ import annotations

from dataclasses import dataclass

from geoalchemy2 import Geometry
from sqlalchemy import CheckConstraint, ForeignKey, Identity, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.database import Base, Code, territory_column
from gis.errors import NotFound


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


@dataclass(frozen=True, slots=True)
class BuildingFacts:
    """One building with its dwellings counted by unit and floor; nobody's name."""

    id: int
    name: str | None
    number: str | None
    address: str | None
    estate: str | None
    use: str
    style: str
    floors: int | None
    units: int | None
    height_m: float | None
    footprint_m2: float
    households: int
    residents: int
    shops: list[tuple[int, str, str]]
    cell_code: str | None
    lon: float
    lat: float
    by_floor: list[tuple[str | None, int | None, int]]
    """(unit, floor, dwellings), top floor first."""


_FACTS = text(
    """
    SELECT b.id, b.name, b.number, b.address, e.name AS estate, b.use, b.style, b.floors, b.units, b.height_m,
           ST_Area(b.geom::geography) AS footprint_m2, b.households_count AS households,
           b.cell_code, ST_X(ST_PointOnSurface(b.geom)) AS lon, ST_Y(ST_PointOnSurface(b.geom)) AS lat
    FROM building AS b LEFT JOIN estate AS e ON e.id = b.estate_id WHERE b.id = :id
    """
)


def building_facts(session: Session, building_id: int) -> BuildingFacts:
    """Facts of a building: counts by unit and floor, shops at its doors. Raises NotFound."""
    row = session.execute(_FACTS, {"id": building_id}).one_or_none()
    if row is None:
        raise NotFound(
            en=f"There is no building {building_id}.",
            zh=f"没有楼栋 {building_id}。",
            remedy_en="Click it on the map, or search for its address.",
            remedy_zh="请在图上点选，或按地址搜索。",
        )
    shops = session.execute(
        text("SELECT id, name, category FROM shop WHERE building_id = :id ORDER BY name, id"),
        {"id": building_id},
    )
    # Households themselves are closed; this counts them (api.migrations.functions).
    floors = session.execute(
        text("SELECT unit, floor, dwellings, residents FROM dwellings_of(:id) ORDER BY unit, floor DESC"),
        {"id": building_id},
    ).all()
    return BuildingFacts(
        **row._mapping,
        residents=sum(line.residents for line in floors),
        shops=[tuple(shop) for shop in shops],
        by_floor=[(line.unit, line.floor, line.dwellings) for line in floors],
    )
