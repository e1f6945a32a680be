"""Geometries: into CGCS2000, of the right kind, valid; or refused with the reason."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.shapes import clean_shapes
from gis import crs

SQUARE = shapely.box(113.1, 23.0, 113.102, 23.002)
BOW_TIE = shapely.Polygon([(113.1, 23.0), (113.102, 23.002), (113.102, 23.0), (113.1, 23.002)])


def clean(*shapes, kind="polygon", system="EPSG:4490", **how):
    shaped = clean_shapes(np.array(shapes, object), range(1, len(shapes) + 1), system, kind, **how)
    refused = [(note.row, note.reason.code) for note in shaped.refused]
    repaired = [(note.row, note.reason.code) for note in shaped.repaired]
    return shaped, refused, repaired


def test_a_good_polygon_stays_as_it_is_and_is_no_repair():
    shaped, refused, repaired = clean(SQUARE)
    assert (shaped.geometry[0], refused, repaired) == (SQUARE, [], [])


def test_a_bow_tie_is_rebuilt_from_its_outline():
    """Its two triangles meet in the middle: half of the square, as the outline encloses it."""
    shaped, refused, repaired = clean(BOW_TIE)
    assert (refused, repaired) == ([], [(1, "mended")])
    assert shaped.geometry[0].is_valid
    assert shaped.geometry[0].area == pytest.approx(SQUARE.area / 2)


def test_a_polygon_without_any_area_cannot_be_repaired():
    line = shapely.Polygon([(113.1, 23.0), (113.1, 23.1), (113.1, 23.2), (113.1, 23.0)])
    _, refused, repaired = clean(line, SQUARE)
    assert (refused, repaired) == ([(1, "broken")], [])


def test_missing_empty_and_endless_geometries_are_refused():
    endless = shapely.Point(float("inf"), 23.0)
    _, refused, _ = clean(None, shapely.Point(), endless, shapely.Point(113, 23), kind="point")
    assert refused == [(1, "no_place"), (2, "no_place"), (3, "not_degrees")]


def test_a_nan_among_the_corners_is_refused():
    corners = np.array([(113.1, 23.0), (113.102, 23.0), (float("nan"), 23.001), (113.1, 23.0)])
    with np.errstate(invalid="ignore"):
        broken = shapely.polygons(corners)
    _, refused, _ = clean(broken, SQUARE)
    assert refused == [(1, "not_degrees")]


def test_swapped_axes_are_recognised_where_they_can_be():
    """In China the longitude is no latitude, so the swap shows; near (45, 45) it would not."""
    swapped = shapely.transform(SQUARE, lambda xy: xy[:, ::-1])
    _, refused, _ = clean(swapped, SQUARE)
    assert refused == [(1, "swapped")]


@pytest.mark.parametrize(
    ("shape", "kind"),
    [(shapely.Point(113, 23), "polygon"), (SQUARE, "point"), (SQUARE, "line"), (SQUARE.exterior, "polygon"),
     (shapely.MultiPoint([(113, 23), (113.1, 23)]), "point")],
)  # fmt: skip
def test_a_geometry_of_the_wrong_kind_is_refused(shape, kind):
    _, refused, _ = clean(shape, kind=kind)
    assert refused == [(1, "wrong_kind")]


def test_a_multipoint_of_one_is_a_point():
    shaped, refused, _ = clean(shapely.MultiPoint([(113, 23)]), kind="point")
    assert (shaped.geometry[0], refused) == (shapely.Point(113, 23), [])


def test_the_polygons_are_taken_out_of_a_collection():
    shaped, _, repaired = clean(shapely.GeometryCollection([SQUARE, shapely.Point(113, 23)]))
    assert (repaired, shaped.geometry[0].equals(SQUARE)) == ([(1, "extracted")], True)


def test_heights_are_dropped():
    shaped, _, _ = clean(shapely.force_3d(SQUARE, 12.0))
    assert not shaped.geometry[0].has_z


def test_single_splits_a_row_of_several_parts_and_numbers_them():
    far = shapely.box(113.2, 23.0, 113.202, 23.002)
    shaped, _, repaired = clean(SQUARE, shapely.MultiPolygon([SQUARE, far]), single=True)
    assert shaped.position.tolist() == [0, 1, 1]
    assert shaped.part.tolist() == [0, 1, 2]
    assert repaired == [(2, "split")]
    assert {g.geom_type for g in shaped.geometry} == {"Polygon"}


def test_positions_follow_the_rows_that_are_left():
    shaped, _, _ = clean(None, SQUARE, shapely.Point(1, 1), SQUARE)
    assert shaped.position.tolist() == [1, 3]


@pytest.mark.parametrize("system", ["GCJ-02", "BD-09", "EPSG:4547"])
def test_declared_systems_are_undone(system):
    """What was drawn on a web map, or surveyed in a Gauss-Kruger zone, lands where it stands: within 1 mm."""
    lon, lat = np.array([113.1]), np.array([23.0])
    if system == "EPSG:4547":
        x, y = crs.to_metres(lon, lat, zone=system)
    else:
        x, y = crs.wgs84_to_gcj02(lon, lat)
        if system == "BD-09":
            x, y = crs.gcj02_to_bd09(x, y)
    shaped, _, _ = clean(shapely.Point(x[0], y[0]), kind="point", system=system)
    assert shaped.geometry[0].distance(shapely.Point(113.1, 23.0)) < 1e-8  # degrees: a millimetre


def test_us_feet_are_undone():
    """Boston's State House by both systems, converted by PROJ on another path (NAD83 geographic)."""
    from pyproj import Transformer

    lon, lat = -71.0637, 42.3583
    x, y = Transformer.from_crs("EPSG:4269", "EPSG:2249", always_xy=True).transform(lon, lat)
    shaped, _, _ = clean(shapely.Point(x, y), kind="point", system="EPSG:2249")
    assert shaped.geometry[0].distance(shapely.Point(lon, lat)) < 1e-8


corner = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(
    lambda p: (113 + p[0] / 1000, 23 + p[1] / 1000)
)


@settings(max_examples=200)
@given(st.lists(corner, min_size=4, max_size=9))
def test_repair_gives_a_valid_polygon_or_refuses_and_is_idempotent(corners):
    shape = shapely.Polygon(corners)
    shaped, refused, _ = clean(shape)
    assert len(shaped.geometry) + len(refused) == 1
    for repaired in shaped.geometry:
        assert repaired.is_valid and repaired.area > 0
        again, refused_again, repaired_again = clean(repaired)
        assert (refused_again, repaired_again) == ([], [])
        assert again.geometry[0].equals(repaired)
