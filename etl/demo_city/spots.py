"""Where trouble happens: spots of a kind, each with its true cell and the words for the place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.demo_city.addresses import Addresses
from etl.demo_city.basemap import WIDTH_M
from etl.demo_city.components import Components
from etl.demo_city.ground import Ground
from etl.demo_city.housing import Housing, Shops
from etl.demo_city.names import Name
from etl.demo_city.parcels import HALF_WIDTH
from etl.demo_city.sheet import Floats
from etl.demo_city.town import Town
from grids.ground_rules import BUILDING_REACH_M

Ints = NDArray[np.int64]
Objects = NDArray[np.object_]

COMPONENTS = ("lamp", "manhole", "hydrant", "bin", "tree")
HIGH_RISE = 11
DIRECTIONS = ("西门", "东门", "南门", "北门")


@dataclass(frozen=True, slots=True)
class Spots:
    """Spots of one kind. `building`, `component` are rows from 0, -1 for none; `cell_code` is the truth."""

    xy: Floats
    plot: Ints
    cell_code: Objects
    place: Objects
    building: Ints
    component: Ints
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.xy)

    def draw(self, count: int, rng: np.random.Generator, likely: Floats) -> Ints:
        """Random rows by their weight times how `likely` their plot is; likely nowhere means anywhere."""
        weight = self.weight * likely[self.plot]
        if not weight.any():
            weight = self.weight
        running = np.cumsum(weight)
        return np.searchsorted(running, rng.random(count) * running[-1], side="right")


class Whereabouts:
    """All kinds of spots of a town, each made when it is first asked for."""

    def __init__(
        self,
        town: Town,
        ground: Ground,
        addresses: Addresses,
        housing: Housing,
        shops: Shops,
        components: Components,
        places: dict[int, Name],
        estates: dict[int, Name],
    ) -> None:
        self.town = town
        self._ground, self._addresses = ground, addresses
        self._housing, self._shops, self._components = housing, shops, components
        self._places, self._estates = places, estates
        self._rng = town.stream(30)
        self._kept: dict[str, Spots] = {}

    def of(self, kind: str) -> Spots:
        """The spots of a kind: road, corner, gate, yard, home, tower, shop, eatery, green, river, or a
        kind of component."""
        if kind not in self._kept:
            make = self._component_spots if kind in COMPONENTS else getattr(self, f"_{kind}_spots")
            self._kept[kind] = make(kind)
        return self._kept[kind]

    @cached_property
    def _city(self) -> shapely.Geometry:
        city = shapely.coverage_union_all(self.town.shares())
        shapely.prepare(city)
        return city

    @cached_property
    def _buildings(self) -> shapely.STRtree:
        return shapely.STRtree(self.town.stock.outline)

    def in_city(self, xy: Floats) -> NDArray[np.bool_]:
        """Whether places (ground metres) lie in the city."""
        return shapely.contains_xy(self._city, xy)

    def building_at(self, xy: Floats, accuracy_m: Floats) -> Ints:
        """The building the routing will find at each place (rows from 0), -1 for none."""
        (which, building), metres = self._buildings.query_nearest(
            shapely.points(xy), max_distance=BUILDING_REACH_M, return_distance=True, all_matches=False
        )
        found = np.full(len(xy), -1)
        close = metres <= np.minimum(accuracy_m[which], BUILDING_REACH_M)
        found[which[close]] = building[close]
        return found

    def _component_spots(self, kind: str) -> Spots:
        found = self._components
        rows = np.flatnonzero(found.kind == kind)
        if not len(rows):  # a city without road trees
            return self.of("road")
        place = np.array([f"{address}旁" if address else "路边" for address in found.address[rows]], object)
        return self._spots(found.xy[rows], found.plot[rows], found.cell_code[rows], place, component=rows)

    def _road_spots(self, kind: str) -> Spots:
        """Along every road side, every 25 m or so, on carriageway and pavement."""
        plot, side = np.nonzero(self._addresses.name != None)  # noqa: E711 - elementwise
        lines = self._addresses.lines[plot, side]
        count = np.maximum(1, (shapely.length(lines) / 25).astype(int))
        plot, side, lines = np.repeat(plot, count), np.repeat(side, count), np.repeat(lines, count)
        share = self._rng.uniform(0.12, 0.88, len(plot))
        here = shapely.line_interpolate_point(lines, share, normalized=True)
        width = np.array(
            [WIDTH_M[self.town.plots[p].parcel.sides[s]] for p, s in zip(plot, side, strict=True)]
        )
        xy = self._inward(plot, side, lines, here, self._rng.uniform(0.15, 0.5, len(plot)) * width + 1.0)
        place = [f"{written}旁" for written in self._addresses.written(plot, side, here)]
        return self._on_road(xy, plot, place)

    def _inward(self, plot: Ints, side: Ints, lines: Objects, here: Objects, metres: Floats) -> Floats:
        """Points on road middles moved so far towards their plot."""
        xy = shapely.get_coordinates(here)
        at = shapely.line_locate_point(lines, here)
        ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines, at + 0.5))
        behind = shapely.get_coordinates(shapely.line_interpolate_point(lines, np.maximum(at - 0.5, 0)))
        along = (ahead - behind) / np.maximum(np.hypot(*(ahead - behind).T), 1e-9)[:, None]
        left = np.stack([-along[:, 1], along[:, 0]], 1)
        return xy + left * (metres * np.where(np.isin(side, (0, 3)), -1, 1))[:, None]

    def _corner_spots(self, kind: str) -> Spots:
        """The pavement at road corners, on every plot's own side."""
        plots, places, xy = [], [], []
        for i, plot in enumerate(self.town.plots):
            names = self._addresses.name[i]
            corners = shapely.get_coordinates(np.array(plot.sides, object)[2:]).reshape(-1, 2)
            lower = len(shapely.get_coordinates(plot.sides[2]))
            ends = {
                (0, 2): corners[0],
                (1, 2): corners[lower - 1],
                (0, 3): corners[lower],
                (1, 3): corners[-1],
            }
            middle = np.array(plot.share.centroid.coords[0])
            for (across, along), corner in ends.items():
                if names[across] is None or names[along] is None:
                    continue
                inward = (middle - corner) / np.hypot(*(middle - corner))
                reach = 0.72 * math.hypot(*(HALF_WIDTH[plot.parcel.sides[k]] for k in (across, along)))
                plots.append(i)
                places.append(f"{names[along].zh} / {names[across].zh}口")
                xy.append(corner + inward * reach)
        return self._on_road(np.array(xy), np.array(plots), places)

    def _gate_spots(self, kind: str) -> Spots:
        """Before the gates of estates, schools and other walled places."""
        plots, places, xy = [], [], []
        for i, drawing in enumerate(self.town.drawings):
            name = self._places.get(i) or self._estates.get(self.town.plots[i].parcel.estate)
            if name is None:
                continue
            for gate in drawing.gates:
                here = shapely.Point(gate.x, gate.y)
                road = self.town.plots[i].sides[gate.side]
                foot = road.interpolate(road.project(here))
                out = np.array([foot.x - gate.x, foot.y - gate.y])
                plots.append(i)
                places.append(f"{name.zh} {DIRECTIONS[gate.side]}")
                xy.append(np.array([gate.x, gate.y]) + out / max(np.hypot(*out), 1e-9) * 3.0)
        return self._on_road(np.array(xy), np.array(plots), places)

    def _home_spots(self, kind: str) -> Spots:
        return self._homes(self.town.stock.households > 0)

    def _tower_spots(self, kind: str) -> Spots:
        stock = self.town.stock
        high = (stock.households > 0) & (stock.floors >= HIGH_RISE)
        return self._homes(high if high.any() else stock.households > 0)

    def _homes(self, chosen: NDArray[np.bool_]) -> Spots:
        stock = self.town.stock
        rows = np.flatnonzero(chosen)
        return self._spots(
            shapely.get_coordinates(self._housing.point[rows]),
            stock.plot[rows],
            self._housing.cell_code[rows],
            self._housing.name[rows],
            building=rows,
            weight=stock.households[rows].astype(float),
        )

    def _yard_spots(self, kind: str) -> Spots:
        """Ten metres north of the middle of a home: its entrance."""
        stock = self.town.stock
        estate = np.array([plot.parcel.use == "estate" for plot in self.town.plots])[stock.plot]
        rows = np.flatnonzero((stock.households > 0) & estate)
        west, _, east, north = shapely.bounds(stock.outline[rows]).T
        xy = np.stack([(west + east) / 2 + self._rng.uniform(-8, 8, len(rows)), north + 6.5], 1)
        free = shapely.contains_properly(self._insides()[stock.plot[rows]], shapely.points(xy))
        rows, xy = rows[free], xy[free]
        place = np.array([f"{name}北侧" for name in self._housing.name[rows]], object)
        return self._spots(
            xy,
            stock.plot[rows],
            self._housing.cell_code[rows],
            place,
            weight=stock.households[rows].astype(float),
        )

    def _shop_spots(self, kind: str) -> Spots:
        return self._at_shops(np.ones(len(self._shops.building), bool))

    def _eatery_spots(self, kind: str) -> Spots:
        return self._at_shops(self._shops.trade == "餐饮")

    def _at_shops(self, chosen: NDArray[np.bool_]) -> Spots:
        rows = np.flatnonzero(chosen)
        building = self._shops.building[rows]
        address = np.array(self._shops.rows.columns["address"], object)[rows]
        place = np.array(
            [f"{a} {n}" if a else n for a, n in zip(address, self._shops.name[rows], strict=True)], object
        )
        return self._spots(
            self._shops.xy[rows],
            self.town.stock.plot[building],
            self._housing.cell_code[building],
            place,
            building=building,
        )

    def _green_spots(self, kind: str) -> Spots:
        return self._in_the_open(("park", "riverside"))

    def _river_spots(self, kind: str) -> Spots:
        return self._in_the_open(("riverside",))

    def _in_the_open(self, uses: tuple[str, ...]) -> Spots:
        """Random places in parks and on the embankment."""
        plots, xy, places = [], [], []
        for i, plot in enumerate(self.town.plots):
            if plot.parcel.use not in uses or plot.inside.is_empty:
                continue
            west, south, east, north = plot.inside.bounds
            tried = self._rng.uniform((west, south), (east, north), (60, 2))
            shapely.prepare(plot.inside)
            inside = tried[shapely.contains_properly(plot.inside.buffer(-3), shapely.points(tried))]
            bank = "北岸" if plot.parcel.rect.south >= 0 else "南岸"
            xy += list(inside)
            plots += [i] * len(inside)
            places += [self._places[i].zh if i in self._places else f"滨江绿地{bank}"] * len(inside)
        rows = np.array(plots)
        return self._spots(np.array(xy), rows, self._ground.owner_code[rows], np.array(places, object))

    def _on_road(self, xy: Floats, plot: Ints, places: list[str]) -> Spots:
        """Spots on public ground in front of a plot; those that fall out of the plot's share are dropped."""
        keep = shapely.contains_properly(self.town.shares()[plot], shapely.points(xy))
        place = np.array(places, object)[keep]
        return self._spots(xy[keep], plot[keep], self._ground.social_code[plot[keep]], place)

    def _insides(self) -> Objects:
        return np.array([plot.inside for plot in self.town.plots], object)

    def _spots(
        self,
        xy: Floats,
        plot: Ints,
        cell_code: Objects,
        place: Objects,
        *,
        building: Ints | None = None,
        component: Ints | None = None,
        weight: Floats | None = None,
    ) -> Spots:
        n = len(xy)
        none = np.full(n, -1)
        return Spots(
            xy,
            plot,
            cell_code,
            place,
            none if building is None else building,
            none if component is None else component,
            np.ones(n) if weight is None else weight,
        )
