"""What the drawing of one plot consists of, in ground metres."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import ArrayLike

from etl.demo_city.outlines import Frame
from etl.demo_city.sheet import Floats


@dataclass(slots=True)
class Sketch:
    """One building. `doors` are flats on each floor of a unit, `flats` all of them; `front_m` of front
    has shops. A `minor` building gives way where two would touch."""

    outline: Floats
    use: str
    style: str
    floors: int
    units: int = 0
    doors: int = 0
    flats: int = 0
    front_m: float = 0.0
    side: int = -1
    """The plot's side whose road it faces, for shop houses of a strip."""
    minor: bool = False
    label: str = ""
    """What a public building is called after its place's name: 教学楼, 门诊楼 ..."""


class Gate(NamedTuple):
    """An opening in the wall towards the road on one side (0 west, 1 east, 2 south, 3 north)."""

    x: float
    y: float
    side: int


@dataclass(slots=True)
class Drawing:
    """Everything inside one plot."""

    buildings: list[Sketch] = field(default_factory=list)
    land: list[tuple[str, shapely.Geometry]] = field(default_factory=list)
    """(kind of land, shape): gardens, courts, paths, tracks ..."""
    ponds: list[Floats] = field(default_factory=list)
    lanes: list[Floats] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    ground: shapely.Geometry | None = None
    """The named place itself: within its wall, without the shop strips."""


def walled(frame: Frame, plot: shapely.Polygon, inset: float) -> shapely.Polygon | None:
    """The plot in its frame, drawn in by `inset`; None when nothing in one piece is left."""
    inner = shapely.Polygon(frame.into(plot.exterior.coords)).buffer(-inset)
    return inner if isinstance(inner, shapely.Polygon) and not inner.is_empty else None


def chords(shape: shapely.Polygon, ys: ArrayLike, depth: float = 0.0) -> tuple[Floats, Floats]:
    """For rows at `ys`: west and east end of what is free over the row's whole depth; NaN where nothing is.

    Meant for roundish plots, where the outline crosses a row's edge once on either side.
    """
    rows = np.asarray(ys, float)
    levels = np.concatenate([rows, rows + depth / 2, rows + depth]) if depth else rows
    x, y = shapely.get_coordinates(shape.exterior).T
    low, high = y[:-1], y[1:]
    crossed = (low <= levels[:, None]) != (high <= levels[:, None])
    rise = np.where(low == high, 1.0, high - low)
    at = x[:-1] + (levels[:, None] - low) * ((x[1:] - x[:-1]) / rise)
    empty = ~crossed.any(1)
    west = np.where(crossed, at, np.inf).min(1)
    east = np.where(crossed, at, -np.inf).max(1)
    west[empty] = east[empty] = np.nan
    levels_by_row = (-1, len(rows))
    return west.reshape(levels_by_row).max(0), east.reshape(levels_by_row).min(0)


def largest(shape: shapely.Geometry) -> shapely.Geometry:
    """The largest part of a geometry in pieces; itself otherwise."""
    parts = shapely.get_parts(shape)
    return shape if len(parts) < 2 else parts[int(np.argmax(shapely.area(parts)))]


def polygons(outlines: list[Floats]) -> np.ndarray:
    """Outlines of any number of points -> polygons, in one call."""
    if not outlines:
        return np.empty(0, object)
    rings = shapely.linearrings(
        np.concatenate(outlines), indices=np.repeat(np.arange(len(outlines)), [len(o) for o in outlines])
    )
    return shapely.polygons(rings)
