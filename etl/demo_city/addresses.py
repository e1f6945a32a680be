"""Names of the streets, and house numbers along them: odd on the west and south side, even on the other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.demo_city.names import MAIN_ROADS, Name, Names
from etl.demo_city.parcels import STREETS, Street
from etl.demo_city.sheet import RIVER_BAND
from etl.demo_city.town import Town

FRONT_M = 9.0
"""Street front of one house number."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Street names by line of the sheet, and for each side of each plot the street it faces.

    `name` is (plots, 4) of Name or None; `start` and `length` tell where along its street a side lies, in
    metres of the sheet; `main` is the side a plot is addressed by, -1 where no street touches it.
    """

    streets: dict[Street, Name]
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
        """Addresses: 永康街 12 号. None where the plot faces no street."""
        faces = sides >= 0
        result = np.full(len(plots), None, object)
        names = self.name[plots[faces], sides[faces]]
        numbers = self.number(plots[faces], sides[faces], points[faces])
        result[faces] = [f"{name.zh} {n} 号" for name, n in zip(names, numbers, strict=True)]
        return result


def name_streets(town: Town, names: Names) -> Addresses:
    """Name every street and find which one each plot's side faces."""
    streets = _street_names(town, names)
    on_line: dict[tuple[str, int], list[tuple[Street, Name]]] = defaultdict(list)
    for street, name in streets.items():
        on_line[street.axis, street.at].append((street, name))
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
            if found is None or plot.parcel.sides[k] not in STREETS:
                continue
            street, facing[i, k] = found
            start[i, k], length[i, k] = low - street.start, high - low
            rank[k] = STREETS[::-1].index(street.kind)
        gates = [gate.side for gate in town.drawings[i].gates if gate.side in rank]
        if rank:
            main[i] = gates[0] if gates else max(rank, key=lambda k: (rank[k], -k))
    lines = np.array([plot.sides for plot in town.plots], object).reshape(n, 4)
    return Addresses(streets, facing, start, length, main, lines)


def _street_names(town: Town, names: Names) -> dict[Street, Name]:
    """A name for each street; streets on one long line across the river share theirs."""
    result: dict[Street, Name] = {}
    by_line: dict[tuple[str, int], Name] = {}
    first = dict(MAIN_ROADS)
    for street in town.streets:
        if street.kind not in STREETS:
            continue
        line = (street.axis, street.at)
        through = street.kind != "local"
        name = by_line.get(line) if through else None
        if name is None:
            name = first.pop(_famous(street, town), None) or names.road(street.kind)
        if through:
            by_line[line] = name
        result[street] = name
    return result


def _famous(street: Street, town: Town) -> str:
    """Which of `MAIN_ROADS` this street may be."""
    if street.axis == "u" and street.at in town.plan.bridges:
        return "first expressway" if street.kind == "expressway" else "first bridge"
    if street.axis == "v" and abs(street.at) == RIVER_BAND:
        return "north bank" if street.at > 0 else "south bank"
    return "first along" if street.axis == "v" and street.kind == "arterial" else ""
