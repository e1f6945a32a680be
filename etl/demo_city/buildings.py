"""The building stock as arrays: all sketches of all plots, their heights and their households."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from etl.demo_city.drawing import Drawing, polygons
from grids.cells import HOUSEHOLDS_BAND

Ints = NDArray[np.int64]

STOREY_M = {"residential": 3.0, "mixed": 3.0, "industrial": 7.0, "commercial": 4.5}
OTHER_STOREY_M = 3.8
OCCUPIED = (0.89, 0.95)
LEAST_FLATS = 318
"""A cell with fewer gets a few more floors: at full occupancy it still holds the band's 300."""
TALLEST_LIFT = 1.6


@dataclass(slots=True)
class Buildings:
    """One row for each building; arrays of the same length. Outlines are in ground metres."""

    plot: Ints
    outline: NDArray[np.object_]
    use: NDArray[np.object_]
    style: NDArray[np.object_]
    label: NDArray[np.object_]
    floors: Ints
    units: Ints
    doors: Ints
    flats: Ints
    front_m: NDArray[np.float64]
    side: Ints
    """The plot's side whose road it faces, -1 where it faces none."""
    households: Ints

    def __len__(self) -> int:
        return len(self.plot)

    @property
    def height_m(self) -> NDArray[np.float64]:
        storey = np.array([STOREY_M.get(use, OTHER_STOREY_M) for use in self.use])
        return np.round(self.floors * storey + 0.6, 1)


def gather(drawings: Sequence[Drawing]) -> Buildings:
    """All buildings of all plots, in the order of the plots. Households are still to be counted."""
    sketches = list(chain.from_iterable(drawing.buildings for drawing in drawings))
    plot = np.repeat(np.arange(len(drawings)), [len(drawing.buildings) for drawing in drawings])

    def whole(name: str) -> Ints:
        return np.array([getattr(sketch, name) for sketch in sketches], np.int64)

    def text(name: str) -> NDArray[np.object_]:
        return np.array([getattr(sketch, name) for sketch in sketches], object)

    return Buildings(
        plot=plot,
        outline=polygons([sketch.outline for sketch in sketches]),
        use=text("use"),
        style=text("style"),
        label=text("label"),
        floors=whole("floors"),
        units=whole("units"),
        doors=whole("doors"),
        flats=whole("flats"),
        front_m=np.array([sketch.front_m for sketch in sketches]),
        side=whole("side"),
        households=np.zeros(len(sketches), np.int64),
    )


def settle(stock: Buildings, cell: Ints, rng: np.random.Generator) -> None:
    """Count households so that each cell lands in the band of a social cell. Changes `stock` in place.

    `cell` is the cell of each building. A thin cell's homes get a few floors more first; then each cell's
    occupancy is set, and its households are spread over its buildings in proportion to their flats.
    """
    count = int(cell.max()) + 1
    low, high = HOUSEHOLDS_BAND
    flats = np.bincount(cell, stock.flats, count)
    lift = np.clip(LEAST_FLATS / np.maximum(flats, 1), 1.0, TALLEST_LIFT)[cell]
    raised = (lift > 1) & (stock.flats > 0)
    stock.flats[raised] = np.ceil(stock.flats * lift)[raised]
    stock.floors[raised] = np.ceil(stock.floors * lift)[raised]
    places = np.maximum(stock.units, 1) * np.maximum(stock.floors, 1)
    stock.doors = np.maximum(stock.doors, -(-stock.flats // places))
    flats = np.bincount(cell, stock.flats, count)
    wanted = np.where(
        flats > low, np.clip(flats * rng.uniform(*OCCUPIED, count), low + 2, high - 2), flats
    ).round()
    order = np.argsort(cell, kind="stable")
    share = stock.flats[order] * (wanted / np.maximum(flats, 1))[cell[order]]
    running = np.floor(np.concatenate([[0.0], np.cumsum(share)]) + 1e-6)
    stock.households[order] = np.minimum(np.diff(running), stock.flats[order])
