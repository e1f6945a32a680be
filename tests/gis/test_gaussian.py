"""The Gaussian over a polygon: against closed forms, and against a million seeded throws."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from gis.errors import Invalid
from gis.gaussian import mass_over
from gis.geometry import Fix


@given(
    west=st.floats(-40, 40), south=st.floats(-40, 40), width=st.floats(0.1, 80), height=st.floats(0.1, 80),
    sigma=st.floats(0.5, 30),
)  # fmt: skip
def test_a_rectangle_is_the_product_of_two_normals(west, south, width, height, sigma):
    box = shapely.box(west, south, west + width, south + height)
    along_x = norm.cdf((west + width) / sigma) - norm.cdf(west / sigma)
    along_y = norm.cdf((south + height) / sigma) - norm.cdf(south / sigma)
    assert mass_over(box, 0.0, 0.0, sigma) == pytest.approx(along_x * along_y, abs=1e-9)


def test_a_hole_subtracts_and_parts_add_up():
    outer, hole = shapely.box(-50, -50, 50, 50), shapely.box(-5, -5, 20, 20)
    ring = shapely.difference(outer, hole)
    both = shapely.MultiPolygon([shapely.box(-50, -50, -1, 50), shapely.box(1, -50, 50, 50)])
    assert mass_over(ring, 3, 4, 10) == pytest.approx(mass_over(outer, 3, 4, 10) - mass_over(hole, 3, 4, 10))
    assert mass_over(both, 0, 0, 5) == pytest.approx(2 * (norm.cdf(10) - norm.cdf(0.2)), abs=1e-9)


def test_a_million_seeded_throws_agree_within_four_standard_errors():
    rng = np.random.default_rng(11)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 40))
    radii = rng.uniform(8, 40, 40)
    star = shapely.Polygon(np.column_stack([radii * np.cos(angles), radii * np.sin(angles)]))
    for x, y, sigma in ((0.0, 0.0, 12.0), (18.0, -7.0, 9.0), (60.0, 5.0, 20.0)):
        throws = rng.normal((x, y), sigma, (1_000_000, 2))
        share = shapely.contains_xy(star, throws[:, 0], throws[:, 1]).mean()
        expected = mass_over(star, x, y, sigma)
        assert abs(share - expected) < 4 * np.sqrt(max(expected * (1 - expected), 1e-6) / 1e6)


def test_levels_of_accuracy():
    # P(R < r) = 1 - exp(-r^2 / 2 s^2): r = 1.5096 s holds 68 %, r = 2.4477 s holds 95 %.
    assert Fix(113, 23, 15.0).sigma_m == pytest.approx(15 / 1.50959, rel=1e-4)
    assert Fix(113, 23, 15.0, 95).sigma_m == pytest.approx(15 / 2.44775, rel=1e-4)
    assert Fix(113, 23, 0.0).sigma_m > 0


@pytest.mark.parametrize("accuracy", [-1.0, float("nan"), float("inf")])
def test_impossible_accuracy_is_refused(accuracy):
    with pytest.raises(Invalid):
        Fix(113, 23, accuracy)
