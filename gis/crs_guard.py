"""Is a file really in the system it declares? A test of its points against ground that is known.

GCJ-02 and BD-09 move a point by some 600 and 1,200 metres, and nothing in the numbers says so. But a wrong
reading puts addresses between the houses, and the right one puts them at the doors. So the numbers are read
in every system that looks alike (CGCS2000 / WGS 84, GCJ-02, BD-09), each reading is laid over references
whose place is known (building centroids, surveyed addresses), and the reading that fits is named.

How well a reading fits is its mean *closeness*, exp(-d^2 / 2 h^2) of each point's distance d to its
reference. Where points and references are paired by a key, d is the distance of the pair. Where they are
not, d is the distance to the nearest reference, and a city is full of houses: what counts is how much
closer the points lie than the same points pushed aside by some hundred metres, in standard errors.
Outliers only thin the evidence, since a point far from every reference counts as nothing; too little
evidence is told as such, never guessed.

WGS 84 and CGCS2000 differ by less than a metre: that mix-up can be neither seen nor felt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from gis import crs
from gis.errors import Invalid

READINGS = ("EPSG:4490", "GCJ-02", "BD-09")
"""Systems whose numbers look alike: degrees in China."""
CLOSENESS_M = 15.0
"""h: about the distance from an address to the middle of its house, and a phone's accuracy."""
MATCH_M = 60.0
"""Farther from every reference than this a point is no match and gives no residual vector."""
FEWEST = 20
"""Fewer points than this beside references are no evidence."""
SURE_ERRORS = 5.0
"""Standard errors by which a reading must beat chance, and the next best reading."""
MOST = 4000
"""Points looked at; of a longer file an even spread."""

BLOCK_M = 100.0

_ASIDE_M = np.array(
    [(r * np.cos(a), r * np.sin(a)) for r in (60.0, 120.0) for a in np.arange(6) * np.pi / 3 + 0.4]
)
"""Where the points are pushed to see what chance gives: offsets in metres east and north, far enough to lose
their houses and near enough to stay in the same kind of quarter."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fit:
    """How one reading of the numbers fits: mean closeness, what chance gives, the standard error of both."""

    crs: str
    closeness: float
    chance: float
    error: float
    matched: int

    @property
    def evidence(self) -> float:
        """Standard errors above chance."""
        return (self.closeness - self.chance) / self.error


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the points themselves say. `found` is None when it cannot be told.

    `offset_m` is (east, north): how far the numbers, read as declared, lie from the ground they mean, as
    measured against the references; `residual_m` what is left, at the median, when they are read as `found`.
    `vectors` has a row (lon, lat, east, north) for each matched point: where it truly is, and how far its
    declared reading is from its reference.
    """

    declared: str
    found: str | None
    fits: tuple[Fit, ...]
    points: int
    offset_m: tuple[float, float] | None = None
    residual_m: float | None = None
    vectors: Floats | None = None

    @property
    def agrees(self) -> bool | None:
        """True or False, or None when it cannot be told."""
        return None if self.found is None else self.found == _alike(self.declared)

    @property
    def words(self) -> tuple[str, str]:
        """The verdict in one sentence: Chinese, English."""
        if self.found is None or self.offset_m is None:
            return (
                f"{self.points} 个点不足以判断坐标系是否属实。",
                f"{self.points} points are too little evidence to tell the system.",
            )
        metres = float(np.hypot(*self.offset_m))
        if self.agrees:
            return (
                f"坐标系属实：{self.declared}，中位残差 {self.residual_m:.1f} 米。",
                f"The declared system {self.declared} is true; median residual {self.residual_m:.1f} m.",
            )
        east, north = self.offset_m
        return (
            f"声明为 {self.declared}，实为 {self.found}："
            f"偏移 {metres:.1f} 米（东 {east:+.1f}，北 {north:+.1f}）。",
            f"Declared {self.declared}, but the points are in {self.found}:"
            f" they are {metres:.1f} m off (east {east:+.1f}, north {north:+.1f}).",
        )


def check(
    x: ArrayLike,
    y: ArrayLike,
    declared: str,
    reference_lon: ArrayLike,
    reference_lat: ArrayLike,
    *,
    paired: bool = False,
) -> Verdict:
    """Find the system points are really in. `x`, `y` are the raw numbers, as declared.

    References are lon/lat in EPSG:4490; `paired` says that reference i is where point i should be. Points
    that are not finite are passed over. Numbers in a Gauss-Kruger zone are tested too: somebody may have
    projected GCJ-02 degrees. Raises Invalid for an unknown declaration.
    """
    lon, lat = _as_degrees(x, y, declared)
    known = np.column_stack([np.asarray(reference_lon, float), np.asarray(reference_lat, float)])
    keep = np.isfinite(lon) & np.isfinite(lat)
    if paired:
        keep &= np.isfinite(known).all(axis=1)
    chosen = np.flatnonzero(keep)
    chosen = chosen[np.linspace(0, len(chosen) - 1, min(len(chosen), MOST)).astype(int)]
    known = known[chosen] if paired else known[np.isfinite(known).all(axis=1)]
    if len(chosen) < FEWEST or len(known) < FEWEST:
        return Verdict(crs.normalise(declared), None, (), len(chosen))
    ground = _Ground(known, paired=paired)
    readings = {name: ground.metres(*crs.to_stored(lon[chosen], lat[chosen], name)) for name in READINGS}
    fits = tuple(ground.fit(name, points) for name, points in readings.items())
    found = _best(fits)
    verdict = Verdict(crs.normalise(declared), found, fits, len(chosen))
    return verdict if found is None else _measured(verdict, ground, readings, found)


def refusal(verdict: Verdict) -> Invalid:
    """The refusal of a file whose points contradict its declaration."""
    zh, en = verdict.words
    east, north = verdict.offset_m or (0.0, 0.0)
    return Invalid(
        en=en,
        zh=zh,
        remedy_en=f"Declare crs as {verdict.found}, or ask whoever made the file.",
        remedy_zh=f"请声明 crs 为 {verdict.found}，或向提供者核实。",
        declared=verdict.declared,
        found=verdict.found,
        offset_east_m=round(east, 1),
        offset_north_m=round(north, 1),
    )


class _Ground:
    """The references in metres of their own zone, and the two ways of measuring distance to them."""

    def __init__(self, known: Floats, *, paired: bool) -> None:
        self.zone = crs.metric_crs(float(np.median(known[:, 0])))
        self.paired = paired
        self.known = self.metres(known[:, 0], known[:, 1])
        self._tree = None if paired else shapely.STRtree(shapely.points(self.known))

    def metres(self, lon: Floats, lat: Floats) -> Floats:
        return np.column_stack(crs.to_metres(lon, lat, zone=self.zone))

    def degrees(self, points: Floats) -> Floats:
        return np.column_stack(crs.from_metres(points[:, 0], points[:, 1], zone=self.zone))

    def reference_of(self, points: Floats) -> NDArray[np.int64]:
        """Position of each point's reference: its pair, or the nearest."""
        return np.arange(len(points)) if self._tree is None else self._tree.nearest(shapely.points(points))

    def closeness(self, points: Floats) -> Floats:
        step = points - self.known[self.reference_of(points)]
        return np.exp(-0.5 * (step**2).sum(axis=1) / CLOSENESS_M**2)

    def fit(self, name: str, points: Floats) -> Fit:
        """The fit of a reading, compared with the same points pushed aside."""
        close = self.closeness(points)
        chance = np.mean([self.closeness(points + step) for step in _ASIDE_M], axis=0)
        matched = int((close > np.exp(-0.5 * (MATCH_M / CLOSENESS_M) ** 2)).sum())
        return Fit(name, float(close.mean()), float(chance.mean()), _error(close - chance, points), matched)


def _error(gain: Floats, points: Floats) -> float:
    """Standard error of the mean gain. Neighbours share their houses and are no independent draws, so the
    points of a block count as one (the cluster-robust estimate)."""
    _, block = np.unique(np.floor(points / BLOCK_M), axis=0, return_inverse=True)
    sums = np.bincount(block.ravel(), gain)
    return float(np.sqrt((sums**2).sum()) / len(gain)) + 1e-6


def _best(fits: tuple[Fit, ...]) -> str | None:
    """The one reading that beats chance and the others by enough, or None."""
    best, second = sorted(fits, key=lambda fit: -fit.evidence)[:2]
    lead = (best.closeness - best.chance) - (second.closeness - second.chance)
    sure = best.evidence >= SURE_ERRORS and lead >= SURE_ERRORS * best.error
    return best.crs if sure and best.matched >= FEWEST else None


def _measured(verdict: Verdict, ground: _Ground, readings: dict[str, Floats], found: str) -> Verdict:
    """The verdict with its offset, residual and vectors, by the points that have a reference beside them."""
    true = readings[found]
    reference = ground.known[ground.reference_of(true)]
    matched = np.hypot(*(true - reference).T) <= MATCH_M
    true, reference = true[matched], reference[matched]
    vectors = readings[_alike(verdict.declared)][matched] - reference
    east, north = np.median(vectors, axis=0)
    return Verdict(
        verdict.declared,
        found,
        verdict.fits,
        verdict.points,
        (float(east), float(north)),
        float(np.median(np.hypot(*(true - reference).T))),
        np.column_stack([ground.degrees(true), vectors]),
    )


def _as_degrees(x: ArrayLike, y: ArrayLike, declared: str) -> tuple[Floats, Floats]:
    """The raw numbers as degrees of whatever system: a projected file is brought back to degrees first."""
    name = crs.normalise(declared)
    if name in crs.GAUSS_KRUGER:
        return crs.to_stored(x, y, name)
    return np.asarray(x, float), np.asarray(y, float)


def _alike(declared: str) -> str:
    """The reading a declaration stands for: every geographic and projected one is CGCS2000."""
    plain = declared.removesuffix(crs.MAINLAND)
    return plain if plain in READINGS else "EPSG:4490"
