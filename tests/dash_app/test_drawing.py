"""What the map draws beside its tiles."""

from __future__ import annotations

import math

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from dash_app.drawing import LABEL_M, METRES_PER_DEGREE, _clear_of, past_cases, way_to_border
from incidents.queries import Filter
from tests.toy_city import NOW

SQUARE = shapely.box(113.1, 23.0, 113.102, 23.002)


@given(st.floats(0.0001, 0.0019), st.floats(0.0001, 0.0019))
def test_the_way_to_the_border_ends_on_it_and_no_corner_is_nearer(east, north):
    lon, lat = 113.1 + east, 23.0 + north
    x, y = way_to_border(SQUARE, lon, lat)
    assert shapely.distance(shapely.boundary(SQUARE), shapely.Point(x, y)) < 1e-9
    squeeze = math.cos(math.radians(lat))
    metres = METRES_PER_DEGREE * math.hypot((x - lon) * squeeze, y - lat)
    sides = (east * squeeze, (0.002 - east) * squeeze, north, 0.002 - north)
    assert metres == pytest.approx(METRES_PER_DEGREE * min(sides), rel=1e-6)


def test_the_map_shows_what_ended_today():
    assert past_cases(Filter(), NOW) == ["all", [">=", ["get", "closed_at"], int(NOW.timestamp())]]


@pytest.mark.parametrize("wanted", [Filter(clocks=["overdue"]), Filter(stages=["handling"]), Filter(q="灯")])
def test_the_map_hides_ended_cases_a_filter_cannot_mean(wanted):
    assert past_cases(wanted, NOW) == ["literal", False]


def test_the_map_filters_ended_cases_as_the_list_does():
    wanted = Filter(categories=["9901"], territory="990101", since=NOW, clocks=["closed"])
    assert past_cases(wanted, NOW) == [
        "all",
        [">=", ["get", "reported_at"], int(NOW.timestamp())],
        ["in", ["get", "category"], ["literal", ["9901"]]],
        ["==", ["slice", ["get", "territory"], 0, 6], "990101"],
    ]


def test_the_second_candidates_label_keeps_clear_of_the_cells_own():
    """Two cells side by side: the label of the right one moves away from a tag on their common border."""
    wide, taken = shapely.box(113.102, 23.0, 113.106, 23.002), (113.102, 23.001)
    lon, lat = _clear_of(wide, [taken])
    assert wide.contains(shapely.Point(lon, lat))
    assert (lon - taken[0]) * METRES_PER_DEGREE * math.cos(math.radians(23)) >= LABEL_M[0]


def test_a_shape_too_small_to_keep_clear_is_labelled_inside_all_the_same():
    lon, lat = _clear_of(SQUARE, [(113.101, 23.001), (113.1005, 23.0), (113.1, 23.002)])
    assert SQUARE.contains(shapely.Point(lon, lat))
