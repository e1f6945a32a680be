"""Search: what people type finds the place they mean, the best first, and never a person."""

from __future__ import annotations

import pytest
import shapely
import sqlalchemy as sa
from geoalchemy2.shape import from_shape

from layers.addresses import PER_KIND, Typed, search
from layers.buildings import Building, Estate
from layers.components import Component
from layers.shops import Shop
from tests import toy_city
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, SOUTH_EAST, STEP, SUBDISTRICT


@pytest.fixture
def city(session):
    """The toy city with an estate of twelve buildings going east, two shops of one name, and a manhole."""
    toy = toy_city.build(session)
    ground = shapely.MultiPolygon([shapely.box(LON - STEP, LAT, LON, LAT + STEP)])
    session.add(
        Estate(name="银杏苑", kind="estate", territory=NORTH_WEST, geom=from_shape(ground, srid=4490))
    )
    for number in range(11, 23):
        east = LON - STEP + (number - 10) * 0.0001
        session.add(
            Building(
                name=f"银杏苑 {number} 栋",
                number=str(number),
                address=f"建设大道 88 号 {number} 栋",
                geom=from_shape(shapely.box(east, LAT + 0.0015, east + 0.00005, LAT + 0.0016), srid=4490),
                territory=NORTH_WEST,
            )
        )
    for code, lon in ((NORTH_WEST, LON - 0.001), (NORTH_EAST, LON + 0.001)):
        spot = from_shape(shapely.Point(lon, LAT + 0.001), srid=4490)
        session.add(Shop(name="顺发便利店", category="便利店", territory=code, geom=spot))
    session.add(
        Component(
            kind="manhole",
            code="990101001000017",
            territory=SOUTH_EAST,
            geom=from_shape(shapely.Point(LON + 0.001, LAT - 0.001), srid=4490),
        )
    )
    session.flush()
    return toy


def find(session, text: str, **where) -> list[tuple[str, str]]:
    return [(found.kind, found.title) for found in search(session, Typed.parse(text), **where)]


def test_two_characters_find_the_estate_before_its_buildings(session, city):
    found = find(session, "银杏")
    assert found[0] == ("estate", "银杏苑")
    assert [kind for kind, _ in found[1:]] == ["building"] * PER_KIND


@pytest.mark.parametrize("text", ["银杏苑 12 栋", "银杏苑12栋", " 银杏苑12 栋 "])
def test_an_exact_name_comes_first_however_it_is_spaced(session, city, text):
    assert find(session, text)[0] == ("building", "银杏苑 12 栋")


def test_a_number_in_the_middle_finds_its_building(session, city):
    assert ("building", "银杏苑 15 栋") in find(session, "银杏 15")


def test_an_address_finds_its_building(session, city):
    assert find(session, "建设大道88号17栋")[0] == ("building", "银杏苑 17 栋")


def test_a_road_and_its_addresses(session, city):
    found = find(session, "建设大道")
    assert found[0] == ("road", "建设大道")
    assert {kind for kind, _ in found[1:]} == {"building"}


def test_among_equals_the_nearest_comes_first(session, city):
    by_the_first = find(session, "银杏苑", lon=LON - STEP, lat=LAT + 0.0015)
    by_the_last = find(session, "银杏苑", lon=LON, lat=LAT + 0.0015)
    assert by_the_first[1] == ("building", "银杏苑 11 栋")
    assert by_the_last[1] == ("building", "银杏苑 3 栋"), "it stands nearest to the middle line"
    west = search(session, Typed.parse("顺发"), lon=LON - 0.001, lat=LAT)
    assert [round(shop.lon, 3) for shop in west] == [round(LON - 0.001, 3), round(LON + 0.001, 3)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (NORTH_EAST, ("cell", "安澜 002")),
        (SUBDISTRICT, ("area", "临江街道")),
        ("990101001000017", ("component", "990101001000017")),
    ],
)
def test_an_exact_code_comes_first(session, city, text, first):
    assert find(session, text)[0] == first


def test_the_beginning_and_the_end_of_a_code_are_enough(session, city):
    assert ("cell", "安澜 001") in find(session, SUBDISTRICT + "001")
    assert ("cell", "安澜 004") in find(session, "2004")


def test_a_trade_finds_its_shops(session, city):
    assert find(session, "便利店") == [("shop", "顺发便利店")] * 2


@pytest.mark.parametrize("text", ["", "   ", "%", "_", "%%银杏%%", "\\", "'; DROP TABLE shop; --", "\x00"])
def test_signs_that_mean_something_elsewhere_mean_nothing_here(session, city, text):
    assert find(session, text) == []


def test_nobody_is_found_by_name_or_phone(session, city):
    assert find(session, "王小明") == [] and find(session, "10012345678") == []


def test_every_find_lies_on_its_place_and_larger_ones_tell_their_size(session, city):
    session.execute(sa.text("UPDATE area SET parent_code = left(code, 9) WHERE level = 'community'"))
    found = search(session, Typed.parse("安澜"))
    (community,) = [place for place in found if place.kind == "area"]
    west, south, east, north = community.bbox
    assert (west, south, east, north) == pytest.approx((LON - STEP, LAT, LON + STEP, LAT + STEP))
    assert west < community.lon < east and south < community.lat < north
    assert community.code == SUBDISTRICT + "001" and community.subtitle == "临江街道"


def test_upper_and_lower_case_are_the_same(session, city):
    session.add(
        Shop(
            name="KFC 建设店", category="快餐", territory=NORTH_WEST,
            geom=from_shape(shapely.Point(LON, LAT), srid=4490),
        )
    )  # fmt: skip
    session.flush()
    assert find(session, "kfc 建设") == find(session, "KFC建设") == [("shop", "KFC 建设店")]


def test_a_long_text_is_cut_and_answered(session, city):
    assert find(session, "银" * 5000) == []
