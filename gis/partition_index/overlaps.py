"""Which polygons of a layer overlap, as far as its pages show it."""

from __future__ import annotations

import numpy as np
from numba import njit

from gis.partition_index.grid import grid_of, leaf_at, line_at, tile_at
from gis.partition_index.jit import kernel
from gis.partition_index.pages import ALL, CANDIDATES_A_PAGE, EDGE, HEAD, MORE, exact_flips, next_page


@kernel
def overlapping_pairs(plan, tiles, leaves, tape, xy):
    """Pairs (lower, higher position) that cover one place: a reference point, or a vertex of one of them.

    Every page is asked about its leaf's reference point and about the vertices in the leaf that begin one
    of its edges. A pair is told as often as it is met.
    """
    grid = grid_of(plan)
    pairs, met = np.empty((64, 2), np.int32), np.int64(0)
    for tile in range(len(tiles)):
        row, column = tile // grid.columns, tile % grid.columns
        bits, first = tiles[tile] & 15, tiles[tile] >> 4
        for leaf in range(1 << 2 * bits):
            page = -2 - leaves[first + leaf]
            if page < 0:
                continue
            up, over = leaf >> bits, leaf & (1 << bits) - 1
            qx = line_at(grid.west, grid.width, column, over + 0.5, bits)
            qy = line_at(grid.south, grid.height, row, up + 0.5, bits)
            while True:
                known = tape[page + 1] >> 4 & ALL
                pairs, met = _note(pairs, met, tape, page, known, known)
                edges = page + HEAD + (tape[page + 1] & CANDIDATES_A_PAGE)
                for at in range(edges, next_page(tape, page), EDGE):
                    x, y = xy[tape[at + 5]]
                    if _lies_in(x, y, grid, row, column, bits, up, over):
                        changed, touched = exact_flips(tape, page, xy, x, y, qx, qy)
                        inside = (known ^ changed) & ~touched & ALL
                        pairs, met = _note(pairs, met, tape, page, inside, inside | touched)
                if not tape[page + 1] & MORE:
                    break
                page = next_page(tape, page)
    return pairs[:met]


@njit
def _lies_in(x, y, grid, row, column, bits, up, over):
    """Whether a point's leaf is this one."""
    u, v = (x - grid.west) * grid.per_x, (y - grid.south) * grid.per_y
    return (
        tile_at(u, grid.columns) == column
        and tile_at(v, grid.rows) == row
        and leaf_at(u, column, bits) == over
        and leaf_at(v, row, bits) == up
    )


@njit
def _note(pairs, met, tape, page, ones, others):
    """Add a pair for each two different polygons, one of each set of candidates."""
    if ones == 0 or (ones == others and ones & (ones - 1) == 0):
        return pairs, met
    for k in range(CANDIDATES_A_PAGE):
        for m in range(CANDIDATES_A_PAGE):
            if not (ones >> k & 1 and others >> m & 1):
                continue
            one, other = tape[page + HEAD + k], tape[page + HEAD + m]
            if one == other:
                continue
            if met == len(pairs):
                longer = np.empty((2 * met, 2), np.int32)
                for at in range(met):
                    longer[at, 0], longer[at, 1] = pairs[at, 0], pairs[at, 1]
                pairs = longer
            pairs[met, 0], pairs[met, 1] = min(one, other), max(one, other)
            met += 1
    return pairs, met
