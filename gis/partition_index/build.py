"""From rings to tiles, leaves and pages, one row of tiles after the other.

Which parts cover a reference point is never searched for: it is carried along. West of the layer nothing
covers. From there a line runs eastwards along the lower border of a row of tiles; at each tile a second one
climbs its left border, and from it a third crosses the tile at each height of reference points. Where a line
passes an edge, the edge's part begins or ceases to cover. The lines are moved by the same infinitesimal
step as the reference points, so they never meet a vertex, and every crossing is counted once.

A cover is the set of parts covering a place: an array whose first number says how many follow.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from gis.partition_index.grid import bits_for, line_at
from gis.partition_index.jit import kernel
from gis.partition_index.pages import write_pages
from gis.partition_index.predicates import side_of_reference
from gis.partition_index.supercover import edges_by_square


@kernel
def build_rows(xy, part, polygon, edges, grid, first_row, end_row):
    """The tiles from `first_row` to before `end_row`, row by row, with their leaves and pages.

    `edges` are all that touch these rows; `part[i]` is the part whose ring has the edge from vertex i to
    i + 1; `polygon[p]` is the position of part p's polygon, ascending. Returns the codes of tiles and
    leaves, and the tape; they count leaves and words from the start of these rows.
    """
    columns, rows = grid.columns, end_row - first_row
    none, one = np.int64(0), np.int64(1)  # a bare 0 or 1 would be a type of its own, compiled apart
    start, entered = edges_by_square(xy, edges, grid, none, first_row, one, columns, rows)
    tiles, leaves = _tiles_to_cut(start, grid)
    tape, used = np.empty(8 * len(entered) + 64, np.int32), none
    covers = np.zeros((3, len(polygon) + 1), np.int32)
    for tile in range(len(tiles)):
        row, column = first_row + tile // columns, tile % columns
        here = entered[start[tile] : start[tile + 1]]
        west = line_at(grid.west, grid.width, column, 0, 0)
        east = line_at(grid.west, grid.width, column + 1, 0, 0)
        south = line_at(grid.south, grid.height, row, 0, 0)
        if column == 0:
            covers[0, 0] = 0
            _carry(xy, part, here, west - abs(west) - 1.0, south, west, south, covers[0])
        if len(here):
            tape, used = _cut_tile(
                xy, part, polygon, grid, row, column, here, tiles[tile], leaves, covers, tape, used
            )
        else:
            leaves[tiles[tile] >> 4] = _lowest(polygon, covers[0])
        _carry(xy, part, here, west, south, east, south, covers[0])
    return tiles, leaves, tape[:used]


@njit
def _tiles_to_cut(start, grid):
    """The code of each tile, and room for all their leaves."""
    tiles, leaves = np.empty(len(start) - 1, np.int64), 0
    for tile in range(len(tiles)):
        bits = bits_for(start[tile + 1] - start[tile], grid)
        tiles[tile] = leaves << 4 | bits
        leaves += 1 << 2 * bits
    return tiles, np.empty(leaves, np.int32)


@njit
def _cut_tile(xy, part, polygon, grid, row, column, edges, code, leaves, covers, tape, used):
    """Fill the leaves of a tile and write their pages. `covers[0]` is that of its lower left corner."""
    bits, leaf = code & 15, code >> 4
    side = 1 << bits
    start, entered = edges_by_square(xy, edges, grid, column, row, side, side, side)
    west = line_at(grid.west, grid.width, column, 0, bits)
    climbing, across = covers[1], covers[2]
    _copy(covers[0], climbing)
    for up in range(side):
        low = line_at(grid.south, grid.height, row, up, bits)
        y = line_at(grid.south, grid.height, row, up + 0.5, bits)
        high = line_at(grid.south, grid.height, row, up + 1, bits)
        margin = entered[start[up * side] : start[up * side + 1]]
        _carry(xy, part, margin, west, low, west, y, climbing)
        _copy(climbing, across)
        for over in range(side):
            here = entered[start[up * side + over] : start[up * side + over + 1]]
            if len(here):
                left = line_at(grid.west, grid.width, column, over, bits)
                x = line_at(grid.west, grid.width, column, over + 0.5, bits)
                right = line_at(grid.west, grid.width, column, over + 1, bits)
                _carry(xy, part, here, left, y, x, y, across)
                leaves[leaf] = -2 - used
                tape, used = write_pages(
                    tape, used, xy, part, polygon, here, across, x, y, grid.per_x * side, grid.per_y * side
                )
                _carry(xy, part, here, x, y, right, y, across)
            else:
                leaves[leaf] = _lowest(polygon, across)
            leaf += 1
        _carry(xy, part, margin, west, y, west, high, climbing)
    return tape, used


@njit
def _carry(xy, part, edges, x0, y0, x1, y1, cover):
    """Carry the cover of one reference point to another on the same parallel or meridian.

    `edges` must hold all that touch the way.
    """
    for i in edges:
        ax, ay, bx, by = xy[i, 0], xy[i, 1], xy[i + 1, 0], xy[i + 1, 1]
        astride = (ay > y0) != (by > y0) if y0 == y1 else (ax > x0) != (bx > x0)
        if astride and side_of_reference(ax, ay, bx, by, x0, y0) != side_of_reference(ax, ay, bx, by, x1, y1):
            _toggle(cover, part[i])


@njit
def _toggle(cover, changed):
    """Take a part out of a cover, or put it in."""
    count = cover[0]
    for k in range(1, count + 1):
        if cover[k] == changed:
            cover[k] = cover[count]
            cover[0] = count - 1
            return
    cover[count + 1] = changed
    cover[0] = count + 1


@njit
def _copy(cover, other):
    for k in range(cover[0] + 1):
        other[k] = cover[k]


@njit
def _lowest(polygon, cover):
    """The lowest polygon of a cover, -1 for none."""
    lowest = len(polygon)
    for k in range(1, cover[0] + 1):
        lowest = min(lowest, cover[k])
    return polygon[lowest] if cover[0] else -1
