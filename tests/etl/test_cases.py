"""Cases of another system: each exactly once, with a number, a person's ground and a story that fits."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from etl import cases
from incidents.incident import ENDED
from tests import made_files, toy_city
from tests.etl.conftest import SHANGHAI, WHEN, codes, counts
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST

HEAD = ["案件编号", "类别", "标题", "描述", "地点", "经度", "纬度", "上报时间", "结案时间", "截止时间"]
EAST, WEST = LON + 0.001, LON - 0.001


@pytest.fixture
def city(session):
    return toy_city.build(session)


def case(
    number,
    *,
    kind="暴露垃圾",
    title="",
    text="",
    place="",
    lon=EAST,
    lat=LAT + 0.0015,
    at="2026-03-02 09:00",
    closed="",
    due="",
):
    return [number, kind, title, text, place, lon, lat, at, closed, due]


def write(tmp_path, *found):
    return made_files.table(tmp_path / "案件.csv", [HEAD, *found])


def test_a_case_is_routed_numbered_and_told(load, rows, city, tmp_path):
    path = write(
        tmp_path,
        case("C1", text="楼下垃圾", place="建设大道 3 号"),
        case("C2", lon=WEST, closed="2026-03-05 10:00", due="2026-03-04 09:00"),
    )
    report = load(cases.incidents, path, crs="EPSG:4490")
    assert (counts(report), report.refused) == ((2, 0, 0), [])
    reported = datetime(2026, 3, 2, 9, 0, tzinfo=SHANGHAI)
    assert rows(
        "SELECT number, channel, report_key, reported_by, category, stage, version, cell_code, territory,"
        " rule, member_id, place, reported_at, closed_at, due_at FROM incident ORDER BY number"
    ) == [
        (
            "2026-0302-0001",
            "import",
            "C1",
            None,
            "9901",
            "registered",
            1,
            NORTH_EAST,
            NORTH_EAST,
            "covered",
            city.members[NORTH_EAST],
            "建设大道 3 号",
            reported,
            None,
            None,
        ),
        (
            "2026-0302-0002",
            "import",
            "C2",
            None,
            "9901",
            "closed",
            2,
            NORTH_WEST,
            NORTH_WEST,
            "covered",
            city.members[NORTH_WEST],
            None,
            reported,
            reported + timedelta(days=3, hours=1),
            reported + timedelta(days=2),
        ),
    ]
    assert rows(
        "SELECT i.report_key, m.move, m.from_stage, m.to_stage, m.version, m.at FROM incident_move AS m"
        " JOIN incident AS i ON i.id = m.incident_id ORDER BY 1, m.id"
    ) == [
        ("C1", "report", None, "reported", 1, reported),
        ("C1", "register", "reported", "registered", 1, reported),
        ("C2", "report", None, "reported", 1, reported),
        ("C2", "register", "reported", "registered", 1, reported),
        ("C2", "close", "registered", "closed", 2, reported + timedelta(days=3, hours=1)),
    ]


def test_the_story_leads_to_the_stage_of_every_case(load, rows, city, tmp_path):
    found = [
        case(f"C{n}", closed="2026-03-05" if n % 3 else "", at=f"2026-03-0{1 + n % 4}") for n in range(30)
    ]
    load(cases.incidents, write(tmp_path, *found), crs="EPSG:4490")
    told = rows(
        "SELECT i.stage, i.version, last.to_stage, last.version, i.closed_at IS NOT NULL FROM incident AS i"
        " JOIN LATERAL (SELECT to_stage, version FROM incident_move WHERE incident_id = i.id"
        " ORDER BY id DESC LIMIT 1) AS last ON true"
    )
    assert len(told) == 30
    assert all(
        stage == to and version == last and (stage in ENDED) == ended
        for stage, version, to, last, ended in told
    )


def test_nobody_is_notified_of_old_cases(load, rows, city, tmp_path):
    load(cases.incidents, write(tmp_path, case("C1")), crs="EPSG:4490")
    assert rows("SELECT count(*) FROM notice") == [(0,)]


def test_the_same_file_again_changes_nothing(load, rows, city, tmp_path):
    path = write(tmp_path, case("C1"), case("C2", at=""), case("C3", closed="2026-03-05"))
    load(cases.incidents, path, crs="EPSG:4490")
    before = rows("SELECT * FROM incident ORDER BY id"), rows("SELECT count(*) FROM incident_move")
    assert counts(load(cases.incidents, path, crs="EPSG:4490")) == (0, 0, 3)
    assert (rows("SELECT * FROM incident ORDER BY id"), rows("SELECT count(*) FROM incident_move")) == before


def test_a_case_the_source_has_closed_meanwhile_is_closed_here(load, rows, city, tmp_path):
    load(cases.incidents, write(tmp_path, case("C1"), case("C2")), crs="EPSG:4490")
    report = load(
        cases.incidents, write(tmp_path, case("C1", closed="2026-03-09"), case("C2")), crs="EPSG:4490"
    )
    assert counts(report) == (0, 1, 1)
    assert rows("SELECT report_key, stage, version FROM incident ORDER BY 1") == [
        ("C1", "closed", 2),
        ("C2", "registered", 1),
    ]
    assert rows("SELECT from_stage, to_stage, version FROM incident_move WHERE move = 'close'") == [
        ("registered", "closed", 2)
    ]


def test_a_case_that_says_something_else_than_before_is_refused(load, rows, city, tmp_path):
    load(cases.incidents, write(tmp_path, case("C1", text="旧")), crs="EPSG:4490")
    report = load(cases.incidents, write(tmp_path, case("C1", text="新")), crs="EPSG:4490")
    assert codes(report.refused) == [(1, "changed")]
    assert rows("SELECT description FROM incident") == [("旧",)]


def test_cases_without_a_place_or_with_impossible_times_are_refused(load, rows, city, tmp_path):
    path = write(
        tmp_path,
        case("C1", lon=""),
        case("C2", lon="NaN"),
        case("C3", lon=116.4, lat=39.9),
        case("C4", lon=LAT, lat=LON),
        case("C5", closed="2026-03-01"),
        case("C6", at="2027-01-01"),
        case("C7", at="3/4/2026"),
        case("C8"),
        case("C9"),
    )
    report = load(cases.incidents, path, crs="EPSG:4490")
    assert codes(report.refused) == [
        (1, "no_place"),
        (2, "no_place"),
        (3, "far_outside"),
        (4, "swapped"),
        (5, "closed_before"),
        (6, "in_future"),
        (7, "bad_value"),
    ]
    assert report.repaired == []
    assert rows("SELECT count(*) FROM incident") == [(2,)]


def test_categories_are_found_by_code_and_name_and_the_rest_go_to_one_of_their_own(
    load, rows, city, tmp_path
):
    path = write(
        tmp_path,
        case("C1", kind="9902"),
        case("C2", kind="占道经营"),
        case("C3", kind="Lost cat"),
        case("C4", kind=""),
    )
    report = load(cases.incidents, path, crs="EPSG:4490")
    other = cases.OTHER["code"]
    assert rows("SELECT report_key, category, department_code FROM incident ORDER BY 1") == [
        ("C1", "9902", None),
        ("C2", "9903", "city_management"),
        ("C3", other, None),
        ("C4", other, None),
    ]
    assert any("Lost cat (1)" in english for _, english in report.remarks)


def test_the_catch_all_category_is_only_made_when_it_is_needed(load, rows, city, tmp_path):
    load(cases.incidents, write(tmp_path, case("C1")), crs="EPSG:4490")
    assert rows("SELECT count(*) FROM category WHERE code = :c", c=cases.OTHER["code"]) == [(0,)]


def test_numbers_go_on_within_the_day_and_leave_live_ones_alone(load, rows, session, city, tmp_path):
    """A day that is over counts on from its highest number; today's come from the live reports' sequence."""
    load(cases.incidents, write(tmp_path, case("C1"), case("C2")), crs="EPSG:4490")
    load(cases.incidents, write(tmp_path, case("C3"), case("C4", at="2026-11-23 09:00")), crs="EPSG:4490")
    ((live,),) = rows("SELECT next_case_number(DATE '2026-11-23')")
    numbers = [number for (number,) in rows("SELECT number FROM incident ORDER BY report_key")]
    assert numbers[:3] == ["2026-0302-0001", "2026-0302-0002", "2026-0302-0003"]
    assert (numbers[3], live) == ("2026-1123-0001", "2026-1123-0002")


def test_more_than_ten_thousand_cases_in_a_day_keep_their_digits(session):
    moments = [datetime(2026, 3, 2, 9, 0, tzinfo=SHANGHAI)] * 10_001
    numbers = cases._numbers(session, moments, WHEN)
    assert (numbers[0], numbers[-1]) == ("2026-0302-0001", "2026-0302-10001")
    assert len(set(numbers)) == 10_001


def test_a_long_title_is_shortened_and_kept_whole_in_the_description(load, rows, city, tmp_path):
    long = "长" * 80
    load(cases.incidents, write(tmp_path, case("C1", title=long, text="细节")), crs="EPSG:4490")
    assert rows("SELECT title, description FROM incident") == [("长" * 59 + "…", f"{long}\n细节")]


def test_a_moment_is_the_citys_and_the_source_coordinates_are_kept(load, rows, city, tmp_path):
    from gis import crs

    x, y = (float(v) for v in crs.wgs84_to_gcj02(EAST, LAT + 0.0015))
    load(cases.incidents, write(tmp_path, case("C1", lon=x, lat=y)), crs="GCJ-02")
    ((lon, lat, system, metres),) = rows(
        "SELECT source_lon, source_lat, source_crs,"
        " ST_Distance(geom::geography, ST_SetSRID(ST_MakePoint(:x, :y), 4490)::geography) FROM incident",
        x=EAST,
        y=LAT + 0.0015,
    )
    assert (lon, lat, system) == (x, y, "GCJ-02")
    assert metres < 0.001


def test_two_rows_with_one_id_are_one_case_or_a_fault(load, rows, city, tmp_path):
    report = load(
        cases.incidents, write(tmp_path, case("C1"), case("C1"), case("C1", text="别的")), crs="EPSG:4490"
    )
    assert (report.inserted, report.joined, codes(report.refused)) == (1, 1, [(3, "twice")])
