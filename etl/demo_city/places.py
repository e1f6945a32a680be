"""Public and working places: parks, schools, hospitals, offices, works, malls.

Each is a short wish list of buildings; `_Site.put` sets a wish on the free spot nearest to where it would
like to be, or leaves it out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely

from etl.demo_city.drawing import Drawing, Gate, Sketch, walled
from etl.demo_city.outlines import (
    Frame,
    angled,
    chamfered,
    court,
    oval,
    pond,
    race_track,
    rectangle,
    slab,
)
from etl.demo_city.sheet import Floats

INSET = 6.0
STEP = 5.0
TRACKS = ((92, 176), (80, 140), (64, 112), (52, 92))
"""Width and length of running tracks of 400, 300, 250 and 200 m."""


@dataclass(slots=True)
class _Site:
    """A plot being built on: what is taken, and where things go. Shares are of its bounding box."""

    frame: Frame
    inner: shapely.Polygon
    drawing: Drawing
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def at(self, across: float, up: float) -> tuple[float, float]:
        west, south, east, north = self.inner.bounds
        return west + across * (east - west), south + up * (north - south)

    def spot(self, width: float, depth: float, wish: tuple[float, float]) -> tuple[float, float] | None:
        """Lower left corner of the free rectangle nearest to the wish."""
        west, south, east, north = self.inner.bounds
        xs, ys = np.meshgrid(np.arange(west, east - width, STEP), np.arange(south, north - depth, STEP))
        x, y = xs.ravel(), ys.ravel()
        nearest = np.argsort(np.hypot(x + width / 2 - wish[0], y + depth / 2 - wish[1]), kind="stable")
        for a, b, c, d in self.taken:
            clear = (
                (x[nearest] >= c) | (x[nearest] + width <= a) | (y[nearest] >= d) | (y[nearest] + depth <= b)
            )
            nearest = nearest[clear]
        for batch in np.array_split(nearest, max(1, len(nearest) // 60)):
            boxes = shapely.box(x[batch], y[batch], x[batch] + width, y[batch] + depth)
            fits = np.flatnonzero(shapely.contains_properly(self.inner, boxes))
            if len(fits):
                return float(x[batch[fits[0]]]), float(y[batch[fits[0]]])
        return None

    def take(self, x: float, y: float, width: float, depth: float, gap: float) -> None:
        self.taken.append((x - gap, y - gap, x + width + gap, y + depth + gap))

    def put(
        self,
        outline: Floats,
        wish: tuple[float, float],
        use: str,
        style: str,
        floors: int,
        *,
        gap: float = 8.0,
        front_m: float = 0.0,
        label: str = "",
    ) -> bool:
        """Build one building; False where there is no room."""
        shape = outline - outline.min(0)
        width, depth = shape.max(0)
        spot = self.spot(width, depth, wish)
        if spot is None:
            return False
        self.take(*spot, width, depth, gap)
        self.drawing.buildings.append(
            Sketch(self.frame.out(shape + spot), use, style, floors, front_m=front_m, label=label)
        )
        return True

    def land(self, kind: str, outline: Floats) -> None:
        self.drawing.land.append((kind, shapely.Polygon(self.frame.out(outline))))


def draw_place(use: str, plot: shapely.Polygon, frame: Frame, rng: np.random.Generator) -> Drawing:
    """A public or working place of the given use on `plot`."""
    drawing = Drawing(ground=plot)
    inner = walled(frame, plot, INSET)
    if inner is None:
        return drawing
    shapely.prepare(inner)
    site = _Site(frame, inner, drawing)
    _DRAW[use](site, rng)
    if use != "commercial":
        west, south, east, _ = inner.bounds
        ring = plot.exterior
        gate = ring.interpolate(ring.project(shapely.Point(frame.out([(west + east) / 2, south - 5]))))
        drawing.gates.append(Gate(gate.x, gate.y, 2))
    return drawing


def _park(site: _Site, rng: np.random.Generator) -> None:
    """A lake with two paths around it, paths to the edges, a plaza, pavilions."""
    west, south, east, north = site.inner.bounds
    radius = min(east - west, north - south)
    lake = pond(*site.at(rng.uniform(0.4, 0.6), rng.uniform(0.4, 0.6)), radius * 0.25, rng, 0.75)
    centre = lake.mean(0)
    site.drawing.ponds.append(site.frame.out(lake))
    paths = [np.vstack([ring, ring[:1]]) for ring in ((lake - centre) * k + centre for k in (1.22, 1.6))]
    for turn in np.linspace(0, 2 * np.pi, 6, endpoint=False) + rng.uniform(0, 1):
        reach = np.array([np.cos(turn), np.sin(turn)]) * radius
        bow = np.array([-reach[1], reach[0]]) * rng.uniform(-0.12, 0.12)
        paths.append(np.array([centre + reach * 0.3, centre + reach * 0.5 + bow, centre + reach * 0.9]))
    ways = shapely.union_all([shapely.LineString(path).buffer(1.8, quad_segs=3) for path in paths])
    ways = shapely.difference(shapely.intersection(ways, site.inner.buffer(4)), shapely.Polygon(lake))
    site.drawing.land.append(("path", shapely.transform(ways, lambda points: site.frame.out(points))))
    low, span = lake.min(0), np.ptp(lake, axis=0)
    site.take(low[0], low[1], span[0], span[1], 0.0)
    plaza = site.spot(40, 30, site.at(0.5, 0.0))
    if plaza:
        site.land("plaza", oval(40, 30) + plaza)
    for _ in range(5):
        width, depth = rng.uniform(6, 15, 2)
        site.put(
            rectangle(width, depth), site.at(*rng.uniform(0.05, 0.95, 2)), "other", "village", 1, label="亭"
        )


def _school(site: _Site, rng: np.random.Generator) -> None:
    """A running track on one side, teaching blocks on the other, a hall and ball courts."""
    left = rng.random() < 0.5
    far, near = (0.15, 0.85) if left else (0.85, 0.15)
    for width, length in TRACKS:
        spot = site.spot(width, length, site.at(far, 0.5))
        if spot:
            site.take(*spot, width, length, 6)
            site.land("track", race_track(width, length) + spot)
            lane = width * 0.14
            site.land("pitch", race_track(width - 2 * lane, length - 2 * lane) + spot + lane)
            break
    site.put(court(62, 44, 12), site.at(near, 0.15), "school", "slab", 5, gap=12, label="教学楼")
    for i in range(3):
        wish = site.at(near, 0.4 + 0.25 * i)
        site.put(
            slab(3 + i % 2, 15, 13), wish, "school", "slab", 5 - i % 2, gap=12, label=f"{i + 1} 号教学楼"
        )
    site.put(rectangle(38, 26), site.at(0.5, 0.95), "school", "slab", 2, label="体育馆")
    for _ in range(2):
        spot = site.spot(28, 15, site.at(0.5, 0.0))
        if spot:
            site.take(*spot, 28, 15, 4)
            site.land("pitch", rectangle(28, 15) + spot)


def _hospital(site: _Site, rng: np.random.Generator) -> None:
    comb = np.array([(0, 0), (86, 0), (86, 46), (60, 46), (60, 30), (26, 30), (26, 46), (0, 46)], float)
    site.put(comb, site.at(0.5, 0.12), "hospital", "slab", 5, gap=14, label="门诊楼")
    for i in range(3):
        wish = site.at(0.5, 0.6 + 0.25 * i)
        site.put(slab(3, 22, 18), wish, "hospital", "tower", 16 - 4 * i, gap=16, label=f"{i + 1} 号住院楼")
    site.put(angled(44, 36, 15), site.at(0.95, 0.9), "hospital", "slab", 6, label="医技楼")
    site.put(rectangle(24, 16), site.at(0.02, 0.95), "hospital", "slab", 3, label="后勤楼")
    _parking(site, site.at(0.9, 0.4))


def _factory(site: _Site, rng: np.random.Generator) -> None:
    for i in range(9):
        outline = rectangle(rng.uniform(44, 96), rng.uniform(26, 46))
        wish = site.at(*rng.uniform(0, 1, 2))
        site.put(outline, wish, "industrial", "slab", 1, gap=9, label=f"{i + 1} 号车间")
    site.put(slab(3, 14, 13), site.at(0.5, 0), "office", "slab", 5, label="办公楼")
    for _ in range(9):
        site.put(
            rectangle(*rng.uniform(8, 24, 2)),
            site.at(*rng.uniform(0, 1, 2)),
            "industrial",
            "slab",
            1,
            gap=5,
            label="仓库",
        )
    _parking(site, site.at(0.2, 0.1))


def _commercial(site: _Site, rng: np.random.Generator) -> None:
    """A mall, a row of office towers, lower shops around, a plaza between them."""
    west, south, east, north = site.inner.bounds
    width, depth = min(150.0, (east - west) * 0.62), min(95.0, (north - south) * 0.5)
    cut = [(0, 0), (1, 0), (1, 0.7), (0.93, 1), (0.55, 1), (0.5, 0.86), (0.3, 0.86), (0.25, 1), (0, 1)]
    shapes = [
        oval(width, depth),
        court(width, depth, min(depth * 0.4, width * 0.3)),
        np.array(cut) * [width, depth],
    ]
    site.put(
        shapes[rng.integers(3)],
        site.at(0.3, 0.5),
        "commercial",
        "tower",
        6,
        gap=14,
        front_m=width * 3.5,
        label="购物中心",
    )
    plaza = site.spot(46, 34, site.at(0.5, 0.35))
    if plaza:
        site.take(*plaza, 46, 34, 3)
        site.land("plaza", oval(46, 34) + plaza)
    side = rng.uniform(36, 46)
    for i in range(4):
        outline = chamfered(side, side * 0.14)
        wish = site.at(0.12 + 0.25 * i, 0.05)
        site.put(outline, wish, "office", "tower", int(rng.integers(22, 48)), gap=15, label=f"{i + 1} 座")
    for i in range(12):
        outline = angled(rng.uniform(30, 56), rng.uniform(24, 36), 14) if i % 3 else rectangle(36, 15)
        wish = site.at(*rng.uniform(0, 1, 2))
        site.put(
            outline, wish, "commercial", "shop", int(rng.integers(3, 7)), gap=9, front_m=44, label="商业楼"
        )


def _civic(site: _Site, rng: np.random.Generator) -> None:
    site.put(court(74, 40, 15), site.at(0.5, 0.75), "civic", "slab", 8, gap=12, label="主楼")
    for i in range(5):
        outline = slab(3, 17, 16)
        wish = site.at(*rng.uniform(0, 1, 2))
        site.put(outline, wish, "office", "slab", int(rng.integers(6, 14)), gap=14, label=f"{i + 1} 号楼")
    for _ in range(4):
        outline = angled(rng.uniform(24, 40), rng.uniform(20, 32), 12)
        site.put(outline, site.at(*rng.uniform(0, 1, 2)), "office", "slab", 4, gap=9, label="附楼")
    _parking(site, site.at(0.5, 0.1))


def _parking(site: _Site, wish: tuple[float, float]) -> None:
    spot = site.spot(34, 17, wish)
    if spot:
        site.take(*spot, 34, 17, 3)
        site.land("parking", rectangle(34, 17) + spot)


_DRAW = {
    "park": _park,
    "school": _school,
    "hospital": _hospital,
    "factory": _factory,
    "commercial": _commercial,
    "civic": _civic,
}
