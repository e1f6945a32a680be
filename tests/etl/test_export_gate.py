"""The gate of exports: who takes how much, who decides, and whose a stray file is, renamed or edited."""

from __future__ import annotations

import json
import shutil
import zipfile
from datetime import timedelta

import geopandas as gpd
import pyarrow.parquet as pq
import pyogrio
import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from etl import pipelines
from etl.export_gate import LIMITS, ask, decide, opened, refuse_more, requests
from etl.export_marks import trace
from etl.exports import export
from gis.access import Principal
from gis.errors import Conflict, Denied, Invalid, NotFound
from tests import made_files, toy_city
from tests.etl.conftest import NOW, WHEN, counts
from tests.etl.test_pipelines import NE, SE
from tests.toy_city import LAT, LON, NORTH_EAST, SUBDISTRICT

OFFICER = Principal(5, "zhou", "周岩", "subdistrict_officer", SUBDISTRICT)
COMMUNITY = Principal(6, "lin", "林平", "community_officer", NORTH_EAST[:12])
OTHER = Principal(7, "wu", "吴", "subdistrict_officer", "990101002")
EAST = (LON + 0.0005, LAT - 0.002, LON + 0.002, LAT + 0.002)
"""A box around the two buildings of these tests, and not the toy city's own."""
FREE, MOST = LIMITS["community_officer"].free, LIMITS["community_officer"].approved


def wish(session, rows, by=COMMUNITY, reason="月度检查"):
    return ask(session, "incidents", {"filter": ""}, reason, rows=rows, by=by, now=NOW)


@pytest.mark.parametrize(
    ("rows", "status"), [(0, "approved"), (FREE, "approved"), (FREE + 1, "asked"), (MOST, "asked")]
)
def test_a_role_takes_so_much_by_itself_and_more_with_consent(session, rows, status):
    assert wish(session, rows).status == status


def test_too_much_is_refused_whoever_agrees(session):
    with pytest.raises(Denied, match="more than your role"):
        wish(session, MOST + 1)


@pytest.mark.parametrize("role", ["member", "resident", "police_officer", "department_handler"])
def test_the_field_force_takes_no_lists_away(session, role):
    with pytest.raises(Denied, match="no lists"):
        wish(session, 1, by=Principal(8, "x", "x", role, NORTH_EAST, 3))


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_a_reason_is_needed(session, reason):
    with pytest.raises(Invalid, match="reason"):
        wish(session, 1, reason=reason)


def test_a_superior_of_that_ground_decides_once_and_it_opens_for_a_day(session):
    asked = wish(session, FREE + 1)
    with pytest.raises(Denied, match="waits"):
        opened(session, asked.id, by=COMMUNITY, now=NOW)
    for stranger in (OTHER, COMMUNITY):
        with pytest.raises(NotFound):
            decide(session, asked.id, True, by=stranger, now=NOW)
    assert [one.id for one in requests(session, by=OFFICER)] == [asked.id]
    assert requests(session, by=OTHER) == []
    decide(session, asked.id, True, by=OFFICER, now=NOW)
    with pytest.raises(Conflict):
        decide(session, asked.id, False, by=OFFICER, now=NOW)
    assert opened(session, asked.id, by=COMMUNITY, now=NOW + timedelta(hours=23)).decided_by == "周岩"
    with pytest.raises(NotFound):
        opened(session, asked.id, by=OFFICER, now=NOW), "an approval is no right of one's own"
    with pytest.raises(Denied, match="not open"):
        opened(session, asked.id, by=COMMUNITY, now=NOW + timedelta(hours=24))


def test_nobody_approves_their_own(session):
    asked = wish(session, LIMITS["subdistrict_officer"].free + 1, by=OFFICER)
    with pytest.raises(Denied, match="own export"):
        decide(session, asked.id, True, by=OFFICER, now=NOW)


def test_more_rows_than_were_agreed_on_do_not_go_out(session):
    asked = wish(session, FREE + 5)
    refuse_more(asked, FREE + 5)
    with pytest.raises(Conflict, match="agreed"):
        refuse_more(asked, FREE + 6)
    refuse_more(wish(session, 1), FREE)


def test_what_was_refused_stays_shut(session):
    asked = wish(session, FREE + 1)
    decide(session, asked.id, False, by=OFFICER, now=NOW)
    with pytest.raises(Denied):
        opened(session, asked.id, by=COMMUNITY, now=NOW)


@pytest.fixture
def city(session, load, tmp_path):
    toy_city.build(session)
    path = made_files.vector(tmp_path / "b.gpkg", [NE, SE], {"楼栋编码": ["B1", "B2"], "名称": ["甲", "乙"]})
    load(pipelines.buildings, path)


def visible_mark(path):
    """The mark as the format's own programs show it."""
    match path.suffix:
        case ".csv":
            return path.read_text("utf-8-sig").splitlines()[-1]
        case ".geojson":
            return json.dumps(json.loads(path.read_text())["citygrid_export"], ensure_ascii=False)
        case ".gpkg":
            return pyogrio.read_info(path)["layer_metadata"]["CITYGRID_EXPORT"]
        case ".parquet":
            return pq.read_schema(path).metadata[b"citygrid_export"].decode()
        case ".xlsx":
            return str(list(load_workbook(path)["导出说明"].values))


@pytest.mark.parametrize("ending", [".csv", ".geojson", ".gpkg", ".parquet", ".xlsx"])
def test_every_format_carries_its_mark_and_is_traced_when_renamed(session, city, tmp_path, ending):
    made = export(session, "buildings", tmp_path / f"out{ending}", WHEN, bbox=EAST, reason="核对楼栋")
    mark = visible_mark(made.path)
    assert made.number in mark and "2026" in mark
    assert "核对楼栋" in mark and "cli:test" in mark
    renamed = tmp_path / "holiday pictures.dat"
    shutil.copy(made.path, renamed)
    found = trace(session, renamed)
    assert (found.username, found.reason, found.rows, found.changed) == ("cli:test", "核对楼栋", 2, False)


@pytest.mark.parametrize("ending", [".csv", ".geojson", ".gpkg", ".xlsx"])
def test_an_edited_file_is_traced_by_the_number_in_its_mark(session, city, tmp_path, ending):
    made = export(session, "buildings", tmp_path / f"out{ending}", WHEN, bbox=EAST)
    edited = tmp_path / f"edited{ending}"
    if ending == ".xlsx":
        with zipfile.ZipFile(made.path) as old, zipfile.ZipFile(edited, "w", zipfile.ZIP_DEFLATED) as new:
            for info in old.infolist():
                new.writestr(info.filename, old.read(info).replace(b"</worksheet>", b"</worksheet> "))
    else:
        edited.write_bytes(made.path.read_bytes() + b"\n")
    found = trace(session, edited)
    assert (found.number, found.changed) == (made.number, True)


def test_a_strangers_file_is_nobodys(session, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("# 导出人 · CG-" + "0" * 20)
    assert trace(session, path) is None


def test_a_number_cut_by_a_block_is_found(session, city, tmp_path):
    made = export(session, "buildings", tmp_path / "out.csv", WHEN, bbox=EAST)
    path = tmp_path / "long.csv"
    path.write_bytes(b"x" * ((1 << 20) - 9) + made.number.encode() + b"x" * 100)
    assert trace(session, path).number == made.number


def test_the_mark_is_no_feature_when_the_file_comes_back(session, load, city, tmp_path):
    made = export(session, "buildings", tmp_path / "out.geojson", WHEN, bbox=EAST)
    assert len(gpd.read_file(made.path)) == 2
    assert counts(load(pipelines.buildings, made.path)) == (0, 0, 2)


def test_every_export_tells_the_trail_the_file_and_the_request(session, city, tmp_path):
    made = export(session, "buildings", tmp_path / "out.csv", WHEN, bbox=EAST)
    details = session.execute(sa.text("SELECT details FROM audit_entry WHERE action = 'export'")).scalar_one()
    assert (details["sha256"], details["number"], details["rows"]) == (made.sha256, made.number, 2)
    assert details["format"] == ".csv"
