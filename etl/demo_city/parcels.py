"""Parcels of the sheet and how they are divided: by roads into blocks, by lanes and walls into plots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from etl.demo_city.sheet import Rect, sides_m

HALF_WIDTH = {
    "expressway": 23.0,
    "arterial": 19.0,
    "secondary": 13.5,
    "local": 8.0,
    "lane": 4.0,
    "alley": 3.0,
    "canal": 15.0,
    "wall": 0.6,
    "river": 0.0,
}
"""From the middle of what divides two parcels to where private ground begins, pavement included."""
ROAD_KINDS = ("expressway", "arterial", "secondary", "local")
"""What has a name, shops and lamps along it."""
WAYS = (*ROAD_KINDS, "lane", "alley")
"""What one can walk on."""


class Sides(NamedTuple):
    """What bounds a parcel on each side: a key of `HALF_WIDTH`."""

    west: str
    east: str
    south: str
    north: str


class RoadLine(NamedTuple):
    """A straight line on the sheet: constant `axis` at `at`, from `start` to `end`."""

    axis: str
    at: int
    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """A rectangle between its sides, with its use; a plot also knows its block and estate (-1: none)."""

    rect: Rect
    sides: Sides
    use: str = ""
    block: int = -1
    estate: int = -1


def split(parcel: Parcel, axis: str, at: int, kind: str) -> tuple[Parcel, Parcel]:
    """Cut a parcel in two along a line of constant `axis`; both get `kind` on the new side."""
    west, east, south, north = parcel.rect
    sides = parcel.sides
    if axis == "u":
        return (
            replace(parcel, rect=Rect(west, at, south, north), sides=sides._replace(east=kind)),
            replace(parcel, rect=Rect(at, east, south, north), sides=sides._replace(west=kind)),
        )
    return (
        replace(parcel, rect=Rect(west, east, south, at), sides=sides._replace(north=kind)),
        replace(parcel, rect=Rect(west, east, at, north), sides=sides._replace(south=kind)),
    )


def divide(
    parcel: Parcel,
    rng: np.random.Generator,
    *,
    largest_m2: float,
    longest: float,
    kind_at: Callable[[int], str],
) -> tuple[list[Parcel], list[RoadLine]]:
    """Halve a parcel until each piece is below `largest_m2` and not longer than `longest` times its width.

    `kind_at(depth)` names what divides the pieces at each depth. Returns the pieces and the dividing lines.
    """
    pieces, lines, waiting = [], [], [(parcel, 0)]
    while waiting:
        piece, depth = waiting.pop()
        wide, deep = sides_m(piece.rect)
        if wide * deep <= largest_m2 * rng.uniform(0.75, 1.15) and max(wide, deep) < longest * min(
            wide, deep
        ):
            pieces.append(piece)
            continue
        axis = "u" if wide > deep * rng.uniform(0.85, 1.2) else "v"
        west, east, south, north = piece.rect
        low, high, start, end = (west, east, south, north) if axis == "u" else (south, north, west, east)
        at = round(low + rng.uniform(0.4, 0.6) * (high - low))
        kind = kind_at(depth)
        lines.append(RoadLine(axis, at, start, end, kind))
        waiting += [(half, depth + 1) for half in split(piece, axis, at, kind)]
    return pieces, lines
