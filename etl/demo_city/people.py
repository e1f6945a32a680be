"""Households behind their doors and the people in them: invented, counted, and behind no point of the map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from etl.demo_city.housing import Housing
from etl.demo_city.names import people_names, phones
from etl.demo_city.town import Town
from etl.demo_city.writing import Rows

Ints = NDArray[np.int64]

SIZES = (0.22, 0.30, 0.25, 0.15, 0.06, 0.02)
"""Share of households of 1, 2, 3 ... people: 2.6 on average."""
TAGS = ("独居老人", "高龄老人", "残疾", "低保", "困境儿童")


def household_rows(town: Town, housing: Housing, year: int) -> tuple[Rows, Rows]:
    """Rows of `household` and `resident` with ids from 1."""
    rng = town.stream(13)
    building, flat = _occupied_flats(town, rng)
    stock = town.stock
    units, doors = np.maximum(stock.units[building], 1), np.maximum(stock.doors[building], 1)
    floor = np.minimum(flat // (units * doors) + 1, np.maximum(stock.floors[building], 1))
    size = rng.choice(len(SIZES), len(building), p=SIZES) + 1
    territory = housing.territory[building]
    households = Rows(
        "household",
        building_id=building + 1,
        unit=(flat % units + 1).astype(str),
        floor=floor,
        door=(floor * 100 + flat // units % doors + 1).astype(str),
        residents_count=size,
        territory=territory,
    ).numbered()
    return households, _residents(size, territory, year, rng)


def _occupied_flats(town: Town, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """(building, number of the flat in it) of every household; which flats stand empty is chance."""
    flats, wanted = town.stock.flats, town.stock.households
    building = np.repeat(np.arange(len(flats)), flats)
    flat = _ranks(flats)
    shuffled = np.lexsort((rng.random(len(building)), building))
    kept = np.empty(len(building), bool)
    kept[shuffled] = flat < np.repeat(wanted, flats)
    return building[kept], flat[kept]


def _ranks(counts: Ints) -> Ints:
    """0, 1, 2 ... within each group of the given sizes."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)


def _residents(size: Ints, territory: NDArray[np.object_], year: int, rng: np.random.Generator) -> Rows:
    """The people of households of the given sizes: head, partner, children, old parents."""
    household = np.repeat(np.arange(len(size)), size)
    rank = _ranks(size)
    n = len(household)
    head = np.clip(rng.gamma(9, 5.6, len(size)), 20, 96)[household]
    scatter = rng.normal(0, 1, n)
    age = np.select(
        [rank == 0, rank == 1, (rank == 3) & (head >= 30)],
        [head, head + 3 * scatter, head + 27 + 3 * scatter],
        head - 29 + 4 * scatter,
    )
    age = np.clip(age, 0, 99).astype(int)
    partner = rank == 1
    female = np.where(partner, rng.random(n) < 0.9, rng.random(n) < 0.5 - 0.3 * (rank == 0))
    alone = (size[household] == 1) & (age >= 65)
    chance = rng.random((3, n))
    marks = (alone, age >= 80, chance[0] < 0.02, chance[1] < 0.015, (age < 16) & (chance[2] < 0.01))
    tags = np.full(n, "{}", object)
    tagged = np.flatnonzero(np.any(marks, axis=0))
    tags[tagged] = [
        "{" + ",".join(tag for tag, mark in zip(TAGS, marks, strict=True) if mark[i]) + "}" for i in tagged
    ]
    phone = phones(n, rng)
    phone[age < 12] = None
    return Rows(
        "resident",
        household_id=household + 1,
        name=people_names(n, rng),
        gender=np.where(female, "f", "m"),
        birth_year=year - age,
        phone=phone,
        is_head=rank == 0,
        tags=tags,
        territory=territory[household],
    ).numbered()
