"""The public map: communities shaded by a month's published numbers, drawn once as SVG.

No tiles, no buildings, no places: an outline a community and nothing beneath it. A hidden number is hatched
and says so in words. Drawn in web-Mercator proportions, one thousand units wide.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import shapely
from markupsafe import Markup

from dash_app.markup import tag
from layers.areas import AreaShape

BOUNDS = (20, 40, 80, 160)
"""Fixed classes of a month's cases: 10-19, 20-39, 40-79, 80-159, 160 and more; the same each month."""
WIDTH = 1000.0
WIDE, NARROW = 16.0, 8.2
"""Units of a Chinese and of a Latin letter: a name wider than its community is not written on it."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a community says: `number` is None where all of it is hidden; `words` are for reading aloud."""

    number: int | None
    words: str


def shade_of(number: int | None) -> str:
    """The class name of a number's shade, none where it is hidden."""
    return "none" if number is None else f"shade{sum(number >= bound for bound in BOUNDS)}"


def public_map(
    areas: Sequence[AreaShape], lines: Mapping[str, Line], names: Mapping[str, str], label: str
) -> Markup:
    """The drawing; `label` is what it is, for who hears it read."""
    if not areas:
        return tag("div", label, cls="map-empty")
    place = _Drawing.over([area.shape for area in areas])
    return tag(
        "svg",
        Markup(
            '<defs><pattern id="hidden" width="7" height="7" patternUnits="userSpaceOnUse"'
            ' patternTransform="rotate(45)"><path d="M0 0V7" class="hatch-line"/></pattern></defs>'
        ),
        [_community(area, lines[area.code], names[area.code], place) for area in areas],
        [_label(area, lines[area.code], names[area.code], place) for area in areas],
        viewBox=f"0 0 {WIDTH:.0f} {place.height:.0f}",
        role="img",
        aria_label=label,
        cls="public-map",
    )


@dataclass(frozen=True, slots=True)
class _Drawing:
    """From degrees to the drawing's units, north up."""

    west: float
    north: float
    scale: float
    height: float

    @classmethod
    def over(cls, shapes: Sequence[shapely.Geometry]) -> _Drawing:
        west, south, east, north = shapely.total_bounds(shapes)
        margin = max(east - west, 1e-6) * 0.015
        scale = WIDTH / (east - west + 2 * margin)
        height = (_mercator(north + margin) - _mercator(south - margin)) * scale
        return cls(west - margin, _mercator(north + margin), scale, height)

    def point(self, lon: float, lat: float) -> tuple[float, float]:
        return (lon - self.west) * self.scale, (self.north - _mercator(lat)) * self.scale


def _mercator(lat: float) -> float:
    """The northing of a latitude, in degrees at the equator."""
    return math.degrees(math.asinh(math.tan(math.radians(lat))))


def _community(area: AreaShape, line: Line, name: str, place: _Drawing) -> Markup:
    hidden = line.number is None
    return tag(
        "path",
        tag("title", f"{name} · {line.words}"),
        d=_outline(area.shape, place),
        cls=f"community {shade_of(line.number)}",
        fill="url(#hidden)" if hidden else None,
        data_code=area.code,
    )


def _outline(shape: shapely.Geometry, place: _Drawing) -> str:
    rings = [
        ring
        for part in shapely.get_parts(shape)
        if isinstance(part, shapely.Polygon)
        for ring in (part.exterior, *part.interiors)
    ]
    return "".join(
        "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in (place.point(*at) for at in ring.coords[:-1])) + "Z"
        for ring in rings
    )


def _label(area: AreaShape, line: Line, name: str, place: _Drawing) -> Markup | None:
    west, _, east, _ = shapely.bounds(area.shape)
    if (east - west) * place.scale < sum(WIDE if letter > "⺀" else NARROW for letter in name):
        return None
    at = area.shape.representative_point()
    x, y = place.point(at.x, at.y)
    strong = " strong" if shade_of(line.number) in ("shade3", "shade4") else ""
    number = "" if line.number is None else f"{line.number:,}"
    return tag(
        "text",
        tag("tspan", name, x=f"{x:.0f}"),
        tag("tspan", number, x=f"{x:.0f}", dy="20", cls="number") if number else None,
        x=f"{x:.0f}",
        y=f"{y:.0f}",
        cls=f"map-name{strong}",
        aria_hidden="true",
    )
