"""One immutable picture of a generation: which cell owns each point, by an exact index over the cells.

Exact questions (which cell covers) are asked in stored degrees, as the cells were drawn; distances and
probabilities are taken in metres of the city's Gauss-Kruger zone, on the final ground (`grids.final_ground`).
A picture can be tried otherwise drawn (`on_trial`), and written for other processes (`save`, `open`).
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from gis import crs
from gis.access import CODE_WIDTHS
from gis.geometry import in_metres, metric_zone
from gis.partition_index import PartitionIndex
from grids.exceptions import Strip
from grids.final_ground import FinalGround, Overlay

KEPT = 8
"""Final grounds kept by a picture: that of now, and those of moments lately asked about."""

HALF_THE_GLOBE_M = 2e7

NEAR_LIMIT_M = 50.0
"""How far off every cell the nearest one still owns (decision 6)."""


class OwnerMap:
    """All cells of one generation as arrays: index i is cell i, sorted by code, so ties go to the lowest."""

    def __init__(
        self,
        generation: str,
        codes: list[str],
        names: list[str],
        geoms: NDArray[np.object_],
        *,
        special: NDArray[np.bool_] | None = None,
        areas: list[tuple[str, shapely.Geometry]] | None = None,
        strips: Sequence[Strip] = (),
        footprints: Sequence[tuple[str, shapely.Geometry]] = (),
        barriers: NDArray[np.object_] | None = None,
    ) -> None:
        """`geoms`, `areas`, `footprints` (cell code, shape) and `barriers` are lon/lat; `strips` metres."""
        self.generation = generation
        self.in_force = True
        self.codes = codes
        self.names = names
        self.geoms = geoms
        self.special = np.zeros(len(codes), bool) if special is None else special
        self.areas = areas or []
        self.position = {code: i for i, code in enumerate(codes)}
        self._social = np.flatnonzero(~self.special)
        self._over = np.flatnonzero(self.special)
        self._index = PartitionIndex.build(list(geoms[self._social]))
        self._social_tree = shapely.STRtree(geoms[self._social])
        self._over_index = PartitionIndex.build(list(geoms[self._over]))
        self.zone = metric_zone(geoms) if len(geoms) else crs.metric_crs(113.1)
        self._metric = in_metres(geoms, self.zone)
        self._strips = [strip for strip in strips if strip.cell_code in self.position]
        known = [(code, geom) for code, geom in footprints if code in self.position]
        shapes = in_metres(np.array([geom for _, geom in known], object), self.zone)
        self._footprints = [(code, shape) for (code, _), shape in zip(known, shapes, strict=True)]
        self._barriers = in_metres(np.empty(0, object) if barriers is None else barriers, self.zone)
        self._grounds: dict[tuple[int, ...], FinalGround] = {}

    def __len__(self) -> int:
        return len(self.codes)

    def on_trial(
        self,
        *,
        shapes: Mapping[str, shapely.Geometry] | None = None,
        strips: Sequence[Strip] = (),
        buildings: Sequence[tuple[float, float, shapely.Geometry]] = (),
    ) -> OwnerMap:
        """This map with other shapes (lon/lat) of some cells and with more exceptions (metres).

        On a drawing that is not in force a building belongs to the cell over its middle, as activation will
        stamp it: `buildings` are the lon, lat of the middle and the footprint of those that stand on ground
        that changed, or on several cells. Raises KeyError for the code of no cell.
        """
        trial = OwnerMap.__new__(OwnerMap)
        worked_out = ("bounds", "_city")
        trial.__dict__ |= {name: value for name, value in self.__dict__.items() if name not in worked_out}
        trial.in_force = False
        trial._grounds = {}
        if shapes:
            trial._reshape({self.position[code]: shape for code, shape in shapes.items()})
        trial._strips = sorted([*self._strips, *strips], key=lambda strip: (-strip.priority, strip.id))
        footprints = in_metres(np.array([shape for *_, shape in buildings], object), self.zone)
        moved = shapely.STRtree(footprints)
        kept = [one for one in self._footprints if not len(moved.query(one[1], predicate="equals"))]
        homes = [trial.home(None, lon, lat) for lon, lat, _ in buildings]
        new = [(home, shape) for home, shape in zip(homes, footprints, strict=True) if home is not None]
        trial._footprints = kept + new
        return trial

    def _reshape(self, shapes: Mapping[int, shapely.Geometry]) -> None:
        """Put other shapes at some positions; only what lies around them is indexed anew."""
        changed = np.array(list(shapes), int)
        self.geoms, self._metric = self.geoms.copy(), self._metric.copy()
        self.geoms[changed] = list(shapes.values())
        self._metric[changed] = in_metres(self.geoms[changed], self.zone)
        self._social_tree = shapely.STRtree(self.geoms[self._social])
        self._index, self._over_index = (
            index.with_changed({k: self.geoms[i] for k, i in enumerate(cells) if i in shapes})
            for index, cells in ((self._index, self._social), (self._over_index, self._over))
        )

    def save(self, folder: Path) -> None:
        """Write the map into a folder, for other processes to `open`. The indexes are files they share."""
        self._index.save(folder / "social.index")
        self._over_index.save(folder / "special.index")
        left_out = {"_index", "_over_index", "_grounds"}
        kept = {name: value for name, value in self.__dict__.items() if name not in left_out}
        (folder / "map").write_bytes(pickle.dumps(kept, pickle.HIGHEST_PROTOCOL))

    @classmethod
    def open(cls, folder: Path) -> OwnerMap:
        """The map that another process of ours has saved: a pickle, so never one that came from elsewhere."""
        city = cls.__new__(cls)
        city.__dict__ |= pickle.loads((folder / "map").read_bytes())
        city._index = PartitionIndex.open(folder / "social.index")
        city._over_index = PartitionIndex.open(folder / "special.index")
        city._grounds = {}
        return city

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the city in degrees: of its areas, else of its cells (decision 1)."""
        shapes = np.array([geom for _, geom in self.areas], object) if self.areas else self.geoms
        west, south, east, north = shapely.total_bounds(shapes)
        return float(west), float(south), float(east), float(north)

    @cached_property
    def _city(self) -> shapely.STRtree:
        """The city's ground in metres: its topmost areas, or its cells where none are loaded."""
        if not self.areas:
            return shapely.STRtree(self._metric)
        shortest = min(len(code) for code, _ in self.areas)
        top = np.array([geom for code, geom in self.areas if len(code) == shortest], object)
        return shapely.STRtree(in_metres(top, self.zone))

    def metres_outside(self, lon: float, lat: float) -> float:
        """Metres from the point to the city; 0 inside. Beyond the zone's reach it is half the globe."""
        point = self.point(lon, lat)
        if not np.isfinite([point.x, point.y]).all():
            return HALF_THE_GLOBE_M
        return float(self._city.query_nearest(point, all_matches=False, return_distance=True)[1][0])

    def covering(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int32]:
        """Index of the owning cell of each point (special cells first, then social), -1 where none covers."""
        owner = self.social_covering(lon, lat)
        if len(self._over):
            over = _cells(self._over, self._over_index.locate(lon, lat))
            owner = np.where(over >= 0, over, owner)
        return owner

    def social_covering(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int32]:
        """Index of the social cell that covers each point, beneath a special cell too; -1 for none."""
        return _cells(self._social, self._index.locate(lon, lat))

    def covering_one(self, lon: float, lat: float) -> int:
        """`covering` for one point, without the arrays."""
        special = self.special_at(lon, lat)
        return self.social_at(lon, lat) if special < 0 else special

    def home(self, ledger: str | None, lon: float, lat: float) -> str | None:
        """The cell of a thing of a ledger that stands at a point: what the ledger says where it speaks of
        this drawing, else what it will say once this drawing is activated."""
        if self.in_force:
            return ledger
        cell = self.covering_one(lon, lat)
        return None if cell < 0 else self.codes[cell]

    def special_at(self, lon: float, lat: float) -> int:
        """The special cell over a point (the lowest code where several are), or -1."""
        found = self._over_index.locate_one(lon, lat)
        return int(self._over[found]) if found >= 0 else -1

    def social_at(self, lon: float, lat: float) -> int:
        """The social cell that covers a point (the lowest code on a shared edge), or -1."""
        found = self._index.locate_one(lon, lat)
        return int(self._social[found]) if found >= 0 else -1

    def social_all_at(self, lon: float, lat: float) -> NDArray[np.int64]:
        """Every social cell that covers a point, asked exactly, in degrees: several on a shared edge."""
        return self._social[self._social_tree.query(shapely.Point(lon, lat), predicate="intersects")]

    def at(self, moment: datetime) -> FinalGround:
        """The final ground at a moment: this picture with the exceptions then in force painted over it."""
        in_force = tuple(strip.id for strip in self._strips if strip.holds_at(moment))
        ground = self._grounds.get(in_force)
        if ground is None:
            if len(self._grounds) >= KEPT:
                self._grounds.clear()
            ground = self._grounds[in_force] = self._final_ground(frozenset(in_force))
        return ground

    def _final_ground(self, in_force: frozenset[int]) -> FinalGround:
        overlays = [
            *(Overlay(self.position[code], shape) for code, shape in self._footprints),
            *(Overlay(int(i), self._metric[i]) for i in self._over),
            *(Overlay(self.position[s.cell_code], s.shape, s) for s in self._strips if s.id in in_force),
        ]
        return FinalGround(self._metric, ~self.special, overlays, self._barriers, near_limit_m=NEAR_LIMIT_M)

    def territory_of(self, cell: int | None, lon: float, lat: float) -> str:
        """The most precise code of the hierarchy for a point owned by `cell`: the social cell's; beneath a
        special cell, that of the social cell it lies over (decision 3); off every cell, the area's."""
        if cell is not None and not self.special[cell]:
            return self.codes[cell]
        beneath = self.social_at(lon, lat)
        if beneath >= 0:
            return self.codes[beneath]
        return self.area_at(lon, lat) or self.codes[0][: CODE_WIDTHS["city"]]

    def area_at(self, lon: float, lat: float) -> str | None:
        """The most precise area covering the point, or the nearest one of the lowest level loaded."""
        if not self.areas:
            return None
        point = shapely.Point(lon, lat)
        covering = [code for code, geom in self.areas if shapely.intersects(geom, point)]
        if covering:
            return max(covering, key=lambda code: (len(code), [-int(d) for d in code]))
        finest = max(len(code) for code, _ in self.areas)
        return min(
            ((shapely.distance(geom, point), code) for code, geom in self.areas if len(code) == finest)
        )[1]

    def point(self, lon: float, lat: float) -> shapely.Point:
        """The point in metres of the city's zone; not finite where the zone does not reach."""
        x, y = crs.to_metres(lon, lat, zone=self.zone)
        return shapely.Point(float(x), float(y))


def _cells(cells: NDArray[np.int64], found: NDArray[np.int32]) -> NDArray[np.int32]:
    """Positions in an index over some cells -> those cells; -1 stays -1, as the last of one more."""
    return np.append(cells, -1)[found].astype(np.int32)
