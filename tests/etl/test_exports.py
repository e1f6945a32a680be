"""Layers as files: the fields a role may read, nothing personal, and back in again without a change."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import replace

import geopandas as gpd
import pytest
import shapely
import sqlalchemy as sa
from openpyxl import load_workbook

from etl import pipelines
from etl.exports import export
from gis.access import Principal
from gis.errors import Denied, Invalid, NotFound
from tests import made_files, toy_city
from tests.etl.conftest import WHEN, counts
from tests.etl.test_pipelines import NE, NW, SE
from tests.toy_city import LAT, LON, NORTH_EAST, SUBDISTRICT


@pytest.fixture
def city(session, load, tmp_path):
    built = toy_city.build(session)
    path = made_files.vector(
        tmp_path / "b.gpkg",
        [NE, NW, SE],
        {"楼栋编码": ["B1", "B2", "B3"], "名称": ["甲座", "=1+1", None], "层数": [33, 6, None]},
    )
    load(pipelines.buildings, path)
    return built


@pytest.mark.parametrize("ending", [".gpkg", ".geojson", ".parquet"])
def test_a_layer_comes_out_with_its_geometry_and_goes_back_in_unchanged(
    session, load, city, tmp_path, ending
):
    out = tmp_path / f"out{ending}"
    made = export(session, "buildings", out, WHEN, bbox=(LON + 0.0005, LAT - 0.002, LON + 0.002, LAT + 0.002))
    frame = gpd.read_parquet(out) if ending == ".parquet" else gpd.read_file(out)
    assert made.rows == len(frame) == 2
    assert made.sha256 == hashlib.sha256(out.read_bytes()).hexdigest()
    assert list(frame["source_code"]) == ["B1", "B3"]
    assert frame.geometry[0].equals(NE)
    if ending != ".parquet":
        assert counts(load(pipelines.buildings, out)) == (0, 0, 2)


def test_points_become_lon_and_lat_in_a_table(session, load, city, tmp_path):
    shops = made_files.table(
        tmp_path / "s.csv", [["编号", "店名", "lon", "lat"], ["1", "甲", LON + 0.001, LAT + 0.001]]
    )
    load(pipelines.shops, shops, crs="EPSG:4490")
    export(session, "shops", tmp_path / "out.csv", WHEN)
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        row, mark = csv.DictReader(file)
    assert next(iter(mark.values())).startswith("# 导出人")
    assert (float(row["lon"]), float(row["lat"]), row["name"]) == (LON + 0.001, LAT + 0.001, "甲")
    assert counts(load(pipelines.shops, tmp_path / "out.csv", crs="EPSG:4490")) == (0, 0, 1)


def test_a_sheet_holds_text_as_text_and_a_point_on_each_shape(session, city, tmp_path):
    export(session, "buildings", tmp_path / "out.xlsx", WHEN)
    sheet = load_workbook(tmp_path / "out.xlsx").active
    head, *found = sheet.iter_rows(values_only=True)
    by_code = {row[head.index("source_code")]: dict(zip(head, row, strict=True)) for row in found}
    assert by_code["B2"]["name"] == "=1+1"
    cell = next(c for row in sheet.iter_rows() for c in row if c.value == "=1+1")
    assert cell.data_type == "s"
    assert NE.contains(shapely.Point(by_code["B1"]["lon"], by_code["B1"]["lat"]))


def test_a_table_runs_nothing_in_a_spreadsheet_and_goes_back_in_unchanged(session, load, city, tmp_path):
    names = ['=HYPERLINK("http://x")', "+86", "-1+1|x", "@SUM(A1)", "＝1", "'甲", "乙 = 丙"]
    rows = [[str(i), name, LON + 0.001, LAT + 0.001] for i, name in enumerate(names)]
    shops = made_files.table(tmp_path / "s.csv", [["编号", "店名", "lon", "lat"], *rows])
    load(pipelines.shops, shops, crs="EPSG:4490")
    export(session, "shops", tmp_path / "out.csv", WHEN)
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        found = {row["source_code"]: row["name"] for row in csv.DictReader(file)}
    assert [found[str(i)] for i in range(5)] == ["'" + name for name in names[:5]]
    assert [found[str(i)] for i in (5, 6)] == names[5:]
    assert counts(load(pipelines.shops, tmp_path / "out.csv", crs="EPSG:4490")) == (0, 0, 7)


def test_a_territory_cuts_layers_that_carry_none_by_its_polygon(session, load, city, tmp_path):
    assert export(session, "buildings", tmp_path / "b.gpkg", WHEN, territory=NORTH_EAST).rows == 1
    assert export(session, "roads", tmp_path / "r.gpkg", WHEN, territory=SUBDISTRICT).rows == 1
    with pytest.raises(NotFound, match="440103"):
        export(session, "buildings", tmp_path / "x.gpkg", WHEN, territory="440103")


@pytest.mark.parametrize("layer", ["households", "residents"])
def test_people_are_not_exported(session, city, tmp_path, layer):
    with pytest.raises(Denied):
        export(session, layer, tmp_path / "out.csv", WHEN)
    assert not list(tmp_path.glob("out*"))


def test_cases_are_those_of_ones_own_ground_without_personal_fields(session, load, city, tmp_path):
    from etl import cases
    from tests.etl.test_cases import EAST, WEST, case, write

    load(
        cases.incidents,
        write(tmp_path, case("C1", lon=EAST, text="张三家"), case("C2", lon=WEST)),
        crs="EPSG:4490",
    )
    officer = replace(WHEN, by=Principal(9, "wang", "王", "community_officer", NORTH_EAST))
    assert export(session, "incidents", tmp_path / "all.csv", WHEN).rows == 2
    assert export(session, "incidents", tmp_path / "mine.csv", officer).rows == 1
    assert "张三家" not in (tmp_path / "all.csv").read_text("utf-8-sig")
    nobody = replace(WHEN, by=Principal(8, "li", "李", "member", NORTH_EAST, 5))
    with pytest.raises(Denied, match="no lists"):
        export(session, "incidents", tmp_path / "none.csv", nobody)


def test_a_format_or_folder_that_does_not_exist_is_refused(session, city, tmp_path):
    with pytest.raises(Invalid, match="format"):
        export(session, "buildings", tmp_path / "out.dwg", WHEN)
    with pytest.raises(Invalid, match="folder"):
        export(session, "buildings", tmp_path / "none" / "out.csv", WHEN)
    with pytest.raises(NotFound, match="no layer"):
        export(session, "unicorns", tmp_path / "out.csv", WHEN)


def test_every_export_is_in_the_trail_by_its_hash(session, city, tmp_path):
    made = export(session, "buildings", tmp_path / "out.csv", WHEN)
    row = session.execute(sa.text("SELECT username, details FROM audit_entry WHERE action = 'export'")).one()
    assert (row.username, row.details["sha256"], row.details["rows"]) == ("cli:test", made.sha256, made.rows)
