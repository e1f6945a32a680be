"""The base map's rows: roads with their bridges, water, land use, and the estates with their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.demo_city.addresses import Addresses
from etl.demo_city.drawing import polygons
from etl.demo_city.edges import Edges
from etl.demo_city.ground import Ground, multi
from etl.demo_city.names import CANAL, RIVER, Name, Names
from etl.demo_city.parcels import HALF_WIDTH, RoadLine
from etl.demo_city.road_plan import OUTSKIRTS, canal_shapes, cut_at_bridges, outskirts
from etl.demo_city.sheet import RIVER_BAND, Floats, Rect, to_degrees
from etl.demo_city.town import Town
from etl.demo_city.writing import Rows

WIDTH_M = {"expressway": 30.0, "arterial": 27.0, "secondary": 19.0, "local": 9.0, "lane": 4.4}
NAMED_LAND = ("park", "school", "hospital", "civic", "commercial", "factory")
ESTATE_KINDS = ("estate", "village", "lane")
FIELD_CHANCE = 0.6
"""Share of the outskirts' blocks that are drawn green: fields and woods."""


def road_rows(town: Town, addresses: Addresses) -> Rows:
    """Rows of `road`: one for a road, one for its bridges, one for all lanes of a plot."""
    names: list[Name | None] = []
    classes: list[str] = []
    bridges: list[bool] = []
    shapes: list[shapely.Geometry] = []

    def add(name: Name | None, kind: str, bridge: bool, lines: list[Floats]) -> None:
        names.append(name)
        classes.append("lane" if kind == "alley" else kind)
        bridges.append(bridge)
        shapes.append(shapely.MultiLineString([shapely.LineString(line) for line in lines]))

    for road, name in _all_roads(town, addresses):
        pieces = cut_at_bridges(road, town.plan)
        for bridge in (False, True):
            lines = [line for is_bridge, line in pieces if is_bridge == bridge]
            if lines:
                add(name, road.kind, bridge, lines)
    for drawing in town.drawings:
        if drawing.lanes:
            add(None, "lane", False, drawing.lanes)
    return Rows(
        "road",
        name=[name.zh if name else None for name in names],
        name_en=[name.en if name else None for name in names],
        class_=classes,
        width_m=[WIDTH_M[kind] for kind in classes],
        bridge=bridges,
        geom=to_degrees(np.array(shapes, object), town.origin),
    ).numbered()


def _all_roads(town: Town, addresses: Addresses) -> Iterator[tuple[RoadLine, Name | None]]:
    """Roads with names, then lanes, then what goes on beyond the city under the name of its road."""
    by_line: dict[tuple[str, int], Name] = {}
    for road in town.roads:
        name = addresses.roads.get(road)
        if name:
            by_line.setdefault((road.axis, road.at), name)
        yield road, name
    for road in outskirts(town.size, town.plan):
        yield road, by_line.get((road.axis, road.at))


def water_rows(town: Town) -> Rows:
    """Rows of `water`: the river, its canals, and the ponds of each plot."""
    canals = canal_shapes(town.plan, town.size, town.river)
    ponds = [shapely.multipolygons(polygons(drawing.ponds)) for drawing in town.drawings if drawing.ponds]
    shapes = np.array([town.river, *canals, *ponds], object)
    return Rows(
        "water",
        kind=["river", *["canal"] * len(canals), *["pond"] * len(ponds)],
        name=[RIVER.zh, *[CANAL.zh] * len(canals), *[None] * len(ponds)],
        geom=multi(to_degrees(shapes, town.origin)),
    ).numbered()


def land_rows(town: Town, places: dict[int, Name]) -> Rows:
    """Rows of `land`: public places by their use, embankments, and the detail inside each plot by kind."""
    kinds: list[str] = []
    names: list[str | None] = []
    shapes: list[shapely.Geometry] = []

    def add(kind: str, name: str | None, shape: shapely.Geometry) -> None:
        kinds.append(kind)
        names.append(name)
        shapes.append(shape)

    for shape in _fields(town):
        add("green", None, shape)
    for i, (plot, drawing) in enumerate(zip(town.plots, town.drawings, strict=True)):
        use = plot.parcel.use
        if use in NAMED_LAND and drawing.ground is not None:
            add(use, places[i].zh, drawing.ground)
        elif use == "riverside" and not plot.inside.is_empty:
            add("green", None, plot.inside)
        detail: dict[str, list[shapely.Geometry]] = defaultdict(list)
        for kind, shape in drawing.land:
            detail[kind] += [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
        for kind, parts in detail.items():
            add(kind, None, shapely.multipolygons(parts))
    shape = multi(to_degrees(np.array(shapes, object), town.origin))
    return Rows("land", kind=kinds, name=names, geom=shape).numbered()


def _fields(town: Town) -> list[shapely.Geometry]:
    """Green blocks of the outskirts, between the roads that go on there."""
    size, rng = town.size, town.stream(10)
    roads = outskirts(size, town.plan)
    us = sorted({s.at for s in roads if s.axis == "u"} | {-OUTSKIRTS, 0, size.width, size.width + OUTSKIRTS})
    vs = sorted(
        {s.at for s in roads if s.axis == "v"}
        | {-size.south - OUTSKIRTS, -size.south, -RIVER_BAND, RIVER_BAND, size.north, size.north + OUTSKIRTS}
    )
    outside = [
        Rect(west, east, south, north)
        for west, east in pairwise(us)
        for south, north in pairwise(vs)
        if (east <= 0 or west >= size.width or north <= -size.south or south >= size.north)
        and not (south == -RIVER_BAND and north == RIVER_BAND)
    ]
    chosen = [rect for rect in outside if rng.random() < FIELD_CHANCE]
    inset = HALF_WIDTH["arterial"] + 4
    fields = shapely.buffer(shapely.buffer(Edges(chosen).polygons(chosen), -inset - 12), 12)
    return [field for field in fields if not field.is_empty]


def name_places(town: Town, names: Names) -> tuple[dict[int, Name], dict[int, Name]]:
    """A name for each public place by plot, and for each estate by estate number."""
    places: dict[int, Name] = {}
    estates: dict[int, Name] = {}
    for i, plot in enumerate(town.plots):
        use, estate = plot.parcel.use, plot.parcel.estate
        if use in NAMED_LAND:
            places[i] = names.place(use)
        elif use in ESTATE_KINDS and estate not in estates:
            estates[estate] = names.place(use)
    return places, estates


def estate_rows(town: Town, ground: Ground, estates: dict[int, Name]) -> tuple[Rows, NDArray[np.int64]]:
    """Rows of `estate`, and the row (from 0) of each plot's estate, -1 where it has none.

    An estate's territory is that of the point that stands for it, as everywhere (`etl.activation`).
    """
    plots_of: dict[int, list[int]] = defaultdict(list)
    for i, plot in enumerate(town.plots):
        if plot.parcel.estate in estates and town.drawings[i].ground is not None:
            plots_of[plot.parcel.estate].append(i)
    row_of = np.full(len(town.plots), -1)
    kinds, names, territory, shapes = [], [], [], []
    for row, (estate, plots) in enumerate(plots_of.items()):
        row_of[plots] = row
        kinds.append(town.plots[plots[0]].parcel.use)
        names.append(estates[estate].zh)
        grounds = to_degrees(np.array([town.drawings[i].ground for i in plots], object), town.origin)
        shape = shapely.multipolygons(shapely.get_parts(grounds))
        stands_in = np.flatnonzero(shapely.intersects(grounds, shapely.point_on_surface(shape)))[0]
        territory.append(ground.social_code[plots[stands_in]])
        shapes.append(shape)
    rows = Rows(
        "estate",
        name=names,
        kind=kinds,
        geom=multi(np.array(shapes, object)),
        territory=territory,
    )
    return rows.numbered(), row_of
