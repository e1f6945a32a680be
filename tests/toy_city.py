"""A readable toy city of round numbers, for tests that need ground, people and a clock.

Four square cells of 0.002 degrees (some 205 x 222 m) around the corner (113.100, 23.000):

        north-west 001 | north-east 002
        ---------------+---------------
        south-west 003 | south-east 004

One district, one subdistrict, two communities (north 001-002, south 003-004). Each cell has a leader and a
member; the south-east member is off duty with a stand-in. Building 7 stands in the north-west, 20 m from
the middle line.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import shapely
import sqlalchemy as sa
from geoalchemy2.shape import from_shape
from sqlalchemy.orm import Session

from grids.cells import Cell, Generation
from grids.duties import Duty
from grids.members import Department, Member
from incidents.categories import Category
from layers.areas import Area
from layers.basemap import Road
from layers.buildings import Building

BEIJING = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=BEIJING)
"""A Monday morning in office hours."""

LON, LAT, STEP = 113.1, 23.0, 0.002
NORTH_WEST, NORTH_EAST, SOUTH_WEST, SOUTH_EAST = (f"99010100100{n}" for n in ("1001", "1002", "2003", "2004"))
CORNERS = {NORTH_WEST: (-1, 0), NORTH_EAST: (0, 0), SOUTH_WEST: (-1, -1), SOUTH_EAST: (0, -1)}
SUBDISTRICT = "990101001"


@dataclass(frozen=True)
class ToyCity:
    """Ids the tests need: the member and leader of each cell by its code, and the building."""

    members: dict[str, int]
    leaders: dict[str, int]
    stand_in: int
    duty_officer: int
    building: int


def square(code: str) -> shapely.Polygon:
    column, row = CORNERS[code]
    west, south = LON + column * STEP, LAT + row * STEP
    return shapely.box(west, south, west + STEP, south + STEP)


def category(code: str, name: str, **changes: object) -> Category:
    values = {
        "kind": "event", "group_code": "01", "group_zh": "市容环境", "group_en": "City appearance",
        "name_zh": name, "name_en": name, "icon": "bin", "default_role": "member", "department_code": None,
        "needs_confirm": False, "urgent": False, "limit_kind": "working_hours", "limit_value": 4,
        "standard": None, "sort": 1, "active": True,
    }  # fmt: skip
    return Category(code=code, **{**values, **changes})


def build(session: Session) -> ToyCity:
    """Write the toy city in the caller's transaction."""
    session.execute(sa.delete(Category))
    session.execute(sa.delete(Department))
    session.add_all(
        [
            Department(code="city_management", name_zh="城管执法队", name_en="City management"),
            category("9901", "暴露垃圾"),
            category("9902", "邻里纠纷", default_role="police_officer"),
            category("9903", "占道经营", department_code="city_management"),
            category("9904", "楼道堆物", needs_confirm=True),
        ]
    )
    whole = shapely.union_all([square(code) for code in CORNERS])
    north = shapely.union_all([square(NORTH_WEST), square(NORTH_EAST)])
    south = shapely.union_all([square(SOUTH_WEST), square(SOUTH_EAST)])
    for code, level, name, shape in (
        ("9901", "city", "示范市", whole),
        ("990101", "district", "示范区", whole),
        (SUBDISTRICT, "subdistrict", "临江街道", whole),
        (SUBDISTRICT + "001", "community", "安澜社区", north),
        (SUBDISTRICT + "002", "community", "石桥社区", south),
    ):
        session.add(Area(code=code, level=level, name=name, geom=_multi(shape), territory=code))
    session.add(Generation(name="toy", label="2026 版", status="active", activated_at=NOW))
    session.flush()
    for code in CORNERS:
        session.add(
            Cell(
                generation="toy",
                kind="social",
                code=code,
                name="安澜 " + code[-3:],
                community_code=code[:12],
                area_m2=45_000.0,
                geom=_multi(square(code)),
                territory=code,
            )
        )
    building = Building(
        name="银杏苑 3 栋", number="3", cell_code=NORTH_WEST, territory=NORTH_WEST, floors=6, units=2,
        geom=from_shape(shapely.box(LON - 0.0004, LAT + 0.001, LON - 0.0002, LAT + 0.0011), srid=4490),
    )  # fmt: skip
    session.add_all(
        [
            building,
            Road(
                name="建设大道",
                class_="arterial",
                width_m=27,
                geom=from_shape(shapely.MultiLineString([[(LON, LAT - STEP), (LON, LAT + STEP)]]), srid=4490),
            ),
        ]
    )
    members, leaders = {}, {}
    for code in CORNERS:
        members[code] = _post(session, "member", "王小明", code, on_duty=code != SOUTH_EAST)
        leaders[code] = _post(session, "leader", "刘芳", code)
    stand_in = _post(session, "member", "冯立", SOUTH_EAST, stand_in_for=members[SOUTH_EAST])
    officer = _post(session, "subdistrict_duty_officer", "周明", SUBDISTRICT)
    session.flush()
    return ToyCity(members, leaders, stand_in, officer, building.id)


def _multi(shape: shapely.Geometry) -> object:
    return from_shape(shapely.MultiPolygon([*shapely.get_parts(shape)]), srid=4490)


def _post(
    session: Session,
    post: str,
    name: str,
    ground: str,
    *,
    on_duty: bool = True,
    stand_in_for: int | None = None,
) -> int:
    member = Member(name=name, phone="10012345678", role=post, on_duty=on_duty, territory=ground)
    session.add(member)
    session.flush()
    session.add(
        Duty(
            post=post,
            member_id=member.id,
            ground=ground,
            starts_at=NOW - timedelta(days=30),
            stand_in_for=stand_in_for,
            territory=ground,
        )
    )
    session.flush()
    return member.id
