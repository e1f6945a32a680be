"""River, bridges and roads: the plan that leaves blocks, and the road and water layers drawn from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

from etl.demo_city.parcels import ROAD_KINDS, Parcel, RoadLine, Sides, divide
from etl.demo_city.sheet import RIVER_BAND, Floats, Rect, bend, line_along, river_half_width
from etl.demo_city.sizes import Size

LARGEST_BLOCK_M2 = 66_000
OUTSKIRTS = 1500
"""How far roads and river are drawn beyond the city, so that it does not end in a void."""
CANAL_HALF_WIDTH = 8.5
ABUTMENT = 12
"""A bridge begins this far before the water."""


@dataclass(frozen=True, slots=True)
class RoadPlan:
    """Blocks between roads on both banks, the green strips along the river, and every road line."""

    blocks: list[Parcel]
    strips: list[Parcel]
    roads: list[RoadLine]
    canals: list[int]
    """The u of each canal; it takes the place of a road on the north bank, and runs into the river."""
    bridges: dict[int, str]
    """u of each road over the river, and its kind."""


def plan_roads(size: Size, rng: np.random.Generator) -> RoadPlan:
    """Bridges first, then superblocks of main roads on each bank, then blocks by smaller roads."""
    bridges = _bridges(size, rng)
    blocks: list[Parcel] = []
    strips: list[Parcel] = []
    roads: list[RoadLine] = []
    canals: list[int] = []
    for bank, depth in ((-1, size.south), (1, size.north)):
        across = _across(size, bridges, rng)
        along = _steps(RIVER_BAND, depth, 370, 540, rng)
        kinds_u = {u: bridges.get(u, "secondary") for u in across}
        if bank > 0 and (free := [u for u in across[1:-1] if u not in bridges]):
            canals = free[1::7] or free[:1]
            kinds_u.update(dict.fromkeys(canals, "canal"))
        kinds_v = [_kind_along(i, len(along), size) for i in range(len(along))]
        roads += _main_roads(bank, across, along, kinds_u, kinds_v)
        for west, east in pairwise(across):
            for i, (near, far) in enumerate(pairwise(along)):
                block = _superblock(bank, west, east, near, far, kinds_u, kinds_v[i : i + 2])
                pieces, lines = divide(
                    block, rng, largest_m2=LARGEST_BLOCK_M2, longest=1.9, kind_at=_smaller_road(block, rng)
                )
                blocks += pieces
                roads += lines
            strips.append(_strip(bank, west, east, kinds_u))
    return RoadPlan(blocks, strips, roads, canals, bridges)


def _steps(start: int, end: int, least: int, most: int, rng: np.random.Generator) -> list[int]:
    """Whole metres from start to end in uneven steps between about `least` and `most`."""
    n = max(1, round((end - start) / ((least + most) / 2)))
    at = np.linspace(start, end, n + 1)
    at[1:-1] += rng.uniform(-0.13, 0.13, n - 1) * (end - start) / n
    return [round(t) for t in at]


def _bridges(size: Size, rng: np.random.Generator) -> dict[int, str]:
    """Every 700 to 1000 m a bridge; every fourth one, from the second, carries an expressway."""
    at = _steps(0, size.width, 700, 1000, rng)[1:-1] or [size.width // 2]
    return {u: "expressway" if i % 4 == 1 else "arterial" for i, u in enumerate(at)}


def _across(size: Size, bridges: dict[int, str], rng: np.random.Generator) -> list[int]:
    """The main roads across one bank: those of the bridges and others between."""
    ends = [0, *bridges, size.width]
    result = [0]
    for west, east in pairwise(ends):
        result += _steps(west, east, 380, 560, rng)[1:]
    return result


def _kind_along(i: int, n: int, size: Size) -> str:
    """Roads along the river: riverside and last are secondary, between them every other one arterial."""
    if i in (0, n - 1) or i % 2 == 0:
        return "secondary"
    return "expressway" if i == 5 and size.width > 5000 else "arterial"


def _smaller_road(block: Parcel, rng: np.random.Generator) -> Callable[[int], str]:
    """Names the road of each cut: sometimes the first is a secondary one, never beside a canal."""

    def kind(depth: int) -> str:
        return "secondary" if depth == 0 and rng.random() < 0.25 and "canal" not in block.sides else "local"

    return kind


def _main_roads(
    bank: int, across: list[int], along: list[int], kinds_u: dict[int, str], kinds_v: list[str]
) -> list[RoadLine]:
    """The lines of the superblock grid of one bank. Roads of bridges are made once, with the north bank."""
    lines = []
    for u in across:
        kind = kinds_u[u]
        if kind not in ROAD_KINDS:
            continue
        start, end = sorted((bank * along[0], bank * along[-1]))
        lines.append(RoadLine("u", u, start, end, kind))
        if kind in ("arterial", "expressway") and bank > 0:
            lines.append(RoadLine("u", u, -RIVER_BAND, RIVER_BAND, kind))
    return lines + [
        RoadLine("v", bank * v, across[0], across[-1], kind) for v, kind in zip(along, kinds_v, strict=True)
    ]


def _superblock(
    bank: int, west: int, east: int, near: int, far: int, kinds_u: dict[int, str], kinds_v: list[str]
) -> Parcel:
    """The parcel between two main roads each way; `near` and `far` count from the river."""
    south, north = sorted((bank * near, bank * far))
    below, above = kinds_v if bank > 0 else kinds_v[::-1]
    return Parcel(Rect(west, east, south, north), Sides(kinds_u[west], kinds_u[east], below, above))


def _strip(bank: int, west: int, east: int, kinds_u: dict[int, str]) -> Parcel:
    """The green strip between river axis and riverside road; only bridges and canals cut it."""
    left, right = (
        kinds_u[u] if kinds_u[u] in ("arterial", "expressway", "canal") else "river" for u in (west, east)
    )
    south, north = sorted((0, bank * RIVER_BAND))
    below, above = ("river", "secondary") if bank > 0 else ("secondary", "river")
    return Parcel(Rect(west, east, south, north), Sides(left, right, below, above), use="riverside")


def river_shape(size: Size) -> shapely.Polygon:
    """The river from beyond one end of the city to beyond the other, in ground metres."""
    u = np.arange(-OUTSKIRTS, size.width + OUTSKIRTS + 20, 20.0)
    half = river_half_width(u)
    return shapely.Polygon(np.concatenate([bend(u, half), bend(u, -half)[::-1]]))


def canal_shapes(plan: RoadPlan, size: Size, river: shapely.Polygon) -> list[shapely.Geometry]:
    """The canals down to the river's bank."""
    lines = [
        shapely.LineString(line_along("u", u, 0, size.north + (OUTSKIRTS if size.north else 0)))
        for u in plan.canals
    ]
    return [shapely.difference(line.buffer(CANAL_HALF_WIDTH, cap_style="flat"), river) for line in lines]


def bridge_spans(road: RoadLine, plan: RoadPlan) -> list[tuple[float, float]]:
    """Where along a road it is a bridge: over the river, or over a canal it crosses."""
    if road.axis == "u":
        half = float(river_half_width(road.at)) + ABUTMENT
        return [(-half, half)] if road.start <= -half and road.end >= half else []
    if road.at < 0:
        return []
    half = CANAL_HALF_WIDTH + ABUTMENT
    return [
        (canal - half, canal + half)
        for canal in plan.canals
        if road.start < canal - half and road.end > canal + half
    ]


def cut_at_bridges(road: RoadLine, plan: RoadPlan) -> list[tuple[bool, Floats]]:
    """A road as ground lines in order, each with whether it is a bridge."""
    here, last = _between_banks(road, plan)
    pieces = []
    for start, end in bridge_spans(road, plan):
        pieces += [
            (False, line_along(road.axis, road.at, here, start)),
            (True, line_along(road.axis, road.at, start, end)),
        ]
        here = end
    return [*pieces, (False, line_along(road.axis, road.at, here, last))]


def _between_banks(road: RoadLine, plan: RoadPlan) -> tuple[float, float]:
    """Where a road begins and ends: one that runs up to a canal stops on its bank."""
    start, end = float(road.start), float(road.end)
    if road.axis == "v" and road.at > 0:
        start += (CANAL_HALF_WIDTH + 5) * (road.start in plan.canals)
        end -= (CANAL_HALF_WIDTH + 5) * (road.end in plan.canals)
    return start, end


def outskirts(size: Size, plan: RoadPlan) -> list[RoadLine]:
    """Roads beyond the city's edge: its main roads go on, and two rings of roads cross them."""
    west, east, south, north = 0, size.width, -size.south, size.north
    lines = []
    for axis, at, start, end, kind in plan.roads:
        low, high = (south, north) if axis == "u" else (west, east)
        if kind in ("local", "lane") or at in ((west, east) if axis == "u" else (south, north)):
            continue
        if start == low:
            lines.append(RoadLine(axis, at, low - OUTSKIRTS, low, kind))
        if end == high:
            lines.append(RoadLine(axis, at, high, high + OUTSKIRTS, kind))
    for beyond in (560, 1120):
        far = OUTSKIRTS
        for sign, edge in ((-1, south), (1, north)):
            lines.append(RoadLine("v", edge + sign * beyond, west - far, east + far, "secondary"))
        for sign, edge in ((-1, west), (1, east)):
            at = edge + sign * beyond
            lines.append(RoadLine("u", at, RIVER_BAND, north + far, "secondary"))
            lines.append(RoadLine("u", at, south - far, -RIVER_BAND, "secondary"))
    return lines
