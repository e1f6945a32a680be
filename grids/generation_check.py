"""May this drawing of the cells be put to work? What is wrong with it, each thing with its place and area.

The gate before activation. Social cells must cover the city exactly once, lie in their communities and have a
team; special cells lie over them and are exempt (decision 3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from gis import coverage
from gis.errors import NotFound
from gis.geometry import areas_m2, metres_per_degree

KINDS = {
    "gap": ("空白", "gap"),
    "overlap": ("重叠", "overlap"),
    "sliver": ("碎缝", "sliver"),
    "outside": ("越出社区", "outside its community"),
    "no_community": ("社区不存在", "no such community"),
    "invalid": ("图形有误", "invalid shape"),
    "no_team": ("没有网格员", "no member"),
    "exception": ("例外地段划给了本版没有的网格", "exception in favour of no cell"),
}


@dataclass(frozen=True, slots=True)
class CellFault:
    """One fault: its kind, the codes of the cells concerned, square metres, and lon, lat in EPSG:4490."""

    kind: str
    codes: tuple[str, ...]
    area_m2: float | None
    lon: float
    lat: float

    def words(self, language: str) -> str:
        """重叠：990101001001001 与 990101001001002，18.4 平方米，113.10021, 23.00034"""
        zh, en = KINDS[self.kind]
        where = f"{self.lon:.5f}, {self.lat:.5f}"
        codes = (" 与 " if language == "zh" else " and ").join(self.codes)
        parts = [
            codes,
            f"{self.area_m2:,.1f} {'平方米' if language == 'zh' else 'm²'}" if self.area_m2 else "",
            where,
        ]
        comma = "，" if language == "zh" else ", "
        return (f"{zh}：" if language == "zh" else f"{en}: ") + comma.join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class GenerationReport:
    """What a check found: how many social cells, how much ground, every fault."""

    generation: str
    cells: int
    area_ha: float
    faults: list[CellFault] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Faults by kind, in the order of `KINDS`; kinds without any are left out."""
        found = Counter(fault.kind for fault in self.faults)
        return {kind: found[kind] for kind in KINDS if found[kind]}

    @property
    def clean(self) -> bool:
        return not self.faults


_CELLS = sa.text(
    """
    SELECT c.code, c.community_code, ST_AsBinary(c.geom), ST_AsBinary(a.geom),
           EXISTS (SELECT 1 FROM duty AS d WHERE d.ground = c.code AND d.post = 'member'
                     AND (d.ends_at IS NULL OR d.ends_at > :now)) AS has_member
    FROM cell AS c LEFT JOIN area AS a ON a.code = c.community_code
    WHERE c.generation = :name AND c.kind = 'social' ORDER BY c.code
    """
)
_CITY = sa.text(
    "SELECT ST_AsBinary(geom) FROM area WHERE level = (SELECT level FROM area ORDER BY length(code) LIMIT 1)"
)
_ANY_COMMUNITY = sa.text("SELECT EXISTS (SELECT 1 FROM area WHERE level = 'community')")
_EXCEPTIONS = sa.text(
    """
    SELECT e.cell_code, ST_X(ST_PointOnSurface(e.geom)), ST_Y(ST_PointOnSurface(e.geom)) FROM exception AS e
    WHERE (e.ends_at IS NULL OR e.ends_at > :now)
      AND NOT EXISTS (SELECT 1 FROM cell AS c WHERE c.generation = :name AND c.code = e.cell_code
                        AND c.kind IN ('social', 'special'))
    ORDER BY e.id
    """
)


def check_generation(session: Session, name: str, *, now: datetime) -> GenerationReport:
    """Check the social cells of a generation; special, unit and responsibility cells are not asked about.

    Where areas are loaded, gaps are ground of the city without a cell; without areas, holes between cells.
    Where no communities are loaded, nobody is asked to lie in one.
    Raises NotFound when there is no such generation or it holds no social cell.
    """
    rows = session.execute(_CELLS, {"name": name, "now": now}).all()
    if not rows:
        raise no_generation(session, name)
    codes = [row[0] for row in rows]
    degrees = shapely.from_wkb(np.array([bytes(row[2]) for row in rows], object))
    scale = metres_per_degree(degrees)
    shapes = _scaled(degrees, scale)
    whole = shapely.is_valid(shapes)
    homes = np.array([row[3] and shapely.from_wkb(bytes(row[3])) for row in rows], object)
    known = np.flatnonzero([home is not None for home in homes])
    homes[known] = _scaled(homes[known], scale)
    city = [bytes(wkb) for (wkb,) in session.execute(_CITY)]
    within = shapely.union_all(_scaled(shapely.from_wkb(np.array(city, object)), scale)) if city else None

    faults = [_at_cell("invalid", codes[i], degrees[i]) for i in np.flatnonzero(~whole)]
    sound = shapely.make_valid(shapes)
    ground = [*coverage.overlaps(sound), *coverage.gaps(sound, within), *coverage.outside(sound, homes)]
    faults += _in_degrees(ground, codes, scale)
    if session.scalar(_ANY_COMMUNITY):
        homeless = np.setdiff1d(np.arange(len(rows)), known)
        faults += [_at_cell("no_community", codes[i], degrees[i]) for i in homeless]
    faults += [_at_cell("no_team", codes[i], degrees[i]) for i, row in enumerate(rows) if not row[4]]
    lost = session.execute(_EXCEPTIONS, {"name": name, "now": now})
    faults += [CellFault("exception", (code,), None, lon, lat) for code, lon, lat in lost]
    order = list(KINDS)
    faults.sort(key=lambda f: (order.index(f.kind), -(f.area_m2 or 0), f.codes))
    return GenerationReport(name, len(rows), float(areas_m2(degrees).sum()) / 10_000, faults)


def no_generation(session: Session, name: str) -> NotFound:
    known = list(session.scalars(sa.text("SELECT name FROM generation ORDER BY name")))
    return NotFound(
        en=f"There is no generation {name} with social cells.",
        zh=f"没有含社会治理网格的版本 {name}。",
        remedy_en="Load it: citygrid load cells FILE --generation NAME. Loaded: "
        + (", ".join(known) or "none"),
        remedy_zh="请先导入：citygrid load cells 文件 --generation 版本名。已有："
        + ("、".join(known) or "无"),
        known=known,
    )


def _at_cell(kind: str, code: str, shape: shapely.Geometry) -> CellFault:
    at = shapely.point_on_surface(shape)
    return CellFault(kind, (code,), None, float(at.x), float(at.y))


def _scaled(shapes: NDArray[np.object_], scale: NDArray[np.float64]) -> NDArray[np.object_]:
    """Degrees stretched to metres. A projection would bend a long edge away from the vertices its neighbour
    has on it (1 mm over 400 m, 20 cm over 5 km), and the check would tell of slivers nobody drew; stretched,
    straight stays straight. Areas are true to half a per cent within 50 km of the middle."""
    return shapely.transform(shapes, lambda degrees: degrees * scale)


def _in_degrees(
    faults: Iterable[coverage.Fault], codes: list[str], scale: NDArray[np.float64]
) -> list[CellFault]:
    """Faults of the stretched plane with codes and degrees; thin gaps and overlaps are slivers."""
    told = []
    for fault in faults:
        lon, lat = (fault.x, fault.y) / scale
        kind = "sliver" if fault.sliver and fault.kind != "outside" else fault.kind
        told.append(
            CellFault(kind, tuple(codes[i] for i in fault.positions), fault.area_m2, float(lon), float(lat))
        )
    return told
