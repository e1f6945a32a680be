"""Exceptions from a file: polygons and road lines, their cells found, the same file again without effect."""

from __future__ import annotations

import pytest
import shapely

from etl.exceptions import exceptions
from gis.geometry import Fix
from grids.responsibility import responsible_for
from tests import made_files, toy_city
from tests.etl.conftest import codes, counts
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, NOW, SOUTH_WEST, STEP

WEST_STRIP = shapely.box(LON - 0.0003, LAT, LON, LAT + STEP)
ROAD = shapely.LineString([(LON, LAT - STEP), (LON, LAT)])


@pytest.fixture
def city(session):
    return toy_city.build(session)


def owner(session, lon, lat):
    answer = responsible_for(session, Fix(lon, lat, 3.0), at=NOW)
    return answer.rule, answer.cell_code


def test_a_polygon_gives_its_ground_to_the_cell_it_names(load, rows, session, city, tmp_path):
    file = made_files.vector(
        tmp_path / "例外.geojson",
        [WEST_STRIP],
        {"id": ["E1"], "归属网格": ["安澜 002"], "理由": ["路西归东"], "优先级": [3]},
    )
    assert counts(load(exceptions, file)) == (1, 0, 0)
    assert owner(session, LON - 0.0001, LAT + 0.0005) == ("exception", NORTH_EAST)
    (row,) = rows(
        "SELECT cell_code, territory, priority, reason, created_by, starts_at, ends_at FROM exception"
    )
    assert row == (NORTH_EAST, NORTH_EAST, 3, "路西归东", "操作员", NOW, None)
    assert counts(load(exceptions, file)) == (0, 0, 1)


def test_a_road_with_a_buffer_gives_both_sides_to_one(load, session, city, tmp_path):
    file = made_files.vector(
        tmp_path / "roads.geojson",
        [ROAD, ROAD],
        {
            "id": ["R1", "R2"],
            "cell": [SOUTH_WEST, SOUTH_WEST],
            "reason": ["界路", "界路"],
            "buffer_m": [12, 0],
        },
    )
    report = load(exceptions, file)
    assert report.inserted == 1 and codes(report.refused) == [(2, "no_buffer")]
    assert owner(session, LON + 0.00008, LAT - STEP / 2) == ("exception", SOUTH_WEST)


def test_what_names_no_cell_or_ends_before_it_starts_is_refused(load, city, tmp_path):
    file = made_files.vector(
        tmp_path / "e.geojson",
        [WEST_STRIP] * 4,
        {
            "id": ["E1", "E2", "E3", "E4"],
            "cell": ["不存在", NORTH_WEST, NORTH_WEST, NORTH_WEST],
            "reason": ["因", "因", None, "因"],
            "starts_at": [None, "2026-12-01", None, "2026-11-01"],
            "ends_at": [None, "2026-11-01", None, "2026-12-01"],
        },
    )
    report = load(exceptions, file)
    assert report.inserted == 1
    assert codes(report.refused) == [(1, "no_such_cell"), (2, "ends_before"), (3, "missing")]
