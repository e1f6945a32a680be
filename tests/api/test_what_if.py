"""Trying a drawing out over HTTP and from the command line: counts, cases, and nothing written."""

from __future__ import annotations

import json
import sys

import pytest
import shapely

from api import cli
from tests import made_files
from tests.api.test_bad_input import refused
from tests.served_city import report_body
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, STEP, SUBDISTRICT, square

WON = shapely.box(LON - 0.0005, LAT, LON, LAT + STEP)
WIDER = shapely.union(square(NORTH_EAST), WON)


def three_cases(api):
    """Two on the strip the north-east would win, one deep in the north-west."""
    for n, east in enumerate((-0.0002, -0.0003, -0.0015)):
        api.post(
            "resident", "/incidents", **report_body(report_key=f"k{n}", lon=LON + east, lat=LAT + 0.0005)
        )


def trial(**more):
    return {"cells": [{"code": NORTH_EAST, "geometry": shapely.geometry.mapping(WIDER)}], **more}


def test_an_officer_sees_what_a_wider_cell_would_win(api):
    three_cases(api)
    written = {table: api.count(table) for table in ("cell", "exception", "incident_move")}
    found = api.post("officer", "/cells/what-if", **trial())
    assert (found["cases"], found["moved_count"], found["handed"]) == (3, 2, 2)
    assert [(s["code"], s["before"], s["after"]) for s in found["cells"]] == [
        (NORTH_WEST, 3, 1),
        (NORTH_EAST, 0, 2),
    ]
    assert {share["name"] for share in found["members"]} == {"王××"}
    assert {table: api.count(table) for table in written} == written


def test_an_exception_is_tried_as_well(api):
    three_cases(api)
    given = {"cell_code": NORTH_EAST, "geometry": shapely.geometry.mapping(WON)}
    found = api.post("officer", "/cells/what-if", exceptions=[given], days=1)
    assert found["moved_count"] == 2 and {case["rule"] for case in found["moved"]} == {"exception"}


def test_one_tries_on_ones_own_ground_only(api):
    three_cases(api)
    assert api.post("south", "/cells/what-if", **trial())["cases"] == 0
    answer = api.client("south").post("/api/v1/cells/what-if", json=trial(territory=SUBDISTRICT))
    refused(answer, 403)
    refused(api.client("resident").post("/api/v1/cells/what-if", json=trial()), 403)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"generation": "nowhere"}, 404),
        ({"cells": [{"code": "1", "geometry": shapely.geometry.mapping(WON)}]}, 422),
        ({"cells": [{"code": NORTH_EAST, "geometry": {"type": "Point"}}]}, 422),
        ({"days": 0}, 422),
        ({"colour": "red"}, 422),
    ],
)
def test_a_trial_that_means_nothing_is_refused(api, body, status):
    refused(api.client("officer").post("/api/v1/cells/what-if", json=body), status)


def test_the_command_line_reads_shapes_from_a_file(api, monkeypatch, capsys, tmp_path):
    three_cases(api)
    path = made_files.vector(tmp_path / "wider.geojson", [WIDER], {"code": [NORTH_EAST]}, crs="EPSG:4326")
    monkeypatch.setenv("CITYGRID_DATABASE_URL", api.database.url)
    monkeypatch.setenv("CITYGRID_LANGUAGE", "en")
    words = ["cells", "what-if", "--cells", str(path), "--days", "3660"]
    for more in ([], ["--json"]):
        monkeypatch.setattr(sys, "argv", ["citygrid", *words, *more])
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert left.value.code == 0
    told = capsys.readouterr()
    assert "3 incidents, 2 would move, 2 of them to another person." in told.err
    assert NORTH_WEST in told.out
    assert json.loads(told.out.splitlines()[-1])["handed"] == 2


def test_a_file_without_codes_is_refused(api, monkeypatch, capsys, tmp_path):
    path = made_files.vector(tmp_path / "wider.geojson", [WIDER], {"name": ["x"]}, crs="EPSG:4326")
    monkeypatch.setenv("CITYGRID_DATABASE_URL", api.database.url)
    monkeypatch.setenv("CITYGRID_LANGUAGE", "zh")
    monkeypatch.setattr(sys, "argv", ["citygrid", "cells", "what-if", "--cells", str(path)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 2 and "code 列" in capsys.readouterr().err
