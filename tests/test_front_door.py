"""`citygrid.connect()`: layers, answers and maps for a notebook, with nothing personal in them."""

from __future__ import annotations

import re
from datetime import timedelta

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import citygrid
from gis.access import Principal
from gis.errors import Denied, Invalid, NotFound
from gis.geometry import Fix
from grids.responsibility import responsible_for
from incidents import workflow
from incidents.calendar import CITY_ZONE
from incidents.workflow import ReportDraft
from tests import toy_city
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, NOW

INSIDE = (LON + 0.0012, LAT + 0.0015)


@pytest.fixture
def city(database, monkeypatch):
    monkeypatch.setenv("CITYGRID_DATABASE_URL", database.url)
    with database.system_work() as session:
        toy_city.build(session)
    city = citygrid.connect()
    yield city
    city.database.dispose()


def test_a_layer_is_a_frame_in_cgcs2000(city):
    cells = city.layer("cells")
    assert (cells.crs.to_epsg(), len(cells), set(cells.geom_type)) == (4490, 4, {"MultiPolygon"})
    assert list(city.layer("cells", territory=NORTH_WEST).code) == [NORTH_WEST]
    assert len(city.layer("buildings", bbox=(LON, LAT, LON + 1, LAT + 1))) == 0


def test_people_and_unknown_layers_are_refused(city):
    with pytest.raises(Denied):
        city.layer("residents")
    with pytest.raises(NotFound):
        city.layer("unicorns")


def test_one_place_is_answered_as_by_every_other_face_with_people_masked(city, database):
    answer = city.responsible(*INSIDE, accuracy_m=8, at=NOW)
    with database.system_work() as session:
        other = responsible_for(session, Fix(*INSIDE, 8), at=NOW)
    assert (answer.cell_code, answer.confidence, answer.reason_zh) == (
        other.cell_code, other.confidence, other.reason_zh,
    )  # fmt: skip
    assert (answer.member.name, answer.member.phone) == ("王××", "100****5678")


def test_a_frame_keeps_its_rows_and_index_and_gets_the_answers_behind(city):
    frame = pd.DataFrame(
        {"lon": [INSIDE[0], None, LON - 0.0012], "lat": [INSIDE[1], 23.0, LAT + 0.0015], "rule": "mine"},
        index=list("abc"),
    )
    routed = city.route(frame, crs="EPSG:4490", at=NOW)
    assert list(routed.index) == ["a", "b", "c"]
    assert list(routed["cell"].fillna("nobody")) == [NORTH_EAST, "nobody", NORTH_WEST]
    assert list(routed["rule"]) == ["mine"] * 3
    assert list(routed["rule_answer"]) == ["covered", "refused", "covered"]


def test_a_geo_frame_brings_its_own_system(city):
    points = gpd.GeoDataFrame(geometry=[shapely.Point(INSIDE)], crs="EPSG:4490").to_crs("EPSG:4526")
    routed = city.route(points, at=NOW)
    assert list(routed["cell"]) == [NORTH_EAST]
    with pytest.raises(Invalid):
        city.route(pd.DataFrame({"lon": [113.1], "lat": [23.0]}), at=NOW)


def test_two_workers_answer_a_frame_as_this_process_does(city, tmp_path):
    pytest.importorskip("distributed", reason="Dask is an extra: pip install citygrid[cluster]")
    frame = pd.DataFrame(
        {"lon": [INSIDE[0], LON - 0.0012, LON, 116.4], "lat": [INSIDE[1], LAT + 0.0015, LAT, 39.9]}
    )
    alone = city.route(frame, crs="EPSG:4490", at=NOW)
    shared = city.route(frame, crs="EPSG:4490", at=NOW, cluster="local:2", shared=tmp_path)
    pd.testing.assert_frame_equal(shared, alone)
    assert list(alone["rule"]) == ["covered", "covered", "shared_edge", "refused"]


def test_an_accuracy_that_cannot_be_is_refused_with_the_remedy(city):
    frame = pd.DataFrame({"lon": [INSIDE[0]], "lat": [INSIDE[1]], "fix": [-5.0]})
    with pytest.raises(Invalid) as refusal:
        city.route(frame, crs="EPSG:4490", accuracy="fix", at=NOW)
    assert "accuracy_m" in refusal.value.remedy_en and "accuracy_m" in refusal.value.remedy_zh


def test_a_map_asks_nobody_for_anything(city, tmp_path):
    city.map("roads", "cells", "buildings").save(tmp_path / "map.html")
    page = (tmp_path / "map.html").read_text("utf-8")
    assert NORTH_WEST in page and "Cells" in page
    assert not re.findall(r"<script[^>]+src|<link[^>]+href|url\((?!data:)[\"']?\w", page)
    assert not re.findall(r"https?://(?!www\.w3\.org|leafletjs\.com|bug)", page)


def test_a_map_of_nothing_is_still_a_map(city, tmp_path):
    city.map("shops").save(tmp_path / "map.html")
    assert "leaflet" in (tmp_path / "map.html").read_text("utf-8")


def test_indicators_are_those_of_every_other_face_with_nan_over_nothing(city, database):
    by = Principal(1, "wang", "王小明", "member", NORTH_EAST)
    with database.system_work() as session:
        draft = ReportDraft("k", *INSIDE, "EPSG:4490", "9901")
        workflow.report(session, draft, by=by, now=NOW, zone=CITY_ZONE)
    later = NOW + timedelta(days=1)
    frame = city.indicators(by="cell", at=later).set_index(["code", "indicator"])
    row = frame.loc[(NORTH_EAST, "handled_on_time")]
    assert (row.numerator, row.denominator, row.rate) == (0, 1, 0.0)
    assert pd.isna(frame.loc[(NORTH_WEST, "handled_on_time")].rate)
    whole = city.indicators("registered_on_time", window=(NOW, later), at=later)
    assert list(whole.code) == [""] and (whole.numerator[0], whole.denominator[0]) == (1, 1)
