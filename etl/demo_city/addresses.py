"""Names of the roads, and house numbers along them: odd on the west and south side, even on the other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.demo_city.names import MAIN_ROADS, Name, Names
from etl.demo_city.parcels import ROAD_KINDS, RoadLine
from etl.demo_city.sheet import RIVER_BAND
from etl.demo_city.town import Town

FRONT_M = 9.0
"""RoadLine front of one house number."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Addresses:
    """RoadLine names by line of the sheet, and for each side of each plot the road it faces.

    `name` is (plots, 4) of Name or None; `start` and `length` tell where along its road a side lies, in
    metres of the sheet; `main` is the side a plot is addressed by, -1 where no road touches it.
    """

    roads: dict[RoadLine, Name]
    name: NDArray[np.object_]
    start: Ints
    length: Ints
    main: Ints
    lines: NDArray[np.object_]

    def number(self, plots: Ints, sides: Ints, points: NDArray[np.object_]) -> Ints:
        """House numbers of points at the given sides of their plots."""
        lines = self.lines[plots, sides]
        share = shapely.line_locate_point(lines, points, normalized=True)
        metres = self.start[plots, sides] + share * self.length[plots, sides]
        return 2 * (metres // FRONT_M).astype(np.int64) + 1 + (sides % 2 == 0)

    def written(self, plots: Ints, sides: Ints, points: NDArray[np.object_]) -> NDArray[np.object_]:
        """Addresses: 永康街 12 号. None where the plot faces no road."""
        faces = sides >= 0
        result = np.full(len(plots), None, object)
        names = self.name[plots[faces], sides[faces]]
        numbers = self.number(plots[faces], sides[faces], points[faces])
        result[faces] = [f"{name.zh} {n} 号" for name, n in zip(names, numbers, strict=True)]
        return result


def name_roads(town: Town, names: Names) -> Addresses:
    """Name every road and find which one each plot's side faces."""
    roads = _road_names(town, names)
    on_line: dict[tuple[str, int], list[tuple[RoadLine, Name]]] = defaultdict(list)
    for road, name in roads.items():
        on_line[road.axis, road.at].append((road, name))
    n = len(town.plots)
    facing = np.full((n, 4), None, object)
    start, length = np.zeros((n, 4), np.int64), np.ones((n, 4), np.int64)
    main = np.full(n, -1)
    for i, plot in enumerate(town.plots):
        west, east, south, north = plot.parcel.rect
        rank = {}
        for k, (axis, at, low, high) in enumerate(
            (
                ("u", west, south, north),
                ("u", east, south, north),
                ("v", south, west, east),
                ("v", north, west, east),
            )
        ):
            found = next(
                (s for s in on_line.get((axis, at), ()) if s[0].start <= low and high <= s[0].end), None
            )
            if found is None or plot.parcel.sides[k] not in ROAD_KINDS:
                continue
            road, facing[i, k] = found
            start[i, k], length[i, k] = low - road.start, high - low
            rank[k] = ROAD_KINDS[::-1].index(road.kind)
        gates = [gate.side for gate in town.drawings[i].gates if gate.side in rank]
        if rank:
            main[i] = gates[0] if gates else max(rank, key=lambda k: (rank[k], -k))
    lines = np.array([plot.sides for plot in town.plots], object).reshape(n, 4)
    return Addresses(roads, facing, start, length, main, lines)


def _road_names(town: Town, names: Names) -> dict[RoadLine, Name]:
    """A name for each road; roads on one long line across the river share theirs."""
    result: dict[RoadLine, Name] = {}
    by_line: dict[tuple[str, int], Name] = {}
    first = dict(MAIN_ROADS)
    for road in town.roads:
        if road.kind not in ROAD_KINDS:
            continue
        line = (road.axis, road.at)
        through = road.kind != "local"
        name = by_line.get(line) if through else None
        if name is None:
            name = first.pop(_famous(road, town), None) or names.road(road.kind)
        if through:
            by_line[line] = name
        result[road] = name
    return result


def _famous(road: RoadLine, town: Town) -> str:
    """Which of `MAIN_ROADS` this road may be."""
    if road.axis == "u" and road.at in town.plan.bridges:
        return "first expressway" if road.kind == "expressway" else "first bridge"
    if road.axis == "v" and abs(road.at) == RIVER_BAND:
        return "north bank" if road.at > 0 else "south bank"
    return "first along" if road.axis == "v" and road.kind == "arterial" else ""
