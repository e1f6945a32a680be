"""Nothing personal is in a tile: by what each source-layer declares, and by the bytes that are sent."""

from __future__ import annotations

import math
import re

import pytest
import sqlalchemy as sa

from api.migrations.tables import metadata
from incidents.history_tiles import _HISTORY
from layers.catalog import LAYERS, Privacy
from layers.households import Household, Resident
from layers.map_tiles import TILE_SETS
from tests.mvt import decode
from tests.served_city import report_body
from tests.toy_city import LAT, LON, NORTH_WEST

SOURCE_LAYERS = [(name, layer) for name, tiles in TILE_SETS.items() for layer in tiles.layers]
SOURCE_LAYERS.append(("incidents", _HISTORY))
DERIVED = {"clock", "angle", "name", "number", "title", "kind"}
"""Attributes that no column of the catalogue is behind: what a clock stands at, how a river's name is turned,
the name of a place, a house's or a case's number, the name of a category."""
SERVED = (Privacy.OPEN, Privacy.INTERNAL)
ABOUT_PEOPLE = {
    "account", "account_grant", "access_token", "audit_entry", "contact", "delivery", "household",
    "incident_move", "member", "notice", "rating", "resident", "resident_correction", "subtask",
    "undertaking_signature",
}  # fmt: skip
WORDS = ("孙大圣", "10099998888", "独居老人", "大闹天宫", "水帘洞", "筋斗云")


def tables_of(sql: str) -> set[str]:
    return {name for name in re.findall(r"\b(?:FROM|JOIN)\s+([a-z_]+)", sql) if name in metadata.tables}


@pytest.mark.parametrize(("tiles", "layer"), SOURCE_LAYERS, ids=lambda one: getattr(one, "name", one))
def test_no_source_layer_reads_a_table_about_people(tiles, layer):
    read = tables_of(layer.rows)
    assert read and not read & ABOUT_PEOPLE
    assert not any(LAYERS[name].is_personal for name in LAYERS if LAYERS[name].table in read)


@pytest.mark.parametrize(("tiles", "layer"), SOURCE_LAYERS, ids=lambda one: getattr(one, "name", one))
def test_every_attribute_sent_has_a_class_that_may_be_served(tiles, layer):
    """Each is a field of a catalogued layer over the tables it reads, and neither personal nor sensitive."""
    classes: dict[str, set[Privacy]] = {}
    for known in LAYERS.values():
        if known.table in tables_of(layer.rows):
            for field in known.fields:
                classes.setdefault(field.name, set()).add(field.privacy)
    for attribute in layer.attributes:
        assert attribute in classes or attribute in DERIVED, f"{attribute} has no class in layers.catalog"
        assert classes.get(attribute, set()) <= set(SERVED), attribute


def test_personal_and_sensitive_fields_are_in_no_layer_that_is_drawn():
    drawn = {attribute for _, layer in SOURCE_LAYERS for attribute in layer.attributes}
    private = {
        field.name
        for layer in LAYERS.values()
        for field in layer.fields
        if field.privacy not in SERVED and not any(
            other.privacy in SERVED and other.name == field.name
            for shown in LAYERS.values() if not shown.is_personal for other in shown.fields
        )
    }  # fmt: skip
    assert {"phone", "tags", "birth_year", "on_behalf", "description"} <= private
    assert not drawn & private


@pytest.fixture
def lived_in(api):
    """The invented person in every field about people, on the ground and in an ended case."""
    who, phone, tag, words, room, way = WORDS
    with api.database.system_work() as session:
        home = Household(building_id=api.city.building, unit=room, door=room, territory=NORTH_WEST)
        session.add(home)
        session.flush()
        session.add(Resident(household_id=home.id, name=who, phone=phone, tags=[tag], territory=NORTH_WEST))
    case = api.post(
        "member", "/incidents", **report_body(description=f"{who} {words}", on_behalf=f"{who} {phone}")
    )
    with api.database.system_work() as session:
        session.execute(
            sa.text(
                "UPDATE incident SET stage = 'closed', closed_at = reported_at, title = :title,"
                " place = :place, unit = :place, room = :place WHERE id = :id"
            ),
            {"title": f"{who}{way}", "place": room, "id": case["id"]},
        )
    yield api
    with api.database.system_work() as session:
        session.execute(sa.delete(Resident))
        session.execute(sa.delete(Household))


@pytest.mark.parametrize("who", ["member", "officer", "admin"])
def test_the_bytes_of_no_tile_hold_a_word_about_a_person(lived_in, who):
    """Every set at every zoom around the home and the case; a layer is in no tile below its zoom."""
    client, seen = lived_in.client(who), set()
    for name in (*TILE_SETS, "incidents"):
        for z in range(8, 19):
            for lon, lat in ((LON - 0.0003, LAT + 0.00105), (113.0985, 23.0015)):
                x = int((lon + 180) / 360 * 2**z)
                y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z)
                answer = client.get(f"/tiles/{name}/{z}/{x}/{y}.pbf")
                assert answer.status_code in (200, 204), answer.text
                assert not [word for word in WORDS if word.encode() in answer.content], (name, z)
                for layer, features in decode(answer.content).items():
                    seen |= {layer} if features else set()
                    first = min(one.from_zoom for _, one in SOURCE_LAYERS if one.name == layer)
                    assert z >= first, (layer, z)
    assert {"buildings", "cells", "areas"} <= seen and ("incidents" in seen)
