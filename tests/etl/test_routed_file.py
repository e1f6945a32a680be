"""A table of points with who answers behind every row: the same answers as one by one, and no row lost."""

from __future__ import annotations

import csv

import pyarrow.parquet as pq
import pytest
import shapely
import sqlalchemy as sa

from etl import pipelines
from etl.loading import FileRequest
from etl.routed_file import APPENDED, route_file
from gis.errors import Invalid
from gis.geometry import Fix
from grids.responsibility import responsible_for
from tests import made_files, toy_city
from tests.etl.conftest import WHEN
from tests.toy_city import LAT, LON, NORTH_WEST, NOW, STEP

METRE = STEP / 222.0
"""One metre of latitude in degrees, near enough for placing points."""

PLACES = {
    "inside": (LON + 0.0012, LAT + 0.0015),
    "by the border": (LON + 3 * METRE, LAT + 0.0015),
    "on the corner of four": (LON, LAT),
    "at the building": (LON - 0.0003, LAT + 0.00105),
    "outside, near": (LON + STEP + 20 * METRE, LAT + 0.001),
    "outside, orphan": (LON + STEP + 400 * METRE, LAT + 0.001),
}


@pytest.fixture
def city(session):
    return toy_city.build(session)


def run(session, path, out, **more):
    headers = {"lon": "经度", "lat": "纬度", "accuracy": more.pop("accuracy", None)}
    request = FileRequest(path, more.pop("crs", "EPSG:4490"), headers=headers)
    return route_file(session, request, out, WHEN, at=NOW, language=more.pop("language", "en"), **more)


def read(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_every_row_gets_the_answer_a_single_question_gets(session, city, tmp_path):
    path = made_files.table(
        tmp_path / "p.csv",
        [["名称", "经度", "纬度", "精度"], *[[name, *place, 8] for name, place in PLACES.items()]],
    )
    result = run(session, path, tmp_path / "out.csv", accuracy="精度")
    assert result.rows == len(PLACES)
    for row, (name, place) in zip(read(tmp_path / "out.csv"), PLACES.items(), strict=True):
        one = responsible_for(session, Fix(*place, 8.0), at=NOW)
        assert row["名称"] == name
        assert (row["cell"] or None, row["rule"]) == (one.cell_code, one.rule), name
        assert row["member"] == ("" if one.member is None else str(one.member.id)), name
        assert float(row["confidence"]) == pytest.approx(one.confidence, abs=1e-3), name
        assert (float(row["border_m"]) if row["border_m"] else None) == pytest.approx(
            one.border_m, abs=0.1
        ), name
        assert (row["second_cell"] or None) == one.second_cell, name
        assert row["second_member"] == (str(one.second_member.id) if one.second_member else ""), name
        assert row["reason"] == one.reason_en, name


def test_a_row_that_cannot_be_placed_is_kept_with_the_reason(session, city, tmp_path):
    rows = [["1", "", LAT], ["2", "east", LAT], ["3", 116.4, 39.9], ["4", LON + 0.001, LAT + 0.001]]
    path = made_files.table(tmp_path / "p.csv", [["id", "经度", "纬度"], *rows])
    result = run(session, path, tmp_path / "out.csv")
    found = read(tmp_path / "out.csv")
    assert [row["rule"] for row in found] == ["refused", "refused", "refused", "covered"]
    assert all(row["reason"] for row in found)
    assert result.as_json()["refused"] == 3
    assert [row["id"] for row in found] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("zh", "（无法识别的取值已留空：精度 = -5）"),
        ("en", "(a value that cannot be read was left empty: 精度 = -5)"),
    ],
)
def test_an_accuracy_that_cannot_be_counts_as_unknown_and_is_told(session, city, tmp_path, language, told):
    place = [LON - 0.0015, LAT + 0.0015]
    rows = [["经度", "纬度", "精度"], [*place, -5], [*place, ""], [*place, 0], [*place, 5000]]
    path = made_files.table(tmp_path / "p.csv", rows)
    run(session, path, tmp_path / "out.csv", accuracy="精度", language=language)
    negative, unknown, none, coarse = read(tmp_path / "out.csv")
    assert {row["cell"] for row in (negative, unknown, none, coarse)} == {NORTH_WEST}
    assert negative["confidence"] == unknown["confidence"] and told in negative["reason"]
    assert negative["reason"].startswith(unknown["reason"]) and "精度" not in unknown["reason"]
    assert float(none["confidence"]) == 1.0 and float(coarse["confidence"]) < 0.1


def test_the_cells_own_name_in_its_file_stands_beside_its_code(session, city, tmp_path):
    session.execute(sa.text("UPDATE cell SET source_code = 'A7' WHERE code = :c"), {"c": NORTH_WEST})
    path = made_files.table(tmp_path / "p.csv", [["经度", "纬度"], [LON - 0.0015, LAT + 0.0015]])
    run(session, path, tmp_path / "out.csv")
    (row,) = read(tmp_path / "out.csv")
    assert (row["cell"], row["cell_source"]) == (NORTH_WEST, "A7")


def test_a_drawing_on_trial_can_be_named(session, city, load, tmp_path):
    whole = shapely.box(LON - STEP, LAT - STEP, LON + STEP, LAT + STEP)
    drawing = made_files.vector(tmp_path / "new.gpkg", [whole], {"网格编码": ["ALL"], "网格名称": ["全城"]})
    load(pipelines.cells, drawing, generation="trial")
    path = made_files.table(tmp_path / "p.csv", [["经度", "纬度"], [LON, LAT]])
    run(session, path, tmp_path / "out.csv", generation="trial")
    assert read(tmp_path / "out.csv")[0]["cell_source"] == "ALL"


def test_parquet_keeps_the_types_of_what_is_appended(session, city, tmp_path):
    path = made_files.table(
        tmp_path / "p.csv", [["名称", "经度", "纬度"], ["甲", LON + 0.001, LAT + 0.001], ["乙", "", ""]]
    )
    run(session, path, tmp_path / "out.parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column_names[:3] == ["名称", "经度", "纬度"]
    assert {name: table.schema.field(name).type for name in APPENDED} == APPENDED
    assert table["confidence"].to_pylist()[1] is None


def test_a_column_called_like_ours_is_kept_under_another_name(session, city, tmp_path):
    path = made_files.table(
        tmp_path / "p.csv", [["reason", "经度", "纬度"], ["本来的原因", LON + 0.001, LAT + 0.001]]
    )
    run(session, path, tmp_path / "out.csv", language="zh")
    (row,) = read(tmp_path / "out.csv")
    assert row["reason_input"] == "本来的原因"
    assert row["reason"].startswith("落在网格")


@pytest.mark.parametrize("system", ["GCJ-02", "BD-09"])
def test_points_of_a_web_map_are_undone(session, city, tmp_path, system):
    from gis import crs

    x, y = crs.wgs84_to_gcj02(LON - 0.0015, LAT + 0.0015)
    if system == "BD-09":
        x, y = crs.gcj02_to_bd09(x, y)
    path = made_files.table(tmp_path / "p.csv", [["经度", "纬度"], [float(x), float(y)]])
    run(session, path, tmp_path / "out.csv", crs=system)
    assert read(tmp_path / "out.csv")[0]["cell"] == NORTH_WEST


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_read(session, city, tmp_path):
    path = made_files.table(tmp_path / "p.csv", [["经度", "纬度"], [LON, LAT]])
    for out in (tmp_path / "out.dbf", tmp_path / "none" / "out.csv"):
        with pytest.raises(Invalid, match="cannot be written"):
            run(session, path, out)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["p.csv"]


def test_without_an_active_drawing_there_is_no_answer_and_no_file(session, tmp_path):
    path = made_files.table(tmp_path / "p.csv", [["经度", "纬度"], [LON, LAT]])
    with pytest.raises(Invalid, match="active"):
        run(session, path, tmp_path / "out.csv")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["p.csv"]
