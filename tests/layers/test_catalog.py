"""The catalogue agrees with the tables, and what is private is classed so."""

from __future__ import annotations

import pytest

from api.migrations.tables import metadata
from gis.errors import Denied, NotFound
from layers.catalog import LAYERS, Privacy, drawable_layer, layer

STAFF = ("member", "leader", "admin", "analyst")


@pytest.mark.parametrize("entry", LAYERS.values(), ids=lambda entry: entry.name)
def test_every_field_is_a_column_and_every_key_unique(entry):
    table = metadata.tables[entry.table]
    names = [field.name for field in entry.fields]
    assert set(names) <= set(table.columns.keys()) and len(names) == len(set(names))
    assert table.columns[entry.key].primary_key


@pytest.mark.parametrize(
    "entry", [e for e in LAYERS.values() if e.name != "incidents"], ids=lambda entry: entry.name
)
def test_no_column_of_a_ledger_is_left_unclassed(entry):
    """A column added to a ledger must be given its words and its class before it can be read anywhere."""
    columns = set(metadata.tables[entry.table].columns.keys())
    assert columns - {"id", "geom"} == {field.name for field in entry.fields}


@pytest.mark.parametrize("entry", LAYERS.values(), ids=lambda entry: entry.name)
def test_a_layer_is_drawn_from_a_geometry_or_is_about_people(entry):
    geometry = metadata.tables[entry.table].columns.get("geom")
    if entry.is_personal:
        assert geometry is None
    else:
        kind = {"polygon": "POLYGON", "line": "LINESTRING", "point": "POINT"}[entry.geometry]
        assert geometry.type.geometry_type.endswith(kind) and geometry.type.srid == 4490


def test_words_exist_in_both_languages():
    for entry in LAYERS.values():
        words = [(entry.title_zh, entry.title_en), *((f.zh, f.en) for f in entry.fields)]
        assert all(zh and en and en.isascii() and not zh.isascii() for zh, en in words), entry.name


@pytest.mark.parametrize("role", [*STAFF, "resident"])
def test_nobody_gets_personal_fields_and_a_resident_gets_open_ones_only(role):
    for entry in LAYERS.values():
        classes = {field.privacy for field in entry.fields_for(role)}
        assert classes <= ({Privacy.OPEN} if role == "resident" else {Privacy.OPEN, Privacy.INTERNAL})
        assert not (entry.is_personal and classes)


def test_what_a_city_knows_about_people_is_personal_or_sensitive():
    residents = {field.name: field.privacy for field in LAYERS["residents"].fields}
    assert residents["tags"] is Privacy.SENSITIVE
    assert {residents[name] for name in ("name", "phone", "birth_year", "gender")} == {Privacy.PERSONAL}
    cases = {field.name: field.privacy for field in LAYERS["incidents"].fields}
    assert cases["description"] is cases["on_behalf"] is Privacy.PERSONAL


def test_an_unknown_layer_is_not_found_and_the_remedy_lists_the_known():
    with pytest.raises(NotFound) as caught:
        layer("parks")
    assert "buildings" in caught.value.remedy_en and "buildings" in caught.value.remedy_zh


@pytest.mark.parametrize("name", ["households", "residents"])
def test_layers_about_people_are_denied_as_features(name):
    with pytest.raises(Denied) as caught:
        drawable_layer(name)
    assert "recorded" in caught.value.remedy_en and "记录" in caught.value.remedy_zh
