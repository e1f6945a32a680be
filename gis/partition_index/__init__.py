"""Point to polygon, exactly: which polygon of a layer covers a point.

The layer's ground is cut into small squares, the leaves. Most leaves lie inside one polygon and answer at
once. A leaf touched by edges keeps them on a page together with one fact: which polygons cover the leaf's
reference point. Walking from there to the point asked for, each edge crossed takes its polygons' cover away
or gives it. The lowest position that covers wins, so a shared edge or corner has one owner, always the same.

**Why the answer is exact.** Call the reference point q, the point p.

1. *Parity.* A polygon is the set of points from which a path to infinity crosses its rings an odd number of
   times; so p and q differ in a polygon's cover exactly when the segment qp crosses its rings an odd number
   of times. Points on an edge are covered too and are told apart (4).
2. *No degenerate crossing.* q stands for q moved by (d, d^2), d smaller than anything. No edge's line passes
   through that point, and no vertex lies on the line from it to p, p itself excepted; so "the segment
   crosses the edge" is two comparisons of strict sides: a and b from the line qp, p and q from the line ab.
3. *No lost edge.* The segment lies in the leaf of p. Every edge that meets the leaf's square, and every one
   that comes within `grid.SLACK` of it, is on the page; rounding displaces a place by far less.
4. *Exact sides.* A side is the sign of a 2 x 2 determinant. The page's float32 copy decides it when it is
   beyond the error bound written beside it (`pages.flips`); else float64 with Shewchuk's bound; else an
   expansion that equals the determinant (`predicates`). A side of 0 for p, within the edge's box, is a point
   on the edge: the edge's polygons cover it.
5. *Known covers.* The reference points are in general position by (2), so their covers are carried from one
   to the next by the same crossings, from the west where nothing covers (`build`).

Nothing is assumed of the layer: gaps, overlaps, holes, multipolygons and T-junctions only change who covers.
A ring that crosses itself counts by parity, as in GEOS. Coordinates are 0 or between 1e-120 and 1e120.

Reading order: `grid`, `predicates`, `supercover`, `pages`, `build`, `raster`, `lookup`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from gis.partition_index.addresses import directory_of
from gis.partition_index.grid import Grid, grid_over
from gis.partition_index.lookup import locate_all, locate_point
from gis.partition_index.overlaps import overlapping_pairs
from gis.partition_index.raster import Raster, whole_raster, with_rows_rebuilt
from gis.partition_index.rings import Rings, compacted, replaced, rings_of
from gis.partition_index.storage import Arrays, map_arrays, write_arrays

__all__ = ["PartitionIndex"]

POINTS_A_THREAD = 50_000
"""Fewer points are not worth another thread."""

Polygons = Sequence[shapely.Geometry] | NDArray[np.object_]


class PartitionIndex:
    """Find the polygon that covers a point; positions are those of the input, the lowest one wins a tie.

    Immutable, and safe to ask from any number of threads. It keeps no geometry objects, only arrays.
    """

    def __init__(self, grid: Grid, rings: Rings, raster: Raster) -> None:
        self._grid, self._rings, self._raster = grid, rings, raster
        self._arrays = np.array(grid, np.float64), *raster, rings.xy
        directory = directory_of(self._arrays)
        self.locate_one: Callable[[float, float], int] = partial(locate_point, directory.ctypes.data)
        """Position of the polygon covering one point (x, y), or -1."""
        self.locate_one.holds = directory, self._arrays  # type: ignore[attr-defined]  # it knows addresses only

    @classmethod
    def build(cls, polygons: Polygons, *, threads: int | None = None) -> PartitionIndex:
        """Index `polygons` (Polygon or MultiPolygon, in any one plane of coordinates; lon/lat here).

        Raises Invalid on any other geometry and on coordinates that are not finite.
        """
        return cls._of_rings(rings_of(_as_array(polygons)), threads)

    @classmethod
    def _of_rings(cls, rings: Rings, threads: int | None) -> PartitionIndex:
        grid = grid_over(rings.xy)
        return cls(grid, rings, whole_raster(rings, grid, threads or _cores()))

    def locate(self, x: ArrayLike, y: ArrayLike, *, threads: int | None = None) -> NDArray[np.int32]:
        """Position of the polygon covering each point, -1 where none does or a coordinate is no number.

        `x` and `y` are of one length; a large batch is shared out to `threads` (absent: one a core).
        """
        x, y = _coordinates(x), _coordinates(y)
        if x.shape != y.shape:
            raise ValueError(f"x and y differ in length: {len(x)} and {len(y)}")
        found = np.empty(len(x), np.int32)
        shares = min(threads or _cores(), 1 + len(x) // POINTS_A_THREAD)
        cuts = np.linspace(0, len(x), shares + 1).astype(int)

        def answer(share: int) -> None:
            some = slice(cuts[share], cuts[share + 1])
            locate_all(x[some], y[some], found[some], *self._arrays)

        if shares == 1:
            answer(0)
        else:
            with ThreadPoolExecutor(shares) as pool:
                list(pool.map(answer, range(shares)))
        return found

    def overlaps(self) -> NDArray[np.int32]:
        """Pairs of positions (n, 2), lower first, seen to cover the same ground.

        Sure to hold every two polygons that share more than a leaf or two of ground; a shorter overlap
        may be missed. `gis.coverage` finds all of them, with their area.
        """
        return np.unique(overlapping_pairs(*self._arrays), axis=0)

    def with_changed(
        self, changes: Mapping[int, shapely.Geometry], *, threads: int | None = None
    ) -> PartitionIndex:
        """The index of the layer with other polygons at some positions; only their rows are built anew.

        A position may be a new one. A polygon that reaches beyond the layer's bounds has all built anew.
        """
        rings, touched = replaced(self._rings, changes)
        if not len(touched):
            return self
        grid = self._grid
        west, south = touched.min(0)
        east, north = touched.max(0)
        if not (grid.west <= west and east <= grid.east and grid.south <= south and north <= grid.north):
            return self._of_rings(compacted(rings), threads)
        first_row = max(0, int((south - grid.south) * grid.per_y) - 1)
        end_row = min(grid.rows, int((north - grid.south) * grid.per_y) + 2)
        raster = with_rows_rebuilt(self._raster, rings, grid, first_row, end_row, threads or _cores())
        return PartitionIndex(grid, rings, raster)

    @property
    def nbytes(self) -> int:
        """Bytes the index takes in memory, or in its file."""
        return sum(array.nbytes for array in self.to_arrays().values())

    def to_arrays(self) -> Arrays:
        """The index as named arrays, to be put wherever other processes can reach them."""
        grid = np.array(self._grid, np.float64)
        return {"grid": grid, **self._rings._asdict(), **self._raster._asdict()}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> PartitionIndex:
        """The index of `to_arrays`; the arrays are used as they are, not copied."""
        numbers = arrays["grid"].tolist()
        whole = ("columns", "rows", "finest_bits")
        grid = Grid(*(int(n) if f in whole else n for f, n in zip(Grid._fields, numbers, strict=True)))
        rings = Rings(**{field: arrays[field] for field in Rings._fields})
        return cls(grid, rings, Raster(**{field: arrays[field] for field in Raster._fields}))

    def save(self, path: str | Path) -> None:
        """Write the index to a file that any number of processes can `open` and share."""
        write_arrays(Path(path), self.to_arrays())

    @classmethod
    def open(cls, path: str | Path) -> PartitionIndex:
        """Map an index from its file: nothing is read before it is asked for, and nothing twice."""
        return cls.from_arrays(map_arrays(Path(path)))


def _as_array(polygons: Polygons) -> NDArray[np.object_]:
    array = np.empty(len(polygons), object)
    array[:] = polygons
    return array


def _coordinates(numbers: ArrayLike) -> NDArray[np.float64]:
    """Numbers as the kernels take them: contiguous and not to be written, as some callers' arrays are."""
    view = np.ascontiguousarray(np.atleast_1d(numbers), np.float64).view()
    view.flags.writeable = False
    return view


def _cores() -> int:
    return os.cpu_count() or 1
