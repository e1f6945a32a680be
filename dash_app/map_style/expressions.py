"""Pieces of MapLibre style expressions that several layers share."""

from __future__ import annotations

import math
from typing import Any

Layer = dict[str, Any]
Expression = Any

REGULAR = ["CityGrid Regular", "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", "sans-serif"]
BOLD = ["CityGrid Bold", *REGULAR[1:]]
ITALIC = ["CityGrid Italic", *REGULAR[1:]]
"""No glyph server: the browser draws every glyph. The first name only tells the weight and the slope."""


def kinds(wanted: tuple[str, ...]) -> Expression:
    return ["match", ["get", "kind"], list(wanted), True, False]


def each(colour: str) -> Expression:
    """One colour, as an expression of the feature: layers coloured alike by feature share a shader program.

    A program is compiled in 100 ms where there is no graphics card, so the first view should need few.
    """
    return ["match", ["geometry-type"], "Polygon", colour, colour]


def match(field: str, values: dict[str, Any], keys: tuple[str, ...], other: Any) -> Expression:
    branches: list[Any] = []
    for key in keys:
        branches += [key, values[key]]
    return ["match", ["get", field], *branches, other]


def pixels(metres: float, latitude: float, zoom: float) -> float:
    """Screen pixels of a length at a zoom, for 512 px tiles."""
    metres_per_pixel = 40075016.686 * math.cos(math.radians(latitude)) / (512 * 2**zoom)
    return metres / metres_per_pixel


def metres(metres: float, latitude: float, extra: float = 0.0) -> Expression:
    """A width true to the ground from z13 on, never thinner than a hairline before."""
    stops: list[Any] = []
    for zoom, least in ((9, 0.5), (12, 0.8), (13, 1.0)):
        stops += [zoom, round(max(pixels(metres, latitude, zoom), least) + extra, 2)]
    for zoom in (14, 16, 18, 20):
        stops += [zoom, round(pixels(metres, latitude, zoom) + extra, 2)]
    return ["interpolate", ["exponential", 2], ["zoom"], *stops]


def zoomed(*stops: tuple[float, float]) -> Expression:
    flat: list[Any] = []
    for zoom, value in stops:
        flat += [zoom, value]
    return ["interpolate", ["linear"], ["zoom"], *flat]


def name(language: str) -> Expression:
    if language == "en":
        return ["coalesce", ["get", "name_en"], ["get", "name"], ""]
    return ["coalesce", ["get", "name"], ""]
