"""The town as built: plan, plots, drawings, building stock and territory, before any row is written.

Everything is in ground metres and numbered from 0; `codes` and the tables above turn that into rows.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.demo_city.blocks import plots_of, zone
from etl.demo_city.buildings import Buildings, gather, settle
from etl.demo_city.drawing import Drawing
from etl.demo_city.edges import Edges
from etl.demo_city.parcels import Parcel, RoadLine
from etl.demo_city.plots import Plot, fill_plots, plots_on_ground
from etl.demo_city.road_plan import RoadPlan, plan_roads, river_shape
from etl.demo_city.sheet import Floats, Rect, false_origin
from etl.demo_city.sizes import Size
from etl.demo_city.territory import Territory, territories

UNIT_SIDE = 100
"""Unit cells are about 1 ha."""

Ints = NDArray[np.int64]


@dataclass(slots=True)
class Town:
    """One city of a size and a seed."""

    size: Size
    seed: int
    origin: Floats
    """False origin: ground metres + origin = easting, northing."""
    plan: RoadPlan
    roads: list[RoadLine]
    """All roads, lanes and alleys between plots."""
    river: shapely.Polygon
    plots: list[Plot]
    drawings: list[Drawing]
    stock: Buildings
    territory: Territory
    unit_plot: Ints
    """The plot of each unit cell."""
    unit_shape: NDArray[np.object_]

    def stream(self, *what: int) -> np.random.Generator:
        """A random stream of its own for one subject, so that subjects do not disturb each other."""
        return np.random.default_rng((self.seed, 2, *what))

    @property
    def building_cell(self) -> Ints:
        return self.territory.cell[self.stock.plot]

    def shares(self) -> NDArray[np.object_]:
        """The plots' parts of the city; together they cover it exactly once."""
        return np.array([plot.share for plot in self.plots], object)


def build_town(size: Size, seed: int, *, told: Callable[[float], None] = lambda share: None) -> Town:
    """Plan, divide, build and settle. The same size and seed give the same town, on any number of cores."""
    rng = np.random.default_rng((seed, 0))
    plan = plan_roads(size, rng)
    blocks = zone(plan.blocks, size, rng)
    parcels, lanes = plots_of(blocks, size, rng)
    parcels += [replace(strip, block=len(blocks) + i) for i, strip in enumerate(plan.strips)]
    units = [(i, rect) for i, parcel in enumerate(parcels) for rect in _unit_rects(parcel)]
    edges = Edges([parcel.rect for parcel in parcels] + [rect for _, rect in units])
    river = river_shape(size)
    plots = plots_on_ground(parcels, edges, river)
    drawings = fill_plots(plots, seed, trees=size.trees, processes=os.cpu_count() or 1, told=told)
    stock = gather(drawings)
    flats = np.bincount(stock.plot, stock.flats, len(plots)).astype(np.int64)
    territory = territories(parcels, flats, size, rng)
    settle(stock, territory.cell[stock.plot], rng)
    return Town(
        size=size,
        seed=seed,
        origin=false_origin(size.width),
        plan=plan,
        roads=plan.roads + lanes,
        river=river,
        plots=plots,
        drawings=drawings,
        stock=stock,
        territory=territory,
        unit_plot=np.array([i for i, _ in units]),
        unit_shape=edges.polygons([rect for _, rect in units]),
    )


def _unit_rects(parcel: Parcel) -> list[Rect]:
    """A plot cut into unit cells of about one hectare."""
    west, east, south, north = parcel.rect
    across = max(1, round((east - west) / UNIT_SIDE))
    up = max(1, round((north - south) / UNIT_SIDE))
    us = [west + (east - west) * i // across for i in range(across + 1)]
    vs = [south + (north - south) * i // up for i in range(up + 1)]
    return [Rect(a, b, c, d) for a, b in pairwise(us) for c, d in pairwise(vs)]
