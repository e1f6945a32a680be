"""How far outside the city a point lies, whether its ground is known by areas or by cells alone."""

import numpy as np
import pytest
import shapely

from grids.owner_picture import OwnerMap

WEST, EAST = shapely.box(113.0, 23.0, 113.002, 23.002), shapely.box(113.01, 23.0, 113.012, 23.002)
WHOLE = shapely.box(113.0, 23.0, 113.012, 23.002)
AREAS = [("9901", WHOLE), ("990101", WEST)]


def city(areas=None):
    return OwnerMap("toy", ["1", "2"], ["西", "东"], np.array([WEST, EAST], object), areas=areas)


def test_the_distance_is_that_to_the_nearest_cell_where_no_areas_are_loaded():
    """0.003 degrees of longitude at 23 N are 307.6 m: a degree is 102,523 m on the CGCS2000 ellipsoid."""
    assert city().metres_outside(113.005, 23.001) == pytest.approx(307.6, abs=0.3)
    assert city().metres_outside(113.011, 23.001) == 0.0


def test_with_areas_the_topmost_ones_are_the_city():
    assert city(AREAS).metres_outside(113.005, 23.001) == 0.0
    assert city(AREAS).metres_outside(113.015, 23.001) == pytest.approx(307.6, abs=0.3)


def test_beyond_the_reach_of_the_zone_it_is_half_the_globe():
    assert city().metres_outside(-67.0, -23.0) > 1e7
