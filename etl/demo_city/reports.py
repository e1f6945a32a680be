"""Reports: what went wrong where, how it was reported, and what place the phone claimed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etl.demo_city.scenes import Scene
from etl.demo_city.sheet import Floats, degrees
from etl.demo_city.spots import Whereabouts
from etl.demo_city.town import Town
from gis.geometry import DEFAULT_ACCURACY_M, Fix

Ints = NDArray[np.int64]
Objects = NDArray[np.object_]

CHANNELS = ("member", "wechat", "hotline", "resident", "desk", "sensor")
CHANNEL_SHARES = (0.52, 0.17, 0.13, 0.12, 0.05, 0.01)
ACCURACY = {
    "member": (4.0, 12.0, 68),
    "wechat": (12.0, 35.0, 95),
    "resident": (12.0, 35.0, 95),
    "sensor": (2.0, 4.0, 68),
}
"""Least and largest radius a device claims, and its level; the desk and the hotline claim none."""
DATUM = {"wechat": "GCJ-02", "resident": "EPSG:4326", "member": "EPSG:4326"}
"""What a channel's numbers are declared as; the rest is stored as it comes."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Reports of some scenes, each at its spot: true place, the place a phone claims, and the words."""

    scene: list[Scene]
    channel: Objects
    title: list[str]
    description: list[str]
    place: Objects
    truth: Objects
    """The cell each truly belongs to."""
    true_lonlat: Floats
    lonlat: Floats
    accuracy_m: Floats
    """NaN where the channel claims none."""
    level: list[int | None]
    building: Ints
    """The building a phone's place lies at, rows from 0, -1 for none."""
    true_building: Ints
    component: Ints
    floor: list[int | None]
    unit: list[str | None]

    def __len__(self) -> int:
        return len(self.scene)

    def fix(self, i: int) -> Fix:
        """What the routing is asked about."""
        accuracy = float(self.accuracy_m[i])
        lon, lat = (float(value) for value in self.lonlat[i])
        return Fix(lon, lat, None if np.isnan(accuracy) else accuracy, self.level[i])

    @property
    def sigma_m(self) -> Floats:
        return np.array([self.fix(i).sigma_m for i in range(len(self))])


def place_reports(
    whereabouts: Whereabouts,
    scenes: Sequence[Scene],
    channels: Objects,
    rng: np.random.Generator,
    *,
    likely: Floats,
    noise: float = 1.0,
) -> Placed:
    """Find a spot for each scene. `likely` weighs the plots; `noise` scales the error of the phones."""
    town, n = whereabouts.town, len(scenes)
    xy, truth, place = np.zeros((n, 2)), np.full(n, None, object), np.full(n, None, object)
    true_building, component = np.full(n, -1), np.full(n, -1)
    kinds = np.array([scene.place for scene in scenes], object)
    for kind in dict.fromkeys(kinds):
        which = np.flatnonzero(kinds == kind)
        spots = whereabouts.of(kind)
        rows = spots.draw(len(which), rng, likely)
        xy[which], truth[which], place[which] = spots.xy[rows], spots.cell_code[rows], spots.place[rows]
        true_building[which], component[which] = spots.building[rows], spots.component[rows]
    accuracy, level = _claims(channels, rng)
    lonlat = degrees(xy, town.origin)
    sigma = np.array(
        [
            Fix(113.0, 23.0, None if np.isnan(a) else a, lv).sigma_m
            for a, lv in zip(accuracy, level, strict=True)
        ]
    )
    seen = xy + rng.normal(0, 1, (n, 2)) * (sigma * noise)[:, None]
    outside = ~whereabouts.in_city(seen)
    seen[outside] = xy[outside]
    building = whereabouts.building_at(seen, np.where(np.isnan(accuracy), DEFAULT_ACCURACY_M, accuracy))
    count = rng.integers(2, 7, n)
    words = [
        scene.words[int(k)]
        for scene, k in zip(scenes, rng.integers(0, 60, n) % [len(s.words) for s in scenes], strict=True)
    ]
    floor, unit = _doors(town, true_building, kinds, rng)
    return Placed(
        scene=list(scenes),
        channel=channels,
        title=[title.format(n=k) for (title, _), k in zip(words, count, strict=True)],
        description=[text.format(n=k) for (_, text), k in zip(words, count, strict=True)],
        place=place,
        truth=truth,
        true_lonlat=lonlat,
        lonlat=degrees(seen, town.origin),
        accuracy_m=accuracy,
        level=level,
        building=building,
        true_building=true_building,
        component=component,
        floor=floor,
        unit=unit,
    )


def _claims(channels: Objects, rng: np.random.Generator) -> tuple[Floats, list[int | None]]:
    """Accuracy and its level of each report, by channel."""
    accuracy = np.full(len(channels), np.nan)
    level: list[int | None] = [None] * len(channels)
    for i, channel in enumerate(channels):
        if channel in ACCURACY:
            low, high, level[i] = ACCURACY[channel]
            accuracy[i] = round(rng.uniform(low, high), 1)
    return accuracy, level


def _doors(
    town: Town, building: Ints, kinds: Objects, rng: np.random.Generator
) -> tuple[list[int | None], list[str | None]]:
    """Floor and unit of what happens at home."""
    floor: list[int | None] = [None] * len(building)
    unit: list[str | None] = [None] * len(building)
    for i in np.flatnonzero((building >= 0) & np.isin(kinds, ("home", "tower"))):
        floor[i] = int(rng.integers(1, max(2, town.stock.floors[building[i]] + 1)))
        unit[i] = str(rng.integers(1, max(2, town.stock.units[building[i]] + 1)))
    return floor, unit
