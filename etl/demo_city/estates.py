"""Walled estates (小区): rows of slabs or towers that look south, a garden, lanes, gates.

Several building forms are tried on each plot and the one whose number of flats comes nearest to a cell's
wins, with a lean that varies from plot to plot, so the town is a mixture of ages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import shapely

from etl.demo_city.drawing import Drawing, Gate, Sketch, chords, polygons, walled
from etl.demo_city.outlines import Frame, pond, rectangle, slab, tower
from etl.demo_city.sheet import Floats

WANTED_FLATS = 425
MOST_FLATS = 540
"""A cell holds at most 500 households, some 92 % of its flats."""
WALL_INSET = 7.0
LANE_HALF = 4.5
SHEDS = 2 * ((18, 5, "车棚"), (7, 5, "配电房"), (22, 5, "车棚"), (6, 5, "垃圾房"))
"""(width, depth, name) of the small buildings an estate would like to have."""
STOREY_M = 3.0
HIGH_RISE = 12
"""Buildings of so many floors are drawn as towers."""


class Form(NamedTuple):
    """A kind of residential building: floors, depth, width of a unit, units in a block, flats a unit has on
    each floor, distance to the next row in heights, gap to the neighbour."""

    floors: int
    depth: float
    unit_width: float
    units: tuple[int, int]
    doors: int
    spacing: float
    gap: float

    @property
    def points(self) -> bool:
        """Whether each block is one unit: a point tower."""
        return self.units == (1, 1)


FORMS = (
    Form(5, 11.5, 15.5, (2, 2), 2, 0.78, 7.5),
    Form(6, 12.0, 14.5, (2, 3), 2, 0.90, 8.0),
    Form(6, 13.0, 18.0, (2, 2), 2, 1.00, 8.5),
    Form(11, 13.5, 18.0, (2, 3), 2, 0.90, 10.0),
    Form(12, 17.0, 23.0, (1, 1), 3, 0.50, 15.0),
    Form(18, 14.5, 19.0, (2, 3), 2, 0.80, 14.0),
    Form(18, 19.0, 25.0, (1, 1), 4, 0.50, 19.0),
    Form(30, 21.0, 28.0, (1, 1), 4, 0.45, 24.0),
)
LEAN = np.array([-190.0, -140.0, -120.0, 0.0, -20.0, 40.0, 10.0, 40.0])
"""Flats by which a form may miss and still be preferred: the low, old ones are commoner."""


@dataclass(slots=True)
class Home:
    """One residential building in the plot's frame."""

    outline: Floats
    floors: int
    units: int
    doors: int
    half: int
    """Which side of the spine lane: 0 west, 1 east."""

    @property
    def flats(self) -> int:
        return self.floors * self.units * self.doors


@dataclass(slots=True)
class Halves:
    """A plot on both sides of its spine lane: each part with the y range in which rows find room."""

    spine: float
    parts: list[tuple[shapely.Polygon, float, float]]


def draw_estate(
    plot: shapely.Polygon, frame: Frame, open_to: list[bool], rng: np.random.Generator
) -> Drawing:
    """An estate on `plot` (ground metres). `open_to` says which sides have a road for a gate."""
    drawing = Drawing(ground=plot)
    inner = walled(frame, plot, WALL_INSET)
    if inner is None:
        return drawing
    halves = _halves(inner, rng)
    homes, form = _best_rows(inner, halves, rng)
    if not homes:
        return drawing
    homes = _garden(drawing, homes, inner, frame, form, rng)
    _right_height(homes, form, rng)
    style = "tower" if form.floors >= HIGH_RISE else "slab"
    drawing.buildings += [
        Sketch(frame.out(h.outline), "residential", style, h.floors, h.units, h.doors, h.flats) for h in homes
    ]
    _lanes(drawing, homes, halves.spine, plot, inner, frame, open_to)
    _sheds(drawing, inner, frame, rng)
    return drawing


def _halves(inner: shapely.Polygon, rng: np.random.Generator) -> Halves:
    """Split at the spine lane; a narrow plot keeps one half and its lane along the east wall."""
    west, south, east, north = inner.bounds
    if east - west > 78:
        spine = (west + east) / 2 + rng.uniform(-0.1, 0.1) * (east - west)
        boxes = [(west, spine - LANE_HALF), (spine + LANE_HALF, east)]
    else:
        _, right = chords(inner, np.linspace(south + 0.5, north - 0.5, 25))
        spine = float(np.nanmin(right[4:21])) + 3.6
        boxes = [(west, spine - LANE_HALF)]
    parts = []
    for left, right_ in boxes:
        part = shapely.clip_by_rect(inner, left, south, right_, north)
        if part.geom_type != "Polygon" or part.is_empty:
            continue
        _, low, _, high = part.bounds
        y = np.linspace(low + 0.3, high - 0.3, 25)
        a, b = chords(part, y)
        wide = np.nan_to_num(b - a)
        roomy = np.flatnonzero(wide > 0.62 * wide.max())
        if len(roomy) > 3:
            parts.append((part, float(y[roomy[0]]), float(y[roomy[-1]])))
    return Halves(spine, parts)


def _best_rows(inner: shapely.Polygon, halves: Halves, rng: np.random.Generator) -> tuple[list[Home], Form]:
    """The rows of the form that comes nearest to the wanted flats."""
    best: list[Home] = []
    best_form, best_miss = FORMS[0], np.inf
    room = inner.buffer(3)
    shapely.prepare(room)
    for form, lean in zip(FORMS, LEAN + rng.normal(0, 60, len(FORMS)), strict=True):
        homes = _rows(halves, form)
        fits = shapely.contains_properly(room, polygons([home.outline for home in homes]))
        homes = [home for home, fit in zip(homes, fits, strict=True) if fit]
        flats = sum(home.flats for home in homes)
        miss = abs(flats - WANTED_FLATS) + lean
        if not 0.8 * WANTED_FLATS < flats < 1.35 * WANTED_FLATS:
            miss += 150
        if homes and miss < best_miss:
            best, best_form, best_miss = homes, form, miss
    return best, best_form


def _rows(halves: Halves, form: Form) -> list[Home]:
    """South-facing rows over both halves; towers of every other row stand staggered."""
    homes = []
    pitch = form.depth + form.spacing * form.floors * STOREY_M
    for half, (part, low, high) in enumerate(halves.parts):
        room = high - low - form.depth
        n = max(1, int(room // pitch) + 1)
        ys = low + (np.arange(n) * room / (n - 1) if n > 1 else np.array([max(room, 0.0) * 0.45]))
        for row, (west, east, y) in enumerate(zip(*chords(part, ys, form.depth), ys, strict=True)):
            staggered = form.points and (row + half) % 2 == 1
            for x, units in _row(west, east, form, staggered):
                width, depth = form.unit_width, form.depth
                outline = tower(width, depth) if form.points else slab(units, width, depth)
                homes.append(Home(outline + np.array([x, y]), form.floors, units, form.doors, half))
    return homes


def _row(west: float, east: float, form: Form, staggered: bool) -> list[tuple[float, int]]:
    """(x, units) of the blocks of one row between its ends; none where it is too short or has no ends."""
    least, most = form.units
    unit = form.unit_width
    if not east - west > unit * least:
        return []
    if staggered:
        west += max(0.0, min(unit * 0.5, east - west - unit * most))
    blocks = max(1, int((east - west + form.gap) // (unit * (least + most) / 2 + form.gap)))
    total = int((east - west - form.gap * (blocks - 1)) // unit)
    while total < blocks * least and blocks > 1:
        blocks -= 1
        total = int((east - west - form.gap * (blocks - 1)) // unit)
    if total < least:
        return []
    units = [min(total // blocks + (i < total % blocks), most) for i in range(blocks)]
    spare = east - west - sum(units) * unit
    gap = min(spare / (blocks - 1), form.gap * 1.7) if blocks > 1 else 0.0
    x = west + (spare - gap * (blocks - 1)) / 2
    row = []
    for n in units:
        row.append((x, n))
        x += n * unit + gap
    return row


def _garden(
    drawing: Drawing,
    homes: list[Home],
    inner: shapely.Polygon,
    frame: Frame,
    form: Form,
    rng: np.random.Generator,
) -> list[Home]:
    """Take out blocks from the middle until the flats fit a cell: gardens, a pond, a kindergarten."""
    middle = np.array(inner.centroid.coords[0])
    distance = [float(np.hypot(*(home.outline.mean(0) - middle))) for home in homes]
    order = [int(i) for i in np.argsort(distance)]
    dropped = order[:1] if len(homes) > 7 else []
    while sum(homes[i].flats for i in order[len(dropped) :]) > MOST_FLATS and len(dropped) < len(homes) - 2:
        dropped = order[: len(dropped) + 1]
    for rank, i in enumerate(dropped):
        outline = homes[i].outline
        low, high = outline.min(0), outline.max(0)
        if rank == 0 or rng.random() < 0.6:
            plot = shapely.box(*(low - 4), *(high + 4)).buffer(2)
            drawing.land.append(("estate_green", shapely.Polygon(frame.out(plot.exterior.coords))))
            if rng.random() < 0.5:
                x, y = outline.mean(0)
                drawing.ponds.append(frame.out(pond(x, y, 7 if form.floors < 9 else 11, rng, 0.6)))
        else:
            width = float(min(26.0, high[0] - low[0] - 4))
            drawing.buildings.append(
                Sketch(frame.out(rectangle(width, 11) + low + [2, 1]), "school", "slab", 3, label="幼儿园")
            )
            yard = shapely.box(low[0] + width + 4, low[1] + 1, high[0], low[1] + 12)
            if high[0] - low[0] - width > 10:
                drawing.land.append(("pitch", shapely.Polygon(frame.out(yard.exterior.coords))))
    return [home for i, home in enumerate(homes) if i not in set(dropped)]


def _right_height(homes: list[Home], form: Form, rng: np.random.Generator) -> None:
    """Where the flats still miss a cell's number, build all blocks somewhat higher or lower."""
    flats = sum(home.flats for home in homes)
    factor = 1.0
    if not 315 < flats < 530:
        factor = min(1.45 if form.floors < 30 else 1.03, max(0.6, WANTED_FLATS / max(flats, 1)))
    for home in homes:
        home.floors = max(3, round(home.floors * factor))
        if form.floors > 11:
            home.floors += int(rng.integers(-2, 2))


def _lanes(
    drawing: Drawing,
    homes: list[Home],
    spine: float,
    plot: shapely.Polygon,
    inner: shapely.Polygon,
    frame: Frame,
    open_to: list[bool],
) -> None:
    """The spine from gate to gate and a lane behind each row; gates where there is a road."""
    whole = shapely.Polygon(frame.into(plot.exterior.coords))
    _, low, _, high = shapely.bounds(
        shapely.intersection(shapely.LineString([(spine, -1e4), (spine, 1e4)]), whole)
    )
    if not np.isfinite(low):
        return
    ends = [low if open_to[2] else low + 9, high if open_to[3] else high - 9]
    drawing.lanes.append(frame.out([(spine, ends[0]), (spine, ends[1])]))
    tops = {(round(float(home.outline[:, 1].max()) + 4.0, 1), home.half) for home in homes}
    lanes = sorted((y, half) for y, half in tops if low + 3 < y < high - 3)
    ring = inner.buffer(3.5)
    last = {0: -np.inf, 1: -np.inf}
    tips: dict[int, tuple[float, float]] = {}
    for y, half in lanes:
        a, b = (float(end[0]) for end in chords(ring, [y]))
        tip = b if half else a
        if y - last[half] < 6 or not abs(tip - spine) > 12:
            continue
        last[half] = y
        drawing.lanes.append(frame.out([(spine, y), (tip, y)]))
        tips.setdefault(half, (tip, y))
    for side, y in ((2, low), (3, high)):
        if open_to[side]:
            drawing.gates.append(_gate(frame, spine, y, side))
    for side in (0, 1):
        if drawing.gates or not open_to[side]:
            continue
        y = tips[side][1] if side in tips else (low + high) / 2
        a, b = (float(end[0]) for end in chords(whole, [y]))
        edge = b if side else a
        drawing.lanes.append(frame.out([(spine, y), (edge, y)]))
        drawing.gates.append(_gate(frame, edge, y, side))


def _gate(frame: Frame, x: float, y: float, side: int) -> Gate:
    east, north = frame.out([x, y])
    return Gate(float(east), float(north), side)


def _sheds(drawing: Drawing, inner: shapely.Polygon, frame: Frame, rng: np.random.Generator) -> None:
    """Gatehouses and, along the west and east wall, bicycle sheds, power rooms and parking."""
    middle = inner.centroid.y
    for gate in drawing.gates[:2]:
        x, y = frame.into([gate.x, gate.y])
        outline = rectangle(5, 3.5) + np.array([x + 5, y + 2 if y < middle else y - 5.5])
        drawing.buildings.append(
            Sketch(frame.out(outline), "other", "village", 1, minor=True, label="门卫室")
        )
    west, south, east, north = inner.bounds
    for width, depth, label in SHEDS:
        x = west + rng.uniform(0, 5) if rng.random() < 0.5 else east - width - rng.uniform(0, 5)
        y = rng.uniform(south, north - 6)
        outline = frame.out(rectangle(width, depth) + np.array([x, y]))
        if label == "车棚" and rng.random() < 0.5:
            drawing.land.append(("parking", shapely.Polygon(outline)))
        else:
            drawing.buildings.append(Sketch(outline, "other", "village", 1, minor=True, label=label))
