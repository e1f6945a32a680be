"""Rows of buildings: numbers, names and addresses; of the shops at their doors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.demo_city.addresses import Addresses
from etl.demo_city.ground import Ground
from etl.demo_city.names import Name
from etl.demo_city.sheet import degrees, to_degrees
from etl.demo_city.town import Town
from etl.demo_city.writing import Rows

HOUSES = ("residential", "mixed")

Ints = NDArray[np.int64]
Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Housing:
    """What the tables above need to know of each building, besides its rows."""

    rows: Rows
    name: Objects
    """Name, or address: how a place at this building is called."""
    point: Objects
    """A point inside, ground metres."""
    cell_code: Objects
    territory: Objects


def building_rows(
    town: Town,
    ground: Ground,
    addresses: Addresses,
    places: dict[int, Name],
    estates: dict[int, Name],
    estate_row: Ints,
) -> Housing:
    """Rows of `building` with ids from 1 in the order of the stock."""
    stock = town.stock
    points = shapely.point_on_surface(stock.outline)
    sides = np.where(stock.side >= 0, stock.side, addresses.main[stock.plot])
    address = addresses.written(stock.plot, sides, points)
    number = _numbers(town, points, estate_row)
    name = np.full(len(stock), None, object)
    for i, plot in enumerate(stock.plot):
        parcel = town.plots[plot].parcel
        label = stock.label[i]
        if number[i] is not None and parcel.use == "estate":
            name[i] = f"{estates[parcel.estate].zh} {number[i]} 栋"
        elif number[i] is not None:
            address[i] = f"{estates[parcel.estate].zh} {number[i]} 号"
        elif label and plot in places:
            name[i] = places[plot].zh + label
        elif label and parcel.estate in estates:
            name[i] = estates[parcel.estate].zh + label
        elif label:
            name[i] = label
    cell_code = ground.owner_code[stock.plot]
    in_estate = (estate_row[stock.plot] >= 0) & (stock.style != "shop")
    rows = Rows(
        "building",
        name=name,
        number=number,
        estate_id=[
            int(e) + 1 if inside else None
            for e, inside in zip(estate_row[stock.plot], in_estate, strict=True)
        ],
        address=address,
        use=stock.use,
        style=stock.style,
        floors=stock.floors,
        units=np.maximum(stock.units, 1),
        height_m=stock.height_m,
        households_count=stock.households,
        cell_code=cell_code,
        geom=to_degrees(stock.outline, town.origin),
        territory=ground.social_code[stock.plot],
    )
    called = np.where(name != None, name, address)  # noqa: E711 - elementwise over an object array
    return Housing(rows.numbered(), called, points, cell_code, ground.social_code[stock.plot])


def _numbers(town: Town, points: Objects, estate_row: Ints) -> Objects:
    """Numbers of homes within each estate: row by row from the north-west, as postmen know them."""
    stock = town.stock
    xy = shapely.get_coordinates(points)
    homes = np.flatnonzero(np.isin(stock.use, HOUSES) & (estate_row[stock.plot] >= 0))
    estate = estate_row[stock.plot[homes]]
    order = np.lexsort((xy[homes, 0], -np.round(xy[homes, 1] / 25), stock.plot[homes], estate))
    first = np.searchsorted(estate[order], estate[order])
    number = np.full(len(stock), None, object)
    number[homes[order]] = [str(n) for n in np.arange(len(order)) - first + 1]
    return number


TRADES = (
    ("小吃店", "餐饮", 15), ("面馆", "餐饮", 10), ("饭店", "餐饮", 9), ("火锅店", "餐饮", 4),
    ("烧烤店", "餐饮", 4), ("奶茶店", "餐饮", 5), ("便利店", "零售", 12), ("水果店", "零售", 7),
    ("超市", "零售", 5), ("服装店", "零售", 7), ("五金店", "零售", 4), ("药房", "医药", 5),
    ("诊所", "医药", 1), ("理发店", "服务", 7), ("房产中介", "服务", 5), ("洗衣店", "服务", 2),
    ("快递驿站", "服务", 3), ("培训班", "教育", 3),
)  # fmt: skip
"""(kind, trade, weight)."""
SHOP_FRONT_M = 4.9
INSIDE_M = 2.2
SHOP_NAMES = (
    "福来", "顺兴", "好邻", "老街", "万家", "聚丰", "小桥", "阿明", "江边", "乐邻", "四季", "金穗", "百味",
    "祥和", "东升", "如意", "便民", "新启", "春风", "喜乐", "同心", "大树", "星光", "橙子", "一品", "巷口",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shops:
    """Rows of `shop` and, row by row, the building and the place in ground metres."""

    rows: Rows
    building: Ints
    xy: NDArray[np.float64]
    trade: Objects
    name: Objects


def shop_rows(town: Town, housing: Housing, addresses: Addresses) -> Shops:
    """Shops side by side along the front of every building that has one."""
    rng = town.stream(11)
    building, xy = _shop_places(town)
    stock = town.stock
    points = shapely.points(xy)
    plots = stock.plot[building]
    sides = np.where(stock.side[building] >= 0, stock.side[building], addresses.main[plots])
    weight = np.array([trade[2] for trade in TRADES], float)
    trade = rng.choice(len(TRADES), len(building), p=weight / weight.sum())
    word = rng.choice(np.array(SHOP_NAMES, object), len(building))
    name = np.array([w + TRADES[t][0] for w, t in zip(word, trade, strict=True)], object)
    cell_code = housing.cell_code[building]
    category = np.array([TRADES[t][1] for t in trade], object)
    rows = Rows(
        "shop",
        name=name,
        category=category,
        building_id=building + 1,
        address=addresses.written(plots, sides, points),
        cell_code=cell_code,
        geom=shapely.points(degrees(xy, town.origin)),
        territory=housing.territory[building],
    )
    return Shops(rows.numbered(), building, xy, category, name)


def _shop_places(town: Town) -> tuple[Ints, NDArray[np.float64]]:
    """(building, ground metres) of each shop: along the first edge of a shop house, around a mall inside."""
    stock = town.stock
    fronted = np.flatnonzero(stock.front_m > 0)
    count = np.maximum(1, (stock.front_m[fronted] / SHOP_FRONT_M).astype(int))
    building = np.repeat(fronted, count)
    share = (np.concatenate([np.arange(n) for n in count]) + 0.5) / np.repeat(count, count)
    around = np.isin(stock.style[building], ("shop", "village")) & (stock.side[building] < 0)
    around |= stock.style[building] == "tower"
    coordinates, first = _corners(stock.outline)
    a, b, c = (coordinates[first[building] + k] for k in range(3))
    inward = (c - b) / np.hypot(*(c - b).T)[:, None]
    xy = a + (b - a) * share[:, None] + inward * INSIDE_M
    rings = shapely.get_exterior_ring(
        shapely.buffer(stock.outline[building[around]], -INSIDE_M, join_style="mitre")
    )
    ringed = shapely.length(rings) > 0  # NaN where a thin part fell apart: no shop there
    spots = np.flatnonzero(around)[ringed]
    xy[spots] = shapely.get_coordinates(
        shapely.line_interpolate_point(rings[ringed], share[spots], normalized=True)
    )
    inside = shapely.contains_properly(stock.outline[building], shapely.points(xy))
    return building[inside], xy[inside]


def _corners(outlines: Objects) -> tuple[NDArray[np.float64], Ints]:
    """All corners, and where each outline's begin."""
    coordinates, index = shapely.get_coordinates(outlines, return_index=True)
    return coordinates, np.searchsorted(index, np.arange(len(outlines)))
