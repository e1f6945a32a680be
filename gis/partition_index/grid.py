"""Where a point falls: tiles over the layer's bounds, and leaves within a tile.

A tile holds 2^bits x 2^bits leaves, as many as the edges touching it ask for, so a crowded centre and an
empty outskirt cost the same. A place is told in tile units: `(x - west) * per_x`. Every step of that is
monotone, so a point between two others never falls into a column outside of theirs.

The same leaf is asked about from two sides: when edges are entered into it and when a point is looked up in
it. `SLACK` (in units of a leaf) covers all rounding between the two: a place is off by less than 2^-23 of a
leaf, because `grid_over` makes no leaf smaller than 2^24 steps of the coordinates.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

SLACK = 1e-6
EDGES_PER_TILE = 256
MOST_TILES_A_SIDE = 4096
MOST_BITS = 8
LEAVES_PER_EDGE, LEAVES_PER_EDGE_IF_MANY, MANY = 4.0, 2.0, 4_000_000
"""Finer leaves are quicker to ask and larger to keep; a layer of many vertices gets the coarser ones."""


class Grid(NamedTuple):
    """The tiles over a layer: bounds, columns and rows of tiles, tiles per unit, units per tile, fineness."""

    west: float
    south: float
    east: float
    north: float
    columns: int
    rows: int
    per_x: float
    per_y: float
    width: float
    height: float
    finest_bits: int
    leaves_per_edge: float


def grid_over(xy: NDArray[np.float64]) -> Grid:
    """Tiles over all vertices (n, 2), about `EDGES_PER_TILE` edges in each, as square as the bounds allow."""
    if not len(xy):
        return Grid(0.0, 0.0, -1.0, -1.0, 1, 1, 0.0, 0.0, 0.0, 0.0, 0, 0.0)
    west, south = map(float, xy.min(0))
    east, north = map(float, xy.max(0))
    wide, high = east - west, north - south
    smallest_leaf = 2.0**24 * float(np.spacing(np.abs(xy).max()))
    most_x, most_y = (side / smallest_leaf if side > 0 else math.inf for side in (wide, high))
    tiles = len(xy) / EDGES_PER_TILE
    columns = math.sqrt(tiles * wide / high) if high > 0 else tiles
    columns = max(1, int(min(columns, most_x, MOST_TILES_A_SIDE)))
    rows = max(1, int(min(tiles / columns, most_y, MOST_TILES_A_SIDE)))
    return Grid(
        west,
        south,
        east,
        north,
        columns,
        rows,
        per_x=columns / wide if wide > 0 else 0.0,
        per_y=rows / high if high > 0 else 0.0,
        width=wide / columns,
        height=high / rows,
        finest_bits=int(math.log2(max(1.0, min(most_x / columns, most_y / rows, 2.0**MOST_BITS)))),
        leaves_per_edge=LEAVES_PER_EDGE if len(xy) < MANY else LEAVES_PER_EDGE_IF_MANY,
    )


@njit
def grid_of(plan):
    """The grid kept as an array of floats: one array costs a call far less than twelve numbers."""
    return Grid(
        plan[0],
        plan[1],
        plan[2],
        plan[3],
        int(plan[4]),
        int(plan[5]),
        plan[6],
        plan[7],
        plan[8],
        plan[9],
        int(plan[10]),
        plan[11],
    )


@njit
def bits_for(edges, grid):
    """How finely a tile is cut, by the number of edges touching it."""
    wanted = round(math.log2(max(edges * grid.leaves_per_edge, 1.0)) / 2.0)
    return min(int(wanted), grid.finest_bits)


@njit
def tile_at(place, count):
    """The column (or row) of tiles a place in tile units falls into."""
    return min(int(place), count - 1)


@njit
def leaf_at(place, tile, bits):
    """The column (or row) of leaves within `tile` that a place in tile units falls into."""
    leaves = 1 << bits
    return min(int((place - tile) * leaves), leaves - 1)


@njit
def line_at(start, size, tile, leaf, bits):
    """A coordinate `leaf` leaves into a tile: whole numbers are borders, halves are the middles."""
    return start + (tile + leaf / (1 << bits)) * size
