"""The final owner map: masses that add up, agree with a million throws, and follow the order of the rules."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from grids.final_ground import MOST_INTEGRALS, FinalGround, Overlay
from grids.near_ground import nearest_to

NOTHING = np.array([], object)


def final(cells, overlays=(), barriers=NOTHING, social=None):
    cells = np.array(cells, object)
    social = np.ones(len(cells), bool) if social is None else np.array(social)
    return FinalGround(cells, social, overlays, np.array(barriers, object), near_limit_m=50.0)


def owners_of(ground, cells, overlays, xy):
    """The rules spelt out point by point, as an oracle: overlays from the top, cells, else the nearest."""
    owner = np.full(len(xy), -1)
    for index, cell in reversed(list(enumerate(cells))):
        owner[shapely.contains_xy(cell, xy)] = index
    for overlay in reversed(overlays):
        owner[shapely.contains_xy(overlay.shape, xy)] = overlay.owner
    off = owner < 0
    owner[off] = ground.near.nearest(xy[off, 0], xy[off, 1])
    return owner


WEST, EAST, NORTH = shapely.box(0, 0, 100, 100), shapely.box(140, 0, 240, 100), shapely.box(60, 130, 200, 200)
"""Three cells with roads of 40 and 30 m between them that belong to nobody by themselves."""
CELLS = [WEST, EAST, NORTH]
STRIP = Overlay(1, shapely.box(80, -20, 140, 110))
SCHOOL = Overlay(0, shapely.box(90, 40, 120, 60))


@pytest.mark.parametrize(("x", "y", "sigma"), [(95, 50, 10), (110, 70, 15), (60, 125, 20)])
def test_a_million_seeded_throws_agree_within_four_standard_errors(x, y, sigma):
    overlays = [SCHOOL, STRIP]
    ground = final(CELLS, overlays)
    masses = ground.masses(shapely.Point(x, y), sigma)
    throws = np.random.default_rng(20261123).normal((x, y), sigma, (1_000_000, 2))
    owners = owners_of(ground, CELLS, overlays, throws)
    for owner in (-1, 0, 1, 2):
        expected = 1.0 - sum(masses.values()) if owner < 0 else masses.get(owner, 0.0)
        share = (owners == owner).mean()
        assert abs(share - expected) < 4 * np.sqrt(max(expected * (1 - expected), 1e-6) / 1e6), owner


box = st.tuples(*(st.integers(-60, 260) for _ in range(2)), *(st.integers(5, 120) for _ in range(2))).map(
    lambda b: shapely.box(b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@settings(max_examples=30)
@given(
    overlays=st.lists(st.tuples(st.integers(0, 2), box), max_size=4),
    x=st.floats(-80, 280),
    y=st.floats(-80, 280),
    sigma=st.floats(0.7, 60),
)
def test_masses_of_all_owners_and_of_nobody_add_up_to_one(overlays, x, y, sigma):
    masses = final(CELLS, [Overlay(*overlay) for overlay in overlays]).masses(shapely.Point(x, y), sigma)
    assert all(mass >= 0.0 for mass in masses.values())
    assert sum(masses.values()) <= 1.0 + 1e-9


@settings(max_examples=30)
@given(
    overlays=st.lists(st.tuples(st.integers(0, 2), box), max_size=5),
    cells=st.lists(box, min_size=3, max_size=5),
)
def test_grounds_are_disjoint_and_cover_what_is_painted_even_where_cells_overlap(overlays, cells):
    overlays = [Overlay(*overlay) for overlay in overlays]
    ground = final(cells, overlays)
    grounds = [ground.ground(i) for i in range(len(cells))]
    painted = shapely.union_all([*cells, *(overlay.shape for overlay in overlays)])
    assert sum(shapely.area(grounds)) == pytest.approx(shapely.area(painted), rel=1e-9)
    assert shapely.area(shapely.union_all(grounds)) == pytest.approx(shapely.area(painted), rel=1e-9)


def test_well_inside_a_cell_the_owner_is_certain():
    sure = final(CELLS).sureness(shapely.Point(50, 50), 15 / 1.5096, 0)  # a phone's 15 m at 68 %
    assert sure.confidence >= 0.99 and sure.border_m == 50.0


def test_two_cells_side_by_side_share_a_fix_like_the_normal_distribution():
    ground = final([shapely.box(-500, -500, 0, 500), shapely.box(0, -500, 500, 500)])
    sure = ground.sureness(shapely.Point(7, 0), 10.0, 1)
    assert sure.confidence == pytest.approx(norm.cdf(0.7), abs=1e-9)  # the border lies 0.7 sigma to the west
    assert (sure.second, sure.border_m) == (0, 7.0)
    assert sure.second_confidence == pytest.approx(norm.cdf(-0.7), abs=1e-9)


def test_an_exception_moves_the_border_and_takes_the_mass_with_it():
    """A road of 20 m given to the east: the border moves from x = 0 to x = -20."""
    west, east = shapely.box(-500, -500, 0, 500), shapely.box(0, -500, 500, 500)
    ground = final([west, east], [Overlay(1, shapely.box(-20, -500, 0, 500))])
    sure = ground.sureness(shapely.Point(-15, 0), 10.0, 1)
    assert sure.border_m == 5.0
    assert sure.confidence == pytest.approx(norm.cdf(0.5), abs=1e-9)


def test_a_higher_overlay_wins_over_a_lower_one():
    ground = final(CELLS, [SCHOOL, STRIP])
    assert shapely.area(ground.ground(0)) == pytest.approx(
        80 * 100 + 30 * 20
    )  # west of the strip, and the school
    assert shapely.contains_xy(ground.ground(0), 100, 50) and not shapely.contains_xy(
        ground.ground(1), 100, 50
    )


def test_the_nearest_cell_is_passed_over_where_a_river_lies_between():
    river = shapely.box(102, -500, 118, 500)
    near = final(CELLS, barriers=[river]).near
    x, y = np.array([120.0, 101.0, 110.0, 125.0]), np.full(4, 50.0)
    assert final(CELLS).near.nearest(x, y).tolist() == [0, 0, 0, 1]
    # 120: across the water from the west cell, so the east one; 101: on the west bank; 110: in the water.
    assert near.nearest(x, y).tolist() == [1, 0, 0, 1]


def test_behind_a_river_and_out_of_reach_of_all_others_nobody_owns():
    near = final([WEST], barriers=[shapely.box(102, -500, 118, 500)]).near
    assert near.nearest(np.array([120.0, 101.0]), np.array([50.0, 50.0])).tolist() == [-1, 0]


def test_beside_a_barrier_the_lattice_agrees_with_throws_to_its_stated_precision():
    river = shapely.box(102, -500, 118, 500)
    ground = final(CELLS, barriers=[river])
    masses = ground.masses(shapely.Point(112, 60), 15.0)
    throws = np.random.default_rng(7).normal((112, 60), 15.0, (50_000, 2))
    owners = owners_of(ground, CELLS, [], throws)
    for owner in (0, 1, 2):
        assert masses.get(owner, 0.0) == pytest.approx((owners == owner).mean(), abs=0.008)


@pytest.mark.parametrize("seed", [7, 47, 62])
def test_borders_drawn_twice_a_nanometre_apart_still_have_their_lines_of_equal_distance(seed):
    """Two hundred places each told twice, by cell 0 and, a nanometre off, by cell 1: the lower has them all,
    for what lies within a millimetre is one. GEOS gives up on such regions where they are not."""
    rng = np.random.default_rng(seed)
    once = rng.uniform((404_000, 2_544_000), (404_100, 2_544_100), (200, 2))
    twice = np.vstack([once, once + rng.normal(0, 1e-9, once.shape)])
    nearest = nearest_to(0, twice, np.repeat([0, 1], 200))
    assert shapely.contains_xy(nearest, once).all()


def test_a_fix_of_five_kilometres_over_thousands_of_cells_finds_the_likeliest_second():
    """A chessboard of 100 m cells but for one four times as large: it must be the second candidate."""
    cells = [shapely.box(x, y, x + 100, y + 100) for x in range(0, 6000, 100) for y in range(0, 6000, 100)]
    large = shapely.box(3200, 3200, 3400, 3400)
    cells = [cell for cell in cells if not shapely.contains(large, cell)] + [large]
    assert len(cells) > MOST_INTEGRALS
    owner = next(i for i, cell in enumerate(cells) if shapely.contains_xy(cell, 2950, 2950))
    sure = final(cells).sureness(shapely.Point(2950, 2950), 5000 / 1.5096, owner)
    density = 1 / (2 * np.pi * (5000 / 1.5096) ** 2)
    assert sure.confidence == pytest.approx(100 * 100 * density, rel=0.01)
    assert sure.second == len(cells) - 1
    assert sure.second_confidence == pytest.approx(200 * 200 * density, rel=0.03)


def test_points_near_an_overlay_are_told_from_those_the_covering_cell_decides():
    ground = final(CELLS, [SCHOOL])
    x, y = np.array([105.0, 80.0, 80.0, 20.0]), np.array([50.0, 50.0, 50.0, 50.0])
    assert ground.clear_of_overlays(x, y, np.array([1.0, 5.0, 15.0, 40.0])).tolist() == [
        False,
        True,
        False,
        True,
    ]
