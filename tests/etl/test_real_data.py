"""Real files, where they are at hand: the counts found once, and the published answers of Boston.

The files are not part of the product; without them these tests are skipped. `docs/real-data.md` tells what
the figures mean.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from etl import cases, pipelines
from gis.settings import Settings
from tests.etl.conftest import codes, counts

FOLDER = Settings.load().real_data

pytestmark = pytest.mark.skipif(
    FOLDER is None or not FOLDER.is_dir(),
    reason="the real data is not here (CITYGRID_REAL_DATA names its folder)",
)


@pytest.fixture
def real(tmp_path):
    """The real file of a name, linked into a folder where the list of refused rows may be written."""

    def find(name: str) -> Path:
        assert FOLDER is not None
        source = FOLDER / name
        for part in source.parent.glob(source.stem + ".*"):
            link = tmp_path / part.name
            if not link.exists():
                link.symlink_to(part)
        return tmp_path / source.name

    return find


MOST = """SELECT {column}, count(*) FROM {table} GROUP BY 1 ORDER BY 2 DESC, {column} COLLATE "C" LIMIT 3"""

# ---- Lujiazui, Shanghai ------------------------------------------------------------------------------


def test_the_buildings_of_lujiazui(load, rows, real):
    """1,321 footprints; 583 tell a height, of 110 it is that of 18 floors (54 m) or more."""
    path = real("shanghai_lujiazui_osm/buildings_merged.geojson")
    report = load(pipelines.buildings, path)
    assert (report.read, report.accepted, report.repaired) == (1321, 1321, [])
    assert rows(
        "SELECT count(*), count(height_m), count(*) FILTER (WHERE style = 'tower') FROM building"
    ) == [(1321, 583, 110)]
    assert rows("SELECT name, height_m FROM building ORDER BY height_m DESC NULLS LAST LIMIT 1") == [
        ("上海中心大厦", 632.0)
    ]
    assert counts(load(pipelines.buildings, path)) == (0, 0, 1321)


def test_the_roads_of_lujiazui(load, rows, real):
    """1,778 pieces cut at tile edges: 137 are rails, ferries and piers, 591 join their other half."""
    path = real("shanghai_lujiazui_osm/roads.geojson")
    report = load(pipelines.roads, path, mapping="tilezen")
    assert (report.read, report.accepted, report.inserted, report.joined) == (1778, 1641, 1050, 591)
    assert Counter(reason for _, reason in codes(report.refused)) == {"not_wanted": 137}
    assert {kind for (kind,) in rows("SELECT DISTINCT class FROM road")} == {
        "expressway", "arterial", "secondary", "local", "lane",
    }  # fmt: skip


def test_the_shops_and_components_among_the_points_of_lujiazui(load, rows, real):
    """Of 494 points 83 with a name feed people; 和平饭店 stands twice under one id: its second is refused."""
    path = real("shanghai_lujiazui_osm/pois.geojson")
    shops = load(pipelines.shops, path, mapping="tilezen")
    assert rows(MOST.format(column="category", table="shop")) == [
        ("餐饮", 83), ("住宿", 29), ("零售", 29),
    ]  # fmt: skip
    assert (shops.read, shops.accepted) == (494, 165)
    components = load(pipelines.components, path, mapping="tilezen")
    assert rows(MOST.format(column="kind", table="component")) == [
        ("traffic_signals", 77), ("bus_stop", 56), ("toilets", 24),
    ]  # fmt: skip
    assert (components.read, components.accepted) == (494, 159)


def test_land_and_water_of_lujiazui(load, rows, real):
    """Walls and hedges are lines and no land. The Huangpu's pieces have two ids: the water and its bank."""
    land = load(pipelines.land, real("shanghai_lujiazui_osm/landuse.geojson"), mapping="tilezen")
    assert (land.read, land.accepted, land.inserted) == (327, 261, 175)
    assert Counter(reason for _, reason in codes(land.refused)) == {"wrong_kind": 66}
    water = load(pipelines.water, real("shanghai_lujiazui_osm/water.geojson"), mapping="tilezen")
    assert (water.read, water.accepted, water.inserted) == (106, 39, 16)
    assert rows("SELECT count(*) FROM water WHERE name = '黄浦江'") == [(2,)]


# ---- the subdistricts of Beijing ---------------------------------------------------------------------


def test_the_subdistricts_of_beijing_find_their_codes_by_parent_and_name(load, rows, real):
    assert FOLDER is not None
    tables = [FOLDER / "division_codes" / f"{name}_beijing_shanghai.csv" for name in ("areas", "streets")]
    path = real("beijing_streets/beijing.shp")
    report = load(pipelines.areas, path, level="subdistrict", mapping="beijing-streets", code_tables=tables)
    assert (report.read, report.accepted, report.inserted) == (331, 331, 331)
    assert Counter(reason for _, reason in codes(report.repaired)) == {"code_made_up": 7}
    assert rows(
        "SELECT code, parent_code, source_code FROM area WHERE name = '八里庄街道' ORDER BY code"
    ) == [
        ("110105015", "110105", "朝阳区/八里庄街道"),
        ("110108005", "110108", "海淀区/八里庄街道"),
    ]
    assert rows("SELECT count(*), count(DISTINCT code), bool_and(ST_IsValid(geom)) FROM area") == [
        (331, 331, True)
    ]
    again = load(pipelines.areas, path, level="subdistrict", mapping="beijing-streets", code_tables=tables)
    assert counts(again) == (0, 0, 331)


# ---- Boston's requests and police districts ----------------------------------------------------------

LOADED, REFUSED, PUBLISHED = 33_898, 50, 33_877
LEAST_SHARE = 0.994
FAR_M, FAR = 30.0, 15
"""Misses farther than this from the district they are published in: `docs/real-data.md` tells why."""

_MISSES = """
    SELECT i.report_key, p.source_code, f.source_code,
           ST_Distance(i.geom::geography, p.geom::geography) AS metres
    FROM unnest(CAST(:keys AS text[]), CAST(:districts AS text[])) AS b(key, district)
    JOIN incident AS i ON i.report_key = b.key
    JOIN cell AS p ON p.source_code = b.district
    LEFT JOIN cell AS f ON f.code = i.cell_code
    WHERE f.source_code IS DISTINCT FROM b.district ORDER BY metres DESC, 1"""


def test_boston_lands_where_boston_says(session, load, rows, real):
    """Every request is loaded or refused, and those with a published district land in it, but for a few.

    Run it with -s to see each of the few: number, published district, ours, metres to the published one.
    """
    districts = real("boston311/police/boston-massachusetts-police-districts.shp")
    assert load(pipelines.cells, districts, headers={"source_code": "DISTRICT"}).inserted == 12
    session.execute(sa.text("UPDATE generation SET status = 'active'"))
    path = real("boston311/boston311_animal_2014_2023.csv")
    report = load(cases.incidents, path, crs="EPSG:4326", mapping="boston311")
    assert (report.read, report.accepted) == (LOADED + REFUSED, LOADED)
    assert Counter(reason for _, reason in codes(report.refused)) == {"no_place": REFUSED}
    with path.open(newline="") as file:
        told = {row["case_enquiry_id"]: row["police_district"].strip() for row in csv.DictReader(file)}
    loaded = {key for (key,) in rows("SELECT report_key FROM incident")}
    published = {key: district for key, district in told.items() if district and key in loaded}
    misses = rows(_MISSES, keys=list(published), districts=list(published.values()))
    for number, theirs, ours, metres in misses:
        print(f"{number}  {theirs:>3} -> {ours or '-':>3}  {metres:9.2f} m")
    assert len(published) == PUBLISHED
    assert 1 - len(misses) / len(published) >= LEAST_SHARE
    assert sum(metres > FAR_M for *_, metres in misses) == FAR
