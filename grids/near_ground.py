"""Ground off every cell: the nearest cell within reach owns it, unless a river or a wall lies between.

`NearGround.nearest` is the rule itself. For probabilities the same ground is needed as areas. Where no
barrier is near, each cell's *near zone* is a polygon: what lies within reach and off every cell, cut along
the lines of equal distance to its rivals (the Voronoi regions of points every metre or so along the
borders). Where a barrier is near, or a fix is very coarse, the zone has no simple outline and a lattice of
points of equal mass is asked instead; that is good to about 0.001.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.gaussian import Outline, masses_over

SAMPLE_M = 1.0
MOST_SAMPLES = 4000
"""Points along one border for its Voronoi regions: every metre, sparser along a very long one."""
SAMPLE_DECIMALS = 3
"""Samples within a millimetre are one. Borders drawn twice a nanometre apart would else break the regions."""
TINY_M2 = 0.01


def _lattice(count: int) -> NDArray[np.float64]:
    """`count` points of equal mass under a unit Gaussian, on a sunflower spiral: shape (count, 2)."""
    rank = (np.arange(count) + 0.5) / count
    radius, angle = np.sqrt(-2.0 * np.log1p(-rank)), np.arange(count) * np.pi * (3.0 - np.sqrt(5.0))
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


LATTICE = _lattice(4096)


class NearGround:
    """What lies between and around the cells. All shapes are in metres of one zone; index i is cell i.

    `cells` name their owners; `painted` is all ground that has an owner by a rule above (cells and overlays).
    """

    def __init__(
        self,
        cells: NDArray[np.object_],
        painted: NDArray[np.object_],
        barriers: NDArray[np.object_],
        *,
        limit_m: float,
    ) -> None:
        self._cells = cells
        self._tree = shapely.STRtree(cells)
        self._painted_tree = shapely.STRtree(painted)
        self._barrier_tree = shapely.STRtree(barriers)
        self.limit_m = limit_m
        self._zones: dict[int, shapely.Geometry] = {}
        self._outlines: dict[int, Outline] = {}

    def nearest(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
        """The cell each point off every cell falls to, -1 where none is near enough or all are cut off.

        The nearest within the limit wins, by the straight line to its closest point; equal distances go to
        the lowest code. A cell across a river or a wall is passed over for the next nearest. A point in the
        water is not cut off by that water.
        """
        points = shapely.points(np.asarray(x, float), np.asarray(y, float))
        owner = np.full(len(points), len(self._cells), np.int64)
        point, cell = self._tree.query_nearest(points, max_distance=self.limit_m, all_matches=True)
        np.minimum.at(owner, point, cell)
        owner[owner == len(self._cells)] = -1
        found = np.flatnonzero(owner >= 0)
        for i in found[self._cut_off(points[found], self._cells[owner[found]])]:
            owner[i] = self._nearest_not_cut_off(points[i])
        return owner

    def _nearest_not_cut_off(self, point: shapely.Point) -> int:
        cells = self._tree.query(point, predicate="dwithin", distance=self.limit_m)
        cells = cells[np.lexsort((cells, shapely.distance(self._cells[cells], point)))]
        free = cells[~self._cut_off(np.full(len(cells), point), self._cells[cells])]
        return int(free[0]) if len(free) else -1

    def _cut_off(self, points: NDArray[np.object_], cells: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Whether the straight line from each point to its cell crosses a barrier it does not start in."""
        blocked = np.zeros(len(points), bool)
        if not len(self._barrier_tree.geometries) or not len(points):
            return blocked
        lines = shapely.shortest_line(points, cells)
        line, barrier = self._barrier_tree.query(lines, predicate="crosses")
        outside = ~shapely.intersects(self._barrier_tree.geometries[barrier], points[line])
        blocked[line[outside]] = True
        return blocked

    def masses(
        self, point: shapely.Point, sigma: float, reach_m: float, left: float | None
    ) -> dict[int, float]:
        """Cell -> mass of the fix's Gaussian on the cell's near ground.

        `left` is the exact mass off all painted ground, or None for a fix too coarse to know it. Nothing is
        looked for beyond `reach_m` of the point.
        """
        if left is None or len(self._barrier_tree.query(point, predicate="dwithin", distance=reach_m)):
            return self._lattice_masses(point, sigma, left)
        cells = self._tree.query(point, predicate="dwithin", distance=reach_m + self.limit_m)
        outlines = {int(i): self._outline(int(i)) for i in np.sort(cells)}
        near = [i for i, outline in outlines.items() if outline.reaches(point.x, point.y, reach_m)]
        return dict(zip(near, masses_over([outlines[i] for i in near], point.x, point.y, sigma), strict=True))

    def _lattice_masses(self, point: shapely.Point, sigma: float, left: float | None) -> dict[int, float]:
        nodes = LATTICE * sigma + (point.x, point.y)
        covered = self._painted_tree.query(shapely.points(nodes), predicate="intersects")[0]
        loose = np.delete(nodes, np.unique(covered), axis=0)
        if not len(loose):
            return {}
        weight = (len(loose) / len(nodes) if left is None else left) / len(loose)
        owners = self.nearest(loose[:, 0], loose[:, 1])
        cells, counts = np.unique(owners[owners >= 0], return_counts=True)
        return {int(cell): float(count) * weight for cell, count in zip(cells, counts, strict=True)}

    def zone(self, cell: int) -> shapely.Geometry:
        """The near zone of a cell as if there were no barriers; possibly empty. Kept once it is made."""
        zone = self._zones.get(cell)
        if zone is None:
            zone = self._zones[cell] = self._cut_along_rivals(cell, self._loose_around(cell))
        return zone

    def _outline(self, cell: int) -> Outline:
        outline = self._outlines.get(cell)
        if outline is None:
            outline = self._outlines[cell] = Outline(self.zone(cell))
        return outline

    def _loose_around(self, cell: int) -> shapely.Geometry:
        """Ground within the limit of a cell that no rule above has given away."""
        around = shapely.buffer(self._cells[cell], self.limit_m, quad_segs=32)
        painted = self._painted_tree.query(around, predicate="intersects")
        loose = shapely.difference(around, shapely.union_all(self._painted_tree.geometries[painted]))
        return loose if shapely.area(loose) > TINY_M2 else shapely.Polygon()

    def _cut_along_rivals(self, cell: int, loose: shapely.Geometry) -> shapely.Geometry:
        if loose.is_empty:
            return loose
        around = self._tree.query(loose, predicate="dwithin", distance=self.limit_m)
        if len(around) == 1:
            return loose
        samples, owners = [], []
        for other in around:
            border = shapely.boundary(self._cells[other])
            spacing = max(SAMPLE_M, shapely.length(border) / MOST_SAMPLES)
            near = shapely.get_coordinates(shapely.segmentize(border, spacing))
            near = near[shapely.dwithin(loose, shapely.points(near), self.limit_m)]
            samples.append(near)
            owners.append(np.full(len(near), other))
        return shapely.intersection(loose, nearest_to(cell, np.concatenate(samples), np.concatenate(owners)))


def nearest_to(cell: int, samples: NDArray[np.float64], owners: NDArray[np.int64]) -> shapely.Geometry:
    """The part of the plane nearest to samples of `cell`; a sample of several cells is the lowest one's."""
    samples = np.round(samples, SAMPLE_DECIMALS)
    order = np.lexsort((owners, samples[:, 1], samples[:, 0]))
    samples, owners = samples[order], owners[order]
    first = np.append(True, (samples[1:] != samples[:-1]).any(axis=1))
    samples, owners = samples[first], owners[first]
    regions = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(samples)))
    region, sample = shapely.STRtree(shapely.points(samples)).query(regions, predicate="contains")
    return shapely.union_all(regions[region[owners[sample] == cell]])
