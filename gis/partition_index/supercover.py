"""Which squares of a raster an edge touches: never one too few, at most a sliver too many."""

from __future__ import annotations

import numpy as np
from numba import njit

from gis.partition_index.grid import SLACK
from gis.partition_index.jit import kernel


@kernel
def edges_by_band(xy, part, grid, first_row, rows_a_band, bands):
    """Enter each edge (each i with part[i] >= 0) into all bands of rows of tiles that it touches.

    Returns where the edges of each band start (bands + 1 numbers) and the edges, ascending within a band.
    """
    start = np.zeros(bands + 1, np.int64)
    entered = np.empty(0, np.int32)
    for filling in (False, True):
        if filling:
            entered = _turn_counts_into_starts(start)
        for i in range(len(xy) - 1):
            if part[i] < 0:
                continue
            v0 = (xy[i, 1] - grid.south) * grid.per_y - first_row
            v1 = (xy[i + 1, 1] - grid.south) * grid.per_y - first_row
            bottom = max(int(np.floor(min(v0, v1) - SLACK)), 0) // rows_a_band
            top = int(np.floor(max(v0, v1) + SLACK)) // rows_a_band
            for band in range(bottom, min(top, bands - 1) + 1):
                if filling:
                    entered[start[band + 1]] = i
                start[band + 1] += 1
    return start, entered


@njit
def edges_by_square(xy, edges, grid, first_column, first_row, squares, columns, rows):
    """Enter each edge into all squares of a raster that it touches.

    The raster starts at tile (`first_column`, `first_row`), has `squares` squares to a tile's side, and
    `columns` x `rows` squares in all; what lies outside of it is left out. Returns where the edges of each
    square start (squares + 1 numbers) and the edges themselves, in the given order within a square.
    """
    start = np.zeros(columns * rows + 1, np.int64)
    entered = np.empty(0, np.int32)
    for filling in (False, True):
        if filling:
            entered = _turn_counts_into_starts(start)
        for i in edges:
            v0 = ((xy[i, 1] - grid.south) * grid.per_y - first_row) * squares
            v1 = ((xy[i + 1, 1] - grid.south) * grid.per_y - first_row) * squares
            bottom = max(int(np.floor(min(v0, v1) - SLACK)), 0)
            top = min(int(np.floor(max(v0, v1) + SLACK)), rows - 1)
            if bottom > top:
                continue
            u0 = ((xy[i, 0] - grid.west) * grid.per_x - first_column) * squares
            u1 = ((xy[i + 1, 0] - grid.west) * grid.per_x - first_column) * squares
            for row in range(bottom, top + 1):
                left, right = _columns_touched(u0, v0, u1, v1, row, columns)
                for square in range(row * columns + left, row * columns + right + 1):
                    if filling:
                        entered[start[square + 1]] = i
                    start[square + 1] += 1
    return start, entered


@njit
def _columns_touched(u0, v0, u1, v1, row, columns):
    """First and last column that the part of an edge within a row touches, `SLACK` wider.

    The row is taken `SLACK` higher and lower than it is; that outweighs the rounding of the cut even where
    the edge is nearly level, because the cut then moves by the same share of the edge.
    """
    low, high = row - SLACK, row + 1 + SLACK
    if v0 > v1:
        u0, v0, u1, v1 = u1, v1, u0, v0
    at_low = (low - v0) / (v1 - v0) if v0 < low else 0.0
    at_high = (high - v0) / (v1 - v0) if v1 > high else 1.0
    u_low, u_high = u0 + at_low * (u1 - u0), u0 + at_high * (u1 - u0)
    left = int(np.floor(min(u_low, u_high) - SLACK))
    right = int(np.floor(max(u_low, u_high) + SLACK))
    return max(left, 0), min(right, columns - 1)


@njit
def _turn_counts_into_starts(start):
    """Counts, each one place late -> starts, one place late; filling advances them to their own place."""
    total = start.sum()
    running = 0
    for square in range(1, len(start)):
        start[square], running = running, running + start[square]
    return np.empty(total, np.int32)
