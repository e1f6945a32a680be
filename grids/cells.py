"""Grid cells (网格) in generations: one generation is one drawing of all cells, activated as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from geoalchemy2 import Geometry
from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Identity, Index, UniqueConstraint, func
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.database import Base, Code, territory_column
from gis.errors import NotFound

KINDS = ("unit", "social", "responsibility", "special")

HOUSEHOLDS_BAND = (300, 500)
"""A social cell's size in households; outside it the cell is shown as too thin or too thick."""


class Generation(Base):
    """A complete drawing of the cells. At most one is active; a loaded one can be tried out by name."""

    __tablename__ = "generation"
    __table_args__ = (
        CheckConstraint("status IN ('loaded', 'active', 'retired')", name="status_known"),
        Index("uq_generation_active", "status", unique=True, postgresql_where=sql("status = 'active'")),
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


@dataclass(frozen=True, slots=True)
class CellFacts:
    """What stands on one cell: counts only, nobody's name."""

    id: int
    code: str
    name: str
    kind: str
    generation: str
    generation_label: str
    activated_at: datetime | None
    community_code: str | None
    community_name: str | None
    community_cells: int
    area_ha: float
    households: int
    residents: int
    buildings: int
    shops: int
    components: int
    roads: list[str]
    lon: float
    lat: float
    bbox: tuple[float, float, float, float]


_FACTS = sql(
    """
    SELECT c.id, c.code, c.name, c.kind, c.generation, g.label AS generation_label, g.activated_at,
           c.community_code, a.name AS community_name,
           (SELECT count(*) FROM cell AS s WHERE s.generation = c.generation AND s.kind = 'social'
              AND s.community_code = c.community_code) AS community_cells,
           c.area_m2 / 10000.0 AS area_ha, c.households_count AS households,
           residents_on(c.code) AS residents,
           (SELECT count(*) FROM building AS b WHERE b.cell_code = c.code) AS buildings,
           (SELECT count(*) FROM shop AS s WHERE s.cell_code = c.code) AS shops,
           (SELECT count(*) FROM component AS p WHERE p.cell_code = c.code) AS components,
           ARRAY(SELECT r.name FROM road AS r WHERE r.name IS NOT NULL AND r.geom && ST_Expand(c.geom, 0.0002)
                   AND ST_DWithin(r.geom, ST_Boundary(c.geom), 0.0002)
                 GROUP BY r.name
                 ORDER BY sum(ST_Length(ST_Intersection(r.geom, ST_Expand(c.geom, 0.0002)))) DESC LIMIT 4)
               AS roads,
           ST_X(ST_PointOnSurface(c.geom)) AS lon, ST_Y(ST_PointOnSurface(c.geom)) AS lat,
           ARRAY[ST_XMin(c.geom), ST_YMin(c.geom), ST_XMax(c.geom), ST_YMax(c.geom)] AS bbox
    FROM cell AS c JOIN generation AS g ON g.name = c.generation
    LEFT JOIN area AS a ON a.code = c.community_code
    WHERE g.status = 'active' AND c.kind = :kind AND c.code = :code
    """
)


def cell_facts(session: Session, code: str, *, kind: str = "social") -> CellFacts:
    """Facts of a cell of the active generation. Raises NotFound when there is none of that code."""
    row = session.execute(_FACTS, {"code": code, "kind": kind}).one_or_none()
    if row is None:
        raise NotFound(
            en=f"There is no cell {code} in the active generation.",
            zh=f"现行网格中没有 {code}。",
            remedy_en="Search by name, or look the code up on the map.",
            remedy_zh="请按名称搜索，或在图上查看编码。",
        )
    return CellFacts(**{**row._mapping, "bbox": tuple(row.bbox)})
