"""`citygrid load`, `route` and `export`: statuses, what is printed where, nothing written by a dry run."""

from __future__ import annotations

import csv
import json
import sys

import pytest
import sqlalchemy as sa

from api import cli
from tests import made_files, toy_city
from tests.toy_city import LAT, LON, NORTH_EAST

HEAD = ["编号", "店名", "经度", "纬度"]
GOOD = [["1", "甲", LON + 0.001, LAT + 0.001], ["2", "乙", LON + 0.001, LAT + 0.001]]
BAD = ["3", "", LON, LAT]


@pytest.fixture
def city(database):
    with database.system_work() as session:
        toy_city.build(session)
    return database


@pytest.fixture
def citygrid(monkeypatch, capsys, city, tmp_path):
    """Run a command in the toy city -> (status, standard output, standard error)."""
    monkeypatch.setenv("CITYGRID_DATABASE_URL", city.url)
    monkeypatch.setenv("CITYGRID_HOME", str(tmp_path))
    monkeypatch.setenv("CITYGRID_LANGUAGE", "en")

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["citygrid", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        told = capsys.readouterr()
        return left.value.code, told.out, told.err

    return run


def shops(database):
    with database.system_work() as session:
        return session.execute(sa.text("SELECT count(*) FROM shop")).scalar()


def test_a_good_file_ends_in_0_and_is_told_on_standard_error(citygrid, city, tmp_path):
    path = made_files.table(tmp_path / "s.csv", [HEAD, *GOOD])
    status, out, err = citygrid("load", "shops", path, "--crs", "EPSG:4490")
    assert (status, out, shops(city)) == (0, "", 2)
    assert "2 rows: 2 accepted (0 repaired), 0 refused" in err
    status, _, err = citygrid("load", "shops", path, "--crs", "EPSG:4490")
    assert status == 0 and "0 new, 0 changed, 2 as they were" in err


def test_refused_rows_end_in_1_and_the_good_ones_are_kept(citygrid, city, tmp_path):
    path = made_files.table(tmp_path / "s.csv", [HEAD, *GOOD, BAD])
    status, _, err = citygrid("load", "shops", path, "--crs", "EPSG:4490")
    assert (status, shops(city)) == (1, 2)
    assert str(tmp_path / "s.refused.csv") in err
    assert len(made_files.refused_rows(tmp_path / "s.refused.csv")) == 1


def test_the_list_of_refused_rows_can_go_elsewhere(citygrid, tmp_path):
    path = made_files.table(tmp_path / "s.csv", [HEAD, *GOOD, BAD])
    citygrid("load", "shops", path, "--crs", "EPSG:4490", "--refused", tmp_path / "elsewhere.csv")
    assert (tmp_path / "elsewhere.csv").exists() and not (tmp_path / "s.refused.csv").exists()


def test_a_dry_run_does_all_of_it_and_writes_nothing(citygrid, city, tmp_path):
    path = made_files.table(tmp_path / "s.csv", [HEAD, *GOOD, BAD])
    status, out, _ = citygrid("load", "shops", path, "--crs", "EPSG:4490", "--dry-run", "--json")
    told = json.loads(out)
    assert (status, told["dry_run"], told["inserted"], told["refused"]) == (1, True, 2, 1)
    assert told["reasons"] == {"missing": 1}
    assert (tmp_path / "s.refused.csv").exists()
    with city.system_work() as session:
        assert session.execute(
            sa.text("SELECT (SELECT count(*) FROM shop), (SELECT count(*) FROM audit_entry)")
        ).one() == (0, 0)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["load", "shops", "none.csv", "--crs", "EPSG:4490"], "There is no file"),
        (["load", "shops"], "Missing argument"),
        (["load", "unicorns", "x.csv"], "No such command"),
        (["load", "areas", "x.csv"], "Missing option"),
        (["route", "x.csv"], "Missing option"),
        (["export", "households", "--out", "x.csv"], "personal"),
        (["export", "shops", "--out", "x.csv", "--bbox", "1,2,3"], "four numbers"),
        (["export", "shops", "--out", "x.csv", "--bbox", "3,2,1,4"], "west,south,east,north"),
    ],
)
def test_wrong_usage_ends_in_2(citygrid, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    status, out, err = citygrid(*words)
    assert (status, out) == (2, "")
    assert told in err


def test_a_bad_file_ends_in_2_with_the_remedy_and_nothing_written(citygrid, city, tmp_path):
    path = made_files.table(tmp_path / "s.csv", [HEAD, *GOOD])
    status, _, err = citygrid("load", "shops", path)
    assert (status, shops(city)) == (2, 0)
    assert "does not say which coordinate system" in err and "Remedy: Declare --crs" in err


def test_areas_cells_people_and_cases_have_their_options(citygrid, city, tmp_path):
    import shapely

    square = shapely.box(LON + 0.0005, LAT + 0.0005, LON + 0.001, LAT + 0.001)
    drawing = made_files.vector(tmp_path / "g.gpkg", [square], {"代号": ["G1"], "叫法": ["一格"]})
    status, *_ = citygrid(
        "load", "cells", drawing, "--code-field", "代号", "--name-field", "叫法", "--generation", "2027"
    )
    assert status == 0
    areas = made_files.vector(tmp_path / "a.gpkg", [square], {"叫法": ["新社区"], "街": ["临江街道"]})
    status, *_ = citygrid(
        "load", "areas", areas, "--level", "community", "--name-field", "叫法", "--parent-field", "街"
    )
    assert status == 0
    members = made_files.workbook(
        tmp_path / "m.xlsx", {"队伍": [["工号", "姓名", "网格"], ["M1", "丙", NORTH_EAST]]}
    )
    assert citygrid("load", "members", members)[0] == 0
    found = made_files.table(
        tmp_path / "c.csv", [["单号", "x", "y", "何时"], ["C1", LON + 0.001, LAT + 0.001, "2026-03-02"]]
    )
    status, *_ = citygrid(
        "load",
        "incidents",
        found,
        "--id-field",
        "单号",
        "--lon",
        "x",
        "--lat",
        "y",
        "--crs",
        "EPSG:4490",
        "--reported-field",
        "何时",
    )
    assert status == 0
    with city.system_work() as session:
        code, number = session.execute(sa.text("SELECT cell_code, number FROM incident")).one()
    assert (code, number) == (NORTH_EAST, "2026-0302-0001")


def test_route_writes_the_file_and_counts_by_rule(citygrid, tmp_path):
    path = made_files.table(tmp_path / "p.csv", [["x", "y"], [LON + 0.001, LAT + 0.001], ["", ""]])
    words = (
        "route",
        path,
        "--lon",
        "x",
        "--lat",
        "y",
        "--crs",
        "EPSG:4490",
        "--at",
        "2026-11-23T10:00",
        "--out",
        tmp_path / "o.csv",
    )
    status, out, _ = citygrid(*words, "--json")
    assert (status, json.loads(out)["rules"]) == (1, {"covered": 1, "refused": 1})
    with (tmp_path / "o.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["cell"] for row in csv.DictReader(file)] == [NORTH_EAST, ""]
    assert citygrid(*words[:9], "soon", *words[10:])[0] == 2


def test_export_writes_the_file_and_tells_how_many(citygrid, tmp_path):
    status, out, err = citygrid("export", "cells", "--out", tmp_path / "cells.geojson")
    assert (status, out) == (0, "") and "4 rows" in err
    status, out, _ = citygrid(
        "export", "cells", "--out", tmp_path / "one.csv", "--territory", NORTH_EAST, "--json"
    )
    assert (status, json.loads(out)["rows"]) == (0, 1)
