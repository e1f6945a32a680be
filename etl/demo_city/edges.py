"""Rectangles of the sheet -> ground polygons that share their borders exactly.

Each line of the sheet keeps one sorted list of all corners that lie on it, plus a point every 25 m so that
long edges bend. A rectangle's ring walks through every one of them, so two neighbours have the same vertices
along what they share: the coverage is exact by construction, with no noding and no snapping.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.demo_city.sheet import Rect, bend

STEP = 25

Nodes = list[tuple[int, int]]


class Edges:
    """All corners of the given rectangles, line by line. Register every rectangle before asking for one."""

    def __init__(self, rects: Sequence[Rect]) -> None:
        across: dict[int, set[int]] = defaultdict(set)
        along: dict[int, set[int]] = defaultdict(set)
        for rect in rects:
            for u in (rect.west, rect.east):
                across[u] |= {rect.south, rect.north}
            for v in (rect.south, rect.north):
                along[v] |= {rect.west, rect.east}
        self._across = {u: sorted(vs) for u, vs in across.items()}
        self._along = {v: sorted(us) for v, us in along.items()}

    def polygons(self, rects: Sequence[Rect]) -> NDArray[np.object_]:
        """One polygon for each rectangle, in ground metres."""
        nodes: Nodes = []
        index: list[int] = []
        for i, rect in enumerate(rects):
            west, east, south, north = self._sides(rect)
            ring = south + east[1:] + north[-2::-1] + west[-2::-1]
            nodes += ring
            index += [i] * len(ring)
        return shapely.polygons(shapely.linearrings(_ground(nodes), indices=np.array(index)))

    def side_lines(self, rects: Sequence[Rect]) -> NDArray[np.object_]:
        """(n, 4) lines: west and east side from the south, south and north side from the west."""
        nodes: Nodes = []
        index: list[int] = []
        for i, rect in enumerate(rects):
            for k, side in enumerate(self._sides(rect)):
                nodes += side
                index += [4 * i + k] * len(side)
        return shapely.linestrings(_ground(nodes), indices=np.array(index)).reshape(-1, 4)

    def _sides(self, rect: Rect) -> tuple[Nodes, Nodes, Nodes, Nodes]:
        west, east, south, north = rect
        return (
            [(west, v) for v in _between(self._across[west], south, north)],
            [(east, v) for v in _between(self._across[east], south, north)],
            [(u, south) for u in _between(self._along[south], west, east)],
            [(u, north) for u in _between(self._along[north], west, east)],
        )


def _between(corners: list[int], start: int, end: int) -> list[int]:
    """All nodes of a line from start to end: its corners, and every whole multiple of `STEP`."""
    inner = corners[bisect_right(corners, start) : bisect_left(corners, end)]
    steps = range(start - start % STEP + STEP, end, STEP)
    return [start, *sorted({*inner, *steps}), end]


def _ground(nodes: Nodes) -> NDArray[np.float64]:
    sheet = np.array(nodes, float)
    return bend(sheet[:, 0], sheet[:, 1])
