"""Disputed strips from misroutes, and what the suggested exception would change."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from gis.access import Principal
from gis.geometry import Fix
from grids import exceptions, owner_map
from grids.misroutes import FEWEST, Kept, Misroute, strips
from grids.responsibility import responsible_for
from tests import toy_city
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, NOW, SOUTH_EAST, STEP, SUBDISTRICT

METRE_E, METRE_N = STEP / 205.0, STEP / 222.0
"""One metre in degrees at the toy city, east and north."""
OFFICER = Principal(9, "officer", "周明", "subdistrict_officer", territory=SUBDISTRICT)


@pytest.fixture
def city(session):
    return toy_city.build(session)


def along_the_border(count=30, depth=22.0, start=30.0, end=120.0, seed=1):
    """Misroutes up to `depth` metres west of the middle line, between two heights above the middle."""
    rng = np.random.default_rng(seed)
    places = zip(rng.uniform(1, depth, count), rng.uniform(start, end, count), strict=True)
    return [
        Misroute(n, LON - west * METRE_E, LAT + north * METRE_N, NORTH_WEST, NORTH_EAST)
        for n, (west, north) in enumerate(places)
    ]


def kept_at(west, north, count):
    return [Kept(LON - west * METRE_E, LAT + north * METRE_N, NORTH_WEST)] * count


def found(session, misroutes, kept=(), at=NOW):
    city = owner_map.current(session)
    return strips(city, city.at(at), misroutes, kept)


def test_thirty_misroutes_along_a_strip_are_covered_to_at_least_nine_tenths(session, city):
    misroutes = along_the_border()
    misroutes += [
        Misroute(90 + n, LON - 95 * METRE_E, LAT + 60 * METRE_N, NORTH_WEST, NORTH_EAST) for n in range(1)
    ]
    (strip,) = found(session, misroutes, kept_at(60, 80, 40) + kept_at(10, 80, 3))
    assert (strip.from_cell, strip.to_cell) == (NORTH_WEST, NORTH_EAST)
    assert strip.prevented >= 27 and len(strip.incidents) == 31
    assert (strip.moved, strip.advised) == (3, True), (
        "of the reports that were right only three lie on the strip"
    )
    assert 80 < strip.length_m < 105 and 20 < strip.depth_m < 30
    assert "30" in strip.reasons[0] or str(strip.prevented) in strip.reasons[0]


def test_the_suggestion_once_adopted_routes_them_right_and_settles_the_dispute(session, city):
    misroutes = along_the_border()
    (strip,) = found(session, misroutes)
    exceptions.add(session, strip.shape, strip.to_cell, strip.reasons[0], by=OFFICER, now=NOW)
    later = NOW + timedelta(days=1)
    answers = [responsible_for(session, Fix(m.lon, m.lat, 5.0), at=later) for m in misroutes]
    assert sum(answer.cell_code == NORTH_EAST for answer in answers) >= 27
    assert found(session, misroutes, at=later) == []


def test_two_stretches_far_apart_are_two_strips(session, city):
    misroutes = along_the_border(12, start=2.0, end=20.0) + along_the_border(
        8, start=200.0, end=220.0, seed=2
    )
    assert [len(strip.incidents) for strip in found(session, misroutes)] == [12, 8]


def test_a_strip_where_most_reports_were_right_is_not_advised(session, city):
    (strip,) = found(session, along_the_border(6), kept_at(10, 80, 20))
    assert strip.moved == 20 and not strip.advised


def test_a_few_mistakes_are_no_dispute(session, city):
    assert found(session, along_the_border(FEWEST - 1)) == []


def test_cells_without_a_common_border_or_unknown_to_the_map_make_no_strip(session, city):
    places = [(m.incident_id, m.lon, m.lat) for m in along_the_border(10)]
    corner_only = [Misroute(*place, NORTH_WEST, SOUTH_EAST) for place in places]
    unknown = [Misroute(*place, NORTH_WEST, "990101001009009") for place in places]
    assert found(session, corner_only + unknown) == []
