"""Who belongs where: plots -> cells -> communities -> subdistricts -> districts.

Regions are whole blocks, cut out by repeated bisection and then healed, so that each is one piece inside its
parent. The river separates subdistricts. Cells grow inside a community from neighbouring plots until they
hold the households of a social cell.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from etl.demo_city.parcels import Parcel
from etl.demo_city.sizes import Size

Ints = NDArray[np.int64]

LEAST_FLATS = 330
"""Below this a plot cannot be a cell by itself."""
MOST_FLATS = 560
SAME_ESTATE_BONUS = 400
SAME_BLOCK_BONUS = 150
"""Metres of border that kinship is worth when a plot looks for a neighbour to join."""
LAND_PER_FLAT_M2 = 2500.0
"""How much empty land weighs as much as one flat when regions are balanced."""


@dataclass(frozen=True, slots=True)
class Territory:
    """Labels of each plot, 0-based and nested: a cell lies in one community, and so on upwards."""

    cell: Ints
    community: Ints
    subdistrict: Ints
    district: Ints


def territories(parcels: Sequence[Parcel], flats: Ints, size: Size, rng: np.random.Generator) -> Territory:
    """Label every plot. `flats` are counted by plot; `parcels` know their block."""
    block = np.array([parcel.block for parcel in parcels])
    middle = np.array([parcel.rect.centre for parcel in parcels])
    area = np.array([(p.rect.east - p.rect.west) * (p.rect.north - p.rect.south) for p in parcels], float)
    n = block.max() + 1
    weight = np.bincount(block, flats + area / LAND_PER_FLAT_M2, n).astype(float)
    centre = np.stack(
        [np.bincount(block, middle[:, k] * area, n) / np.bincount(block, area, n) for k in (0, 1)], 1
    )
    borders = shared_borders(parcels)
    touching = _block_borders(borders, block)
    north = centre[:, 1] > 0
    subdistrict = np.empty(n, np.int64)
    first = 0
    for bank, count in zip((north, ~north), _share_out(size, weight, north), strict=True):
        chosen = np.flatnonzero(bank)
        subdistrict[chosen] = first + _bisect(centre[chosen], weight[chosen], count, rng)
        first += count
    _heal(subdistrict, north.astype(np.int64), touching, weight)
    community = np.empty(n, np.int64)
    for k in range(size.subdistricts):
        chosen = np.flatnonzero(subdistrict == k)
        labels = _bisect(centre[chosen], weight[chosen], size.communities, rng)
        community[chosen] = k * size.communities + labels
    _heal(community, subdistrict, touching, weight)
    district = _districts(subdistrict, centre, weight, size, rng)
    cell = _cells(parcels, flats, community[block], borders)
    return Territory(cell, community[block], subdistrict[block], district[subdistrict[block]])


def shared_borders(parcels: Sequence[Parcel]) -> list[tuple[int, int, int]]:
    """(i, j, metres) of every two plots that share a stretch of a line of the sheet."""
    beyond: dict[tuple[str, int], list[tuple[int, int, int]]] = defaultdict(list)
    before: dict[tuple[str, int], list[tuple[int, int, int]]] = defaultdict(list)
    for i, parcel in enumerate(parcels):
        west, east, south, north = parcel.rect
        beyond["u", west].append((south, north, i))
        before["u", east].append((south, north, i))
        beyond["v", south].append((west, east, i))
        before["v", north].append((west, east, i))
    pairs = []
    for line, one_side in beyond.items():
        other = sorted(before.get(line, ()))
        j = 0
        for start, end, i in sorted(one_side):
            while j < len(other) and other[j][1] <= start:
                j += 1
            k = j
            while k < len(other) and other[k][0] < end:
                pairs.append((i, other[k][2], min(end, other[k][1]) - max(start, other[k][0])))
                k += 1
    return pairs


@dataclass(frozen=True, slots=True)
class _Borders:
    """Pairs of touching blocks with the metres they share."""

    pairs: Ints
    metres: NDArray[np.float64]


def _block_borders(borders: list[tuple[int, int, int]], block: Ints) -> _Borders:
    metres: dict[tuple[int, int], int] = defaultdict(int)
    for i, j, length in borders:
        if block[i] != block[j]:
            a, b = sorted((int(block[i]), int(block[j])))
            metres[a, b] += length
    return _Borders(np.array(list(metres)), np.array(list(metres.values()), float))


def _share_out(size: Size, weight: NDArray[np.float64], north: NDArray[np.bool_]) -> tuple[int, int]:
    """Subdistricts of the north and the south bank, by weight, at least one each."""
    share = round(size.subdistricts * weight[north].sum() / weight.sum())
    on_north = int(np.clip(share, 1, size.subdistricts - 1))
    return on_north, size.subdistricts - on_north


def _bisect(
    centre: NDArray[np.float64], weight: NDArray[np.float64], count: int, rng: np.random.Generator
) -> Ints:
    """Labels 0..count-1 of compact regions of about equal weight, by repeated bisection."""
    labels = np.zeros(len(centre), np.int64)
    waiting = [(np.arange(len(centre)), count, 0)]
    while waiting:
        chosen, count, first = waiting.pop()
        if count == 1 or len(chosen) < 2:
            labels[chosen] = first
            continue
        half, slant = count // 2, rng.uniform(-0.25, 0.25)
        spread = np.ptp(centre[chosen], axis=0)
        along = centre[chosen] @ (np.array([1, slant]) if spread[0] > spread[1] else np.array([slant, 1]))
        ordered = chosen[np.argsort(along, kind="stable")]
        running = np.cumsum(weight[ordered])
        at = int(np.searchsorted(running, running[-1] * half / count)) + 1
        at = int(np.clip(at, min(half, len(ordered) - 1), max(len(ordered) - (count - half), 1)))
        waiting += [(ordered[:at], half, first), (ordered[at:], count - half, first + half)]
    return labels


def _heal(labels: Ints, within: Ints, borders: _Borders, weight: NDArray[np.float64]) -> None:
    """Hand every detached part of a region to the neighbour it shares most with, inside the same `within`.

    Changes `labels` in place. One part a round, the smallest first, because each move changes the rest.
    """
    n = len(labels)
    a, b = borders.pairs.T
    inside = within[a] == within[b]
    while True:
        same = labels[a] == labels[b]
        count, part = connected_components(
            coo_matrix((np.ones(same.sum()), (a[same], b[same])), (n, n)), directed=False
        )
        heavy = np.bincount(part, weight, count)
        of = np.zeros(count, np.int64)
        of[part] = labels
        main = np.zeros(of.max() + 1, np.int64)
        for p in np.argsort(heavy, kind="stable"):
            main[of[p]] = p
        shares: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        for x, y, metres in zip(
            a[inside & ~same], b[inside & ~same], borders.metres[inside & ~same], strict=True
        ):
            shares[part[x]][labels[y]] += metres
            shares[part[y]][labels[x]] += metres
        loose = [p for p in np.argsort(heavy, kind="stable") if main[of[p]] != p and shares[p]]
        if not loose:
            return
        best = max(shares[loose[0]].items(), key=lambda item: (item[1], -item[0]))[0]
        labels[part == loose[0]] = best


def _districts(
    subdistrict: Ints,
    centre: NDArray[np.float64],
    weight: NDArray[np.float64],
    size: Size,
    rng: np.random.Generator,
) -> Ints:
    """District of each subdistrict, from west to east: a district may lie on both banks."""
    total = np.bincount(subdistrict, weight, size.subdistricts).astype(float)
    middle = np.bincount(subdistrict, weight * centre[:, 0], size.subdistricts) / total
    return _bisect(np.stack([middle, np.zeros_like(middle)], 1), total, size.districts, rng)


def _cells(
    parcels: Sequence[Parcel], flats: Ints, community: Ints, borders: list[tuple[int, int, int]]
) -> Ints:
    """Join thin plots to a neighbour of the same community until each cell has enough flats."""
    homes = {i: int(f) for i, f in enumerate(flats)}
    members = {i: [i] for i in homes}
    near: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for i, j, metres in borders:
        if community[i] == community[j]:
            kin = SAME_ESTATE_BONUS * (parcels[i].estate == parcels[j].estate >= 0)
            kin += SAME_BLOCK_BONUS * (parcels[i].block == parcels[j].block)
            near[i][j] += metres + kin
            near[j][i] += metres + kin

    def join(one: int, other: int) -> None:
        homes[one] += homes.pop(other)
        members[one] += members.pop(other)
        for third, metres in near.pop(other).items():
            near[third].pop(other, None)
            if third != one:
                near[one][third] += metres
                near[third][one] += metres

    queue = [(f, i) for i, f in homes.items() if 0 < f < LEAST_FLATS]
    heapq.heapify(queue)
    while queue:
        count, i = heapq.heappop(queue)
        if homes.get(i) != count:
            continue
        fits = [(j, m) for j, m in near[i].items() if homes[j] > 0 and homes[j] + count <= MOST_FLATS]
        fits = fits or [(j, m) for j, m in near[i].items() if homes[j] == 0]
        if fits:
            join(i, max(fits, key=lambda fit: (fit[1] - 0.4 * homes[fit[0]], -fit[0]))[0])
            if homes[i] < LEAST_FLATS:
                heapq.heappush(queue, (homes[i], i))
    _hang_empty(homes, near, join)
    labels = np.empty(len(parcels), np.int64)
    for rank, group in enumerate(members.values()):
        labels[group] = rank
    return labels


def _hang_empty(homes, near, join) -> None:
    """Join plots without flats (parks, works, river) to the neighbouring cell with the longest border."""
    empty = [i for i, count in homes.items() if count == 0]
    while empty:
        left = []
        for i in empty:
            settled = {j: metres for j, metres in near[i].items() if homes[j]}
            if settled:
                join(max(settled, key=lambda j: (settled[j] - 0.25 * homes[j], -j)), i)
            else:
                left.append(i)
        if len(left) == len(empty):
            return
        empty = left
