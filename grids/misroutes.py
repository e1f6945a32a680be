"""Learning from misroutes: disputed strips along a border, and the exception that would settle each.

A report that its first receiver handed back and that another cell's people then took is evidence that the map
and the street disagree at that place. Evidence of one pair of cells that lies together along their shared
border makes a *strip*: the stretch of border it touches, as deep as the evidence reaches. Giving the strip to
the cell that did the work is the suggestion; its expected effect is counted on the past: how many of the
misroutes it would have prevented, and how many reports that were right would have gone elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.ops import substring

from gis import crs
from gis.geometry import in_degrees
from grids.final_ground import FinalGround
from grids.owner_map import OwnerMap

TOGETHER_M = 150.0
"""Evidence nearer than this along a border belongs to the same strip."""
FEWEST = 5
"""Fewer misroutes than this are a mistake or two, not a dispute."""
REACHED_SHARE = 0.95
"""The strip is as deep as this share of its evidence needs; the rest may be mistakes."""
MARGIN_M = 5.0
"""Added to depth and ends: a phone's fix is no better."""
FARTHEST_M = 200.0
"""Evidence farther from the shared border than this is about something else."""
ADVISED_SHARE = 0.5
"""A strip is advised when at least this share of the reports on it were misrouted."""


@dataclass(frozen=True, slots=True)
class Misroute:
    """One report on ground of `from_cell` whose work people of `to_cell` did. lon/lat in EPSG:4490."""

    incident_id: int
    lon: float
    lat: float
    from_cell: str
    to_cell: str


@dataclass(frozen=True, slots=True)
class Kept:
    """One report that its own cell dealt with."""

    lon: float
    lat: float
    cell: str


@dataclass(frozen=True, slots=True)
class Strip:
    """One disputed strip; `shape` (lon/lat in EPSG:4490) is the exception that would give it to `to_cell`."""

    from_cell: str
    to_cell: str
    shape: shapely.Geometry
    incidents: tuple[int, ...]
    prevented: int
    moved: int
    length_m: float
    depth_m: float

    @property
    def key(self) -> int:
        """A number of its own: the first case of its evidence, which is in no other strip."""
        return min(self.incidents)

    @property
    def share(self) -> float:
        """Of the reports on the strip, the share that were misrouted."""
        return self.prevented / max(self.prevented + self.moved, 1)

    @property
    def advised(self) -> bool:
        return self.share >= ADVISED_SHARE

    @property
    def reasons(self) -> tuple[str, str]:
        """Why, and what to expect: Chinese, English."""
        cases = len(self.incidents)
        return (
            f"沿界 {self.length_m:.0f} 米、深 {self.depth_m:.0f} 米：{cases} 件由 {self.to_cell} 办理；"
            f"划归后可避免 {self.prevented} 件误派，另有 {self.moved} 件原本正确的会改派。",
            f"{self.length_m:.0f} m of border, {self.depth_m:.0f} m deep: {cases} cases were done by"
            f" {self.to_cell}; given to it, {self.prevented} misroutes would not have happened, and"
            f" {self.moved} reports that were right would have moved.",
        )


def strips(
    city: OwnerMap, ground: FinalGround, misroutes: Sequence[Misroute], kept: Iterable[Kept] = ()
) -> list[Strip]:
    """The disputed strips of a map, those with the most evidence first.

    Evidence about cells that the map does not hold or that share no border makes no strip, nor does evidence
    on ground that has changed hands since, by an exception: that dispute is settled.
    """
    theirs: dict[str, list[Kept]] = {}
    for report in kept:
        theirs.setdefault(report.cell, []).append(report)
    found = []
    for (loser, winner), evidence in _by_pair(city, misroutes).items():
        if len(evidence) < FEWEST:  # most pairs of a large city: their border need not be looked at
            continue
        own = _points(city, theirs.get(loser, ()))
        found += list(_strips_between(city, ground, loser, winner, evidence, own))
    return sorted(found, key=lambda strip: (-len(strip.incidents), strip.from_cell, strip.to_cell))


def _by_pair(city: OwnerMap, misroutes: Sequence[Misroute]) -> dict[tuple[str, str], list[Misroute]]:
    pairs: dict[tuple[str, str], list[Misroute]] = {}
    for misroute in misroutes:
        pair = misroute.from_cell, misroute.to_cell
        if pair[0] != pair[1] and all(code in city.position for code in pair):
            pairs.setdefault(pair, []).append(misroute)
    return pairs


def _strips_between(
    city: OwnerMap,
    ground: FinalGround,
    loser: str,
    winner: str,
    evidence: Sequence[Misroute],
    own: NDArray[np.object_],
) -> Iterator[Strip]:
    losing, winning = (ground.ground(city.position[code]) for code in (loser, winner))
    still_there = shapely.dwithin(losing, _points(city, evidence), 0.01)
    evidence = [misroute for misroute, there in zip(evidence, still_there, strict=True) if there]
    points = _points(city, evidence)
    for border, members in _stretches(_shared_border(losing, winning), points):
        away = shapely.distance(border, points[members])
        depth = float(np.quantile(away, REACHED_SHARE, method="higher")) + MARGIN_M
        stretch = _stretch(border, points[members])
        shape = shapely.buffer(stretch, depth, cap_style="flat", join_style="mitre")
        shape = shapely.intersection(shape, losing)
        yield Strip(
            loser,
            winner,
            in_degrees(shape, city.zone),
            tuple(evidence[i].incident_id for i in members),
            int(shapely.intersects(shape, points[members]).sum()),
            int(shapely.intersects(shape, own).sum()),
            float(shapely.length(stretch)),
            depth,
        )


def _points(city: OwnerMap, places: Sequence[Misroute] | Sequence[Kept]) -> NDArray[np.object_]:
    lon, lat = np.array([(place.lon, place.lat) for place in places], float).reshape(-1, 2).T
    x, y = crs.to_metres(lon, lat, zone=city.zone)
    return shapely.points(x, y)


def _shared_border(one: shapely.Geometry, other: shapely.Geometry) -> list[shapely.LineString]:
    """The lines along which two grounds meet, within a centimetre of drawing."""
    near = shapely.intersection(shapely.boundary(one), shapely.buffer(other, 0.01))
    lines = shapely.line_merge(shapely.union_all(shapely.get_parts(near)))
    return [part for part in shapely.get_parts(lines) if shapely.length(part) > MARGIN_M]


def _stretches(
    borders: Sequence[shapely.LineString], points: NDArray[np.object_]
) -> Iterator[tuple[shapely.LineString, NDArray[np.int64]]]:
    """(border line, positions of its evidence): what lies together along one line and near it."""
    if not borders:
        return
    distances = shapely.distance(np.array(borders, object)[:, None], points[None, :])
    nearest = distances.argmin(axis=0)
    for index, border in enumerate(borders):
        members = np.flatnonzero((nearest == index) & (distances[index] <= FARTHEST_M))
        along = shapely.line_locate_point(border, points[members])
        order = np.argsort(along, kind="stable")
        gaps = np.flatnonzero(np.diff(along[order]) > TOGETHER_M) + 1
        for part in np.split(members[order], gaps):
            if len(part) >= FEWEST:
                yield border, part


def _stretch(border: shapely.LineString, points: NDArray[np.object_]) -> shapely.Geometry:
    """The piece of a border that lies beside the points, a little longer at both ends."""
    along = shapely.line_locate_point(border, points)
    return substring(border, max(along.min() - MARGIN_M, 0.0), min(along.max() + MARGIN_M, border.length))
