"""The toy city with a working day in it: accounts, households, a shop, a lamp, and a case at each stage.

Cases are made by the real verbs, so the desk shows what it would show in a city. Each has a name here:

    overdue     sent at 08:00 yesterday, four working hours, nobody has begun
    waiting     a resident's report that somebody must confirm
    handling    the north-western member is at work on it
    handled     done, to be verified
    closed      closed this morning
    far         in the south-east, for what the northern community must not see
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from geoalchemy2.shape import from_shape
from shapely import Point
from sqlalchemy.orm import Session

from api.auth import add_account
from gis.access import Principal
from incidents.reporting import ReportDraft, report
from incidents.workflow import move
from layers.buildings import Building
from layers.components import Component
from layers.households import Household, Resident
from layers.shops import Shop
from tests import toy_city
from tests.settled import settled
from tests.toy_city import LAT, LON, NORTH_WEST, SUBDISTRICT, ToyCity

ZONE = ZoneInfo("Asia/Shanghai")
PASSWORD = "correct horse"


@dataclass(frozen=True)
class ToyDesk:
    """Ids by name, and the people who sign in; all passwords are `PASSWORD`."""

    city: ToyCity
    cases: dict[str, int]
    people: dict[str, Principal]
    shop: int
    component: int


def build(session: Session, now: datetime) -> ToyDesk:
    """Write everything in the caller's transaction; `now` is the moment the desk is looked at."""
    city = toy_city.build(session)
    shop, component = _furnish(session, city)
    people = _accounts(session, city, now)
    return ToyDesk(city, _cases(session, people, now), people, shop, component)


def _furnish(session: Session, city: ToyCity) -> tuple[int, int]:
    """Six floors of two units in building 3, a shop at its door and a lamp before it."""
    for unit in ("1", "2"):
        for floor in range(1, 7):
            session.add(
                Household(
                    building_id=city.building,
                    unit=unit,
                    floor=floor,
                    door=f"{floor}01",
                    residents_count=3,
                    territory=NORTH_WEST,
                )
            )
    session.execute(sa.update(Building).values(households_count=12))
    session.flush()
    home = session.scalars(sa.select(Household).filter_by(unit="2", floor=3)).one()
    for name, head, tags in (("张明明", True, ["独居老人"]), ("李四", False, [])):
        session.add(
            Resident(
                household_id=home.id, name=name, phone="10012345678", is_head=head, tags=tags,
                territory=NORTH_WEST,
            )
        )  # fmt: skip
    door, lamp = (from_shape(Point(LON - east, LAT + 0.00095), srid=4490) for east in (0.0003, 0.0001))
    ground = {"cell_code": NORTH_WEST, "territory": NORTH_WEST}
    shop = Shop(name="阿芳面馆", category="餐饮", building_id=city.building, geom=door, **ground)
    component = Component(kind="lamp", code="990101000001", state="damaged", geom=lamp, **ground)
    session.add_all([shop, component])
    session.flush()
    return shop.id, component.id


def _accounts(session: Session, city: ToyCity, now: datetime) -> dict[str, Principal]:
    wanted = {
        "officer": ("subdistrict_officer", SUBDISTRICT, None, "周岩"),
        "community": ("community_officer", NORTH_WEST[:12], None, "林平"),
        "member": ("member", NORTH_WEST, city.members[NORTH_WEST], "王小明"),
        "inspector": ("inspector", SUBDISTRICT, None, "何巡"),
        "resident": ("resident", None, None, "孙女士"),
        "admin": ("admin", "", None, "总管"),
    }
    people = {}
    for username, (role, territory, member_id, name) in wanted.items():
        account = settled(
            add_account(
                session, username, PASSWORD, role=role, now=now, territory=territory, display_name=name,
                member_id=member_id,
            )
        )  # fmt: skip
        people[username] = Principal(account.id, username, name, role, territory, member_id)
    return people


def _cases(session: Session, people: dict[str, Principal], now: datetime) -> dict[str, int]:
    member, officer, resident = people["member"], people["officer"], people["resident"]
    local = now.astimezone(ZONE)
    morning = local.replace(hour=0, minute=1)
    cases = {}

    def told(
        name: str, by: Principal, at: datetime, east: float, north: float, category: str, **more
    ) -> None:
        draft = ReportDraft(
            report_key=name, lon=LON + east, lat=LAT + north, crs="EPSG:4490", category=category,
            description=f"{name}: 楼下 <b>堆</b>了两天", **more,
        )  # fmt: skip
        cases[name] = report(session, draft, by=by, now=at, zone=ZONE).id

    def moved(name: str, by: Principal, *names: str) -> None:
        for step, move_name in enumerate(names):
            version = session.execute(
                sa.text("SELECT version FROM incident WHERE id = :id"), {"id": cases[name]}
            ).scalar_one()
            at = max(morning, now - timedelta(minutes=30)) + timedelta(minutes=step)
            move(session, cases[name], move_name, by=by, now=at, version=version)

    told("overdue", member, now - timedelta(days=4), -0.0012, 0.0014, "9901")
    told("waiting", resident, now - timedelta(minutes=25), -0.0003, 0.0008, "9904", channel="wechat")
    told("handling", member, max(morning, now - timedelta(hours=1)), -0.0008, 0.0004, "9901")
    told("handled", member, max(morning, now - timedelta(hours=2)), -0.0015, 0.0006, "9901")
    told("closed", member, max(morning, now - timedelta(hours=3)), -0.0010, 0.0010, "9901")
    told("far", officer, now - timedelta(minutes=10), 0.0010, -0.0010, "9903")
    moved("handling", member, "accept")
    moved("handled", member, "accept", "finish")
    moved("closed", member, "accept", "finish")
    moved("closed", officer, "verify", "close")
    return cases
