"""Features of a layer by box, filter and page; nothing personal, nothing hidden."""

from __future__ import annotations

import json

import orjson
import pytest
import shapely

from gis.errors import Denied, Invalid, NotFound
from layers.features import Condition, Wanted, feature, features
from tests import toy_city
from tests.toy_city import LAT, LON, NORTH_WEST, SOUTH_EAST, SUBDISTRICT


@pytest.fixture
def city(session):
    return toy_city.build(session)


def codes(session, wanted: Wanted, role: str = "member", **more) -> list[str]:
    return [f["properties"]["code"] for f in features(session, "cells", wanted, role=role, **more).features]


def test_a_box_finds_what_it_touches_and_only_that(session, city):
    inside_south_east = (LON + 0.0005, LAT - 0.0015, LON + 0.0015, LAT - 0.0005)
    assert codes(session, Wanted(bbox=inside_south_east)) == [SOUTH_EAST]
    around_the_corner = (LON - 0.0001, LAT - 0.0001, LON + 0.0001, LAT + 0.0001)
    assert len(codes(session, Wanted(bbox=around_the_corner))) == 4
    assert codes(session, Wanted(bbox=(100.0, 20.0, 100.1, 20.1))) == []


def test_a_diagonal_neighbour_in_the_bounding_box_only_is_not_found(session, city):
    """The road's bounding box is a line on the middle; a box beside it touches nothing of it."""
    beside = (LON + 0.0001, LAT, LON + 0.0002, LAT + 0.001)
    assert features(session, "roads", Wanted(bbox=beside), role="member").features == []


def test_geometry_is_lon_lat_as_stored(session, city):
    found = orjson.loads(orjson.dumps(features(session, "buildings", Wanted(), role="member").features))
    (building,) = found
    shape = shapely.from_geojson(json.dumps(building["geometry"]))
    assert shape.bounds == pytest.approx((LON - 0.0004, LAT + 0.001, LON - 0.0002, LAT + 0.0011), abs=1e-8)
    assert building["id"] == city.building and building["properties"]["name"] == "银杏苑 3 栋"


def test_pages_follow_each_other_without_gap_or_repeat(session, city):
    first = features(session, "cells", Wanted(limit=3), role="member")
    second = features(session, "cells", Wanted(limit=3, after=first.next), role="member")
    ids = [f["id"] for f in (*first.features, *second.features)]
    assert len(ids) == 4 and ids == sorted(set(ids))
    assert second.next is None


def test_areas_are_paged_and_asked_for_by_code(session, city):
    first = features(session, "areas", Wanted(limit=2), role="member")
    assert [f["id"] for f in first.features] == ["9901", "990101"] and first.next == "990101"
    assert feature(session, "areas", SUBDISTRICT, role="member")["properties"]["name"] == "临江街道"


def test_fields_and_territory_narrow(session, city):
    assert codes(session, Wanted(equals={"code": NORTH_WEST})) == [NORTH_WEST]
    assert len(codes(session, Wanted(territory=SUBDISTRICT + "001"))) == 2
    bridges = features(session, "roads", Wanted(equals={"bridge": "true"}), role="member")
    assert bridges.features == []


def test_a_filter_value_is_only_ever_a_value(session, city):
    assert codes(session, Wanted(equals={"code": "' OR true --"})) == []


@pytest.mark.parametrize("field", ["geom", "id; DROP TABLE cell", "password_hash"])
def test_a_filter_on_what_is_no_field_is_refused(session, city, field):
    with pytest.raises(Invalid) as caught:
        features(session, "cells", Wanted(equals={field: "1"}), role="member")
    assert "community_code" in caught.value.remedy_en


def test_a_resident_reads_open_fields_and_cannot_filter_by_others(session, city):
    (building,) = features(session, "buildings", Wanted(), role="resident").features
    assert "households_count" not in building["properties"] and "floors" in building["properties"]
    with pytest.raises(Invalid):
        features(session, "buildings", Wanted(equals={"households_count": "0"}), role="resident")


@pytest.mark.parametrize("name", ["households", "residents"])
def test_people_are_not_features(session, city, name):
    with pytest.raises(Denied):
        features(session, name, Wanted(), role="admin")
    with pytest.raises(Denied):
        feature(session, name, "1", role="admin")


def test_rows_that_may_not_be_seen_are_not_there(session, city):
    only = Condition("t.code = :mine", {"mine": NORTH_WEST})
    assert codes(session, Wanted(), visible=only) == [NORTH_WEST]
    hidden = features(session, "cells", Wanted(equals={"code": SOUTH_EAST}), role="member").features[0]["id"]
    with pytest.raises(NotFound):
        feature(session, "cells", str(hidden), role="member", visible=only)


@pytest.mark.parametrize("key", ["0", "-1", "x", "99999999999999999999", "1.5", ""])
def test_a_key_that_names_nothing_is_not_found(session, city, key):
    with pytest.raises(NotFound):
        feature(session, "buildings", key, role="member")


def test_a_cursor_that_is_none_is_refused(session, city):
    with pytest.raises(Invalid):
        features(session, "buildings", Wanted(after="990101x"), role="member")
