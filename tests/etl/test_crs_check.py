"""A file's declared system against the city's buildings."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import shapely
from geoalchemy2.shape import from_shape

from etl import pipelines
from etl.crs_check import check_file
from gis import crs
from gis.errors import Invalid
from layers.buildings import Building

LON, LAT = 113.1, 23.0
ZONE = crs.metric_crs(LON)


@pytest.fixture
def houses(session):
    """Three hundred houses of 20 x 10 m at irregular places over a square kilometre; lon, lat of each."""
    rng = np.random.default_rng(4)
    x, y = crs.to_metres(LON, LAT, zone=ZONE)
    lon, lat = crs.from_metres(x + rng.uniform(0, 1000, 300), y + rng.uniform(0, 1000, 300), zone=ZONE)
    session.add_all(
        Building(
            name=f"{n} 号", number=str(n), cell_code=None, territory="990101001001001",
            geom=from_shape(shapely.box(a - 1e-4, b - 5e-5, a + 1e-4, b + 5e-5), srid=4490),
        )
        for n, (a, b) in enumerate(zip(lon, lat, strict=True))
    )  # fmt: skip
    session.flush()
    return lon, lat


def write(path, lon, lat, header=("经度", "纬度")):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *zip(lon, lat, strict=True)])
    return path


def test_a_table_of_gcj02_declared_as_wgs84_is_named(session, houses, tmp_path):
    file = write(tmp_path / "shops.csv", *crs.wgs84_to_gcj02(*houses))
    verdict = check_file(session, file, crs="EPSG:4326", against="buildings")
    assert (verdict.found, verdict.agrees, verdict.points) == ("GCJ-02", False, 300)
    assert check_file(session, file, crs="GCJ-02", against="buildings").agrees is True


def test_columns_can_be_named_and_rows_without_a_number_are_passed_over(session, houses, tmp_path):
    lon, lat = (list(axis) for axis in houses)
    lon[3] = "unknown"
    file = write(tmp_path / "shops.csv", lon, lat, header=("a", "b"))
    verdict = check_file(session, file, crs="EPSG:4490", against="buildings", lon_field="a", lat_field="b")
    assert (verdict.agrees, verdict.points) == (True, 299)
    with pytest.raises(Invalid) as refusal:
        check_file(session, file, crs="EPSG:4490", against="buildings")
    assert "--lon" in refusal.value.remedy_en


def test_without_anything_to_compare_with_it_cannot_be_told(session, tmp_path):
    file = write(tmp_path / "shops.csv", np.full(50, LON), np.full(50, LAT))
    assert check_file(session, file, crs="EPSG:4490", against="buildings").found is None


@pytest.mark.parametrize(("declared", "against"), [(None, "buildings"), ("EPSG:4490", "roads")])
def test_an_undeclared_system_or_an_unknown_layer_is_refused(session, houses, tmp_path, declared, against):
    with pytest.raises(Invalid):
        check_file(session, write(tmp_path / "shops.csv", *houses), crs=declared, against=against)


def test_a_load_that_declares_the_wrong_system_is_refused_with_the_right_one(session, houses, load, tmp_path):
    lon, lat = crs.wgs84_to_gcj02(*houses)
    file = tmp_path / "shops.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows(
            [("名称", "经度", "纬度"), *((f"店 {n}", *at) for n, at in enumerate(zip(lon, lat, strict=True)))]
        )
    with pytest.raises(Invalid) as refusal:
        load(pipelines.shops, file, crs="EPSG:4326")
    assert "GCJ-02" in refusal.value.remedy_zh and refusal.value.details["found"] == "GCJ-02"
    assert load(pipelines.shops, file, crs="GCJ-02").inserted == 300
