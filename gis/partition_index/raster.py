"""The whole raster out of bands of rows built by themselves, and new rows in place of old ones."""

from __future__ import annotations

import mmap
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from gis.errors import Invalid
from gis.partition_index.build import build_rows
from gis.partition_index.grid import Grid
from gis.partition_index.rings import Rings
from gis.partition_index.supercover import edges_by_band

EDGES_A_BAND = 100_000
"""Enough to be worth a thread, few enough that a band in the making needs little memory."""


class Raster(NamedTuple):
    """Codes of tiles (row by row) and leaves (tile by tile), and the tape of pages (leaf by leaf).

    A tile's code is its first leaf << 4 | bits. A leaf's code is the position of the polygon that covers all
    of it, -1 for none, or -2 - the place of its page. Leaf 0 stands for everything outside of the layer.
    """

    tiles: NDArray[np.int64]
    leaves: NDArray[np.int32]
    tape: NDArray[np.int32]


def whole_raster(rings: Rings, grid: Grid, threads: int) -> Raster:
    """The raster of a layer, built in so many threads; the same whatever their number."""
    outside = Raster(np.empty(0, np.int64), np.array([-1], np.int32), np.empty(0, np.int32))
    return _joined([outside, *_bands(rings, grid, 0, grid.rows, threads)])


def with_rows_rebuilt(
    raster: Raster, rings: Rings, grid: Grid, first_row: int, end_row: int, threads: int
) -> Raster:
    """The same raster with the tiles from `first_row` to before `end_row` built anew."""
    first, end = first_row * grid.columns, end_row * grid.columns
    below, above = _cut(raster, 0, first), _cut(raster, end, len(raster.tiles))
    return _joined([below, *_bands(rings, grid, first_row, end_row, threads), above])


def _bands(rings: Rings, grid: Grid, first_row: int, end_row: int, threads: int) -> list[Raster]:
    """Rows of tiles in bands, each counting leaves and words from its own start."""
    part = rings.part_of_edges()
    rows_a_band = max(1, EDGES_A_BAND * grid.rows // max(1, len(part)))
    bands = -(-(end_row - first_row) // rows_a_band)
    start, edges = edges_by_band(rings.xy, part, grid, first_row, rows_a_band, bands)

    def build(band: int) -> Raster:
        first = first_row + band * rows_a_band
        here, end = edges[start[band] : start[band + 1]], min(first + rows_a_band, end_row)
        built = build_rows(rings.xy, part, rings.polygon, here, grid, first, end)
        return Raster(*(_moved(array) for array in built))

    if bands == 1 or threads == 1:
        return [build(band) for band in range(bands)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(build, range(bands)))


def _joined(pieces: list[Raster]) -> Raster:
    """Pieces one after the other; the list is emptied on the way, so that memory is needed only once."""
    tiles, leaves, words = (sum(len(piece[k]) for piece in pieces) for k in range(3))
    if max(leaves, words) > np.iinfo(np.int32).max:
        raise Invalid(
            en="The layer has too many vertices for one index.",
            zh="图层顶点过多，无法建立单个索引。",
            remedy_en="Split it, or simplify its borders.",
            remedy_zh="请拆分图层或简化边界。",
        )
    whole = Raster(_pages(tiles, np.int64), _pages(leaves, np.int32), _pages(words, np.int32))
    tile = leaf = word = 0
    while pieces:
        piece = pieces.pop(0)
        ends = tile + len(piece.tiles), leaf + len(piece.leaves), word + len(piece.tape)
        np.add(piece.tiles, leaf << 4, out=whole.tiles[tile : ends[0]])
        here = whole.leaves[leaf : ends[1]]
        here[:] = piece.leaves
        here[here < -1] -= word
        whole.tape[word : ends[2]] = piece.tape
        tile, leaf, word = ends
    return whole


def _moved(array: NDArray[Any]) -> NDArray[Any]:
    """A copy in memory of its own, as large as it must be."""
    copy = _pages(len(array), array.dtype)
    copy[:] = array
    return copy


def _pages(length: int, dtype: DTypeLike) -> NDArray[Any]:
    """An array in memory fresh from the system, which gets it back at once when the array is gone.

    Between arrays of one build the heap would keep as much again as the index needs.
    """
    size = length * np.dtype(dtype).itemsize
    return np.frombuffer(mmap.mmap(-1, size), dtype) if size else np.empty(0, dtype)


def _cut(raster: Raster, first: int, end: int) -> Raster:
    """The tiles from `first` to before `end` as a piece that counts from its own start."""
    leaf = 0 if first == 0 else _leaf_of_tile(raster, first)
    last = _leaf_of_tile(raster, end)
    word, stop = _word_of_leaf(raster, leaf), _word_of_leaf(raster, last)
    leaves = raster.leaves[leaf:last].copy()
    leaves[leaves < -1] += word
    return Raster(raster.tiles[first:end] - (leaf << 4), leaves, raster.tape[word:stop])


def _leaf_of_tile(raster: Raster, tile: int) -> int:
    """The first leaf of a tile, or the end of all leaves."""
    return int(raster.tiles[tile] >> 4) if tile < len(raster.tiles) else len(raster.leaves)


def _word_of_leaf(raster: Raster, leaf: int) -> int:
    """Where the first page of a leaf, or of the first one after it that has any, begins on the tape."""
    paged = raster.leaves[leaf:] < -1
    return -2 - int(raster.leaves[leaf + paged.argmax()]) if paged.any() else len(raster.tape)
