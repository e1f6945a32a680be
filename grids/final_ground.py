"""The final owner map: who owns each point of the plane once every rule of ground has spoken, at one moment.

The rules, from the top: a building's footprint belongs to the building's cell, then special cells, then the
exceptions in force, then social cells; off all of these the nearest cell (`grids.near_ground`); farther out
nobody. Painted in that order the first four leave each cell a polygon, its *ground*, and the ground of all
cells is disjoint. A fix is a circular Gaussian, so how likely each cell owns it is that Gaussian's mass over
the cell's ground, exact by `gis.gaussian`, and over its near ground. The masses of all cells and of nobody
add up to 1.

All shapes and distances are in metres of the city's zone; index i is cell i of the owner map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.gaussian import Outline, masses_over
from grids.exceptions import Strip
from grids.near_ground import NearGround

FAR_SIGMAS = 6.0
"""Beyond this many sigmas a circular Gaussian has less than 2e-8 of its mass."""
NO_MASS = 2e-8
"""So little is nobody's: the second candidate is then the nearest cell."""
AROUND_M = (60.0, 120.0, 240.0)
WIDEST_M = AROUND_M[-1]
"""For fixes that reach no farther, what lies around a cell is looked up once a cell."""
MOST_INTEGRALS = 64
"""A fix so coarse that more cells than this are in reach is integrated over the likeliest ones only."""
OVERLAP_M2 = 0.01
"""Cells that share less than this only touch: projecting a border moves it by less than a micrometre."""


@dataclass(frozen=True, slots=True)
class Sureness:
    """How near another owner is, and how sure the owner is, at one fix.

    `border_m` is the distance to the edge of the owner's ground; `confidence` the share of the fix's Gaussian
    on ground of this owner (or of nobody, where nobody owns the fix); `second` the likeliest other cell.
    """

    border_m: float
    confidence: float
    second: int | None
    second_confidence: float


@dataclass(frozen=True, slots=True)
class Overlay:
    """Ground painted over the social cells: a footprint, a special cell or an exception, owned by a cell."""

    owner: int
    shape: shapely.Geometry
    strip: Strip | None = None


class FinalGround:
    """The owner map of a generation with its overlays, from the highest down, and its barriers."""

    def __init__(
        self,
        cells: NDArray[np.object_],
        social: NDArray[np.bool_],
        overlays: Sequence[Overlay],
        barriers: NDArray[np.object_],
        *,
        near_limit_m: float,
    ) -> None:
        self._cells = cells
        self._social = social
        self._tree = shapely.STRtree(cells)
        self._areas = shapely.area(cells)
        self._overlays = list(overlays)
        self._overlay_tree = shapely.STRtree([overlay.shape for overlay in overlays])
        self._overlay_owner = np.array([overlay.owner for overlay in overlays], np.int64)
        painted = np.concatenate([cells, self._overlay_tree.geometries])
        self.near = NearGround(cells, painted, barriers, limit_m=near_limit_m)
        self._grounds: dict[int, tuple[shapely.Geometry, shapely.Geometry, Outline]] = {}
        self._arounds: dict[tuple[int, float], NDArray[np.int64]] = {}

    def exceptions_at(self, point: shapely.Point) -> list[tuple[int, Strip]]:
        """(owner, exception) of those that cover a point, the winning one first."""
        found = np.sort(self._overlay_tree.query(point, predicate="intersects"))
        return [
            (overlay.owner, overlay.strip)
            for overlay in (self._overlays[k] for k in found)
            if overlay.strip is not None
        ]

    def clear_of_overlays(
        self, x: NDArray[np.float64], y: NDArray[np.float64], reach_m: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Which of many points have no overlay within their reach: there the covering cell alone decides."""
        near = self._overlay_tree.query(shapely.points(x, y), predicate="dwithin", distance=reach_m)[0]
        clear = np.ones(len(x), bool)
        clear[near] = False
        return clear

    def certain(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        sigma: NDArray[np.float64],
        cells: NDArray[np.int32],
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.int64]]:
        """Of many fixes, those so far inside their covering cell that no rule but `covered` can speak.

        Returns (which, border_m, second); where `which` holds, the last two are what `sureness` says one by
        one (a second of -1: none). `cells` are the covering cells, -1 for none.
        """
        points, reach, border = shapely.points(x, y), FAR_SIGMAS * sigma, np.zeros(len(x))
        for cell in np.unique(cells[cells >= 0]):
            here = np.flatnonzero(cells == cell)
            border[here] = shapely.distance(self._made(int(cell))[1], points[here])
        which = (cells >= 0) & (border >= reach) & self.clear_of_overlays(x, y, reach)
        asked = np.flatnonzero(which)
        at, around = self._tree.query(points[asked], predicate="dwithin", distance=border[asked] + 1.0)
        other = around != cells[asked][at]
        at, around = at[other], around[other]
        order = np.lexsort((around, shapely.distance(self._cells[around], points[asked][at]), at))
        nearest = order[np.unique(at[order], return_index=True)[1]]
        second = np.full(len(x), -1, np.int64)
        second[asked[at[nearest]]] = around[nearest]
        return which, border, second

    def ground(self, cell: int) -> shapely.Geometry:
        """All ground of a cell: its overlays and what other overlays leave of it. Kept once it is made."""
        return self._made(cell)[0]

    def border_m(self, cell: int, point: shapely.Point) -> float:
        """Metres from the point to the edge of the cell's ground, from inside or outside."""
        return float(shapely.distance(self._made(cell)[1], point))

    def _made(self, cell: int) -> tuple[shapely.Geometry, shapely.Geometry, Outline]:
        """(ground, its border, its edges for the Gaussian)."""
        kept = self._grounds.get(cell)
        if kept is None:
            ground = self._paint(cell)
            shapely.prepare(ground)
            kept = self._grounds[cell] = ground, shapely.boundary(ground), Outline(ground)
        return kept

    def _paint(self, cell: int) -> shapely.Geometry:
        parts = []
        for k in np.flatnonzero(self._overlay_owner == cell):
            above = self._overlay_tree.query(self._overlays[k].shape, predicate="intersects")
            parts.append(self._left_of(self._overlays[k].shape, [j for j in above if j < k]))
        if self._social[cell]:
            shape = self._cells[cell]
            below = self._left_of(shape, self._overlay_tree.query(shape, predicate="intersects"))
            parts.append(self._without_lower_codes(cell, below))
        return parts[0] if len(parts) == 1 else shapely.union_all(parts)

    def _left_of(self, shape: shapely.Geometry, above: Sequence[int] | NDArray[np.int64]) -> shapely.Geometry:
        """What the overlays `above` leave of a shape."""
        if not len(above):
            return shape
        return shapely.difference(shape, shapely.union_all([self._overlays[k].shape for k in above]))

    def _without_lower_codes(self, cell: int, shape: shapely.Geometry) -> shapely.Geometry:
        """Where cells overlap (a drawing that was activated by force) the lower code owns."""
        rivals = self._tree.query(shape, predicate="intersects")
        rivals = rivals[(rivals < cell) & self._social[rivals]]
        if not len(rivals):
            return shape
        shared = shapely.intersection(self._cells[rivals], shape)
        deep = shapely.area(shared) > OVERLAP_M2
        return shapely.difference(shape, shapely.union_all(shared[deep])) if deep.any() else shape

    def sureness(self, point: shapely.Point, sigma: float, owner: int | None) -> Sureness:
        """Border, confidence and second candidate of a fix the rules gave to `owner` (None: to nobody)."""
        border_m = 0.0 if owner is None else self.border_m(owner, point)
        inside = owner is not None and shapely.intersects(self.ground(owner), point)
        if inside and border_m >= FAR_SIGMAS * sigma:
            return Sureness(border_m, 1.0, self._neighbour(point, border_m, owner), 0.0)
        masses = self.masses(point, sigma, owner, inside=inside)
        nobody = max(1.0 - sum(masses.values()), 0.0)
        confidence = nobody if owner is None else masses.pop(owner, 0.0)
        second = max(masses, key=lambda i: (masses[i], -i), default=None)
        if second is None or masses[second] <= NO_MASS:
            return Sureness(border_m, confidence, self._neighbour(point, border_m, owner), 0.0)
        return Sureness(border_m, confidence, second, masses[second])

    def masses(
        self, point: shapely.Point, sigma: float, owner: int | None = None, *, inside: bool = False
    ) -> dict[int, float]:
        """Cell -> share of the fix's Gaussian on its final ground; what is left of 1 is nobody's.

        `inside` says that the point lies on the ground of `owner`. A fix so coarse that it reaches more than
        `MOST_INTEGRALS` cells is integrated over those with the highest possible mass (area times the density
        at their nearest point) and over `owner`.
        """
        reach = FAR_SIGMAS * sigma
        if inside and owner is not None and reach <= WIDEST_M:
            cells = self._around(owner, point, reach)
        else:
            cells = self._in_reach(point, reach)
        complete = len(cells) <= MOST_INTEGRALS
        if not complete:
            bound = self._areas[cells] * np.exp(
                -0.5 * (shapely.distance(self._cells[cells], point) / sigma) ** 2
            )
            likeliest = cells[np.lexsort((cells, -bound))[:MOST_INTEGRALS]]
            cells = np.union1d(likeliest, likeliest[:0] if owner is None else [owner])
        outlines = [self._made(int(i))[2] for i in cells]
        shares = masses_over(outlines, point.x, point.y, sigma)
        masses = dict(zip(map(int, cells), shares, strict=True))
        left = max(1.0 - sum(masses.values()), 0.0) if complete else None
        if left is None or left > 1e-6:
            for cell, share in self.near.masses(point, sigma, reach, left).items():
                masses[cell] = masses.get(cell, 0.0) + share
        return masses

    def _in_reach(self, shape: shapely.Geometry, radius: float) -> NDArray[np.int64]:
        """Cells with ground of their own within `radius` metres, sorted."""
        cells = self._tree.query(shape, predicate="dwithin", distance=radius)
        overlays = self._overlay_tree.query(shape, predicate="dwithin", distance=radius)
        return np.unique(np.concatenate([cells, self._overlay_owner[overlays]]))

    def _around(self, owner: int, point: shapely.Point, radius: float) -> NDArray[np.int64]:
        """`_in_reach` of a point on the owner's ground, with one or the other cell too many.

        What lies around a whole cell is looked up once: asking the trees for each fix took longer than all
        the rest, and most fixes lie on their owner's ground.
        """
        wide = next(reach for reach in AROUND_M if radius <= reach)
        around = self._arounds.get((owner, wide))
        if around is None:
            around = self._arounds[owner, wide] = self._in_reach(self.ground(owner), wide)
        x, y = point.x, point.y
        return np.array([i for i in around.tolist() if self._made(i)[2].reaches(x, y, radius)], np.int64)

    def _neighbour(self, point: shapely.Point, reach: float, owner: int | None) -> int | None:
        """The nearest other cell, where none is likely: looked for a little beyond the border."""
        around = self._tree.query(point, predicate="dwithin", distance=reach + 1.0)
        around = around[around != owner] if owner is not None else around
        distances = shapely.distance(self._cells[around], point)
        return int(around[np.lexsort((around, distances))[0]]) if len(around) else None
