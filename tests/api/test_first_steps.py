"""README's way to a city of one's own, word for word, on a database in which there is nothing at all yet."""

from __future__ import annotations

import csv
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import shapely

from api import cli
from gis.cluster import PrivateCluster
from gis.crs import from_stored
from tests import made_files
from tests.conftest import drop
from tests.toy_city import CORNERS, LAT, LON, STEP, square

READMES = sorted((Path(__file__).parents[2]).glob("README*.md"))


@pytest.fixture
def empty_url(cluster: PrivateCluster) -> Iterator[str]:
    """The address of a database without a schema, as `db up` first meets it."""
    name = f"first_steps_{os.getpid()}"
    cluster.ensure_database(name)
    yield cluster.url(name)
    drop(cluster, name)


def commands(readme: Path) -> list[list[str]]:
    """The words of each command of README's block that begins by `db up`."""
    block = next(b for b in re.findall(r"```\n(.*?)```", readme.read_text("utf-8"), re.S) if "db up" in b)
    lines = (line for line in block.strip().splitlines() if not line.startswith("export "))
    return [line.removeprefix(".venv/bin/citygrid").split() for line in lines]


def make_files(folder: Path) -> None:
    """The files the block names: one subdistrict, four cells, a building, a member a cell, two points."""
    whole = shapely.box(LON - STEP, LAT - STEP, LON + STEP, LAT + STEP)
    made_files.vector(folder / "subdistricts.shp", [whole], {"NAME": ["Riverside"]})
    names = [f"W{n}" for n in range(1, 5)]
    made_files.vector(folder / "cells.gpkg", [square(code) for code in CORNERS], {"CODE": names})
    house = shapely.box(LON - 0.0004, LAT + 0.001, LON - 0.0002, LAT + 0.0011)
    made_files.vector(folder / "buildings.geojson", [house], {"楼栋编码": ["B1"], "楼栋名称": ["钟楼"]})
    head = ["工号", "姓名", "岗位", "网格", "楼栋"]
    teams = [[f"M{name}", f"丙{name}", "网格员", name, None] for name in names]
    heads = [["H1", "丁一", "楼栋长", "W1", "B1"]]
    made_files.workbook(folder / "members.xlsx", {"队伍": [head, *teams, *heads]})
    x, y = from_stored([LON - 0.001, LON + 0.001], [LAT + 0.0015, LAT - 0.001], "GCJ-02")
    points = [["id", "lon", "lat"], *([n, *at] for n, at in enumerate(zip(x, y, strict=True), 1))]
    made_files.table(folder / "points.csv", points)


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_the_commands_of_readme_make_a_city_that_routes(readme, empty_url, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("CITYGRID_DATABASE_URL", empty_url)
    monkeypatch.setenv("CITYGRID_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    make_files(tmp_path)
    for words in commands(readme):
        monkeypatch.setattr(sys, "argv", ["citygrid", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        told = capsys.readouterr()
        assert left.value.code == 0, (words, told.out, told.err)
    with (tmp_path / "routed.csv").open(encoding="utf-8-sig", newline="") as file:
        routed = list(csv.DictReader(file))
    assert [(row["cell_source"], row["rule"]) for row in routed] == [("W1", "covered"), ("W4", "covered")]
    assert all(row["member"] for row in routed)


def test_a_database_without_our_schema_is_told_with_its_remedy(empty_url, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("CITYGRID_DATABASE_URL", empty_url)
    monkeypatch.setenv("CITYGRID_LANGUAGE", "zh")
    monkeypatch.setattr(sys, "argv", ["citygrid", "cells", "check", "2026"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    told = capsys.readouterr().err
    assert left.value.code == 2
    assert "结构不是最新的" in told and "citygrid db upgrade" in told and "SELECT" not in told
