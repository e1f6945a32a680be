"""Exceptions (例外地段): ground given to another cell than the map says, such as a boundary road to one side.

An exception is a polygon, or a road's line with a buffer in metres, with the cell that shall own it. Among
exceptions the higher priority wins, then the older one. They have dates, a reason and an author, and they
end; they are never rubbed out, so an old decision can always be explained.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import shapely
import sqlalchemy as sa
from geoalchemy2 import Geometry
from geoalchemy2.shape import from_shape
from sqlalchemy import CheckConstraint, DateTime, Identity, func
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.access import Principal, prefix_range
from gis.database import Base, Code, territory_column
from gis.errors import Denied, Invalid, NotFound
from gis.geometry import in_degrees, in_metres

AUTHORS = frozenset({"admin", "city_officer", "district_officer", "subdistrict_officer"})
"""Roles that give ground to another cell, each on their own ground."""

MAX_BUFFER_M = 200.0


class GroundException(Base):
    """One exception. `geom` is a (multi)polygon, or a (multi)line that `buffer_m` makes ground of."""

    __tablename__ = "exception"
    __table_args__ = (
        CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="ends_after_start"),
        CheckConstraint(
            "GeometryType(geom) IN ('POLYGON', 'MULTIPOLYGON')"
            " OR (GeometryType(geom) IN ('LINESTRING', 'MULTILINESTRING') AND buffer_m > 0)",
            name="line_needs_buffer",
        ),
        CheckConstraint(f"buffer_m >= 0 AND buffer_m <= {MAX_BUFFER_M:.0f}", name="buffer_reasonable"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    cell_code: Mapped[str] = mapped_column(Code, index=True)
    priority: Mapped[int] = mapped_column(default=0, server_default="0")
    buffer_m: Mapped[float] = mapped_column(default=0.0, server_default="0")
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    source_code: Mapped[str | None] = mapped_column(index=True)
    geom: Mapped[object] = mapped_column(Geometry("GEOMETRY", srid=4490), nullable=False)
    territory: Mapped[str] = territory_column()

    def holds_at(self, at: datetime) -> bool:
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


@dataclass(frozen=True, slots=True)
class Strip:
    """An exception as the owner map holds it: `shape` is ground in metres of the city's zone."""

    id: int
    cell_code: str
    priority: int
    starts_at: datetime
    ends_at: datetime | None
    reason: str
    shape: shapely.Geometry

    def holds_at(self, at: datetime) -> bool:
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


_STRIPS = sa.text(
    "SELECT id, cell_code, priority, starts_at, ends_at, reason, buffer_m, ST_AsBinary(geom) FROM exception"
    " ORDER BY priority DESC, id"
)


def strips(session: Session, zone: str) -> list[Strip]:
    """Every exception, ended ones included (an old moment may be asked about), in the order they win."""
    rows = session.execute(_STRIPS).all()
    shapes = in_metres(shapely.from_wkb(np.array([bytes(row[-1]) for row in rows], object)), zone)
    return [
        Strip(
            row.id,
            row.cell_code,
            row.priority,
            row.starts_at,
            row.ends_at,
            row.reason,
            ground_of(shape, row.buffer_m),
        )
        for row, shape in zip(rows, shapes, strict=True)
    ]


def ground_of(shape: shapely.Geometry, buffer_m: float) -> shapely.Geometry:
    """The ground of an exception in metres: a line's buffer ends squarely where the line does."""
    return shapely.buffer(shape, buffer_m, cap_style="flat", quad_segs=16) if buffer_m else shape


def buffered(drawn: shapely.Geometry, buffer_m: float, zone: str) -> shapely.Geometry:
    """The ground of an exception as drawn, lon/lat in EPSG:4490 in and out."""
    return in_degrees(ground_of(in_metres(np.array([drawn], object), zone)[0], buffer_m), zone)


def may_give(by: Principal, cell_code: str) -> bool:
    """Whether a person may give ground to a cell, and take it back."""
    return by.role in AUTHORS and by.covers(cell_code)


def find(session: Session, exception_id: int, *, by: Principal) -> tuple[GroundException, shapely.Geometry]:
    """An exception of one's ground, ended ones too, with the shape drawn. Raises NotFound."""
    found = session.execute(
        sa.select(GroundException, func.ST_AsBinary(GroundException.geom)).where(
            GroundException.id == exception_id
        )
    ).one_or_none()
    if found is None or not by.covers(found[0].territory):
        raise _no_exception(exception_id)
    return found[0], shapely.from_wkb(bytes(found[1]))


def in_force(
    session: Session, at: datetime, territory: str = ""
) -> list[tuple[GroundException, shapely.Geometry]]:
    """The exceptions of a territory that hold at a moment, in the order they win, with the shape drawn."""
    low, high = prefix_range(territory)
    found = session.execute(
        sa.select(GroundException, func.ST_AsBinary(GroundException.geom))
        .where(
            GroundException.territory >= low,
            GroundException.territory < high,
            GroundException.starts_at <= at,
            sa.or_(GroundException.ends_at.is_(None), GroundException.ends_at > at),
        )
        .order_by(GroundException.priority.desc(), GroundException.id)
    )
    return [(exception, shapely.from_wkb(bytes(wkb))) for exception, wkb in found]


def add(
    session: Session,
    geom: shapely.Geometry,
    cell_code: str,
    reason: str,
    *,
    by: Principal,
    now: datetime,
    buffer_m: float = 0.0,
    priority: int = 0,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> GroundException:
    """Give ground to a cell from `starts_at` (now) on. `geom` is lon/lat in EPSG:4490.

    Raises Denied for a role that may not, NotFound for a cell that is not on the author's ground or not in
    the active generation, Invalid for a shape that is no ground or a reason left out.
    """
    if by.role not in AUTHORS:
        raise Denied(
            en="Your role does not give ground to another cell.",
            zh="您的角色不能设置例外地段。",
            remedy_en="Send it to the subdistrict office.",
            remedy_zh="请提交街道办办理。",
        )
    check(geom, buffer_m, reason)
    if not by.covers(cell_code) or not _is_active_cell(session, cell_code):
        raise NotFound(
            en=f"There is no cell {cell_code} on your ground.",
            zh=f"您的辖区内没有网格 {cell_code}。",
            remedy_en="Choose a cell of the active generation.",
            remedy_zh="请选择现行版本中的网格。",
        )
    exception = GroundException(
        cell_code=cell_code,
        priority=priority,
        buffer_m=buffer_m,
        starts_at=starts_at or now,
        ends_at=ends_at,
        reason=reason.strip(),
        created_by=by.display_name,
        created_at=now,
        geom=from_shape(geom, srid=4490),
        territory=cell_code,
    )
    session.add(exception)
    session.flush()
    return exception


def end(session: Session, exception_id: int, *, by: Principal, now: datetime) -> None:
    """End an exception now; what it decided stays decided. One that has not begun is taken back."""
    exception = session.get(GroundException, exception_id, with_for_update=True)
    if exception is None or not may_give(by, exception.territory):
        raise _no_exception(exception_id)
    if exception.starts_at >= now:
        session.delete(exception)
    elif exception.ends_at is None or exception.ends_at > now:
        exception.ends_at = now
    session.flush()


def _no_exception(exception_id: int) -> NotFound:
    return NotFound(
        en=f"There is no exception {exception_id} on your ground.",
        zh=f"您的辖区内没有例外地段 {exception_id}。",
        remedy_en="Reload the list.",
        remedy_zh="请刷新列表。",
    )


def _is_active_cell(session: Session, code: str) -> bool:
    return session.scalar(
        sa.text(
            "SELECT EXISTS (SELECT 1 FROM cell JOIN generation AS g ON g.name = generation"
            " WHERE g.status = 'active' AND code = :code AND kind IN ('social', 'special'))"
        ),
        {"code": code},
    )


def check(geom: shapely.Geometry, buffer_m: float, reason: str) -> None:
    """Raise Invalid, with every fault, for what cannot be an exception."""
    faults = []
    areal, linear = geom.geom_type.endswith("Polygon"), geom.geom_type.endswith("LineString")
    if geom.is_empty or not geom.is_valid or not (areal or linear):
        faults.append(("the shape is no valid polygon or line", "图形不是有效的面或线"))
    if linear and buffer_m <= 0:
        faults.append(("a line needs buffer_m", "线状例外须给出 buffer_m"))
    if not 0 <= buffer_m <= MAX_BUFFER_M:
        faults.append(
            (f"buffer_m lies outside 0 to {MAX_BUFFER_M:.0f}", f"buffer_m 须在 0 至 {MAX_BUFFER_M:.0f} 之间")
        )
    if not reason.strip():
        faults.append(("a reason is missing", "缺少理由"))
    if faults:
        raise Invalid(
            en="The exception cannot be kept: " + "; ".join(en for en, _ in faults) + ".",
            zh="例外地段不能保存：" + "；".join(zh for _, zh in faults) + "。",
            remedy_en="Draw it again, or complete it.",
            remedy_zh="请重画或补全。",
        )
