"""Whose ground, for many fixes at once: the routing's rules over the real owner map, in arrays.

The living cases are routed one by one by `grids.responsibility`. The mass of the past asks the same map the
same questions, but takes its confidence from 64 points of equal mass instead of the exact integral: within
one per cent, and a thousand times faster.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.demo_city.force import Force
from etl.demo_city.sheet import Floats
from gis import crs
from gis.masking import mask_name
from grids.ground_rules import RULES
from grids.owner_map import OwnerMap
from grids.reasons import POST_NAMES, sentence

Ints = NDArray[np.int64]
Objects = NDArray[np.object_]

SAMPLES = 64
SURE_FROM_SIGMAS = 4.0
"""Farther than this from the border the fix is certain to one in 3000."""
RING = 16
WORDS = {rule.name: (rule.zh, rule.en) for rule in RULES}


@dataclass(frozen=True, slots=True)
class Routed:
    """The routing's columns of one case."""

    cell_code: str
    territory: str
    rule: str
    confidence: float
    border_m: float
    second_cell: str | None
    member: int
    second_member: int | None
    reason_zh: str
    reason_en: str
    trace: list[dict[str, str]]


def route_many(
    city: OwnerMap,
    force: Force,
    at: datetime,
    lonlat: Floats,
    sigma_m: Floats,
    component_cell: Objects,
    building_cell: Objects,
    beneath: dict[str, str],
) -> list[Routed]:
    """Routes of n fixes inside the city; the cells of component and building are None where there is none.

    `beneath` is the social cell beneath each special one: it gives the territory.
    """
    found = _owners(city, lonlat, component_cell, building_cell)
    x, y = crs.to_metres(lonlat[:, 0], lonlat[:, 1], zone=city.zone)
    border = _border_m(city, at, found.owner, shapely.points(x, y))
    confidence, second = _sureness(city, lonlat, sigma_m, found.owner, border)
    certain = found.rule == "component"
    confidence[certain], second[certain] = 1.0, -1
    return [
        _route(city, force, int(owner), str(rule), float(b), float(c), int(s), beneath)
        for owner, rule, b, c, s in zip(found.owner, found.rule, border, confidence, second, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Found:
    owner: Ints
    rule: Objects


def _owners(city: OwnerMap, lonlat: Floats, component_cell: Objects, building_cell: Objects) -> _Found:
    """The rules of ground in their order, as far as they speak of ground inside the city."""
    owner = city.covering(lonlat[:, 0], lonlat[:, 1]).astype(np.int64)
    rule = np.where(city.special[owner], "special", "covered").astype(object)
    for name, codes in (("building", building_cell), ("component", component_cell)):
        named = np.array([code is not None for code in codes], bool)
        owner[named] = [city.position[code] for code in codes[named]]
        rule[named] = name
    return _Found(owner, rule)


def _border_m(city: OwnerMap, at: datetime, owner: Ints, points: Objects) -> Floats:
    """Metres from each point to the edge of its owner's ground."""
    ground = city.at(at)
    cells, index = np.unique(owner, return_inverse=True)
    edges = shapely.boundary(np.array([ground.ground(int(cell)) for cell in cells], object))
    shapely.prepare(edges)
    return np.round(shapely.distance(edges[index], points), 1)


def _sureness(
    city: OwnerMap, lonlat: Floats, sigma_m: Floats, owner: Ints, border: Floats
) -> tuple[Floats, Ints]:
    """(confidence, second candidate or -1): shares of the Gaussian, and who is beyond the border."""
    confidence = np.ones(len(owner))
    second = np.full(len(owner), -1)
    near = np.flatnonzero(border < SURE_FROM_SIGMAS * sigma_m)
    around = _located(city, lonlat[near], _sunflower(SAMPLES), sigma_m[near])
    own = around == owner[near][:, None]
    confidence[near] = own.mean(1)
    second[near] = _commonest(np.where(own, -1, around))
    alone = np.flatnonzero(second < 0)
    turn = np.arange(RING) * (2 * np.pi / RING)
    ring = _located(
        city, lonlat[alone], np.stack([np.cos(turn), np.sin(turn)], 1), border[alone] * 1.02 + 2.0
    )
    second[alone] = _commonest(np.where(ring == owner[alone][:, None], -1, ring))
    return confidence, second


def _sunflower(n: int) -> Floats:
    """n points of equal mass of the standard circular Gaussian."""
    rank = (np.arange(n) + 0.5) / n
    turn = np.arange(n) * np.pi * (3.0 - np.sqrt(5.0))
    radius = np.sqrt(-2.0 * np.log1p(-rank))
    return np.stack([radius * np.cos(turn), radius * np.sin(turn)], 1)


def _located(city: OwnerMap, lonlat: Floats, offsets: Floats, scale_m: Floats) -> Ints:
    """(fixes, offsets) owners of the points at `offsets` times `scale_m` metres from each fix.

    Metres become degrees by the length of a degree at each latitude: over 100 m exact to a millimetre.
    """
    lat = np.radians(lonlat[:, 1])
    per_lat = 111_132.95 - 559.85 * np.cos(2 * lat) + 1.175 * np.cos(4 * lat)
    per_lon = 111_412.88 * np.cos(lat) - 93.5 * np.cos(3 * lat)
    lon = lonlat[:, :1] + offsets[:, 0] * (scale_m / per_lon)[:, None]
    lat_ = lonlat[:, 1:] + offsets[:, 1] * (scale_m / per_lat)[:, None]
    return city.covering(lon.ravel(), lat_.ravel()).astype(np.int64).reshape(lon.shape)


def _commonest(rows: Ints) -> Ints:
    """The commonest value of each row that is not negative, the lowest on a tie; -1 where there is none."""
    ordered = np.sort(rows, axis=1)
    best, best_count = np.full(len(rows), -1), np.zeros(len(rows), int)
    run = np.zeros(len(rows), int)
    for k in range(ordered.shape[1]):
        value = ordered[:, k]
        same = value == ordered[:, k - 1] if k else np.zeros(len(rows), bool)
        run = np.where(same, run + 1, 1)
        better = (value >= 0) & (run > best_count)
        best, best_count = np.where(better, value, best), np.where(better, run, best_count)
    return best


def _route(
    city: OwnerMap,
    force: Force,
    owner: int,
    rule: str,
    border: float,
    confidence: float,
    second: int,
    beneath: dict[str, str],
) -> Routed:
    """Put people and words to the ground."""
    code = city.codes[owner]
    member = force.holder["member", code]
    shown = mask_name(force.name(member))
    reason_zh, reason_en = sentence(rule, code, border, confidence, (shown, True))
    zh, en = WORDS[rule]
    post_zh, post_en = POST_NAMES["member"]
    second_code = city.codes[second] if second >= 0 else None
    return Routed(
        cell_code=code,
        territory=beneath.get(code, code),
        rule=rule,
        confidence=round(confidence, 4),
        border_m=border,
        second_cell=second_code,
        member=member,
        second_member=force.holder["member", second_code] if second_code else None,
        reason_zh=reason_zh,
        reason_en=reason_en,
        trace=[
            {"step": rule, "zh": f"{zh}：{city.names[owner]}。", "en": f"By {en}: {city.names[owner]}."},
            {
                "step": "roster",
                "zh": f"{post_zh} {shown} 正在值班。",
                "en": f"{shown}, the {post_en}, is on duty.",
            },
        ],
    )
