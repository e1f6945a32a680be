"""Vector tiles: addresses, boxes, and what PostGIS puts where in a tile."""

from __future__ import annotations

import math

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import NotFound
from gis.tiles import BOX, BUFFER, EXTENT, SourceLayer, Tile, tile_params, tile_sql
from tests.mvt import decode


def tile_at(lon: float, lat: float, z: int) -> Tile:
    """The tile over a place, by the textbook formula."""
    x = (lon + 180) / 360 * 2**z
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z
    return Tile(z, int(x), int(y))


def read(session, layer: SourceLayer, tile: Tile, **params):
    data = session.execute(
        sa.text("SELECT " + tile_sql([layer], tile.z)), {**tile_params(tile), **params}
    ).scalar_one()
    return decode(bytes(data)).get(layer.name, [])


def rows(wkt: str, columns: str = "1 AS id") -> str:
    return f"SELECT {columns}, geom FROM ST_GeomFromText('{wkt}', 4490) AS geom WHERE geom && {BOX}"


@pytest.mark.parametrize(
    "address",
    [(-1, 0, 0), (23, 0, 0), (0, 1, 0), (0, 0, 1), (14, 2**14, 5), (14, 5, -1), (3, 10**30, 0)],
)
def test_an_address_outside_the_scheme_is_not_found(address):
    with pytest.raises(NotFound) as caught:
        Tile(*address)
    assert caught.value.remedy_en and caught.value.remedy_zh


def test_the_world_is_one_tile_and_its_box_is_the_mercator_square():
    """Web Mercator's square ends at 85.0511 degrees; the buffer adds 64/4096 of 360 degrees sideways."""
    west, south, east, north = Tile(0, 0, 0).box
    assert (west, east) == (-180 - 5.625, 180 + 5.625)
    assert north > 85.0511 and south == pytest.approx(-north)


@given(st.floats(-179.9, 179.9), st.floats(-84.9, 84.9), st.integers(0, 22))
def test_a_place_lies_in_the_box_of_its_tile(lon, lat, z):
    tile = tile_at(lon, lat, z)
    west, south, east, north = tile.box
    assert west < lon < east and south < lat < north
    assert east - west == pytest.approx((EXTENT + 2 * BUFFER) * tile.unit_degrees, rel=1e-6)


@given(st.integers(1, 22), st.data())
def test_neighbours_overlap_by_exactly_their_buffers(z, data):
    x, y = data.draw(st.integers(0, 2**z - 2)), data.draw(st.integers(0, 2**z - 2))
    own, right, below = Tile(z, x, y), Tile(z, x + 1, y), Tile(z, x, y + 1)
    overlap = own.box[2] - right.box[0]
    assert overlap == pytest.approx(2 * BUFFER * own.unit_degrees, rel=1e-6, abs=1e-12)
    assert 0 < below.box[3] - own.box[1] <= overlap * 1.001


def test_a_point_lands_in_the_unit_it_belongs_to(session):
    """The place is a quarter across and an eighth down its tile: units 1024 and 512."""
    z, x, y = 14, 13340, 7099
    lon = (x + 0.25) / 2**z * 360 - 180
    lat = math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * (y + 0.125) / 2**z))))
    (found,) = read(session, SourceLayer("spots", rows(f"POINT({lon} {lat})")), Tile(z, x, y))
    ((spot,),) = found.parts
    assert abs(spot[0] - 1024) <= 1 and abs(spot[1] - 512) <= 1
    assert found.id == 1


def test_only_the_listed_attributes_are_sent(session):
    layer = SourceLayer(
        "spots", rows("POINT(113.1 23)", "7 AS id, 'lamp' AS kind, '王小明' AS owner"), ("kind",)
    )
    (found,) = read(session, layer, tile_at(113.1, 23, 14))
    assert (found.id, found.attributes) == (7, {"kind": "lamp"})


def test_a_layer_without_ids_sends_none(session):
    layer = SourceLayer("edges", rows("POINT(113.1 23)", "'x' AS kind"), ("kind",), ids=False)
    (found,) = read(session, layer, tile_at(113.1, 23, 14))
    assert found.id is None


def test_what_reaches_beyond_the_buffer_is_cut_there(session):
    world = SourceLayer("land", rows("POLYGON((-170 -80, 170 -80, 170 80, -170 80, -170 -80))"))
    (found,) = read(session, world, tile_at(113.1, 23, 14))
    corners = {coordinate for part in found.parts for point in part for coordinate in point}
    assert corners == {-BUFFER, EXTENT + BUFFER}


def test_a_layer_is_silent_below_its_zoom(session):
    layer = SourceLayer("spots", rows("POINT(113.1 23)"), from_zoom=14)
    assert read(session, layer, tile_at(113.1, 23, 13)) == []
    assert len(read(session, layer, tile_at(113.1, 23, 14))) == 1


def test_simplifying_drops_what_cannot_be_seen_and_keeps_what_can(session):
    """A zigzag of 1.1 m along 10 km: less than the 19 m of two units at z10, more than the 7 cm at z18."""
    zigzag = ", ".join(f"{113.05 + i * 0.001} {23 + (i % 2) * 0.00001}" for i in range(101))
    layer = SourceLayer("roads", rows(f"LINESTRING({zigzag})"), simplify=True)
    (far,) = read(session, layer, tile_at(113.1, 23, 10))
    near = read(session, layer, tile_at(113.051, 23.000005, 18))
    assert sum(map(len, far.parts)) == 2
    assert sum(len(part) for found in near for part in found.parts) > 2
