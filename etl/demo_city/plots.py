"""The plots on the ground: their share of the city, the private ground inside, and how it is filled.

Each plot draws from its own random stream, so the result does not depend on the order or on how many
processes share the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.demo_city.drawing import Drawing, Sketch, largest, polygons
from etl.demo_city.edges import Edges
from etl.demo_city.estates import draw_estate
from etl.demo_city.outlines import Frame, rectangle
from etl.demo_city.parcels import HALF_WIDTH, WAYS, Parcel
from etl.demo_city.places import draw_place
from etl.demo_city.sheet import Floats
from etl.demo_city.shopfronts import CHANCE, beside_gate, shop_strip
from etl.demo_city.trees import plant
from etl.demo_city.village import draw_village

SOUTH_LIMIT = np.deg2rad(20)
"""Homes look south: rows never turn further than this from east-west."""
LOOKS_SOUTH = ("estate", "school", "hospital", "factory")
LEAST_PLOT_M2 = 500.0
LEAST_BEHIND_SHOPS_M2 = 7000.0
TOUCHING_M = 0.15
STREAM = 1
PARALLEL_FROM = 1500
"""With fewer plots than this, starting processes costs more than it saves."""
CHUNK = 200


@dataclass(slots=True)
class Plot:
    """A plot on the ground. `share` is its part of the city, up to the middle of the roads around it;
    `inside` what is private; `sides` the middles of those roads."""

    parcel: Parcel
    share: shapely.Polygon
    inside: shapely.Polygon
    sides: list[shapely.LineString]


def plots_on_ground(parcels: Sequence[Parcel], edges: Edges, river: shapely.Polygon) -> list[Plot]:
    """Where the parcels lie, with the rights of way cut off and the corners rounded."""
    rects = [parcel.rect for parcel in parcels]
    shares, sides = edges.polygons(rects), edges.side_lines(rects)
    halves = np.array([[HALF_WIDTH[kind] for kind in parcel.sides] for parcel in parcels])
    inside = shares
    for k in range(4):
        inside = shapely.difference(inside, shapely.buffer(sides[:, k], halves[:, k], quad_segs=4))
    wet = np.array([parcel.use == "riverside" for parcel in parcels])
    inside[wet] = shapely.difference(inside[wet], river)
    inside[~wet] = shapely.buffer(shapely.buffer(inside[~wet], -6), 6, quad_segs=3)
    return [
        Plot(parcel, share, largest(shape), list(lines))
        for parcel, share, shape, lines in zip(parcels, shares, inside, sides, strict=True)
    ]


def fill_plots(
    plots: Sequence[Plot], seed: int, *, trees: bool, processes: int, told: Callable[[float], None]
) -> list[Drawing]:
    """The drawing of every plot, in order. `told` hears the share that is done, 0 to 1."""
    starts = range(0, len(plots), CHUNK)
    jobs = [(plots[a : a + CHUNK], a, seed, trees) for a in starts]
    drawings: list[Drawing] = []
    for part in _run(jobs, processes if len(plots) >= PARALLEL_FROM else 1):
        drawings += part
        told(len(drawings) / max(len(plots), 1))
    return drawings


Job = tuple[Sequence[Plot], int, int, bool]


def _run(jobs: list[Job], processes: int) -> Iterator[list[Drawing]]:
    if processes < 2:
        yield from map(_fill_chunk, jobs)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_fill_chunk, jobs)


def _fill_chunk(job: Job) -> list[Drawing]:
    plots, first, seed, trees = job
    drawings = []
    for i, plot in enumerate(plots):
        rng = np.random.default_rng((seed, STREAM, first + i))
        drawing = fill(plot, rng)
        if trees:
            plant(drawing, plot.parcel.use, rng)
        drawings.append(drawing)
    return drawings


def fill(plot: Plot, rng: np.random.Generator) -> Drawing:
    """Everything inside one plot, with nothing touching."""
    if plot.inside.is_empty or plot.inside.area < LEAST_PLOT_M2:
        return Drawing()
    use = plot.parcel.use
    if use == "riverside":
        return _tidy(_riverside(plot, rng), plot)
    ground, strips = plot.inside, Drawing()
    if use in ("estate", "village", "lane"):
        ground = _behind_shops(plot, strips, rng)
    frame = Frame(np.array(ground.centroid.coords[0]), _angle(plot))
    if use == "estate":
        open_to = [kind in WAYS for kind in plot.parcel.sides]
        drawing = draw_estate(ground, frame, open_to, rng)
    elif use in ("village", "lane"):
        drawing = draw_village(ground, frame, rng, lanes=use == "lane")
    else:
        drawing = draw_place(use, ground, frame, rng)
    drawing.buildings = strips.buildings + drawing.buildings
    return _tidy(drawing, plot)


def _angle(plot: Plot) -> float:
    """Which way the plot's rows lie: along its southern and northern road, but looking south."""
    ends = [shapely.get_coordinates(side)[[0, -1]] for side in plot.sides[2:]]
    along = sum(end[1] - end[0] for end in ends)
    angle = float(np.arctan2(along[1], along[0]))
    if plot.parcel.use in LOOKS_SOUTH:
        angle = float(np.clip(angle, -SOUTH_LIMIT, SOUTH_LIMIT))
    return angle


def _behind_shops(plot: Plot, strips: Drawing, rng: np.random.Generator) -> shapely.Polygon:
    """Shop strips along some roads; returns the ground behind them, smoothed."""
    ground = plot.inside
    for k, kind in enumerate(plot.parcel.sides):
        if rng.random() >= CHANCE.get(kind, 0.0):
            continue
        before = len(strips.buildings)
        rest = shop_strip(ground, plot.sides, k, HALF_WIDTH[kind], strips, rng)
        if rest.geom_type != "Polygon" or rest.area < LEAST_BEHIND_SHOPS_M2:
            del strips.buildings[before:]
            break
        ground = rest
    return largest(ground.buffer(-2).buffer(2))


def _riverside(plot: Plot, rng: np.random.Generator) -> Drawing:
    """An embankment: green with a walk along the water and a few pavilions."""
    drawing = Drawing(ground=plot.inside)
    north_bank = plot.parcel.rect.south >= 0
    road = plot.sides[3 if north_bank else 2]
    offset = HALF_WIDTH["secondary"] + 13
    walk = shapely.intersection(
        shapely.offset_curve(road, -offset if north_bank else offset), plot.inside.buffer(-2)
    )
    if walk.geom_type != "LineString" or walk.is_empty:
        return drawing
    drawing.land.append(("path", walk.buffer(2.0, cap_style="flat")))
    angle = _angle(plot)
    for share in (0.2, 0.5, 0.8):
        if rng.random() < 0.45:
            at = np.array(walk.interpolate(share, normalized=True).coords[0])
            outline = Frame(at, angle).out(4 + rectangle(rng.uniform(7, 13), rng.uniform(6, 9)))
            drawing.buildings.append(Sketch(outline, "other", "village", 1, label="亭"))
    return drawing


def _tidy(drawing: Drawing, plot: Plot) -> Drawing:
    """Leave out what lies outside or touches something, and keep gates and their ways free."""
    sketches = drawing.buildings
    if not sketches:
        return drawing
    shapes = polygons([sketch.outline for sketch in sketches])
    shapely.prepare(plot.inside)
    keep = shapely.is_valid(shapes) & shapely.contains_properly(plot.inside, shapes)
    if plot.parcel.use == "estate" and drawing.lanes:
        small = np.array([sketch.minor or sketch.style == "shop" for sketch in sketches])
        lanes = shapely.union_all(shapely.linestrings(np.stack(drawing.lanes)))
        keep &= ~(small & shapely.dwithin(shapes, lanes, 2.6))
    _free_gates(drawing, plot, sketches, shapes, keep)
    minor = np.array([sketch.minor for sketch in sketches])
    for i, j in shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=TOUCHING_M).T:
        if i < j and keep[i] and keep[j]:
            keep[i if minor[i] and not minor[j] else j] = False
    drawing.buildings = [sketch for sketch, kept in zip(sketches, keep, strict=True) if kept]
    return drawing


def _free_gates(
    drawing: Drawing,
    plot: Plot,
    sketches: list[Sketch],
    shapes: NDArray[np.object_],
    keep: NDArray[np.bool_],
) -> None:
    """Cut shop houses away from the way between each gate and its road; the way becomes a lane."""
    for gate in drawing.gates:
        here = shapely.Point(gate.x, gate.y)
        road = plot.sides[gate.side]
        foot = road.interpolate(road.project(here))
        way: Floats = np.array([(gate.x, gate.y), (foot.x, foot.y)])
        free = shapely.LineString(way).buffer(4.2)
        for i in np.flatnonzero(shapely.intersects(shapes, free)):
            if sketches[i].style != "shop":
                continue
            part = beside_gate(sketches[i], way)
            if part is None:
                keep[i] = False
                continue
            sketches[i] = part
            shapes[i] = shapely.Polygon(part.outline)
            keep[i] &= not shapely.intersects(shapes[i], free)
        drawing.lanes.append(way)
