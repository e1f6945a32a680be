"""The map's style: complete, our own, and asking the tiles only for what they carry."""

from __future__ import annotations

import itertools
import json
import re

import pytest

from dash_app.map_style import LAYER_GROUPS, map_style
from dash_app.pages.map_page import HIT
from dash_app.texts import LANGUAGES
from dash_app.tokens import THEMES
from incidents.history_tiles import _HISTORY
from layers.map_tiles import TILE_SETS

BOTH = list(itertools.product(THEMES, LANGUAGES))
TILE_LAYERS = {
    (name, layer.name): {*layer.attributes} for name, tiles in TILE_SETS.items() for layer in tiles.layers
} | {("incidents", _HISTORY.name): {*_HISTORY.attributes}}
"""(tile set, source-layer) -> the fields its features carry."""


def tile_set(source):
    return source["tiles"][0].split("/")[2]


def asked_fields(expression):
    """Every property an expression reads."""
    if isinstance(expression, list):
        if len(expression) == 2 and expression[0] in ("get", "has") and isinstance(expression[1], str):
            yield expression[1]
        for part in expression:
            yield from asked_fields(part)
    elif isinstance(expression, dict):
        for part in expression.values():
            yield from asked_fields(part)


@pytest.mark.parametrize(("theme", "language"), BOTH)
def test_nothing_comes_from_elsewhere(theme, language):
    style = map_style(theme, language)
    assert "glyphs" not in style and "sprite" not in style
    assert re.findall(r"https?:|//[a-z]", json.dumps(style)) == []


@pytest.mark.parametrize(("theme", "language"), BOTH)
def test_every_layer_has_its_source_and_every_field_is_in_the_tiles(theme, language):
    style = map_style(theme, language)
    ids = [layer["id"] for layer in style["layers"]]
    assert len(ids) == len(set(ids))
    for layer in style["layers"]:
        if layer["type"] == "background":
            continue
        source = style["sources"][layer["source"]]
        if source["type"] != "vector":
            continue
        carried = TILE_LAYERS[tile_set(source), layer["source-layer"]]
        asked = {*asked_fields([layer.get("filter"), layer.get("layout"), layer["paint"]])}
        assert asked <= carried, layer["id"]


def test_a_source_is_asked_for_no_zoom_its_tiles_do_not_have():
    sources = map_style("light", "zh")["sources"]
    for name, tiles in TILE_SETS.items():
        source = next(s for s in sources.values() if s["type"] == "vector" and tile_set(s) == name)
        assert source["minzoom"] >= min(layer.from_zoom for layer in tiles.layers), name


def test_switches_and_clicks_name_layers_that_exist():
    ids = {layer["id"] for layer in map_style("light", "zh")["layers"]}
    assert {id_ for group in LAYER_GROUPS.values() for id_ in group} <= ids
    assert set(HIT) <= ids


def test_the_two_themes_differ_in_colours_only():
    light, dark = (map_style(theme, "zh") for theme in THEMES)
    assert [layer["id"] for layer in light["layers"]] == [layer["id"] for layer in dark["layers"]]
    assert light["sources"] == dark["sources"]
    assert light["layers"] != dark["layers"]


def test_english_labels_fall_back_to_the_chinese_name():
    style = map_style("light", "en")
    label = next(layer for layer in style["layers"] if layer["id"] == "label-road-arterial")
    assert label["layout"]["text-field"] == ["coalesce", ["get", "name_en"], ["get", "name"], ""]


def test_a_road_is_as_wide_as_its_metres_at_its_latitude():
    """27 m at 23 degrees north and zoom 16: 40075016.686 cos(23) / (512 * 2^16) = 1.0994 m a pixel."""
    style = map_style("light", "zh", 23)
    road = next(layer for layer in style["layers"] if layer["id"] == "road-arterial")
    stops = road["paint"]["line-width"][3:]
    width = dict(zip(stops[::2], stops[1::2], strict=True))[16]
    assert width == pytest.approx(27 / 1.0994, rel=0.01)
