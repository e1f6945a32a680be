"""The choropleth of an indicator: fixed classes, one shape a ground, hatching where a rate would say nothing.

Classes are fixed, not quantiles: the same rate has the same colour next month and in the next subdistrict.
The stronger the colour the worse, so that the eye goes where something is to be done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from dash_app.texts import Words
from grids.owner_map import OwnerMap
from incidents.indicators import FEW, Indicator, Ratio

HIGH_BOUNDS = (0.95, 0.9, 0.8, 0.6)
"""Of a rate that should be high: from the first on the faintest class, below the last the strongest."""
LOW_BOUNDS = (0.02, 0.05, 0.1, 0.2)
"""Of a rate that should be low: up to the first the faintest class, above the last the strongest."""
HATCHED = -1
OUTLINE = 2e-4
"""How true the outlines are, as a share of what is looked at: a tenth of a pixel on a map of 500."""


def bounds_of(indicator: Indicator) -> tuple[float, ...]:
    return HIGH_BOUNDS if indicator.better == "high" else LOW_BOUNDS


def shade_class(indicator: Indicator, ratio: Ratio) -> int:
    """0 (faint, good) to 4 (strong, bad); HATCHED where there are fewer than ten cases."""
    if ratio.value is None or ratio.denominator < FEW:
        return HATCHED
    value = ratio.value
    if indicator.better == "high":
        return sum(value < bound for bound in HIGH_BOUNDS)
    return sum(value > bound for bound in LOW_BOUNDS)


def class_names(indicator: Indicator) -> list[str]:
    """What each class spans, from faint to strong: ≥95 %, 90–95, 80–90, 60–80, <60."""
    marks = [f"{100 * bound:g}" for bound in bounds_of(indicator)]
    if indicator.better == "high":
        between = [f"{low}–{high}" for high, low in pairwise(marks)]
        return [f"≥{marks[0]} %", *between, f"<{marks[-1]}"]
    between = [f"{low}–{high}" for low, high in pairwise(marks)]
    return [f"≤{marks[0]} %", *between, f">{marks[-1]}"]


@lru_cache(maxsize=32)
def ground_shapes(picture: OwnerMap, territory: str, width: int) -> dict[str, shapely.Geometry]:
    """Code of `width` digits -> its ground: the social cells of a territory, joined by how codes begin."""
    groups: dict[str, list[int]] = {}
    for index, (code, special) in enumerate(zip(picture.codes, picture.special, strict=True)):
        if code.startswith(territory) and not special:
            groups.setdefault(code[:width], []).append(index)
    geoms = np.asarray(picture.geoms, object)
    return {code: shapely.union_all(geoms[indexes]) for code, indexes in groups.items()}


def shaded(
    words: Words,
    indicator: Indicator,
    shapes: Mapping[str, shapely.Geometry],
    lines: Iterable[tuple[str, str, Ratio]],
) -> dict[str, Any]:
    """The FeatureCollection of grounds with class, name and figures; `lines` are (code, name, ratio)."""
    told = {code: (name, ratio) for code, name, ratio in lines}
    west, south, east, north = shapely.total_bounds(list(shapes.values()))
    tolerance = max(1e-5, max(east - west, north - south) * OUTLINE) if shapes else 0.0
    features = []
    for number, (code, shape) in enumerate(shapes.items(), 1):
        name, ratio = told.get(code, (code, Ratio()))
        properties = {
            "code": code,
            "name": name,
            "class": shade_class(indicator, ratio),
            "rate": ratio.words(words.language) if not 0 < ratio.denominator < FEW else "",
            "figures": f"{ratio.numerator:,} / {ratio.denominator:,}",
        }
        geometry = shapely.geometry.mapping(shapely.simplify(shape, tolerance))
        features.append({"type": "Feature", "id": number, "geometry": geometry, "properties": properties})
    return {"type": "FeatureCollection", "features": features}
