"""What another drawing would have done to the cases of the last days, and that it then does just that."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
import shapely
import sqlalchemy as sa

from etl.activation import activate_generation
from etl.routing import route
from etl.what_if import Trial, TrialException, what_if
from gis.access import Principal
from gis.errors import Invalid, NotFound
from grids import owner_map
from incidents.workflow import ReportDraft, report
from tests import toy_city
from tests.etl.conftest import SHANGHAI
from tests.etl.test_activation import draw, moved_line
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, NOW, SOUTH_EAST, SOUTH_WEST, STEP

ADMIN = Principal(1, "admin", "管理员", "admin", "")
WON = shapely.box(LON - 0.0005, LAT, LON, LAT + STEP)
"""What the north-east would win of the north-west: 51 m wide, building 3 stands on it."""


@pytest.fixture
def city(session):
    """The toy city with eight cases: two in each northern cell, three on the strip, one at a building."""
    city = toy_city.build(session)
    places = [(-0.0015, 0.0015), (-0.0012, 0.0018), (0.001, 0.001), (0.0015, 0.0012)]
    places += [(-0.00045, 0.0005), (-0.0003, 0.0015), (-0.0002, 0.0018), (-0.0003, 0.00105)]
    for n, (east, north) in enumerate(places):
        draft = ReportDraft(
            report_key=f"k{n}", lon=LON + east, lat=LAT + north, crs="EPSG:4490", category="9901",
            accuracy_m=3.0,
        )  # fmt: skip
        report(session, draft, by=ADMIN, now=NOW - timedelta(days=n), zone=SHANGHAI)
    return city


def asked(session, trial, **more):
    given = {"since": NOW - timedelta(days=30), "now": NOW + timedelta(minutes=1), "zone": SHANGHAI}
    return what_if(session, trial, **{**given, **more})


def test_a_drawing_that_is_not_active_moves_the_cases_on_the_ground_it_moves(session, city):
    draw(session, "next", moved_line())
    found = asked(session, Trial("next"))
    assert (found.cases, len(found.moved), found.handed, found.left_over_m2) == (8, 4, 4, 0.0)
    assert [(s.code, s.before, s.after, s.won, s.lost) for s in found.cells] == [
        (NORTH_WEST, 6, 2, 0, 4),
        (NORTH_EAST, 2, 6, 4, 0),
    ]
    people = {share.code: (share.before, share.after) for share in found.members}
    assert people == {str(city.members[NORTH_WEST]): (6, 2), str(city.members[NORTH_EAST]): (2, 6)}
    assert all(share.name == "王××" for share in found.members)
    at_building = found.moved[-1]
    assert (at_building.rule, at_building.from_cell, at_building.to_cell) == (
        "building", NORTH_WEST, NORTH_EAST,
    )  # fmt: skip


def test_only_the_days_and_the_ground_asked_for_count(session, city):
    draw(session, "next", moved_line())
    assert asked(session, Trial("next"), since=NOW - timedelta(days=5)).cases == 6
    assert asked(session, Trial("next"), territory=NORTH_EAST).cases == 2
    assert not asked(session, Trial("next"), territory=NORTH_EAST).moved


def test_a_cell_that_is_drawn_wider_takes_the_ground_from_its_neighbour(session, city):
    wider = shapely.union(toy_city.square(NORTH_EAST), WON)
    found = asked(session, Trial(shapes={NORTH_EAST: wider}))
    draw(session, "next", {**{c: toy_city.square(c) for c in toy_city.CORNERS}, **north_moved()})
    assert found == asked(session, Trial("next"))


def north_moved():
    """The northern cells with the strip changed hands, as a generation draws them."""
    return {
        NORTH_EAST: shapely.union(toy_city.square(NORTH_EAST), WON),
        NORTH_WEST: shapely.difference(toy_city.square(NORTH_WEST), WON),
    }


def test_ground_that_a_cell_gives_up_is_told(session, city):
    narrower = shapely.difference(toy_city.square(NORTH_WEST), WON)
    found = asked(session, Trial(shapes={NORTH_WEST: narrower}))
    # 0.0005 x 0.002 degrees at 23 N: 51.25 m x 221.5 m (a degree there: 102.5 km and 110.8 km).
    assert found.left_over_m2 == pytest.approx(11_350, rel=0.01)
    assert {case.rule for case in found.moved} == {"near"}


def test_an_exception_moves_the_cases_on_its_strip(session, city):
    middle = shapely.LineString([(LON, LAT), (LON, LAT + STEP)])
    given = TrialException(NORTH_EAST, middle, buffer_m=60.0)
    found = asked(session, Trial(exceptions=[given]))
    # The strip is as wide as the ground above; the building keeps the cell its ledger names.
    assert [case.rule for case in found.moved] == ["exception"] * 3
    assert session.scalar(sa.text("SELECT count(*) FROM exception")) == 0


def test_what_was_foretold_comes_true_when_the_drawing_is_activated(session, city):
    """Every point of the city, not only the cases: the trial ground is the ground after activation."""
    draw(session, "next", moved_line())
    rng = np.random.default_rng(3)
    lon, lat = (at + rng.uniform(-1.3, 1.3, 1_500) * STEP for at in (LON, LAT))
    lon[:300], lat[:300] = LON - 0.0003 + rng.normal(0, 1e-4, 300), LAT + 0.00105 + rng.normal(0, 1e-4, 300)
    accuracy = rng.choice([1.0, 8.0, 30.0], 1_500).tolist()
    given = {"at": NOW + timedelta(hours=1), "zone": SHANGHAI}
    foretold = route(session, lon, lat, accuracy, generation="next", **given)
    activate_generation(session, "next", by=ADMIN, now=NOW)
    assert route(session, lon, lat, accuracy, **given) == foretold


def test_an_edit_is_the_map_that_is_built_from_the_edited_cells(session, city):
    """Only what lies around the edit is indexed anew, and the answers are those of an index built whole."""
    ground = owner_map.current(session)
    bend = shapely.Polygon(
        [
            (LON, LAT),
            (LON - 0.0004, LAT + 0.001),
            (LON, LAT + STEP),
            (LON + STEP, LAT + STEP),
            (LON + STEP, LAT),
        ]
    )
    rest = shapely.difference(toy_city.square(NORTH_WEST), bend)
    tried = ground.on_trial(shapes={NORTH_EAST: bend, NORTH_WEST: rest})
    codes = [NORTH_WEST, NORTH_EAST, SOUTH_WEST, SOUTH_EAST]
    shapes = np.array([rest, bend, toy_city.square(SOUTH_WEST), toy_city.square(SOUTH_EAST)], object)
    whole = owner_map.OwnerMap("whole", codes, codes, shapes)
    rng = np.random.default_rng(4)
    lon, lat = (at + rng.uniform(-1.1, 1.1, 20_000) * STEP for at in (LON, LAT))
    lon[:4], lat[:4] = [LON, LON, LON - 0.0004, LON], [LAT, LAT + STEP, LAT + 0.001, LAT + 0.001]
    assert np.array_equal(tried.covering(lon, lat), whole.covering(lon, lat))
    assert np.array_equal(
        ground.covering(lon, lat) == 0, (lon < LON) & (lat >= LAT) & inside(lon, lat) | west_edge(lon, lat)
    )


def inside(lon, lat):
    return (abs(lon - LON) <= STEP) & (abs(lat - LAT) <= STEP)


def west_edge(lon, lat):
    """The middle line belongs to the lower code, the north-west."""
    return (lon == LON) & (lat >= LAT) & (lat <= LAT + STEP)


@pytest.mark.parametrize(
    ("trial", "kind"),
    [
        (Trial("nowhere"), NotFound),
        (Trial(shapes={"990101001009009": toy_city.square(NORTH_EAST)}), Invalid),
        (Trial(shapes={NORTH_EAST: shapely.Point(LON, LAT)}), Invalid),
        (Trial(exceptions=[TrialException("990101001009009", WON)]), Invalid),
        (Trial(exceptions=[TrialException(NORTH_EAST, shapely.boundary(WON))]), Invalid),
    ],
    ids=["no generation", "no cell", "no ground", "exception for nobody", "line without a width"],
)
def test_what_cannot_be_tried_is_refused_in_both_languages(session, city, trial, kind):
    with pytest.raises(kind) as refusal:
        asked(session, trial)
    assert refusal.value.message_zh and refusal.value.remedy_en
