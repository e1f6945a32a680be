"""Households, residents and the grid force: found by what the file calls their ground, and never quoted."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import shapely
import sqlalchemy as sa
from geoalchemy2.shape import from_shape

from etl import people, pipelines
from gis.errors import Invalid
from gis.geometry import Fix
from grids.cells import Cell, Generation
from grids.responsibility import responsible_for
from tests import made_files, toy_city
from tests.etl.conftest import SHANGHAI, codes, counts
from tests.etl.test_pipelines import NE, NW, house
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, NOW, SOUTH_EAST, SUBDISTRICT


@pytest.fixture
def city(session, load, tmp_path):
    """The toy city with an estate of two numbered buildings and one named one."""
    built = toy_city.build(session)
    ground = made_files.vector(
        tmp_path / "e.gpkg", [house(0.0008, 0.0008, 0.0008)], {"编码": ["E1"], "小区名称": ["银杏苑"]}
    )
    load(pipelines.estates, ground)
    houses = made_files.vector(
        tmp_path / "b.gpkg",
        [NE, house(0.0013, 0.0010), NW],
        {"楼栋编码": ["B1", "B2", "B3"], "楼号": ["1栋", "2栋", None], "楼栋名称": [None, None, "钟楼"]},
    )
    load(pipelines.buildings, houses)
    return built


def household_file(tmp_path, *rows, name="住户.xlsx"):
    head = ["户编号", "小区", "楼栋", "单元", "楼层", "房号", "人数"]
    return made_files.workbook(tmp_path / name, {"住户": [head, *rows]})


def test_households_find_their_building_by_code_by_name_or_by_estate_and_number(load, rows, city, tmp_path):
    path = household_file(
        tmp_path,
        ["H1", None, "B1", "1", 3, "301", 2],
        ["H2", "银杏苑", "2 栋", "1", 4, "402", 3],
        ["H3", None, "钟楼", None, 1, "101", 1],
        ["H4", None, "不存在", None, 1, "101", 1],
        ["H5", None, "2栋", "1", 1, "1", 1],
    )
    report = load(people.households, path)
    assert codes(report.refused) == [(4, "no_building"), (5, "no_building")]
    assert rows(
        "SELECT h.source_code, b.source_code, h.unit, h.floor, h.door, h.residents_count, h.territory"
        " FROM household AS h JOIN building AS b ON b.id = h.building_id ORDER BY 1"
    ) == [
        ("H1", "B1", "1", 3, "301", 2, NORTH_EAST),
        ("H2", "B2", "1", 4, "402", 3, NORTH_EAST),
        ("H3", "B3", None, 1, "101", 1, NORTH_WEST),
    ]


def test_the_counts_on_buildings_and_cells_follow(load, rows, city, tmp_path):
    path = household_file(
        tmp_path, ["H1", None, "B1", "1", 3, "301", 2], ["H2", None, "B1", "1", 3, "302", 2]
    )
    load(people.households, path)
    assert rows("SELECT households_count FROM building WHERE source_code = 'B1'") == [(2,)]
    assert rows("SELECT households_count FROM cell WHERE code = :c", c=NORTH_EAST) == [(2,)]
    stamp = rows("SELECT stamp FROM owner_map_stamp")
    assert counts(load(people.households, path)) == (0, 0, 2)
    assert rows("SELECT stamp FROM owner_map_stamp") == stamp


def resident_file(tmp_path, *rows):
    head = ["人员编号", "户编号", "姓名", "性别", "出生日期", "手机号", "与户主关系", "标签"]
    return made_files.table(tmp_path / "居民.csv", [head, *rows], encoding="gb18030")


def test_residents_live_in_their_household(load, rows, city, tmp_path):
    load(people.households, household_file(tmp_path, ["H1", None, "B1", "1", 3, "301", 9]))
    path = resident_file(
        tmp_path,
        ["P1", "H1", "甲一", "男", "1950-03-02", "10000000001", "户主", "独居老人、低保"],
        ["P2", "H1", "甲二", "女", "1952年", "", "配偶", ""],
        ["P3", "H9", "乙", "男", "1990", "", "", ""],
    )
    report = load(people.residents, path)
    assert codes(report.refused) == [(3, "no_household")]
    assert rows(
        "SELECT name, gender, birth_year, phone, is_head, tags, territory FROM resident ORDER BY source_code"
    ) == [
        ("甲一", "m", 1950, "10000000001", True, ["独居老人", "低保"], NORTH_EAST),
        ("甲二", "f", 1952, None, False, [], NORTH_EAST),
    ]
    assert rows("SELECT residents_count FROM household") == [(2,)]
    assert counts(load(people.residents, path)) == (0, 0, 2)


def test_a_correction_outlives_the_file_it_corrected_but_not_its_news(load, rows, session, city, tmp_path):
    load(people.households, household_file(tmp_path, ["H1", None, "B1", "1", 3, "301", 9]))

    def person(name, born, phone, tags):
        return resident_file(tmp_path, ["P1", "H1", name, "男", born, phone, "户主", tags])

    def correct(field, before, after, undoes=None):
        """As `correct_resident` leaves it."""
        value = ":after" if field != "tags" else "string_to_array(:after, ',')"
        kind = "int" if field == "birth_year" else "text[]" if field == "tags" else "text"
        session.execute(sa.text(f"UPDATE resident SET {field} = CAST({value} AS {kind})"), {"after": after})
        return session.execute(
            sa.text(
                "INSERT INTO resident_correction (resident_id, field, before, after, reason, salt, at,"
                " username, undoes, territory) SELECT id, :field, :before, :after, '申请', 'x', now(), 'a',"
                " :undoes, territory FROM resident RETURNING id"
            ),
            {"field": field, "before": before, "after": after, "undoes": undoes},
        ).scalar_one()

    load(people.residents, person("甲一", "1950", "10000000001", "独居老人、低保"))
    correct("name", "甲一", "甲壹")
    correct("birth_year", "1950", "1951")
    correct("tags", "独居老人,低保", "低保")
    mistaken = correct("phone", "10000000001", "10000000009")
    correct("phone", "10000000009", "10000000001", undoes=mistaken)
    report = load(people.residents, person("甲一", "1950", "10000000001", "独居老人、低保"))
    assert counts(report) == (0, 0, 1)
    assert {(note.reason.code, note.detail) for note in report.repaired} == {
        ("kept_right", field) for field in ("name", "birth_year", "tags")
    }
    load(people.residents, person("甲乙", "1950", "10000000008", "独居老人、低保"))
    held = rows("SELECT name, birth_year, phone, tags FROM resident")
    assert held == [("甲乙", 1951, "10000000008", ["低保"])], "news of a file wins, what it repeats does not"


def test_nothing_personal_reaches_the_report_or_the_trail(load, rows, city, tmp_path):
    load(people.households, household_file(tmp_path, ["H1", None, "B1", "1", 3, "301", 9]))
    report = load(
        people.residents,
        resident_file(tmp_path, ["P1", "H1", "甲一", "未说", "不详", "10000000001", "邻居", ""]),
    )
    told = str(report.as_json()) + str(report.lines("zh")) + str(rows("SELECT details FROM audit_entry"))
    assert codes(report.refused) == [(1, "not_listed")]
    assert not any(secret in told for secret in ("甲一", "未说", "不详", "10000000001", "邻居"))


def member_file(tmp_path, *rows):
    head = ["工号", "姓名", "岗位", "联系电话", "网格", "楼栋", "开始日期", "结束日期"]
    return made_files.table(tmp_path / "队伍.csv", [head, *rows])


def test_members_hold_posts_on_grounds_named_by_code_or_name(load, rows, city, tmp_path):
    path = member_file(
        tmp_path,
        ["M1", "丙一", "网格员", "10000000002", NORTH_WEST, "", "", ""],
        ["M1", "丙一", "网格员", "10000000002", "安澜 002", "", "", ""],
        ["M2", "丙二", "街道值班员", "", "临江街道", "", "2026-01-01", ""],
        ["M3", "丙三", "楼栋长", "", NORTH_WEST, "B3", "", ""],
        ["M4", "丙四", "网格员", "", "月亮", "", "", ""],
        ["M5", "丙五", "网格员", "", NORTH_WEST, "", "2026-02-01", "2026-01-01"],
        ["M6", "丙六", "厨师", "", NORTH_WEST, "", "", ""],
    )
    report = load(people.members, path)
    assert codes(report.refused) == [(5, "no_ground"), (6, "wrong_span"), (7, "not_listed")]
    assert rows(
        "SELECT m.source_code, m.role, d.post, d.ground, b.source_code, d.starts_at FROM duty AS d"
        " JOIN member AS m ON m.id = d.member_id LEFT JOIN building AS b ON b.id = d.building_id"
        " WHERE m.source_code IS NOT NULL ORDER BY 1, 4"
    ) == [
        ("M1", "member", "member", NORTH_WEST, None, NOW),
        ("M1", "member", "member", NORTH_EAST, None, NOW),
        (
            "M2",
            "subdistrict_duty_officer",
            "subdistrict_duty_officer",
            SUBDISTRICT,
            None,
            datetime(2026, 1, 1, tzinfo=SHANGHAI),
        ),
        ("M3", "building_head", "building_head", NORTH_WEST, "B3", NOW),
    ]
    assert counts(load(people.members, path)) == (0, 0, 4)


def test_the_teams_of_a_new_drawing_are_loaded_before_it_is_active(load, rows, session, city, tmp_path):
    """The gate asks for members per cell; the active drawing's names go first, older ones do not count."""
    brand_new = "990101001002009"
    drawings = (("old", 3, {"旧九": brand_new}), ("next", 1, {"新九": brand_new, "安澜 001": SOUTH_EAST}))
    for name, days, cells in drawings:
        session.add(Generation(name=name, label=name, loaded_at=NOW - timedelta(days=days)))
        session.flush()
        for called, code in cells.items():
            shape = from_shape(shapely.MultiPolygon([toy_city.square(SOUTH_EAST)]), srid=4490)
            session.add(
                Cell(
                    generation=name, kind="social", code=code, name=called, area_m2=1.0, geom=shape,
                    territory=code,
                )
            )  # fmt: skip
    session.flush()
    path = member_file(
        tmp_path,
        ["M1", "丙一", "网格员", "", "新九", "", "", ""],
        ["M2", "丙二", "网格员", "", "安澜 001", "", "", ""],
        ["M3", "丙三", "网格员", "", "旧九", "", "", ""],
    )
    assert codes(load(people.members, path).refused) == [(3, "no_ground")]
    held = rows(
        "SELECT m.source_code, d.ground FROM duty AS d JOIN member AS m ON m.id = d.member_id"
        " WHERE m.source_code IS NOT NULL ORDER BY 1"
    )
    assert held == [("M1", brand_new), ("M2", NORTH_WEST)]


def test_a_last_day_ends_a_post_and_a_new_phone_is_a_change(load, rows, city, tmp_path):
    load(
        people.members, member_file(tmp_path, ["M1", "丙一", "网格员", "10000000002", NORTH_WEST, "", "", ""])
    )
    again = load(
        people.members,
        member_file(tmp_path, ["M1", "丙一", "网格员", "10000000009", NORTH_WEST, "", "", "2026-12-31"]),
    )
    assert again.inserted == 0 and again.updated > 0
    assert rows(
        "SELECT m.phone, d.ends_at FROM duty AS d JOIN member AS m ON m.id = d.member_id"
        " WHERE m.source_code = 'M1'"
    ) == [("10000000009", datetime(2026, 12, 31, tzinfo=SHANGHAI))]


def test_a_loaded_member_answers_for_the_ground(load, session, city, tmp_path):
    """The file's member is the newest holder of the post, so the next report finds them."""
    load(people.members, member_file(tmp_path, ["M1", "丙一", "网格员", "", NORTH_WEST, "", "", ""]))
    answer = responsible_for(session, Fix(LON - 0.0005, LAT + 0.0005), at=NOW + timedelta(hours=1))
    assert answer.member.name == "丙一"


def test_a_file_of_people_without_a_required_column_is_refused(load, city, tmp_path):
    with pytest.raises(Invalid, match="household"):
        load(people.residents, made_files.table(tmp_path / "r.csv", [["姓名"], ["甲"]]))
