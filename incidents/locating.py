"""From what a report says about its place to a fix the map can be asked about."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gis import crs as coordinates
from gis.errors import Invalid
from gis.geometry import Fix


@dataclass(frozen=True, slots=True)
class DeclaredPlace:
    """A place as somebody states it: `lon`, `lat` in the declared `crs`, not trusted yet."""

    lon: float
    lat: float
    crs: str | None
    accuracy_m: float | None = None
    accuracy_level: int | None = None


def locate(
    lon: float,
    lat: float,
    crs: str | None,
    *,
    accuracy_m: float | None = None,
    accuracy_level: int | None = None,
) -> Fix:
    """Declared coordinates -> a fix in EPSG:4490.

    `lon`, `lat` are degrees, or easting and northing in metres for a Gauss-Kruger zone. Raises Invalid when
    the declaration is missing or unknown, a number is not finite, degrees are out of range (and says so when
    they look swapped), or the accuracy is impossible. Whether the fix lies near the city is asked later, of
    the map itself.
    """
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise Invalid(
            en="lon and lat must be finite numbers.",
            zh="经纬度必须是有限的数。",
            remedy_en="Wait for a position, or point at the map.",
            remedy_zh="请等待定位，或在图上点选。",
        )
    name = coordinates.normalise(crs)
    if name not in coordinates.GAUSS_KRUGER:
        _check_degrees(lon, lat)
    stored_lon, stored_lat = (float(v) for v in coordinates.to_stored(lon, lat, name))
    if not (math.isfinite(stored_lon) and math.isfinite(stored_lat)):
        raise Invalid(
            en=f"({lon}, {lat}) is no place in {name}.",
            zh=f"({lon}, {lat}) 不是 {name} 中的位置。",
            remedy_en="Check the zone: x is the easting, y the northing, in metres.",
            remedy_zh="请核对分带：x 为东坐标，y 为北坐标，单位米。",
        )
    return Fix(stored_lon, stored_lat, accuracy_m, accuracy_level)


def _check_degrees(lon: float, lat: float) -> None:
    if abs(lon) <= 180 and abs(lat) <= 90:
        return
    swapped = abs(lat) <= 180 and abs(lon) <= 90
    raise Invalid(
        en=f"({lon}, {lat}) are not degrees of longitude and latitude.",
        zh=f"({lon}, {lat}) 不是经纬度。",
        remedy_en="lon and lat look swapped: send lon first."
        if swapped
        else "Declare the projected crs they are in.",
        remedy_zh="经纬度似乎写反了：请先经度后纬度。" if swapped else "请声明它们所用的投影坐标系。",
        swapped=swapped,
    )
