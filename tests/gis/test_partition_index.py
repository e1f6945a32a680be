"""Point to polygon: the same answer as the exact predicate, for every point of every layer."""

import math
import multiprocessing
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import bench_city
from gis.errors import Invalid
from gis.partition_index import PartitionIndex

LAYER = bench_city.cells(300, seed=4)


def by_shapely(polygons, x, y):
    """The lowest position whose polygon intersects the point, by GEOS."""
    polygons = np.array(polygons, object)
    found = np.full(len(x), len(polygons))
    point, polygon = shapely.STRtree(polygons).query(shapely.points(x, y), predicate="intersects")
    np.minimum.at(found, point, polygon)
    return np.where(found == len(polygons), -1, found)


def by_fractions(polygons, x, y):
    """The same by rational arithmetic: on an edge, or inside an odd number of crossings to the right."""
    return next((i for i, polygon in enumerate(polygons) if covers(polygon, Fraction(x), Fraction(y))), -1)


def covers(polygon, x, y):
    west, south, east, north = polygon.bounds
    if not (west <= x <= east and south <= y <= north):
        return False
    for part in shapely.get_parts(polygon):
        odd = False
        for ring in shapely.get_rings(part):
            corners = [(Fraction(u), Fraction(v)) for u, v in shapely.get_coordinates(ring).tolist()]
            for (ax, ay), (bx, by) in pairwise(corners):
                area = (ax - x) * (by - y) - (ay - y) * (bx - x)
                if area == 0 and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
                    return True
                odd ^= (ay > y) != (by > y) and (area > 0) == (by > ay)
        if odd:
            return True
    return False


def assert_agrees(polygons, x, y):
    x, y = np.asarray(x, float), np.asarray(y, float)
    found = PartitionIndex.build(polygons).locate(x, y)
    expected = by_shapely(polygons, x, y)
    different = np.flatnonzero(found != expected)
    told = [(x[i], y[i], found[i], expected[i]) for i in different[:5]]
    assert not told, [told, *(shapely.to_wkt(polygon) for polygon in polygons[:5])]


def test_a_wiggly_city_agrees_everywhere():
    x, y = bench_city.points(200_000, LAYER, seed=5)
    assert_agrees(LAYER, x, y)


def test_every_vertex_and_every_middle_of_an_edge_has_the_lowest_owner():
    xy = shapely.get_coordinates(LAYER)
    assert_agrees(LAYER, *np.vstack([xy, (xy[1:] + xy[:-1]) / 2]).T)


def test_a_step_beside_a_vertex_the_neighbour_answers_exactly():
    xy = shapely.get_coordinates(LAYER[:40])
    steps = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1)], float)
    beside = np.vstack([np.nextafter(xy, xy + step) for step in steps])
    found = PartitionIndex.build(LAYER[:40]).locate(*beside.T)
    for i in range(0, len(beside), 97):
        assert found[i] == by_fractions(LAYER[:40], *beside[i]), beside[i]
    assert_agrees(LAYER[:40], *beside.T)


def test_the_corner_of_four_cells_belongs_to_the_lowest():
    four = [shapely.box(x, y, x + 1, y + 1) for x, y in ((0, 1), (1, 1), (0, 0), (1, 0))]
    for turn in range(4):
        index = PartitionIndex.build(four[turn:] + four[:turn])
        assert index.locate_one(1.0, 1.0) == 0
        assert index.locate([1.0, 0.5, 1.5], [1.0, 1.0, 1.0]).min() == 0


def test_outside_and_what_is_no_number_has_no_owner():
    index = PartitionIndex.build(LAYER)
    x = [0.0, np.nan, 113.1, np.inf, -np.inf, 1e300, -1e300]
    y = [0.0, 23.0, np.nan, 23.0, 23.0, 23.0, 23.0]
    assert index.locate(x, y).tolist() == [-1] * 7
    assert [index.locate_one(*place) for place in zip(x, y, strict=True)] == [-1] * 7


def test_one_by_one_is_the_same_as_all_together():
    index = PartitionIndex.build(LAYER)
    x, y = bench_city.points(3_000, LAYER, seed=6)
    assert [index.locate_one(*place) for place in zip(x, y, strict=True)] == index.locate(x, y).tolist()


def test_threads_change_nothing():
    x, y = bench_city.points(120_000, LAYER, seed=7)
    one, three = PartitionIndex.build(LAYER, threads=1), PartitionIndex.build(LAYER, threads=3)
    for name, array in one.to_arrays().items():
        assert np.array_equal(array, three.to_arrays()[name]), name
    assert np.array_equal(one.locate(x, y, threads=1), one.locate(x, y, threads=3))


def test_a_large_layer_built_in_bands_agrees():
    layer = bench_city.cells(4_000, seed=8)
    assert_agrees(layer, *bench_city.points(100_000, layer, seed=9))


def test_gaps_overlaps_and_holes_are_all_answered():
    lake = shapely.box(2, 2, 4, 4)
    layer = [
        shapely.difference(shapely.box(0, 0, 6, 6), lake),
        shapely.box(3, 3, 8, 8),
        shapely.MultiPolygon([shapely.box(8, 0, 9, 1), shapely.box(2.5, 2.5, 3.5, 3.5)]),
        shapely.Polygon(),
        shapely.box(3, 3, 8, 8),
    ]
    grid = np.arange(-0.5, 9.75, 0.25)
    x, y = (axis.ravel() for axis in np.meshgrid(grid, grid))
    assert_agrees(layer, x, y)
    index = PartitionIndex.build(layer)
    assert [index.locate_one(*p) for p in ((2.2, 2.2), (3, 3), (2.75, 2.75), (7, 3))] == [-1, 1, 2, 1]
    assert index.overlaps().tolist() == [[0, 1], [0, 4], [1, 2], [1, 4], [2, 4]]


def test_a_true_partition_has_no_overlaps():
    assert len(PartitionIndex.build(LAYER).overlaps()) == 0


def test_more_polygons_over_one_place_than_fit_on_a_page():
    fan = [
        shapely.Polygon([(0, 0), (math.cos(a), math.sin(a)), (math.cos(a + 0.04), math.sin(a + 0.04))])
        for a in np.arange(0, 6.2, 0.02)
    ]
    stack = [shapely.box(-k, -k, k, k) for k in range(40, 0, -1)]
    rng = np.random.default_rng(3)
    x, y = rng.normal(0, 0.5, (2, 5_000))
    assert_agrees(fan, np.append(x, 0), np.append(y, 0))
    assert_agrees(fan[::-1] + stack, np.append(40 * x, 0), np.append(40 * y, 0))


def test_an_edge_that_ends_in_the_middle_of_another_is_no_gap():
    layer = [shapely.box(0, 0, 2, 1), shapely.box(0, 1, 1, 2), shapely.box(1, 1, 2, 2)]
    assert_agrees(layer, np.linspace(0, 2, 401), np.full(401, 1.0))


@pytest.mark.parametrize("size", [1e-100, 1e-9, 1e-3, 1.0, 1e7, 1e100])
def test_the_size_of_the_coordinates_does_not_matter(size):
    layer = shapely.transform(LAYER[:30], lambda xy: (xy - (113.1, 23.0)) * size)
    box = shapely.total_bounds(layer)
    rng = np.random.default_rng(1)
    x, y = rng.uniform(box[0], box[2], 4_000), rng.uniform(box[1], box[3], 4_000)
    xy = shapely.get_coordinates(layer)
    index = PartitionIndex.build(layer)
    places = np.vstack([np.column_stack([x, y]), xy[:200]])
    found = index.locate(*places.T)
    for k in range(0, len(places), 41):
        assert found[k] == by_fractions(layer, *places[k])


def test_a_layer_of_a_few_steps_of_its_coordinates_is_still_exact():
    step = math.ulp(113.1)
    west, south = 113.1, 23.0
    layer = [
        shapely.Polygon([(west, south), (west + 3 * step, south), (west, south + 3 * step)]),
        shapely.Polygon(
            [(west + 3 * step, south), (west + 3 * step, south + 3 * step), (west, south + 3 * step)]
        ),
    ]
    index = PartitionIndex.build(layer)
    for i in range(-1, 5):
        for j in range(-1, 5):
            place = west + i * step, south + j * step
            assert index.locate_one(*place) == by_fractions(layer, *place)


def test_one_polygon_far_away_does_not_make_the_others_slow_or_wrong():
    layer = [shapely.box(0, 0, 1e-3, 1e-3), *LAYER]
    assert_agrees(layer, *bench_city.points(20_000, LAYER, seed=10))


def test_a_layer_that_begins_at_zero_with_its_diagonal_through_the_reference_points():
    marks = np.linspace(0, 1, 17)
    x, y = (axis.ravel() for axis in np.meshgrid(marks, marks))
    assert_agrees([shapely.Polygon([(0, 1), (1, 1), (0.5, 0.5), (0, 0)])], x, y)


def test_degenerate_rings_are_lines_and_points():
    spike = shapely.Polygon([(0, 0), (4, 0), (2, 0), (2, 3), (2, 0), (0, 0)])
    point = shapely.Polygon([(5, 5), (5, 5), (5, 5), (5, 5)])
    index = PartitionIndex.build([spike, point])
    assert [index.locate_one(*p) for p in ((3, 0), (2, 2), (1, 1), (5, 5), (5, 5.1))] == [0, 0, -1, 1, -1]


def test_an_empty_layer_owns_nothing():
    for layer in ([], [shapely.Polygon()]):
        assert PartitionIndex.build(layer).locate([0.0, 113.1], [0.0, 23.0]).tolist() == [-1, -1]


@pytest.mark.parametrize(
    "wrong", [shapely.Point(1, 2), None, shapely.LineString([(0, 0), (1, 1)]), shapely.GeometryCollection()]
)
def test_what_is_no_polygon_is_refused_with_its_position(wrong):
    with pytest.raises(Invalid) as refusal:
        PartitionIndex.build([shapely.box(0, 0, 1, 1), wrong])
    assert refusal.value.details["positions"] == [1] and "多边形" in refusal.value.remedy_zh


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e200, 1e-200])
def test_a_vertex_that_is_no_place_is_refused(number):
    with pytest.raises(Invalid) as refusal:
        PartitionIndex.build([shapely.box(0, 0, 1, 1), shapely.Polygon([(0, 0), (1, 0), (1, number)])])
    assert refusal.value.details["positions"] == [1]


corner = st.tuples(st.integers(0, 8), st.integers(0, 8))
far = st.tuples(st.integers(-1, 9), st.integers(-1, 9))
along = st.just(0.0) | st.floats(1e-120, 8)
"""Of a size that exact arithmetic takes."""


@st.composite
def layers(draw):
    """A few polygons and multipolygons with holes on a small lattice: they touch, overlap and leave gaps."""
    layer = []
    for _ in range(draw(st.integers(1, 5))):
        triangles = draw(st.lists(st.tuples(corner, corner, corner), min_size=1, max_size=4))
        solid = shapely.union_all([t for t in map(shapely.Polygon, triangles) if t.area > 0])
        hole = shapely.Polygon(draw(st.tuples(corner, corner, corner)))
        shape = shapely.difference(solid, hole) if draw(st.booleans()) else solid
        parts = [g for g in shapely.get_parts(shape) if g.geom_type == "Polygon" and not g.is_empty]
        layer.append(shapely.MultiPolygon(parts) if len(parts) != 1 else parts[0])
    return layer


@settings(max_examples=150)
@given(layers(), st.integers(1, 3))
def test_random_layers_agree_on_a_lattice_of_points(layer, fineness):
    marks = np.arange(0, 8.001, 0.5 / fineness)
    x, y = (axis.ravel() for axis in np.meshgrid(marks, marks))
    xy = shapely.get_coordinates(layer)
    x, y = np.append(x, xy[:, 0]), np.append(y, xy[:, 1])
    assert_agrees(layer, x, y)
    index = PartitionIndex.build(layer)
    for k in range(0, len(x), 37):
        assert index.locate_one(x[k], y[k]) == by_fractions(layer, x[k], y[k])


@st.composite
def partitions(draw):
    """The square 0..8 cut by random lines and rings: cells with slivers, T-junctions closed by vertices,
    islands in holes, and vertices on the lines of the lattice. The cells cover the square exactly once."""
    lines = [shapely.LineString(ends) for ends in draw(st.lists(st.tuples(far, far), min_size=2, max_size=7))]
    islands = [
        shapely.LinearRing(ring) for ring in draw(st.lists(st.tuples(corner, corner, corner), max_size=2))
    ]
    sheet = shapely.box(0, 0, 8, 8)
    cuts = [cut for cut in (*lines, *islands) if cut.length > 0]
    noded = shapely.set_precision(shapely.union_all([sheet.exterior, *cuts]), 2.0**-20)
    return [
        cell
        for cell in shapely.get_parts(shapely.polygonize([noded]))
        if shapely.covers(sheet, cell.representative_point())
    ]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(partitions(), st.lists(st.tuples(along, along), min_size=20, max_size=20))
def test_of_a_random_partition_every_place_has_exactly_one_owner(cells, places):
    xy = shapely.get_coordinates(cells)
    places = np.vstack([places, xy, (xy[:-1] + xy[1:]) / 2])
    places = places[(places >= 0).all(axis=1) & (places <= 8).all(axis=1)]
    index = PartitionIndex.build(cells)
    owner = index.locate(*places.T)
    assert (owner >= 0).all(), "the cells cover the square"
    assert_agrees(cells, *places.T)
    for place, found in zip(places[:40].tolist(), owner[:40].tolist(), strict=False):
        assert index.locate_one(*place) == found == by_fractions(cells, *place)
    assert not len(index.overlaps())


def test_a_billionth_of_a_degree_across_an_edge_the_owner_changes_exactly_once():
    """Across the middle of every edge of 60 cells, in steps of a tenth of a nanodegree."""
    xy, cell = shapely.get_coordinates(LAYER[:60], return_index=True)
    edges = np.flatnonzero(cell[:-1] == cell[1:])
    a, b = xy[edges], xy[edges + 1]
    across = np.column_stack([a[:, 1] - b[:, 1], b[:, 0] - a[:, 0]])
    across /= np.hypot(*across.T)[:, None]
    steps = np.linspace(-1e-9, 1e-9, 21)
    places = ((a + b) / 2)[:, None] + steps[:, None] * across[:, None]
    owner = PartitionIndex.build(LAYER).locate(*places.reshape(-1, 2).T).reshape(len(edges), len(steps))
    assert (np.count_nonzero(np.diff(owner, axis=1), axis=1) == 1).all()


def test_saved_opened_and_taken_apart_it_is_the_same_index(tmp_path):
    index = PartitionIndex.build(LAYER)
    index.save(tmp_path / "layer.index")
    x, y = bench_city.points(5_000, LAYER, seed=11)
    for other in (
        PartitionIndex.open(tmp_path / "layer.index"),
        PartitionIndex.from_arrays(index.to_arrays()),
    ):
        assert np.array_equal(other.locate(x, y), index.locate(x, y))
    assert [path.name for path in tmp_path.iterdir()] == ["layer.index"]


def test_another_file_is_refused(tmp_path):
    (tmp_path / "other").write_bytes(b"PK\x03\x04 something else\n\n")
    with pytest.raises(Invalid) as refusal:
        PartitionIndex.open(tmp_path / "other")
    assert "other" in refusal.value.message_zh


def _ask_file(path, x, y):
    return PartitionIndex.open(path).locate(x, y)


def test_two_processes_share_one_file(tmp_path):
    index = PartitionIndex.build(LAYER)
    index.save(tmp_path / "layer.index")
    x, y = bench_city.points(2_000, LAYER, seed=12)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        answers = pool.starmap(_ask_file, [(tmp_path / "layer.index", x, y)] * 2)
    assert all(np.array_equal(answer, index.locate(x, y)) for answer in answers)


def test_a_changed_cell_answers_anew_and_the_rest_as_before():
    layer = bench_city.cells(3_000, seed=13)
    x, y = bench_city.points(60_000, layer, seed=14)
    changed = layer.copy()
    changed[7] = shapely.buffer(layer[7], -1e-5)
    changed[1_500] = shapely.MultiPolygon([layer[1_500], shapely.box(113.0, 23.0, 113.001, 23.001)])
    changed[2_000] = shapely.Polygon()
    index = PartitionIndex.build(layer).with_changed({k: changed[k] for k in (7, 1_500, 2_000)})
    assert np.array_equal(index.locate(x, y), by_shapely(changed, x, y))
    back = index.with_changed({k: layer[k] for k in (7, 1_500, 2_000)})
    assert np.array_equal(back.locate(x, y), by_shapely(layer, x, y))


def test_a_change_beyond_the_bounds_is_followed():
    index = PartitionIndex.build(LAYER).with_changed(
        {5: shapely.box(120, 30, 121, 31), 300: shapely.box(0, 0, 1, 1)}
    )
    assert (index.locate_one(120.5, 30.5), index.locate_one(0.5, 0.5)) == (5, 300)
    inside = shapely.point_on_surface(LAYER[5])
    assert index.locate_one(inside.x, inside.y) == -1
