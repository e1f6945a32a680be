"""The house itself: tables say whose they are, models equal migrations, names and texts keep the rules."""

from __future__ import annotations

import re
import subprocess
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from geoalchemy2 import alembic_helpers

from api.migrations.tables import metadata
from gis.policies import OF_MY_CASE, OPEN, TABLES, UNPLACED

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("gis", "layers", "grids", "incidents", "etl", "api", "dash_app")
KEPT_OUT = re.compile(r"\b(class|def)\s+(Street|Route|Event|Handler|Manager|Utils?)\b")
"""Names that mean three things here (the glossary): a road is not a street, an endpoint is not a route."""
FOREIGN = re.compile(
    r"https?://[\w.-]*(unpkg|jsdelivr|cdnjs|googleapis|gstatic|cartocdn|mapbox\.com|bootstrapcdn)"
)


def tracked(*endings: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [
        ROOT / name
        for name in listed.stdout.splitlines()
        if name.endswith(endings) and (ROOT / name).exists()
    ]


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_every_table_declares_its_territory_or_is_open(table):
    assert ("territory" in table.c) != bool(table.info.get("open")), (
        f"{table.name} must carry `territory`, or say info={{'open': True}}, and not both"
    )


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_every_table_declares_who_may_come_to_it(table):
    """A table nobody declared is closed to every request: that is noticed here, and not by a user."""
    declared = TABLES if "territory" in table.c else {**UNPLACED, **dict.fromkeys(OPEN)}
    assert table.name in declared, f"declare {table.name} in gis.policies: TABLES, UNPLACED or OPEN"


@pytest.mark.parametrize(
    "table", [t for t in metadata.sorted_tables if "territory" in t.c], ids=lambda t: t.name
)
def test_a_territory_is_compared_byte_by_byte_and_indexed(table):
    assert table.c.territory.type.collation == "C"
    if TABLES[table.name].read == OF_MY_CASE:
        return  # found by its case, never by its ground
    led_by = {next(iter(index.columns)).name for index in table.indexes if len(index.columns)}
    assert "territory" in led_by or "territory" in {c.name for c in table.primary_key}


def test_models_and_migrations_describe_the_same_tables(session):
    """What Alembic would write next must be nothing, for the tables that have models."""
    context = MigrationContext.configure(
        session.connection(), opts={"include_object": alembic_helpers.include_object, "compare_type": True}
    )
    modelled = set(metadata.tables)
    differences = []
    for found in compare_metadata(context, metadata):
        change = found[0] if isinstance(found, tuple) else found[0][0]
        what = found[1] if isinstance(found, tuple) else found[0]
        if change == "remove_table" and what.name not in modelled:
            continue  # kept by SQL alone: case numbers, the owner map's stamp, the job queue
        if change == "remove_index" and "trgm" in what.name:
            continue  # operator classes are written by hand
        differences.append(found)
    assert not differences


def test_codes_are_text_everywhere():
    wrong = [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if column.name.endswith("code") and not isinstance(column.type, sa.Text)
    ]
    assert not wrong


def test_every_room_is_packaged_and_watched():
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    floors = settings["importlinter:contract:floors"]["layers"].split()
    assert floors == [room for room in reversed(ROOMS)]
    assert {line.rstrip("*") for line in settings["options.packages.find"]["include"].split()} == set(ROOMS)
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]


def test_names_kept_out_stay_out():
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked(".py")
        if path.relative_to(ROOT).parts[0] in ROOMS
        for match in KEPT_OUT.finditer(path.read_text())
    ]
    assert not found


def test_nothing_is_loaded_from_elsewhere():
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked(".py", ".js", ".mjs", ".css", ".html", ".svg")
        if path != Path(__file__).resolve()
        for match in FOREIGN.finditer(path.read_text())
    ]
    assert not found


def test_no_machine_paths_and_no_registry_addresses():
    wrong = re.compile(r"(/work/|/root/|resolved\": \"http|--index-url|files\.pythonhosted|registry\.npmjs)")
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked(".py", ".js", ".md", ".cfg", ".toml", ".json", ".lock", ".sh", "Makefile", "run")
        if path != Path(__file__).resolve()
        for match in wrong.finditer(path.read_text())
    ]
    assert not found
