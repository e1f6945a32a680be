"""City components (部件): lamps, covers, hydrants, trees and bins along the kerbs, cabinets at the gates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.demo_city.addresses import Addresses
from etl.demo_city.basemap import WIDTH_M
from etl.demo_city.ground import Ground
from etl.demo_city.parcels import HALF_WIDTH, ROAD_KINDS
from etl.demo_city.sheet import Floats, degrees
from etl.demo_city.town import Town
from etl.demo_city.writing import Rows

Ints = NDArray[np.int64]
Objects = NDArray[np.object_]


class Kind(NamedTuple):
    """A kind of component: main and small class of GB/T 30428, name, keeper, spacing along a road side,
    and its distance from the kerb (positive: on the pavement)."""

    name: str
    classes: str
    zh: str
    department: str
    step_m: float
    off_kerb_m: float


KINDS = (
    Kind("lamp", "0115", "路灯", "municipal", 32, 1.3),
    Kind("manhole", "0102", "污水井盖", "drainage", 44, -1.6),
    Kind("hydrant", "0110", "消防栓", "fire_rescue", 120, 2.0),
    Kind("bin", "0303", "垃圾箱", "sanitation", 90, 2.4),
    Kind("bus_stop", "0203", "公交站亭", "municipal", 420, 2.2),
    Kind("tree", "0401", "行道树", "greening", 26, 2.6),
)
CABINET = Kind("cabinet", "0118", "配电箱", "power_supply", 0, 0)
BUS_ROADS = ("arterial", "secondary")
STATES = (("good", 0.965), ("damaged", 0.025), ("missing", 0.005), ("occupied", 0.005))
CLEAR_OF_BUILDINGS_M = 0.3
CORNER_M = 3.0
"""Kept free behind the kerb of a crossing road."""


@dataclass(frozen=True, slots=True)
class Components:
    """Rows of `component` and, row by row, the kind and the place in ground metres."""

    rows: Rows
    kind: Objects
    xy: Floats
    plot: Ints
    address: Objects
    """Where it stands: 永康街 12 号; None off every road."""
    cell_code: Objects


def component_rows(town: Town, ground: Ground, addresses: Addresses) -> Components:
    """Components along both sides of every road, and a cabinet at every gate."""
    kinds, xys, plots, sides = [], [], [], []
    for kind in KINDS:
        if kind.name == "tree" and not town.size.trees:
            continue
        xy, plot, side = _along_roads(town, kind)
        kinds += [kind] * len(xy)
        xys.append(xy)
        plots.append(plot)
        sides.append(side)
    gates = [(i, gate) for i, drawing in enumerate(town.drawings) for gate in drawing.gates]
    at_gates = _beside_gates(town, gates)
    kinds += [CABINET] * len(gates)
    plot = np.concatenate([*plots, [i for i, _ in gates]]).astype(np.int64)
    side = np.concatenate([*sides, [gate.side for _, gate in gates]]).astype(np.int64)
    xy = np.concatenate([*xys, at_gates])
    points = shapely.points(xy)
    keep = shapely.contains_properly(town.shares()[plot], points)
    near = shapely.STRtree(town.stock.outline).query(
        points, predicate="dwithin", distance=CLEAR_OF_BUILDINGS_M
    )
    keep[near[0]] = False
    kind = np.array([k.name for k in kinds], object)[keep]
    full = [k for k, kept in zip(kinds, keep, strict=True) if kept]
    plot, side, xy = plot[keep], side[keep], xy[keep]
    inside = np.array([k is CABINET for k in full])
    cell_code = np.where(inside, ground.owner_code[plot], ground.social_code[plot])
    road = np.array([n.zh if n else "" for n in addresses.name[plot, side]], object)
    faced = np.where(addresses.name[plot, side] == None, -1, side)  # noqa: E711 - elementwise
    address = addresses.written(plot, faced, shapely.points(xy))
    rng = town.stream(12)
    rows = Rows(
        "component",
        kind=kind,
        code=_codes(full, cell_code),
        name=[f"{s}{k.zh}" for s, k in zip(road, full, strict=True)],
        department_code=[k.department for k in full],
        state=rng.choice([s for s, _ in STATES], len(kind), p=[p for _, p in STATES]),
        cell_code=cell_code,
        geom=shapely.points(degrees(xy, town.origin)),
        territory=ground.social_code[plot],
    )
    return Components(rows.numbered(), kind, xy, plot, address, cell_code)


def _codes(kinds: list[Kind], cell_code: Objects) -> list[str]:
    """16 digits each: district 6, main and small class 4, a number within both 6."""
    counted: dict[str, int] = {}
    codes = []
    for kind, cell in zip(kinds, cell_code, strict=True):
        stem = cell[:6] + kind.classes
        counted[stem] = counted.get(stem, 0) + 1
        codes.append(f"{stem}{counted[stem]:06d}")
    return codes


def _along_roads(town: Town, kind: Kind) -> tuple[Floats, Ints, Ints]:
    """(ground metres, plot, side) of the components of one kind along all road sides of all plots."""
    plot, side, lines, offset, trim = [], [], [], [], []
    for i, p in enumerate(town.plots):
        if p.parcel.use == "riverside" and kind.name == "bus_stop":
            continue
        halves = [HALF_WIDTH[s] for s in p.parcel.sides]
        for k, road in enumerate(p.parcel.sides):
            if road not in ROAD_KINDS or (kind.name == "bus_stop" and road not in BUS_ROADS):
                continue
            ends = halves[2:] if k < 2 else halves[:2]
            plot.append(i)
            side.append(k)
            lines.append(p.sides[k])
            offset.append((WIDTH_M[road] / 2 + kind.off_kerb_m) * (-1 if k in (0, 3) else 1))
            trim.append((ends[0] + CORNER_M, ends[1] + CORNER_M))
    line = np.array(lines, object)
    length = shapely.length(line)
    first, last = np.array(trim).T
    room = length - first - last
    count = np.maximum(0, np.rint(room / kind.step_m)).astype(int)
    which = np.repeat(np.arange(len(line)), count)
    rank = np.concatenate([np.arange(n) for n in count]) if count.sum() else np.empty(0)
    at = first[which] + (rank + 0.5) * (room / np.maximum(count, 1))[which]
    here = shapely.get_coordinates(shapely.line_interpolate_point(line[which], at))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(line[which], at + 0.5))
    along = (ahead - here) / np.maximum(np.hypot(*(ahead - here).T), 1e-9)[:, None]
    left = np.stack([-along[:, 1], along[:, 0]], 1)
    xy = here + left * np.array(offset)[which][:, None]
    return xy, np.array(plot)[which], np.array(side)[which]


def _beside_gates(town: Town, gates: list) -> Floats:
    """A spot some metres inside each gate, beside its lane."""
    if not gates:
        return np.empty((0, 2))
    xy = np.array([(gate.x, gate.y) for _, gate in gates])
    middle = shapely.get_coordinates(
        shapely.centroid(np.array([town.plots[i].inside for i, _ in gates], object))
    )
    inward = (middle - xy) / np.maximum(np.hypot(*(middle - xy).T), 1e-9)[:, None]
    return xy + inward * 11 + np.stack([inward[:, 1], -inward[:, 0]], 1) * 6
