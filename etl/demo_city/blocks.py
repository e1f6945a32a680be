"""What the blocks are used for, and the plots they fall into.

A plot is the smallest piece that a cell may be made of: an estate or the part of one at an inner lane, an
urban village's quarter, a school. Cells are unions of plots, so no cell border ever cuts a building.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from etl.demo_city.parcels import Parcel, RoadLine, divide, split
from etl.demo_city.sheet import area_m2, sides_m
from etl.demo_city.sizes import Size

LARGEST_ESTATE_PLOT_M2 = 44_000
LARGEST_LANE_PLOT_M2 = 21_000
PUBLIC = ("school", "hospital", "civic")
ROOMY_M2 = 44_000
"""A public place on a block larger than this leaves part of it to an estate."""


def zone(blocks: list[Parcel], size: Size, rng: np.random.Generator) -> list[Parcel]:
    """Give each block its use: commerce in the middle, works and villages outside, parks and schools apart.

    Uses are handed out one after another, each to the free blocks of the best score; estates are the rest.
    """
    n = len(blocks)
    centres = np.array([block.rect.centre for block in blocks])
    areas = np.array([area_m2(block.rect) for block in blocks])
    middle = np.array([size.width * 0.5, size.north * 0.3])
    reach = np.array([size.width / 2, (size.south + size.north) / 2])
    far = np.hypot(*((centres - middle) / reach).T) + rng.normal(0, 0.16, n)
    uses = np.full(n, "estate", object)

    def give(
        use: str, share: float, score: np.ndarray, *, least_m2: float = 0.0, apart_m: float = 0.0
    ) -> None:
        taken: list[int] = []
        for i in np.argsort(score, kind="stable"):
            if len(taken) >= max(1, round(share * n)):
                return
            if uses[i] != "estate" or areas[i] < least_m2:
                continue
            if all(np.hypot(*(centres[i] - centres[j])) > apart_m for j in taken[-60:]):
                uses[i] = use
                taken.append(int(i))

    outward = rng.random(n) * (0.4 if size.village_share < 0.2 else 0.0) - far
    give("commercial", 0.04, far, least_m2=22_000, apart_m=260)
    give("park", 0.04, rng.random(n) + 0.6 * far, least_m2=32_000, apart_m=500)
    give("lane", 0.025, far + 0.25)
    give("village", size.village_share, outward, least_m2=24_000)
    give("factory", 0.03, outward, least_m2=30_000)
    give("school", 0.065, rng.random(n), least_m2=22_000, apart_m=330)
    give("hospital", 0.014, far + rng.random(n), least_m2=22_000, apart_m=800)
    give("civic", 0.025, far + rng.random(n) * 0.6, least_m2=14_000, apart_m=300)
    return [replace(block, use=use, block=i) for i, (block, use) in enumerate(zip(blocks, uses, strict=True))]


def plots_of(
    blocks: list[Parcel], size: Size, rng: np.random.Generator
) -> tuple[list[Parcel], list[RoadLine]]:
    """Blocks -> plots, and the lanes and alleys between those of one block."""
    plots: list[Parcel] = []
    lines: list[RoadLine] = []
    estates = 0
    for block in blocks:
        if block.use == "estate":
            parts, between, estates = _estate_plots(block, estates, rng)
        elif block.use in ("village", "lane"):
            largest = size.village_plot_m2 if block.use == "village" else LARGEST_LANE_PLOT_M2
            parts, between = divide(block, rng, largest_m2=largest, longest=2.1, kind_at=lambda _: "alley")
            parts = [replace(part, estate=estates) for part in parts]
            estates += 1
        elif block.use in PUBLIC and area_m2(block.rect) > ROOMY_M2:
            parts, between = _shared_block(block, estates, rng)
            estates += 1
        else:
            parts, between = [block], []
        plots += parts
        lines += between
    return plots, [line for line in lines if line.kind != "wall"]


def _estate_plots(
    block: Parcel, first: int, rng: np.random.Generator
) -> tuple[list[Parcel], list[RoadLine], int]:
    """One estate with inner lanes, or several side by side behind walls; returns the next estate's number."""
    one = rng.random() < 0.6
    parts, lines = divide(
        block,
        rng,
        largest_m2=LARGEST_ESTATE_PLOT_M2,
        longest=2.2,
        kind_at=lambda _: "lane" if one else "wall",
    )
    parts = [replace(part, estate=first if one else first + i) for i, part in enumerate(parts)]
    return parts, lines, first + (1 if one else len(parts))


def _shared_block(
    block: Parcel, estate: int, rng: np.random.Generator
) -> tuple[list[Parcel], list[RoadLine]]:
    """A public place keeps 60 % of a large block; the rest becomes an estate behind a wall."""
    wide, deep = sides_m(block.rect)
    west, east, south, north = block.rect
    share = rng.uniform(0.54, 0.62)
    axis, at = (
        ("u", round(west + share * (east - west)))
        if wide > deep
        else ("v", round(south + share * (north - south)))
    )
    public, rest = split(block, axis, at, "wall")
    return [public, replace(rest, use="estate", estate=estate)], []
