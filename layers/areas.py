"""Administrative areas: city > district > subdistrict > community, each a polygon with a prefix code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import shapely
from geoalchemy2 import Geometry
from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.access import CODE_WIDTHS
from gis.database import Base, Code, territory_column

LEVELS = ("city", "district", "subdistrict", "community")


class Area(Base):
    """One administrative area. The code of a parent is a prefix of its children's codes."""

    __tablename__ = "area"
    __table_args__ = (
        CheckConstraint(
            "(level = 'city' AND code ~ '^[0-9]{4}$') OR (level = 'district' AND code ~ '^[0-9]{6}$')"
            " OR (level = 'subdistrict' AND code ~ '^[0-9]{9}$')"
            " OR (level = 'community' AND code ~ '^[0-9]{12}$')",
            name="code_fits_level",
        ),
        CheckConstraint("parent_code IS NULL OR starts_with(code, parent_code)", name="code_extends_parent"),
    )

    code: Mapped[str] = mapped_column(Code, primary_key=True)
    level: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str | None]
    parent_code: Mapped[str | None] = mapped_column(Code, index=True)
    source_code: Mapped[str | None] = mapped_column(index=True)
    geom: Mapped[object] = mapped_column(Geometry("MULTIPOLYGON", srid=4490), nullable=False)
    territory: Mapped[str] = territory_column()


@dataclass(frozen=True, slots=True)
class AreaName:
    """An area without its polygon, for menus and headings."""

    code: str
    level: str
    name: str
    name_en: str | None


_FAMILY = text(
    """
    SELECT a.code, a.level, a.name, a.name_en
    FROM unnest(CAST(:parents AS text[]), CAST(:widths AS int[])) AS p(code, width)
    JOIN area AS a ON a.code >= p.code AND a.code < p.code || '~' AND length(a.code) = p.width
    ORDER BY a.code
    """
)


def family_of(session: Session, code: str) -> Sequence[AreaName]:
    """An area's forebears, their sisters and its own children, by code; "" is above the city itself."""
    widths = [CODE_WIDTHS[level] for level in LEVELS]
    parents = ["", *(code[:width] for width in widths if width <= len(code))][: len(widths)]
    rows = session.execute(_FAMILY, {"parents": parents, "widths": widths[: len(parents)]})
    return [AreaName(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class AreaShape:
    """An area with its outline for a small drawing, in degrees, EPSG:4490, true to some five metres."""

    code: str
    name: str
    name_en: str | None
    shape: shapely.Geometry


_OUTLINES = text(
    """
    SELECT code, name, name_en, ST_AsBinary(ST_SimplifyPreserveTopology(geom, 0.00005)) AS shape
    FROM area WHERE level = :level ORDER BY code
    """
)


def outlines(session: Session, level: str) -> list[AreaShape]:
    """The areas of a level with their outlines, by code."""
    rows = session.execute(_OUTLINES, {"level": level})
    return [AreaShape(row.code, row.name, row.name_en, shapely.from_wkb(bytes(row.shape))) for row in rows]
