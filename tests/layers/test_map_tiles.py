"""The map's tiles over the toy city: exactly what the style reads, where it belongs, fresh after a change."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import pytest
import shapely
import sqlalchemy as sa
from geoalchemy2.shape import from_shape

from dash_app.map_style import map_style
from gis.errors import NotFound
from gis.tiles import EXTENT, Tile
from grids.cells import Cell, Generation
from layers.areas import Area
from layers.basemap import Land, Road, Water
from layers.buildings import Building, Estate
from layers.components import Component
from layers.households import Household, Resident
from layers.map_tiles import TILE_SETS, map_tile
from layers.shops import Shop
from tests import toy_city
from tests.gis.test_tiles import tile_at
from tests.mvt import decode
from tests.toy_city import LAT, LON, NORTH_WEST, STEP

RESIDENT = "赵试样"


@pytest.fixture
def city(session):
    """The toy city with an estate, a park, a river, a shop, a lamp and one resident."""
    toy = toy_city.build(session)
    west, south = LON - STEP, LAT
    box = shapely.box(west + 0.0005, south + 0.0005, west + 0.0015, south + 0.0015)
    river = shapely.box(LON - 0.02, LAT - 0.0015, LON + 0.02, LAT - 0.001)
    session.add_all(
        [
            Estate(name="银杏苑", kind="estate", geom=_multi(box), territory=NORTH_WEST),
            Land(kind="park", name="江滨公园", geom=_multi(shapely.box(LON, LAT, LON + 0.001, LAT + 0.001))),
            Land(kind="wall", name=None, geom=_multi(box.buffer(0.00002).difference(box))),
            Water(kind="river", name="银澜江", geom=_multi(river)),
            Road(
                name="临江巷", class_="lane", bridge=True,
                geom=from_shape(shapely.MultiLineString([[(LON, LAT), (LON + STEP, LAT)]]), srid=4490),
            ),
            Shop(
                name="顺发便利店", category="便利店", territory=NORTH_WEST, cell_code=NORTH_WEST,
                geom=from_shape(shapely.Point(LON - 0.0003, LAT + 0.001), srid=4490),
            ),
            Component(
                kind="lamp", code="0101990101001", state="damaged", department_code="city_management",
                territory=NORTH_WEST, geom=from_shape(shapely.Point(LON - 0.0001, LAT + 0.0005), srid=4490),
            ),
        ]
    )  # fmt: skip
    household = Household(building_id=toy.building, unit="1", floor=3, door="301", territory=NORTH_WEST)
    session.add(household)
    session.flush()
    session.add(Resident(household_id=household.id, name=RESIDENT, phone="10000000000", territory=NORTH_WEST))
    session.flush()
    return toy


def _multi(shape: shapely.Geometry) -> object:
    return from_shape(shapely.MultiPolygon(shapely.get_parts(shape).tolist()), srid=4490)


def draw(session, name: str, z: int, lon: float = LON - 0.0005, lat: float = LAT + 0.0005):
    return decode(map_tile(session, name, tile_at(lon, lat, z)).data)


def properties_read(expression: object) -> set[str]:
    """Names of the properties a style expression gets or asks for."""
    if not isinstance(expression, list):
        return set()
    if expression[:1] in (["get"], ["has"]) and isinstance(expression[1], str):
        return {expression[1]}
    return set().union(*map(properties_read, expression))


def test_the_style_reads_nothing_that_is_not_sent():
    """Every source-layer and every property of the map's style, from the sets that serve it."""
    style = map_style("light", "en")
    served = {
        (f"/tiles/{name}/{{z}}/{{x}}/{{y}}.pbf", layer.name): set(layer.attributes)
        for name, tiles in TILE_SETS.items()
        for layer in tiles.layers
    }
    for layer in style["layers"]:
        source = style["sources"].get(layer.get("source"), {})
        (address,) = source.get("tiles", [""])
        if source.get("type") != "vector" or address.startswith("/tiles/incidents/"):
            continue
        read = set()
        for part in ("filter", *layer.get("layout", {}), *layer.get("paint", {})):
            values = layer.get(part), layer.get("layout", {}).get(part), layer.get("paint", {}).get(part)
            read |= set().union(*map(properties_read, values))
        sent = served[address, layer["source-layer"]]
        assert read - {"name_en"} <= sent, layer["id"]  # where a table has no English name the name stands in


ALLOWED = {
    "land": {"kind"},
    "estates": {"kind"},
    "water": set(),
    "roads": {"class", "bridge", "name", "name_en"},
    "areas": {"level"},
    "labels": {"kind", "name", "name_en", "angle"},
    "cells": {"code", "name"},
    "buildings": {"style", "number"},
    "shops": {"name", "category"},
    "components": {"kind", "name", "state"},
}
WITHOUT_ID = {"areas", "labels"}


@pytest.mark.parametrize("name", TILE_SETS)
def test_a_tile_holds_its_layers_with_allowed_attributes_and_integer_ids(session, city, name):
    drawn = draw(session, name, 16)
    assert set(drawn) == {layer.name for layer in TILE_SETS[name].layers}
    for layer, features in drawn.items():
        assert features
        for feature in features:
            assert set(feature.attributes) <= ALLOWED[layer]
            assert (feature.id is None) if layer in WITHOUT_ID else (feature.id > 0)


@pytest.mark.parametrize("name", TILE_SETS)
@pytest.mark.parametrize("z", [12, 14, 16, 18])
def test_no_tile_names_a_person(session, city, name, z):
    data = map_tile(session, name, tile_at(LON - 0.0003, LAT + 0.0009, z)).data
    for private in (RESIDENT, "10000000000", "王小明", "10012345678"):
        assert private.encode() not in data


def test_a_building_lands_within_a_pixel_of_its_place(session, city):
    tile = tile_at(LON - 0.0003, LAT + 0.00105, 16)
    (found,) = decode(map_tile(session, "buildings", tile).data)["buildings"]
    left, right = min(x for x, _ in found.parts[0]), max(x for x, _ in found.parts[0])
    scale = 2**16 / 360 * EXTENT
    for edge, lon in ((left, LON - 0.0004), (right, LON - 0.0002)):
        assert abs(edge - ((lon + 180) * scale - tile.x * EXTENT)) <= 8, "8 units are a pixel"
    assert found.id == city.building and found.attributes == {"style": "other", "number": "3"}


def test_house_numbers_travel_only_where_they_are_written(session, city):
    (found,) = draw(session, "buildings", 14)["buildings"]
    assert found.attributes == {"style": "other"}


def test_a_border_that_two_communities_share_is_drawn_once(session, city):
    """North and south meet along 2 x 0.002 degrees; the outer border is the subdistrict's, and only its."""
    tile = tile_at(LON - 0.0005, LAT + 0.0005, 15)
    borders = decode(map_tile(session, "base", tile).data)["areas"]
    community = [f for f in borders if f.attributes == {"level": "community"}]
    unit = tile.unit_degrees
    (line,) = [part for feature in community for part in feature.parts]
    length = sum(abs(b[0] - a[0]) + abs(b[1] - a[1]) for a, b in pairwise(line))
    assert length == pytest.approx(2 * STEP / unit, abs=2)
    assert {y for _, y in line} == {line[0][1]}, "it runs due east"


def test_over_a_whole_city_the_districts_have_the_borders(session, city):
    """Two subdistricts side by side in one district: between them one line of 2 x 0.002 degrees due north,
    around both the district's; communities come at the next zoom."""
    west = shapely.box(LON - STEP, LAT - STEP, LON + STEP, LAT + STEP)
    east = shapely.box(LON + STEP, LAT - STEP, LON + 3 * STEP, LAT + STEP)
    session.add(
        Area(code="990101002", level="subdistrict", name="东街道", geom=_multi(east), territory="990101002")
    )
    session.get_one(Area, "990101").geom = _multi(west.union(east))
    session.flush()
    far, near = draw(session, "base", 11)["areas"], draw(session, "base", 12)["areas"]
    assert {f.attributes["level"] for f in far} == {"district", "subdistrict"}
    assert {f.attributes["level"] for f in near} == {"subdistrict", "community"}
    (between,) = [part for f in far if f.attributes["level"] == "subdistrict" for part in f.parts]
    assert len({x for x, _ in between}) == 1
    unit = tile_at(LON, LAT, 11).unit_degrees * math.cos(math.radians(LAT))
    assert abs(between[-1][1] - between[0][1]) == pytest.approx(2 * STEP / unit, abs=2)


def test_over_a_whole_city_a_border_does_not_turn_at_every_block(session, city):
    """Forty teeth of a pixel each along the north of a square: its four corners are what is left."""
    pixel = 8 * tile_at(LON, LAT, 10).unit_degrees
    teeth = [(LON + i * pixel, LAT + i % 2 * pixel) for i in range(41)]
    ring = [*teeth, (LON + 40 * pixel, LAT - 40 * pixel), (LON, LAT - 40 * pixel)]
    session.get_one(Area, "990101").geom = _multi(shapely.Polygon(ring))
    session.flush()
    drawn = draw(session, "base", 10)["areas"]
    lines = [part for f in drawn if f.attributes["level"] == "district" for part in f.parts]
    assert sum(len(line) - 1 for line in lines) <= 5


def test_small_roads_and_walls_wait_for_their_zoom(session, city):
    far, near = draw(session, "base", 12), draw(session, "base", 16)
    assert {f.attributes["class"] for f in far["roads"]} == {"arterial"}
    assert {f.attributes["class"] for f in near["roads"]} == {"arterial", "lane"}
    assert {f.attributes["kind"] for f in far["land"]} == {"park"}
    assert {f.attributes["kind"] for f in near["land"]} == {"park", "wall"}


def test_a_bridge_is_marked_and_ground_is_not(session, city):
    roads = {f.attributes["name"]: f.attributes.get("bridge") for f in draw(session, "base", 16)["roads"]}
    assert roads == {"建设大道": None, "临江巷": True}


def test_a_river_is_named_along_its_course(session, city):
    """The toy river runs due east: no turn. Its name lies on the water."""
    labels = draw(session, "base", 15, LON, LAT - 0.0012)["labels"]
    (river,) = [f for f in labels if f.attributes["kind"] == "river"]
    assert river.attributes == {"kind": "river", "name": "银澜江", "angle": 0}


def test_only_social_cells_of_the_active_generation_are_drawn(session, city):
    session.add(Generation(name="old", label="2020 版", status="retired"))
    session.flush()
    whole = _multi(shapely.box(LON - STEP, LAT - STEP, LON + STEP, LAT + STEP))
    for generation, kind in (("old", "social"), ("toy", "unit"), ("toy", "special")):
        session.add(
            Cell(
                generation=generation,
                kind=kind,
                code="990101001009009",
                name=kind,
                area_m2=1.0,
                geom=whole,
                territory="990101001",
            )
        )
    session.flush()
    names = sorted(f.attributes["name"] for f in draw(session, "cells", 14)["cells"])
    assert names == ["安澜 001", "安澜 002", "安澜 003", "安澜 004"]


def test_a_copy_is_good_until_a_table_under_it_changes(session, city):
    tile = tile_at(LON, LAT + 0.0005, 16)
    first = map_tile(session, "base", tile)
    assert map_tile(session, "base", tile, known=first.revision).data is None
    roof = from_shape(shapely.box(LON, LAT, LON + 1e-4, LAT + 1e-4), srid=4490)
    session.add(Building(style="tower", geom=roof, territory=NORTH_WEST))
    session.flush()
    assert map_tile(session, "base", tile, known=first.revision).data is None, "buildings are no base map"
    session.execute(sa.text("UPDATE road SET name = '解放路' WHERE name = '建设大道'"))
    again = map_tile(session, "base", tile, known=first.revision)
    assert again.revision != first.revision
    assert "解放路" in json.dumps([f.attributes for f in decode(again.data)["roads"]], ensure_ascii=False)


def test_a_change_that_is_taken_back_leaves_the_copy_good(session, city):
    tile = tile_at(LON, LAT, 16)
    before = map_tile(session, "shops", tile).revision
    savepoint = session.begin_nested()
    session.execute(sa.text("DELETE FROM shop"))
    assert map_tile(session, "shops", tile).revision != before
    savepoint.rollback()
    assert map_tile(session, "shops", tile).revision == before


def test_a_change_of_cells_reaches_the_cells_tile(session, city):
    tile = tile_at(LON, LAT, 14)
    before = map_tile(session, "cells", tile).revision
    session.execute(sa.text("UPDATE generation SET label = '2027 版'"))
    assert map_tile(session, "cells", tile).revision != before


def test_open_sea_is_an_empty_tile(session, city):
    assert map_tile(session, "buildings", Tile(14, 0, 0)).data == b""


def test_an_unknown_set_is_not_found(session):
    with pytest.raises(NotFound) as caught:
        map_tile(session, "households", Tile(14, 0, 0))
    assert "buildings" in caught.value.remedy_en
