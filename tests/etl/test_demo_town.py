"""The town before any row: plots cover it exactly once, buildings keep apart, cells hold their households."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.demo_city.edges import Edges
from etl.demo_city.names import Names, people_names, phones
from etl.demo_city.parcels import Parcel, Sides, divide
from etl.demo_city.plots import fill
from etl.demo_city.road_plan import bridge_spans
from etl.demo_city.sheet import CENTRE, ZONE, Rect, bend, degrees, river_half_width, to_degrees
from etl.demo_city.sizes import size_named
from etl.demo_city.territory import shared_borders
from etl.demo_city.town import Town, build_town
from gis import crs
from gis.errors import Invalid
from grids.cells import HOUSEHOLDS_BAND


@pytest.fixture(scope="module")
def town() -> Town:
    return build_town(size_named("sample"), 5)


def ground_of(rects: list[Rect]) -> np.ndarray:
    return Edges(rects).polygons(rects)


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), largest=st.floats(4_000, 60_000))
def test_however_a_block_is_divided_its_pieces_share_their_borders_exactly(seed: int, largest: float) -> None:
    whole = Rect(137, 612, -350, 91)
    block = Parcel(whole, Sides("local", "local", "secondary", "river"))
    pieces, lines = divide(
        block, np.random.default_rng(seed), largest_m2=largest, longest=2.0, kind_at=lambda _: "lane"
    )
    rects = [piece.rect for piece in pieces]
    shapes = Edges(rects).polygons(rects)
    assert len(lines) == len(pieces) - 1
    assert shapely.coverage_is_valid(shapes)
    assert sum((r.east - r.west) * (r.north - r.south) for r in rects) == 475 * 441
    outline = shapely.coverage_union_all(shapes)
    assert outline.geom_type == "Polygon" and not outline.interiors
    assert shapely.area(shapes).sum() == pytest.approx(outline.area, rel=1e-12)


def test_equal_corners_stay_equal_in_degrees(town: Town) -> None:
    """Neighbours must share vertices bit by bit after the projection, or the coverage has slivers."""
    shares = to_degrees(town.shares(), town.origin)
    assert shapely.coverage_is_valid(shares)
    whole = shapely.coverage_union_all(shares)
    assert whole.geom_type == "Polygon" and not whole.interiors


def test_the_sheet_lies_where_it_should(town: Town) -> None:
    """The middle of the river's axis is the city's centre (decision 5), to the millimetre."""
    here = degrees(bend([town.size.width / 2], [0.0]), town.origin)[0]
    x, y = crs.to_metres(*here, zone=ZONE)
    at_x, at_y = crs.to_metres(*CENTRE, zone=ZONE)
    assert np.hypot(x - at_x, y - at_y) < 0.001


def test_roads_cross_the_river_within_twelve_degrees_of_square() -> None:
    """The river's own bends turn the roads with it; only the town's gentle ones skew the crossing."""
    u = np.linspace(0, 2000, 41)
    along = bend(u + 0.5, np.zeros_like(u)) - bend(u - 0.5, np.zeros_like(u))
    across = bend(u, np.full_like(u, 0.5)) - bend(u, np.full_like(u, -0.5))
    cosine = (along * across).sum(1) / np.hypot(*along.T) / np.hypot(*across.T)
    assert np.degrees(np.arcsin(np.abs(cosine))).max() < 12


def test_buildings_stand_inside_their_plot_and_never_touch(town: Town) -> None:
    outlines, plot = town.stock.outline, town.stock.plot
    inside = np.array([p.inside for p in town.plots], object)
    assert shapely.is_valid(outlines).all()
    assert shapely.covers(shapely.buffer(inside, 0.001)[plot], outlines).all()
    a, b = shapely.STRtree(outlines).query(outlines, predicate="intersects")
    assert not np.any(a != b)


def test_nothing_stands_in_the_water_or_on_a_road(town: Town) -> None:
    wet = shapely.union_all([town.river])
    assert not shapely.intersects(wet, town.stock.outline).any()
    lines = np.concatenate([plot.sides for plot in town.plots])
    kinds = np.concatenate([plot.parcel.sides for plot in town.plots])
    for kind, half_width in (("arterial", 13.5), ("secondary", 9.5), ("local", 4.5)):
        chosen = lines[kinds == kind]
        near = shapely.STRtree(town.stock.outline).query(chosen, predicate="dwithin", distance=half_width)
        assert near.shape[1] == 0, kind


def test_rows_of_homes_look_south(town: Town) -> None:
    """Slabs are longer from west to east than from south to north, within the 20 degrees a row may turn."""
    slabs = town.stock.outline[(town.stock.style == "slab") & (town.stock.use == "residential")]
    corners = shapely.get_coordinates(shapely.oriented_envelope(slabs)).reshape(-1, 5, 2)
    edges = corners[:, 1:3] - corners[:, 0:2]
    longer = np.argmax(np.hypot(edges[..., 0], edges[..., 1]), axis=1)
    east, north = np.abs(edges[np.arange(len(slabs)), longer]).T
    assert len(slabs) > 20
    assert np.degrees(np.arctan2(north, east)).max() < 21


def test_every_bridge_spans_the_river(town: Town) -> None:
    for road in town.roads:
        for start, end in bridge_spans(road, town.plan):
            if road.axis == "u":
                assert start < -river_half_width(road.at) and end > river_half_width(road.at)
    assert sum(bool(bridge_spans(road, town.plan)) for road in town.roads) >= 1


def test_cells_hold_the_households_of_a_social_cell(town: Town) -> None:
    low, high = HOUSEHOLDS_BAND
    held = np.bincount(town.building_cell, town.stock.households)
    assert ((held >= low) & (held <= high)).mean() >= 0.9
    assert (town.stock.households <= town.stock.flats).all()
    doors = town.stock.units * town.stock.floors * town.stock.doors
    assert (town.stock.flats <= np.maximum(doors, 0))[town.stock.flats > 0].all()


def test_cells_and_communities_are_in_one_piece_and_nested(town: Town) -> None:
    shares, territory = town.shares(), town.territory
    for labels in (territory.cell, territory.community, territory.subdistrict):
        for label in np.unique(labels):
            assert shapely.coverage_union_all(shares[labels == label]).geom_type == "Polygon"
    for inner, outer in (
        (territory.cell, territory.community),
        (territory.community, territory.subdistrict),
        (territory.subdistrict, territory.district),
    ):
        assert len(set(zip(inner, outer, strict=True))) == len(set(inner))


def test_the_river_separates_subdistricts(town: Town) -> None:
    north = np.array([plot.parcel.rect.south >= 0 for plot in town.plots])
    banks = town.territory.subdistrict
    assert not set(banks[north]) & set(banks[~north])


def test_shared_borders_are_the_lengths_two_rectangles_share() -> None:
    """Three rectangles: a 100 wide below b (0-60) and c (60-100); b and c share 40 metres."""
    sides = Sides("local", "local", "local", "local")
    parcels = [
        Parcel(Rect(0, 100, 0, 50), sides),
        Parcel(Rect(0, 60, 50, 90), sides),
        Parcel(Rect(60, 100, 50, 90), sides),
    ]
    found = {frozenset(pair[:2]): pair[2] for pair in shared_borders(parcels)}
    assert found == {frozenset({0, 1}): 60, frozenset({0, 2}): 40, frozenset({1, 2}): 40}


def test_the_same_seed_builds_the_same_town_and_another_does_not(town: Town) -> None:
    again, other = build_town(town.size, 5), build_town(town.size, 6)
    assert shapely.to_wkb(again.stock.outline).tolist() == shapely.to_wkb(town.stock.outline).tolist()
    assert (again.territory.cell == town.territory.cell).all()
    assert (again.stock.households == town.stock.households).all()
    assert len(other.stock) != len(town.stock) or not shapely.equals(other.river, town.river)


def test_a_plot_is_filled_alike_whatever_was_filled_before_it(town: Town) -> None:
    """Each plot draws from its own stream, so the work can be shared between processes."""
    i = next(i for i, plot in enumerate(town.plots) if plot.parcel.use == "estate")
    alone = fill(town.plots[i], np.random.default_rng((town.seed, 1, i)))
    outlines = [sketch.outline for sketch in alone.buildings]
    assert [s.outline.tolist() for s in town.drawings[i].buildings] == [o.tolist() for o in outlines]


def test_names_are_given_once_and_people_have_no_real_numbers() -> None:
    names = Names(np.random.default_rng(1))
    given_out = [names.place("estate").zh for _ in range(700)] + [names.road("local").zh for _ in range(300)]
    assert len(set(given_out)) == len(given_out)
    rng = np.random.default_rng(2)
    assert all(len(number) == 11 and number.startswith("100") for number in phones(200, rng))
    assert {len(name) for name in people_names(200, rng)} == {2, 3}


def test_an_unknown_size_is_refused_with_those_there_are() -> None:
    with pytest.raises(Invalid) as refused:
        size_named("metropolis")
    assert "subdistrict" in refused.value.remedy_en and "sample" not in refused.value.remedy_en
