"""Ended cases as tiles: each person their own ground, and no free text."""

from __future__ import annotations

from datetime import timedelta

import pytest
import shapely
from geoalchemy2.shape import from_shape

from gis.access import Principal
from incidents.history_tiles import history_tile
from incidents.incident import Incident
from tests import toy_city
from tests.gis.test_tiles import tile_at
from tests.mvt import decode
from tests.toy_city import LAT, LON, NORTH_WEST, NOW, SOUTH_EAST

ADMIN = Principal(1, "admin", "管理员", "admin", "")


@pytest.fixture
def city(session):
    """A closed case in the north-west, a rejected one in the south-east, an open one beside the first."""
    toy = toy_city.build(session)
    for number, (code, stage, lon, lat) in enumerate(
        [
            (NORTH_WEST, "closed", LON - 0.001, LAT + 0.001),
            (SOUTH_EAST, "rejected", LON + 0.001, LAT - 0.001),
            (NORTH_WEST, "handling", LON - 0.0012, LAT + 0.001),
        ]
    ):
        ended = NOW if stage != "handling" else None
        session.add(case(number, code, stage, lon, lat, closed_at=ended, member_id=toy.members[code]))
    session.flush()
    return toy


def case(number: int, code: str, stage: str, lon: float, lat: float, **more) -> Incident:
    return Incident(
        number=f"2026-1123-{number:04}", tracking_code=f"t{number}", report_key=f"k{number}", body_hash="x",
        reported_by=50 + number, channel="resident", category="9901", title="张三家门口的垃圾",
        description="李四说的", on_behalf="王五", stage=stage, source_lon=lon, source_lat=lat,
        geom=from_shape(shapely.Point(lon, lat), srid=4490), source_crs="EPSG:4490", cell_code=code,
        territory=code, rule="covered", confidence=1.0, reason_zh="", reason_en="",
        reported_at=NOW - timedelta(hours=3), **more,
    )  # fmt: skip


def seen(session, by: Principal, z: int = 14) -> list[dict]:
    data = history_tile(session, tile_at(LON - 0.001, LAT + 0.001, z), by=by)
    return [feature.attributes for feature in decode(data).get("incidents", [])]


def test_the_whole_city_sees_what_ended_and_nothing_else(session, city):
    found = sorted(seen(session, ADMIN, 15), key=lambda attributes: attributes["stage"])
    reported_at = int((NOW - timedelta(hours=3)).timestamp())
    assert found[0] == {
        "clock": "closed",
        "number": "2026-1123-0000",
        "title": "暴露垃圾",
        "category": "9901",
        "stage": "closed",
        "territory": NORTH_WEST,
        "reported_at": reported_at,
        "closed_at": reported_at + 3 * 3600,
    }
    assert [attributes["stage"] for attributes in found] == ["closed", "rejected"]


def test_what_people_wrote_is_not_in_the_bytes(session, city):
    data = history_tile(session, tile_at(LON - 0.001, LAT + 0.001, 14), by=ADMIN)
    for written in ("张三", "李四", "王五"):
        assert written.encode() not in data


@pytest.mark.parametrize(
    ("by", "stages"),
    [
        (Principal(2, "leader", "网格长", "leader", NORTH_WEST), ["closed"]),
        (Principal(3, "officer", "社区", "community_officer", SOUTH_EAST[:12]), ["rejected"]),
        (Principal(4, "other", "别处", "district_officer", "990102"), []),
        (Principal(51, "reporter", "居民", "resident", None), ["rejected"]),
        (Principal(5, "stranger", "居民", "resident", None), []),
    ],
)
def test_everybody_sees_their_own_ground_tasks_and_reports(session, city, by, stages):
    assert [attributes["stage"] for attributes in seen(session, by)] == stages


def test_a_member_sees_their_own_tasks_wherever_they_lie(session, city):
    member = Principal(9, "member", "网格员", "member", NORTH_WEST, city.members[SOUTH_EAST])
    assert [attributes["stage"] for attributes in seen(session, member)] == ["rejected"]


def test_numbers_and_titles_travel_only_close_up(session, city):
    assert all({"number", "title"}.isdisjoint(attributes) for attributes in seen(session, ADMIN, 14))


def test_history_starts_at_z13(session, city):
    assert seen(session, ADMIN, 12) == [] and len(seen(session, ADMIN, 13)) == 2
