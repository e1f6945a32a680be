"""Gaps, overlaps and slivers: squares whose faults can be worked out by hand, and generated ones."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis import coverage


def layer(*shapes: shapely.Geometry) -> np.ndarray:
    return np.array(shapes, object)


LEFT, RIGHT = shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)


def test_two_squares_side_by_side_have_no_fault():
    assert not coverage.overlaps(layer(LEFT, RIGHT))
    assert not coverage.gaps(layer(LEFT, RIGHT))
    assert not coverage.gaps(layer(LEFT, RIGHT), shapely.box(0, 0, 200, 100))


def test_an_overlap_is_told_with_its_pair_area_and_place():
    pushed = shapely.box(90, 20, 200, 80)
    (fault,) = coverage.overlaps(layer(LEFT, pushed))
    assert (fault.kind, fault.positions, fault.sliver) == ("overlap", (0, 1), False)
    assert fault.area_m2 == pytest.approx(10 * 60)
    assert 90 < fault.x < 100 and 20 < fault.y < 80


def test_a_cell_inside_another_overlaps_it_though_no_edges_cross():
    (fault,) = coverage.overlaps(layer(LEFT, shapely.box(40, 40, 60, 60)))
    assert fault.area_m2 == pytest.approx(400)


def test_a_gap_between_cells_is_found_only_when_the_city_says_it_should_be_covered():
    apart = shapely.box(105, 0, 200, 100)
    assert not coverage.gaps(layer(LEFT, apart)), "an open strip between two cells encloses nothing"
    (fault,) = coverage.gaps(layer(LEFT, apart), shapely.box(0, 0, 200, 100))
    assert fault.area_m2 == pytest.approx(500) and not fault.sliver


def test_an_enclosed_hole_is_a_gap_without_knowing_the_city():
    ring = shapely.difference(LEFT, shapely.box(40, 40, 60, 50))
    (fault,) = coverage.gaps(layer(ring))
    assert fault.area_m2 == pytest.approx(200) and (40 < fault.x < 60)


def test_a_thin_fault_is_a_sliver_and_rounding_is_none():
    # 0.5 m x 100 m: twice 50 m² over a perimeter of 201 m is 0.498 m, under a metre.
    (fault,) = coverage.overlaps(layer(LEFT, shapely.box(99.5, 0, 200, 100)))
    assert fault.sliver and fault.area_m2 == pytest.approx(50)
    assert not coverage.overlaps(layer(LEFT, shapely.box(100 - 1e-4, 0, 200, 100)))


def test_edges_cut_at_different_vertices_are_no_fault():
    """The neighbour has one vertex more on the shared edge, yet nothing is claimed twice."""
    noded = shapely.Polygon([(100, 0), (200, 0), (200, 100), (100, 100), (100, 50)])
    assert not coverage.overlaps(layer(LEFT, noded))
    assert not coverage.gaps(layer(LEFT, noded), shapely.box(0, 0, 200, 100))


def test_ground_outside_its_home_is_told_and_a_missing_home_is_not_asked_about():
    faults = coverage.outside(layer(LEFT, RIGHT), layer(shapely.box(0, 0, 100, 90), None))
    assert [(f.positions, f.area_m2) for f in faults] == [((0,), pytest.approx(1000))]


@given(st.data())
def test_areas_add_up(data):
    """Of any two boxes in a city: covered once, covered twice and not covered make up the whole."""
    side = st.integers(0, 60)
    boxes = []
    for _ in range(2):
        x, y = data.draw(side), data.draw(side)
        boxes.append(shapely.box(x, y, x + data.draw(st.integers(1, 39)), y + data.draw(st.integers(1, 39))))
    city = shapely.box(0, 0, 100, 100)
    shapes = layer(*boxes)
    twice = sum(f.area_m2 for f in coverage.overlaps(shapes))
    bare = sum(f.area_m2 for f in coverage.gaps(shapes, city))
    assert sum(shapely.area(shapes)) - twice + bare == pytest.approx(100 * 100)
