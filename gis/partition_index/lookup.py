"""Points to polygons: the kernels that read tiles, leaves and pages.

A look-up is three steps, each waiting for memory that the one before has named: the tile, the leaf, its
page. Point by point the processor would wait each time; so a batch of points takes each step together, and
the waits overlap.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from gis.partition_index.addresses import arrays_at
from gis.partition_index.grid import grid_of, leaf_at, line_at, tile_at
from gis.partition_index.jit import kernel, quick_kernel
from gis.partition_index.pages import ALL, MORE, exact_flips, flips, lowest_candidate, next_page
from gis.partition_index.predicates import SMALLEST

BATCH = 1024
LINE = 16
"""Words of a cache line; most pages are not longer."""


@kernel
def locate_all(x, y, found, plan, tiles, leaves, tape, xy):
    """Write the position of the polygon covering each point (x, y) into `found`.

    Returns a number without a meaning: it keeps the compiler from dropping the reads ahead.
    """
    grid = grid_of(plan)
    names, crossed = np.empty(BATCH, np.int64), np.empty(BATCH, np.int64)
    ahead = 0
    for first in range(0, len(x), BATCH):
        size = min(BATCH, len(x) - first)
        for k in range(size):
            names[k] = _leaf_of(x[first + k], y[first + k], grid, tiles)
        pending = 0
        for k in range(size):
            code = leaves[names[k]]
            found[first + k] = code
            crossed[pending] = first + k
            pending += code < -1
        for k in range(pending):
            page = -2 - found[crossed[k]]
            ahead ^= tape[page] ^ tape[min(page + LINE, len(tape) - 1)]
        for k in range(pending):
            i = crossed[k]
            found[i] = _lowest_covering(x[i], y[i], grid, tiles, tape, xy, -2 - found[i])
    return ahead


@quick_kernel
def locate_point(address, x, y):
    """The position of the polygon covering one point, by the index whose directory is at an address."""
    plan, tiles, leaves, tape, xy = arrays_at(address)
    grid = grid_of(plan)
    code = leaves[_leaf_of(x, y, grid, tiles)]
    return _lowest_covering(x, y, grid, tiles, tape, xy, -2 - code) if code < -1 else code


@njit
def _leaf_of(x, y, grid, tiles):
    """The number of the point's leaf; 0, which nothing covers, outside of the layer and for no number."""
    inside = grid.west <= x <= grid.east and grid.south <= y <= grid.north
    u = (x - grid.west) * grid.per_x if inside else 0.0
    v = (y - grid.south) * grid.per_y if inside else 0.0
    column, row = tile_at(u, grid.columns), tile_at(v, grid.rows)
    code = tiles[row * grid.columns + column]
    bits = code & 15
    leaf = (code >> 4) + (leaf_at(v, row, bits) << bits) + leaf_at(u, column, bits)
    return leaf if inside else 0


@njit
def _lowest_covering(x, y, grid, tiles, tape, xy, page):
    """The lowest polygon covering a point whose leaf has pages, the first of them at `page`."""
    u, v = (x - grid.west) * grid.per_x, (y - grid.south) * grid.per_y
    column, row = tile_at(u, grid.columns), tile_at(v, grid.rows)
    bits = tiles[row * grid.columns + column] & 15
    qx = line_at(grid.west, grid.width, column, leaf_at(u, column, bits) + 0.5, bits)
    qy = line_at(grid.south, grid.height, row, leaf_at(v, row, bits) + 0.5, bits)
    px, py = (x - qx) * grid.per_x * (1 << bits), (y - qy) * grid.per_y * (1 << bits)
    while True:
        known = tape[page + 1] >> 4
        changed, certain = flips(tape, page, px, py)
        covering = known ^ changed
        if not certain:
            changed, touched = exact_flips(tape, page, xy, _no_smaller(x), _no_smaller(y), qx, qy)
            covering = known ^ changed | touched
        covering &= ALL
        if covering:
            return lowest_candidate(tape, page, covering)
        if not tape[page + 1] & MORE:
            return -1
        page = next_page(tape, page)


@njit
def _no_smaller(value):
    """A coordinate too small for exact arithmetic is taken as 0."""
    return value if abs(value) >= SMALLEST else 0.0
