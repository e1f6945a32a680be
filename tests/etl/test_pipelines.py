"""Files of the ground into the toy city: counts, codes, territories, and every defect with its answer."""

from __future__ import annotations

import stat

import pytest
import shapely
import sqlalchemy as sa

from etl import pipelines
from gis.errors import Conflict, Invalid
from tests import made_files, toy_city
from tests.etl.conftest import codes, counts
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, SOUTH_EAST, STEP, SUBDISTRICT

BOW_TIE = shapely.Polygon(
    [
        (LON + 0.0002, LAT + 0.0002),
        (LON + 0.0004, LAT + 0.0004),
        (LON + 0.0004, LAT + 0.0002),
        (LON + 0.0002, LAT + 0.0004),
    ]
)


def house(east: float, north: float, size: float = 0.0002) -> shapely.Polygon:
    """A square footprint at degrees from the middle of the toy city."""
    return shapely.box(LON + east, LAT + north, LON + east + size, LAT + north + size)


NE, NW, SE = house(0.0010, 0.0010), house(-0.0012, 0.0010), house(0.0010, -0.0012)


@pytest.fixture
def city(session):
    return toy_city.build(session)


# ---- what stands on the ground -----------------------------------------------------------------------


def test_buildings_get_the_cell_and_territory_they_stand_on(load, rows, city, tmp_path):
    path = made_files.vector(
        tmp_path / "楼栋.gpkg",
        [NE, NW, SE],
        {
            "楼栋编码": ["B1", "B2", "B3"],
            "楼栋名称": ["甲座", "乙座", None],
            "层数": [33, 6, None],
            "用途": ["住宅", "商业", "车库"],
        },
    )
    report = load(pipelines.buildings, path)
    assert (report.read, report.accepted, counts(report), report.refused) == (3, 3, (3, 0, 0), [])
    assert rows(
        "SELECT source_code, name, floors, use, style, cell_code, territory FROM building"
        " WHERE source_code IS NOT NULL ORDER BY 1"
    ) == [
        ("B1", "甲座", 33, "residential", "tower", NORTH_EAST, NORTH_EAST),
        ("B2", "乙座", 6, "commercial", "shop", NORTH_WEST, NORTH_WEST),
        ("B3", None, None, "车库", "other", SOUTH_EAST, SOUTH_EAST),
    ]


def test_the_same_file_again_changes_nothing(load, rows, city, tmp_path):
    path = made_files.vector(tmp_path / "b.gpkg", [NE, NW], {"楼栋编码": ["B1", "B2"], "层数": [6, 11]})
    load(pipelines.buildings, path)
    before = rows("SELECT stamp FROM owner_map_stamp"), rows("SELECT * FROM building ORDER BY id")
    report = load(pipelines.buildings, path)
    assert counts(report) == (0, 0, 2)
    assert (rows("SELECT stamp FROM owner_map_stamp"), rows("SELECT * FROM building ORDER BY id")) == before


def test_a_later_file_changes_what_it_tells_and_leaves_the_rest(load, rows, city, tmp_path):
    load(
        pipelines.buildings,
        made_files.vector(tmp_path / "a.gpkg", [NE], {"id": ["B1"], "层数": [6], "户数": [48]}),
    )
    report = load(
        pipelines.buildings, made_files.vector(tmp_path / "b.gpkg", [NE], {"id": ["B1"], "名称": ["甲座"]})
    )
    assert counts(report) == (0, 1, 0)
    assert rows("SELECT name, floors, households_count FROM building WHERE source_code = 'B1'") == [
        ("甲座", 6, 48)
    ]


def test_rows_without_ids_are_known_by_their_content(load, city, tmp_path):
    path = made_files.vector(tmp_path / "a.gpkg", [NE, NW], {"层数": [6, 6]})
    report = load(pipelines.buildings, path)
    assert counts(report) == (2, 0, 0)
    assert any("no id column" in english for _, english in report.remarks)
    assert counts(load(pipelines.buildings, path)) == (0, 0, 2)


def test_every_defect_of_a_row_is_refused_or_mended_with_its_reason(load, rows, city, tmp_path):
    beijing = shapely.box(116.4, 39.9, 116.401, 39.901)
    path = made_files.vector(
        tmp_path / "b.gpkg",
        [NE, BOW_TIE, None, shapely.Point(LON, LAT), beijing, NW, shapely.union(SE, house(0.0003, -0.0012))],
        {
            "id": ["ok", "tie", "gone", "point", "far", "odd", "two"],
            "层数": ["6", "6", "6", "6", "6", "six", "6"],
        },
    )
    report = load(pipelines.buildings, path)
    assert codes(report.refused) == [(3, "no_place"), (4, "wrong_kind"), (5, "far_outside")]
    assert codes(report.repaired) == [(2, "mended"), (2, "split"), (6, "left_empty"), (7, "split")]
    assert (report.read, report.accepted, report.inserted) == (7, 4, 6)
    assert rows("SELECT source_code FROM building WHERE source_code IS NOT NULL ORDER BY 1") == [
        ("odd",), ("ok",), ("tie/1",), ("tie/2",), ("two/1",), ("two/2",),
    ]  # fmt: skip


def test_refused_rows_are_written_beside_the_input_for_their_owner_only(load, city, tmp_path):
    path = made_files.table(
        tmp_path / "商铺.csv",
        [["编号", "店名", "经度", "纬度", "备注"], ["1", "甲", LON, LAT, "好"], ["2", "", LON, LAT, "=1+1"]],
    )
    report = load(pipelines.shops, path, crs="EPSG:4490")
    assert report.refused_file == tmp_path / "商铺.refused.csv"
    assert stat.S_IMODE(report.refused_file.stat().st_mode) == 0o600
    (row,) = made_files.refused_rows(report.refused_file)
    assert (row["citygrid_row"], row["编号"], row["备注"]) == ("2", "2", "'=1+1")
    assert "店名" in row["citygrid_reason"] and "缺少必填项" in row["citygrid_原因"]
    made_files.table(path, [["编号", "店名", "经度", "纬度"], ["1", "甲", LON, LAT]])
    load(pipelines.shops, path, crs="EPSG:4490")
    assert not (tmp_path / "商铺.refused.csv").exists()


def test_a_corrected_list_of_refused_rows_loads_as_it_is(load, city, tmp_path):
    path = made_files.table(
        tmp_path / "s.csv", [["编号", "店名", "经度", "纬度"], ["1", "甲", LON, ""], ["2", "乙", LON, LAT]]
    )
    report = load(pipelines.shops, path, crs="EPSG:4490")
    (row,) = made_files.refused_rows(report.refused_file)
    corrected = made_files.table(tmp_path / "again.csv", [list(row), [*list(row.values())[:-1], str(LAT)]])
    again = load(pipelines.shops, corrected, crs="EPSG:4490")
    assert (again.accepted, again.refused) == (1, [])


def test_shops_hang_on_the_building_they_stand_in(load, rows, city, tmp_path):
    inside, outside = shapely.Point(LON - 0.0003, LAT + 0.00105), shapely.Point(LON + 0.001, LAT + 0.001)
    load(
        pipelines.shops,
        made_files.vector(
            tmp_path / "s.geojson", [inside, outside], {"id": ["1", "2"], "店名": ["甲", "乙"]}
        ),
    )
    assert rows('SELECT building_id, category, cell_code FROM shop ORDER BY name COLLATE "C"') == [
        (None, "其他", NORTH_EAST),
        (city.building, "其他", NORTH_WEST),
    ]


def test_components_name_their_department_and_state_in_chinese(load, rows, city, tmp_path):
    path = made_files.table(
        tmp_path / "部件.csv",
        [["部件标识码", "部件类型", "责任部门", "状态", "经度", "纬度"],
         ["1", "路灯", "城管执法队", "破损", LON, LAT + 0.001],
         ["2", "井盖", "水务", "消失", LON, LAT + 0.001]],
    )  # fmt: skip
    report = load(pipelines.components, path, crs="EPSG:4490")
    assert codes(report.refused) == [(2, "not_listed")]
    assert rows("SELECT kind, department_code, state FROM component") == [
        ("lamp", "city_management", "damaged")
    ]


def test_what_is_no_road_is_refused_by_its_class(load, rows, city, tmp_path):
    line = shapely.LineString([(LON, LAT), (LON + 0.001, LAT)])
    path = made_files.vector(
        tmp_path / "r.gpkg",
        [line, line, line],
        {"id": ["1", "2", "3"], "道路等级": ["主干路", "地铁", None], "是否桥梁": ["是", "否", None]},
    )
    report = load(pipelines.roads, path)
    assert codes(report.refused) == [(2, "not_listed")]
    assert rows("SELECT class, bridge FROM road WHERE source_code IS NOT NULL ORDER BY source_code") == [
        ("arterial", True),
        ("local", False),
    ]


def test_buildings_find_their_estate_by_name_else_by_ground(load, rows, city, tmp_path):
    grounds = [house(0.0008, 0.0008, 0.0008), house(-0.0016, 0.0008, 0.0008)]
    named = {"小区编码": ["E1", "E2"], "小区名称": ["银杏苑", "石桥里"]}
    load(pipelines.estates, made_files.vector(tmp_path / "e.gpkg", grounds, named))
    load(
        pipelines.buildings,
        made_files.vector(
            tmp_path / "b.gpkg", [NE, NW, NW], {"id": ["1", "2", "3"], "小区": [None, None, "银杏苑"]}
        ),
    )
    assert rows(
        "SELECT b.source_code, e.name FROM building AS b JOIN estate AS e ON e.id = b.estate_id ORDER BY 1"
    ) == [("1", "银杏苑"), ("2", "石桥里"), ("3", "银杏苑")]


# ---- one id on several rows --------------------------------------------------------------------------


def test_pieces_of_one_thing_are_joined_and_different_things_refused(load, rows, city, tmp_path):
    west, east = house(0.0006, 0.0006), house(0.0008, 0.0006)
    path = made_files.vector(
        tmp_path / "land.gpkg",
        [west, east, west, NE],
        {"id": ["1", "1", "1", "1"], "类型": ["公园", "公园", "广场", "公园"]},
    )
    report = load(pipelines.land, path)
    assert (report.accepted, report.inserted, report.joined) == (3, 1, 2)
    assert codes(report.repaired) == [(2, "joined"), (4, "joined")]
    assert codes(report.refused) == [(3, "twice")]
    ((kind, ground),) = rows("SELECT kind, ST_AsText(geom) FROM land")
    assert kind == "park"
    assert shapely.from_wkt(ground).equals(shapely.union_all([west, east, NE]))


def test_pieces_of_a_building_must_touch(load, rows, city, tmp_path):
    west, east, apart = house(0.0006, 0.0006), house(0.0008, 0.0006), house(0.0012, 0.0006)
    touching = made_files.vector(tmp_path / "a.gpkg", [west, east], {"id": ["1", "1"]})
    assert load(pipelines.buildings, touching).joined == 1
    distant = made_files.vector(tmp_path / "b.gpkg", [west, apart], {"id": ["2", "2"]})
    assert codes(load(pipelines.buildings, distant).refused) == [(2, "twice")]
    assert rows("SELECT count(*) FROM building WHERE source_code IN ('1', '2')") == [(2,)]


def test_pieces_of_a_road_become_one_line(load, rows, city, tmp_path):
    first = shapely.LineString([(LON, LAT), (LON + 0.001, LAT)])
    second = shapely.LineString([(LON + 0.001, LAT), (LON + 0.002, LAT)])
    load(
        pipelines.roads,
        made_files.vector(tmp_path / "r.gpkg", [first, second, second], {"id": ["1", "1", "1"]}),
    )
    ((parts, points),) = rows(
        "SELECT ST_NumGeometries(geom), ST_NPoints(geom) FROM road WHERE source_code = '1'"
    )
    assert (parts, points) == (1, 3)


def test_the_same_point_twice_is_one_and_two_points_under_one_id_are_not(load, city, tmp_path):
    here, there = shapely.Point(LON, LAT), shapely.Point(LON + 0.001, LAT)
    path = made_files.vector(
        tmp_path / "s.gpkg", [here, here, there], {"id": ["1", "1", "1"], "店名": ["甲", "甲", "甲"]}
    )
    report = load(pipelines.shops, path)
    assert (report.inserted, report.joined, codes(report.refused)) == (1, 1, [(3, "twice")])


# ---- the file as a whole -----------------------------------------------------------------------------


def test_a_shapefile_without_prj_is_refused_unless_its_system_is_declared(load, city, tmp_path):
    path = made_files.vector(tmp_path / "b.shp", [NE])
    (tmp_path / "b.prj").unlink()
    with pytest.raises(Invalid, match="does not say") as refusal:
        load(pipelines.buildings, path)
    assert "--crs" in refusal.value.remedy_en and ".prj" in refusal.value.remedy_zh
    assert load(pipelines.buildings, path, crs="EPSG:4490").inserted == 1


def test_a_shapefile_whose_cpg_is_wrong_is_refused_until_told(load, rows, city, tmp_path):
    path = made_files.vector(tmp_path / "b.shp", [NE], {"名称": ["临江街道一号楼"]}, encoding="GBK")
    (tmp_path / "b.cpg").write_text("UTF-8")
    with pytest.raises(Invalid, match="gb18030"):
        load(pipelines.buildings, path)
    load(pipelines.buildings, path, encoding="GB18030")
    assert rows("SELECT name FROM building WHERE name LIKE '临江%'") == [("临江街道一号楼",)]


def test_a_shapefile_without_cpg_is_read_by_what_it_holds(load, rows, city, tmp_path):
    path = made_files.vector(tmp_path / "b.shp", [NE], {"名称": ["临江街道一号楼"]}, encoding="GBK")
    (tmp_path / "b.cpg").unlink()
    report = load(pipelines.buildings, path)
    assert any("gb18030" in english for _, english in report.remarks)
    assert rows("SELECT name FROM building WHERE name LIKE '临江%'") == [("临江街道一号楼",)]


@pytest.mark.parametrize("system", ["GCJ-02", "BD-09", "EPSG:4547"])
def test_a_file_in_a_declared_system_lands_where_it_stands(load, rows, city, tmp_path, system):
    from gis import crs

    x, y = (
        crs.to_metres(LON + 0.001, LAT + 0.001, zone=system)
        if system == "EPSG:4547"
        else crs.wgs84_to_gcj02(LON + 0.001, LAT + 0.001)
    )
    if system == "BD-09":
        x, y = crs.gcj02_to_bd09(x, y)
    path = made_files.table(tmp_path / "s.csv", [["编号", "店名", "x", "y"], ["1", "甲", float(x), float(y)]])
    load(pipelines.shops, path, crs=system)
    ((metres,),) = rows(
        "SELECT ST_Distance(geom::geography, ST_SetSRID(ST_MakePoint(:x, :y), 4490)::geography) FROM shop",
        x=LON + 0.001, y=LAT + 0.001,
    )  # fmt: skip
    assert metres < 0.001


def test_a_declaration_that_contradicts_the_file_is_followed_and_told(load, city, tmp_path):
    path = made_files.vector(
        tmp_path / "s.geojson", [shapely.Point(LON, LAT)], {"店名": ["甲"]}, crs="EPSG:4326"
    )
    report = load(pipelines.shops, path, crs="GCJ-02")
    assert any("EPSG:4326" in english and "GCJ-02" in english for _, english in report.remarks)


@pytest.mark.parametrize("declared", ["EPSG:99999", "somewhere", "EPSG:4610"])
def test_a_system_nobody_knows_the_way_from_is_refused(load, city, tmp_path, declared):
    """EPSG:4610 is Xi'an 1980: its shift is the surveying office's secret, and PROJ would say nothing."""
    path = made_files.vector(tmp_path / "s.geojson", [shapely.Point(LON, LAT)], {"店名": ["甲"]})
    with pytest.raises(Invalid) as refusal:
        load(pipelines.shops, path, crs=declared)
    assert refusal.value.remedy_zh


def test_a_file_with_swapped_axes_is_refused_as_a_whole(load, rows, city, tmp_path):
    path = made_files.table(
        tmp_path / "s.csv", [["编号", "店名", "经度", "纬度"], *[[n, "甲", LAT, LON] for n in range(5)]]
    )
    with pytest.raises(Invalid, match="swapped"):
        load(pipelines.shops, path, crs="EPSG:4490")
    assert rows("SELECT count(*) FROM shop") == [(0,)]


def test_points_without_columns_of_coordinates_are_refused(load, city, tmp_path):
    path = made_files.table(tmp_path / "s.csv", [["编号", "店名"], ["1", "甲"]])
    with pytest.raises(Invalid, match="no columns of coordinates"):
        load(pipelines.shops, path, crs="EPSG:4490")
    with pytest.raises(Invalid, match="no geometries"):
        load(pipelines.land, made_files.table(tmp_path / "l.csv", [["类型"], ["公园"]]), crs="EPSG:4490")


def test_a_file_that_breaks_half_way_leaves_nothing(database, tmp_path):
    """The second half of the file is cut off: the rows before it are not kept either."""
    from etl.loading import FileRequest
    from tests.etl.conftest import WHEN

    path = tmp_path / "s.csv"
    good = "编号,店名,经度,纬度\n" + "".join(f"{n},甲,{LON},{LAT}\n" for n in range(20_000))
    path.write_bytes(good.encode() + b'9,"unclosed ' + b"x" * 1_100_000)
    with database.system_work() as session:
        toy_city.build(session)
    with pytest.raises(Invalid), database.system_work() as session:
        pipelines.shops(session, FileRequest(path, "EPSG:4490"), WHEN)
    with database.system_work() as session:
        assert session.execute(sa.text("SELECT count(*) FROM shop")).scalar() == 0


def test_a_city_without_ground_takes_files_of_unknown_territory(load, rows, session, tmp_path):
    report = load(pipelines.buildings, made_files.vector(tmp_path / "b.gpkg", [NE]))
    assert (report.inserted, rows("SELECT cell_code, territory FROM building")) == (1, [(None, "")])


def test_every_load_leaves_a_row_in_the_trail(load, rows, city, tmp_path):
    path = made_files.vector(tmp_path / "b.gpkg", [NE, None])
    load(pipelines.buildings, path)
    ((username, subject, details),) = rows(
        "SELECT username, subject_id, details FROM audit_entry"
        " WHERE action = 'load' AND subject_kind = 'buildings'"
    )
    assert (username, subject) == ("cli:test", "b.gpkg")
    assert (details["read"], details["inserted"], details["refused"], len(details["sha256"])) == (2, 1, 1, 64)


# ---- areas and cells ---------------------------------------------------------------------------------


def test_areas_are_coded_by_table_by_file_or_made_up(load, rows, session, tmp_path):
    codes_csv = made_files.table(
        tmp_path / "codes.csv", [["code", "name"], ["440103", "荔湾区"], ["440103001", "沙面街道"]]
    )
    path = made_files.vector(
        tmp_path / "街道.shp",
        [NE, NW, SE],
        {"乡": ["沙面街道", "新城街道", "沙面街道"], "县": ["荔湾区", "荔湾区", "海珠区"]},
        encoding="UTF-8",
    )
    report = load(
        pipelines.areas,
        path,
        level="subdistrict",
        headers={"name": "乡", "parent": "县"},
        code_tables=[codes_csv],
    )
    assert codes(report.repaired) == [(2, "code_made_up"), (3, "code_made_up")]
    found = rows("SELECT code, name, parent_code, source_code, territory FROM area ORDER BY code")
    assert found[0] == ("440103001", "沙面街道", "440103", "荔湾区/沙面街道", "440103001")
    assert found[1][:4] == ("440103901", "新城街道", "440103", "荔湾区/新城街道")
    assert found[2][0].startswith("9900")
    assert counts(load(pipelines.areas, path, level="subdistrict", headers={"name": "乡", "parent": "县"},
                       code_tables=[codes_csv])) == (0, 0, 3)  # fmt: skip


def test_two_areas_with_one_code_are_not_both_taken(load, rows, session, tmp_path):
    path = made_files.vector(
        tmp_path / "a.gpkg", [NE, NW], {"区划代码": ["440103", "440103000000"], "名称": ["甲区", "乙区"]}
    )
    report = load(pipelines.areas, path, level="district")
    assert codes(report.refused) == [(2, "same_code")]
    assert rows("SELECT code, name FROM area") == [("440103", "甲区")]


def test_an_unknown_level_or_kind_is_answered_with_the_list(load, session, tmp_path):
    path = made_files.vector(tmp_path / "a.gpkg", [NE], {"名称": ["甲"]})
    with pytest.raises(Invalid, match="subdistrict"):
        load(pipelines.areas, path, level="county")
    with pytest.raises(Invalid, match="special"):
        load(pipelines.cells, path, kind="round")


def test_cells_become_a_drawing_of_their_own_named_after_the_file(load, rows, city, tmp_path):
    path = made_files.vector(
        tmp_path / "二〇二七版.gpkg", [NE, SE], {"网格编码": ["N1", "S1"], "网格名称": ["北一", None]}
    )
    report = load(pipelines.cells, path)
    assert counts(report) == (2, 0, 0)
    assert rows("SELECT name, status FROM generation WHERE name <> 'toy'") == [("二〇二七版", "loaded")]
    assert rows(
        "SELECT code, name, community_code, source_code, territory, round(area_m2) FROM cell"
        " WHERE generation <> 'toy' ORDER BY code"
    ) == [
        (SUBDISTRICT + "001003", "北一", SUBDISTRICT + "001", "N1", SUBDISTRICT + "001003", 454.0),
        (SUBDISTRICT + "002001", "S1", SUBDISTRICT + "002", "S1", SUBDISTRICT + "002001", 454.0),
    ]  # 0.0002 x 0.0002 degrees at 23 N: 20.5 m x 22.15 m
    assert counts(load(pipelines.cells, path)) == (0, 0, 2)


def test_cells_with_full_codes_keep_them(load, rows, city, tmp_path):
    path = made_files.vector(tmp_path / "g.gpkg", [NE], {"网格编码": [SUBDISTRICT + "001042"]})
    load(pipelines.cells, path, generation="2027")
    assert rows("SELECT code FROM cell WHERE generation = '2027'") == [(SUBDISTRICT + "001042",)]


def test_unit_grids_keep_whatever_they_are_called(load, rows, city, tmp_path):
    path = made_files.vector(tmp_path / "u.gpkg", [NE], {"网格编码": ["99010100100107"]})
    load(pipelines.cells, path, kind="unit")
    assert rows("SELECT code, territory FROM cell WHERE kind = 'unit'") == [
        ("99010100100107", SUBDISTRICT + "001")
    ]


def test_an_active_drawing_cannot_be_changed_by_a_file(load, city, tmp_path):
    path = made_files.vector(tmp_path / "toy.gpkg", [NE], {"网格编码": ["X"]})
    with pytest.raises(Conflict, match="active"):
        load(pipelines.cells, path)


def test_a_thing_just_outside_the_city_gets_the_nearest_ground(load, rows, city, tmp_path):
    east = house(STEP + 0.005, 0.001)  # some 500 m east of the last cell
    load(pipelines.buildings, made_files.vector(tmp_path / "b.gpkg", [east], {"id": ["x"]}))
    assert rows("SELECT cell_code, territory FROM building WHERE source_code = 'x'") == [(None, "9901")]
