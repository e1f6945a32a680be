"""Coordinates in and out of the house: everything is stored as CGCS2000 (EPSG:4490), lon before lat.

Sources must declare what their numbers are: an undeclared GCJ-02 point lies some 600 m off, in another
community, so guessing is not an option. Conversions of the Chinese web-map datums live here and nowhere else.

Accepted declarations: EPSG:4490, EPSG:4326 (a zero shift to 4490 in PROJ), CRS84, GCJ-02, BD-09, and the
CGCS2000 Gauss-Kruger zones EPSG:4491..4554 (x = easting, y = northing, whatever the EPSG axis order says).
GCJ-02-MAINLAND and BD-09-MAINLAND are the variants of services that leave Hong Kong, Macau and Taiwan
unshifted (`gis.unshifted`); GCJ-02 and BD-09 follow the published formula, which shifts all that lies in
its box. A file may be in any other system besides, as long as PROJ knows the way to WGS 84:
`source_system`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from gis.errors import Invalid
from gis.unshifted import unshifted

STORED = "EPSG:4490"
GEOGRAPHIC = frozenset({"EPSG:4490", "EPSG:4326", "CRS84", "OGC:CRS84"})
GAUSS_KRUGER = frozenset(f"EPSG:{code}" for code in range(4491, 4555))
MAINLAND = "-MAINLAND"
WEB_DATUMS = frozenset({"GCJ-02", "BD-09", "GCJ-02-MAINLAND", "BD-09-MAINLAND"})
NAMES = ("EPSG:4490", "EPSG:4326", "GCJ-02", "BD-09", "GCJ-02-MAINLAND", "BD-09-MAINLAND", "EPSG:4491..4554")

Floats = NDArray[np.float64]

_AXIS = 6378245.0  # Krasovsky 1940: the published GCJ-02 formula is defined on it
_ECCENTRICITY2 = 0.00669342162296594323
_BD_TURN = np.pi * 3000.0 / 180.0


def unknown_crs(crs: object) -> Invalid:
    """The refusal of a missing or unknown declaration, with what may be declared."""
    return Invalid(
        en=f"The coordinate system {crs!r} is not one this city reads.",
        zh=f"坐标系 {crs!r} 不在可用之列。",
        remedy_en="Declare crs as one of " + ", ".join(NAMES) + ".",
        remedy_zh="请声明 crs 为以下之一：" + "、".join(NAMES) + "。",
        accepted=list(NAMES),
    )


def normalise(crs: str | None) -> str:
    """The one spelling of a declared coordinate system. Raises Invalid when it is unknown or absent."""
    name = (crs or "").strip().upper().replace("GCJ02", "GCJ-02").replace("BD09", "BD-09")
    name = name.replace("EPSG::", "EPSG:").removeprefix("URN:OGC:DEF:CRS:")
    if name in GEOGRAPHIC or name in GAUSS_KRUGER or name in WEB_DATUMS:
        return name
    raise unknown_crs(crs)


def to_stored(x: ArrayLike, y: ArrayLike, crs: str) -> tuple[Floats, Floats]:
    """Coordinates declared as `crs` -> (lon, lat) in EPSG:4490.

    `x`, `y` are lon, lat in degrees, or easting, northing in metres for a Gauss-Kruger zone. Arrays keep
    their shape; non-finite values stay non-finite. The web-map datums are inverted to well under 1 mm.
    Raises Invalid for an unknown declaration.
    """
    name = normalise(crs)
    lon, lat = np.asarray(x, float), np.asarray(y, float)
    if name in GEOGRAPHIC:
        return lon, lat
    if name in WEB_DATUMS:
        return _from_web_datum(lon, lat, name)
    return transformer(name, STORED).transform(lon, lat)


def from_stored(lon: ArrayLike, lat: ArrayLike, crs: str) -> tuple[Floats, Floats]:
    """(lon, lat) in EPSG:4490 -> coordinates as `crs` would have them: the inverse of `to_stored`."""
    name = normalise(crs)
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    if name in GEOGRAPHIC:
        return lon, lat
    if name not in WEB_DATUMS:
        return transformer(STORED, name).transform(lon, lat)
    gcj_lon, gcj_lat = wgs84_to_gcj02(lon, lat)
    if name.endswith(MAINLAND):
        plain = unshifted(lon, lat)
        gcj_lon, gcj_lat = np.where(plain, lon, gcj_lon), np.where(plain, lat, gcj_lat)
    return gcj02_to_bd09(gcj_lon, gcj_lat) if name.startswith("BD-09") else (gcj_lon, gcj_lat)


def _from_web_datum(lon: Floats, lat: Floats, name: str) -> tuple[Floats, Floats]:
    """Invert a web-map datum. On ground that the mainland variant leaves unshifted the numbers are true.

    Within the shift (some 600 m) of the Hong Kong and Macau border a number may have come from either side;
    it is read as the mainland's.
    """
    if name.startswith("BD-09"):
        lon, lat = bd09_to_gcj02(lon, lat)
    true_lon, true_lat = gcj02_to_wgs84(lon, lat)
    if not name.endswith(MAINLAND):
        return true_lon, true_lat
    plain = unshifted(true_lon, true_lat)
    return np.where(plain, lon, true_lon), np.where(plain, lat, true_lat)


@lru_cache(maxsize=64)
def source_system(crs: str) -> str:
    """The one spelling of the system a file is in: any a report may declare, or any PROJ knows in WGS 84.

    `crs` is what an operator declares or what the file itself says: a name, an EPSG code, WKT, a PROJ string.
    Raises Invalid for an unknown one, and for a datum (Xi'an 1980) whose shift only the surveying office
    knows: PROJ's "ballpark" would place such a file a hundred metres off and say nothing.
    """
    try:
        return normalise(crs)
    except Invalid:
        pass
    try:
        system = CRS.from_user_input(crs)
    except CRSError as error:
        raise unknown_crs(crs) from error
    authority = system.to_authority(min_confidence=70)
    name = ":".join(authority) if authority else system.to_wkt()
    if name in GEOGRAPHIC or name in GAUSS_KRUGER:
        return name
    try:
        _to_wgs84(name)
    except ProjError as error:
        raise Invalid(
            en=f"No exact way is known from {system.name} to CGCS2000.",
            zh=f"没有从 {system.name} 到 CGCS2000 的精确转换。",
            remedy_en="Have the file converted to CGCS2000 with the surveying office's parameters, or declare"
            " a PROJ string that holds them (+towgs84=...).",
            remedy_zh="请用测绘部门的参数先转换到 CGCS2000，或声明含该参数的 PROJ 字符串（+towgs84=…）。",
        ) from error
    return name


def source_to_stored(x: ArrayLike, y: ArrayLike, crs: str) -> tuple[Floats, Floats]:
    """Coordinates of a file in a `source_system` -> (lon, lat) in EPSG:4490; see `to_stored`.

    A system that is not one of the city's own goes through WGS 84, which is CGCS2000 for our purposes (PROJ
    knows shifts to WGS 84 that it does not know to CGCS2000). What PROJ cannot place becomes infinite.
    """
    name = source_system(crs)
    try:
        normalise(name)
    except Invalid:
        return _to_wgs84(name).transform(np.asarray(x, float), np.asarray(y, float))
    return to_stored(x, y, name)


@lru_cache(maxsize=16)
def _to_wgs84(source: str) -> Transformer:
    return Transformer.from_crs(source, "EPSG:4326", always_xy=True, allow_ballpark=False)


@lru_cache(maxsize=64)
def transformer(source: str, target: str) -> Transformer:
    """A cached PROJ transformer that always takes and gives x (lon, easting) first."""
    return Transformer.from_crs(source, target, always_xy=True)


def metric_crs(lon: float) -> str:
    """The 3-degree CGCS2000 Gauss-Kruger zone that holds this longitude, as measured in metres here.

    Zones without the zone number in the easting (EPSG:4534..4554, central meridians 75E..135E); outside
    China the transverse Mercator of that meridian on the same ellipsoid, so that a foreign trial city is
    measured as well.
    """
    meridian = 3 * round(lon / 3)
    if 75 <= meridian <= 135:
        return f"EPSG:{4534 + (meridian - 75) // 3}"
    return CRS.from_proj4(
        f"+proj=tmerc +lat_0=0 +lon_0={meridian} +k=1 +x_0=500000 +y_0=0 +ellps=GRS80 +units=m"
    ).to_wkt()


def to_metres(lon: ArrayLike, lat: ArrayLike, *, zone: str) -> tuple[Floats, Floats]:
    """(lon, lat) in EPSG:4490 -> easting, northing in metres of `zone` (see `metric_crs`)."""
    return transformer(STORED, zone).transform(np.asarray(lon, float), np.asarray(lat, float))


def from_metres(x: ArrayLike, y: ArrayLike, *, zone: str) -> tuple[Floats, Floats]:
    """Easting, northing in metres of `zone` -> (lon, lat) in EPSG:4490."""
    return transformer(zone, STORED).transform(np.asarray(x, float), np.asarray(y, float))


def outside_china(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """Where the published GCJ-02 formula is the identity: outside its rough box around China."""
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    return (lon < 72.004) | (lon > 137.8347) | (lat < 0.8293) | (lat > 55.8271)


def wgs84_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """The published obfuscation, degrees in and out; the identity outside `outside_china`'s box."""
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    ripple = 20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)
    d_lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    d_lat += (ripple + 20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    d_lat += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    d_lon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    d_lon += (ripple + 20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    d_lon += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    phi = np.radians(lat)
    w = 1.0 - _ECCENTRICITY2 * np.sin(phi) ** 2
    d_lat = np.degrees(d_lat * w * np.sqrt(w) / (_AXIS * (1.0 - _ECCENTRICITY2)))
    d_lon = np.degrees(d_lon * np.sqrt(w) / (_AXIS * np.cos(phi)))
    outside = outside_china(lon, lat)
    return np.where(outside, lon, lon + d_lon), np.where(outside, lat, lat + d_lat)


def gcj02_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """The exact inverse: fixed-point steps, each some 200 times closer, until far below 1 mm."""
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    guess_lon, guess_lat = lon, lat
    for _ in range(8):
        there_lon, there_lat = wgs84_to_gcj02(guess_lon, guess_lat)
        guess_lon, guess_lat = guess_lon + (lon - there_lon), guess_lat + (lat - there_lat)
    return guess_lon, guess_lat


def gcj02_to_bd09(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """GCJ-02 -> Baidu's BD-09: a small turn, a ripple and a fixed offset."""
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_TURN)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_TURN)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def bd09_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """The exact inverse of `gcj02_to_bd09`, by the same fixed-point steps."""
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    guess_lon, guess_lat = lon - 0.0065, lat - 0.006
    for _ in range(8):
        there_lon, there_lat = gcj02_to_bd09(guess_lon, guess_lat)
        guess_lon, guess_lat = guess_lon + (lon - there_lon), guess_lat + (lat - there_lat)
    return guess_lon, guess_lat
