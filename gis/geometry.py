"""Small geometry of the house: a fix with its uncertainty, and areas in true metres."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from gis import crs
from gis.errors import Invalid

DEFAULT_ACCURACY_M = 10.0
"""Taken where a device says nothing: an open-sky phone fix."""
MIN_ACCURACY_M = 1.0
"""A claim of "exact" is floored here: no phone and no finger on a map is better."""
MAX_ACCURACY_M = 20_040_000.0
"""Half way round the earth: a larger radius says nothing, and its square is no number any more."""
DEFAULT_LEVEL = 68
_SIGMAS = {level: math.sqrt(-2.0 * math.log(1.0 - level / 100.0)) for level in (68, 95)}
"""Radius in sigmas that holds `level` percent of a circular Gaussian: P(R < r) = 1 - exp(-r^2 / 2 s^2)."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A located point: lon, lat in EPSG:4490 with the radius its device claims.

    `accuracy_level` says what share of fixes that radius holds: Android 68 %, the browser's Geolocation
    95 %; unknown is taken as 68 %, the cautious side (decision 8). Raises Invalid when it is negative, no
    number, or beyond `MAX_ACCURACY_M`.
    """

    lon: float
    lat: float
    accuracy_m: float | None = None
    accuracy_level: int | None = None

    def __post_init__(self) -> None:
        if self.accuracy_m is not None and not 0 <= self.accuracy_m <= MAX_ACCURACY_M:  # not a number either
            raise Invalid(
                en=f"An accuracy of {self.accuracy_m} m is not possible.",
                zh=f"定位精度 {self.accuracy_m} 米不可能。",
                remedy_en="Send accuracy_m as a radius in metres of 0 or more, or leave it out.",
                remedy_zh="请以米为单位给出不小于 0 的 accuracy_m，或不填。",
            )
        if self.accuracy_level not in (None, *_SIGMAS):
            raise Invalid(
                en=f"An accuracy level of {self.accuracy_level} % is not known.",
                zh=f"不认识的精度置信水平 {self.accuracy_level}%。",
                remedy_en="Use 68 (Android) or 95 (browser), or leave it out.",
                remedy_zh="请用 68（安卓）或 95（浏览器），或不填。",
            )

    @property
    def sigma_m(self) -> float:
        """Standard deviation of the circular Gaussian the fix stands for, in metres."""
        radius = DEFAULT_ACCURACY_M if self.accuracy_m is None else max(self.accuracy_m, MIN_ACCURACY_M)
        return radius / _SIGMAS[self.accuracy_level or DEFAULT_LEVEL]


def in_metres(geometries: NDArray[np.object_], zone: str) -> NDArray[np.object_]:
    """EPSG:4490 geometries -> the same geometries in metres of `zone` (see `crs.metric_crs`)."""

    def project(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(crs.to_metres(xy[:, 0], xy[:, 1], zone=zone))

    return shapely.transform(geometries, project)


def in_degrees(geometry: shapely.Geometry, zone: str) -> shapely.Geometry:
    """A geometry in metres of `zone` -> the same in EPSG:4490: the inverse of `in_metres`."""

    def project(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(crs.from_metres(xy[:, 0], xy[:, 1], zone=zone))

    return shapely.transform(geometry, project)


def metric_zone(geometries: NDArray[np.object_]) -> str:
    """The metric zone of a layer: that of the middle of its bounds."""
    west, _, east, _ = shapely.total_bounds(geometries)
    return crs.metric_crs((west + east) / 2)


def metres_per_degree(geometries: NDArray[np.object_]) -> NDArray[np.float64]:
    """Metres of a degree of longitude and of latitude (EPSG:4490) in the middle of a layer."""
    west, south, east, north = shapely.total_bounds(geometries)
    lon, lat, step = (west + east) / 2, (south + north) / 2, 1e-3
    lons, lats = lon + np.array([-step, step, 0, 0]), lat + np.array([0, 0, -step, step])
    x, y = crs.to_metres(lons, lats, zone=crs.metric_crs(lon))
    return np.hypot(x[1::2] - x[::2], y[1::2] - y[::2]) / (2 * step)


def areas_m2(geometries: NDArray[np.object_]) -> NDArray[np.float64]:
    """Areas of EPSG:4490 polygons in square metres (Gauss-Kruger; within 0.03 % in a 3-degree zone)."""
    if len(geometries) == 0:
        return np.empty(0)
    return shapely.area(in_metres(geometries, metric_zone(geometries)))


def metres_from(lon: float, lat: float, lons: ArrayLike, lats: ArrayLike) -> NDArray[np.float64]:
    """Straight-line metres from one point to each of many, all lon/lat in EPSG:4490.

    Measured in the Gauss-Kruger zone of the one point: within 0.03 % across a city.
    """
    zone = crs.metric_crs(lon)
    x, y = crs.to_metres(lon, lat, zone=zone)
    xs, ys = crs.to_metres(lons, lats, zone=zone)
    return np.hypot(xs - x, ys - y)
