"""Datums in and out: against an independent library, published pairs, and their own inverses."""

import json

import numpy as np
import pytest
from coord_convert import transform as oracle
from hypothesis import given
from hypothesis import strategies as st

from gis import crs
from gis.errors import Invalid
from gis.settings import Settings

CITIES = {
    "Foshan": (113.12, 23.01, 629),
    "Shenzhen": (114.06, 22.515, 606),
    "Changsha": (112.985, 28.255, 665),
    "Nanjing": (118.90, 32.05, 534),
}
in_china = {"lon": st.floats(74.0, 134.0), "lat": st.floats(18.0, 53.0)}


def metres_between(lon1, lat1, lon2, lat2):
    """Small distances on a sphere of 6371 km."""
    x = np.radians(np.subtract(lon2, lon1)) * np.cos(np.radians(lat1))
    return np.hypot(x, np.radians(np.subtract(lat2, lat1))) * 6_371_000


@pytest.mark.parametrize(("lon", "lat", "metres"), CITIES.values(), ids=CITIES)
def test_gcj02_moves_a_city_by_its_known_distance(lon, lat, metres):
    assert metres_between(lon, lat, *crs.wgs84_to_gcj02(lon, lat)) == pytest.approx(metres, abs=3)


@given(**in_china)
def test_gcj02_agrees_with_an_independent_library(lon, lat):
    assert metres_between(*crs.wgs84_to_gcj02(lon, lat), *oracle.wgs2gcj(lon, lat)) < 0.001


@given(**in_china)
def test_round_trips_return_within_a_millimetre(lon, lat):
    gcj = crs.wgs84_to_gcj02(lon, lat)
    assert metres_between(*crs.gcj02_to_wgs84(*gcj), lon, lat) < 0.001
    assert metres_between(*crs.to_stored(*crs.gcj02_to_bd09(*gcj), "BD-09"), lon, lat) < 0.001


@given(lon=st.floats(75.5, 134.5), lat=st.floats(18.0, 53.0))
def test_metric_zone_returns_and_keeps_east_first(lon, lat):
    zone = crs.metric_crs(lon)
    x, y = crs.to_metres(lon, lat, zone=zone)
    assert 300_000 < x < 700_000 and 1_900_000 < y < 6_000_000
    assert metres_between(*crs.from_metres(x, y, zone=zone), lon, lat) < 0.001


def test_zones_by_their_meridians():
    assert [crs.metric_crs(lon) for lon in (111.28, 113.1, 117.26, 118.9)] == [
        "EPSG:4546", "EPSG:4547", "EPSG:4548", "EPSG:4549",
    ]  # fmt: skip


def test_wgs84_and_cgcs2000_are_one_in_storage():
    assert crs.to_stored(113.1, 23.0, "epsg:4326") == (113.1, 23.0)


def test_outside_china_the_formula_is_the_identity():
    assert crs.wgs84_to_gcj02(-71.06, 42.36) == (-71.06, 42.36)


CAPITALS = {"Hong Kong": (114.1694, 22.3193), "Macau": (113.5439, 22.1987), "Taipei": (121.5654, 25.033)}
MAINLAND = {
    "Shenzhen": (114.055, 22.543),
    "Zhuhai": (113.5767, 22.2707),
    "Hengqin": (113.52, 22.13),
    "Pingtan": (119.79, 25.50),
}


@pytest.mark.parametrize(("lon", "lat"), CAPITALS.values(), ids=CAPITALS)
def test_the_published_formula_shifts_hong_kong_macau_and_taiwan_and_the_mainland_variant_does_not(lon, lat):
    gcj = crs.wgs84_to_gcj02(lon, lat)
    assert metres_between(*gcj, lon, lat) > 300
    assert metres_between(*crs.to_stored(*gcj, "GCJ-02"), lon, lat) < 0.001
    assert crs.to_stored(lon, lat, "gcj02-mainland") == (lon, lat)
    bd09 = crs.gcj02_to_bd09(lon, lat)
    assert metres_between(*crs.to_stored(*bd09, "BD09-MAINLAND"), lon, lat) < 0.001


@pytest.mark.parametrize(("lon", "lat"), MAINLAND.values(), ids=MAINLAND)
def test_the_mainland_variant_shifts_the_mainland_up_to_the_border(lon, lat):
    gcj = crs.wgs84_to_gcj02(lon, lat)
    assert metres_between(*crs.to_stored(*gcj, "GCJ-02-MAINLAND"), lon, lat) < 0.001


@pytest.mark.parametrize(
    "name", ["EPSG:4490", "GCJ-02", "BD-09", "GCJ-02-MAINLAND", "BD-09-MAINLAND", "EPSG:4547", "EPSG:4526"]
)
@pytest.mark.parametrize(("lon", "lat"), [(113.12, 23.01), (114.055, 22.543), (114.1694, 22.3193)])
def test_what_is_written_in_a_system_is_read_back_from_it(name, lon, lat):
    assert metres_between(*crs.to_stored(*crs.from_stored(lon, lat, name), name), lon, lat) < 0.001


@given(**in_china)
def test_bd09_agrees_with_an_independent_library(lon, lat):
    gcj = crs.wgs84_to_gcj02(lon, lat)
    assert metres_between(*crs.gcj02_to_bd09(*gcj), *oracle.gcj2bd(*map(float, gcj))) < 0.001
    assert metres_between(*crs.gcj02_to_wgs84(*gcj), *oracle.gcj2wgs(*map(float, gcj))) < 0.001


@pytest.mark.parametrize("name", [None, "", "EPSG:3857", "mars", "EPSG:44900"])
def test_an_undeclared_or_unknown_system_is_refused_with_the_remedy(name):
    with pytest.raises(Invalid) as refusal:
        crs.to_stored(113.1, 23.0, name)
    assert "EPSG:4490" in refusal.value.remedy_en and "EPSG:4490" in refusal.value.remedy_zh


def test_published_pairs():
    folder = Settings.load().real_data
    if folder is None:
        pytest.skip("no real data: set CITYGRID_REAL_DATA")
    found = json.loads((folder / "coords" / "reference_pairs.json").read_text())
    wgs84 = np.array(found["points_wgs84"])
    published = [np.array(pairs) for name, pairs in found.items() if "gcj" in name.lower()]
    assert len(wgs84) >= 100 and published
    ours = crs.wgs84_to_gcj02(wgs84[:, 0], wgs84[:, 1])
    for gcj02 in published:
        # The two libraries behind the pairs differ from each other by up to 12 mm.
        assert metres_between(*ours, gcj02[:, 0], gcj02[:, 1]).max() < 0.02
