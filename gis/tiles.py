"""Vector tiles (MVT) straight from PostGIS: one statement makes a whole tile, with all its source-layers.

The ground is stored in EPSG:4490 and drawn in Web Mercator (EPSG:3857). A tile's box is computed here and
handed to PostgreSQL in degrees, so the GiST index on the stored geometry answers `geom && box`; only what
lies in it is transformed, clipped and snapped to the tile's grid. Nothing here knows what a layer means.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gis.errors import NotFound

MAX_ZOOM = 22
EXTENT = 4096
"""Units along a tile's side; 8 of them are a pixel of a 512 px tile."""
BUFFER = 64
"""Units drawn beyond the tile's edge, so that strokes and halos meet across it: 8 pixels."""
TOLERANCE = 2
"""Units by which simplification may move a line: a quarter of a pixel."""

BOX = "ST_MakeEnvelope(:west, :south, :east, :north, 4490)"
"""The tile with its buffer, in degrees: every `rows` query restricts its geometry with `&& {BOX}`."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile's address in the usual XYZ scheme, y growing southwards. Raises NotFound where there is none."""

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        if not (0 <= self.z <= MAX_ZOOM and 0 <= self.x < 2**self.z and 0 <= self.y < 2**self.z):
            raise NotFound(
                en=f"There is no tile {self.z}/{self.x}/{self.y}.",
                zh=f"没有瓦片 {self.z}/{self.x}/{self.y}。",
                remedy_en=f"z runs from 0 to {MAX_ZOOM}, x and y from 0 to 2^z - 1.",
                remedy_zh=f"z 取 0 至 {MAX_ZOOM}，x 和 y 取 0 至 2^z - 1。",
            )

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees, the buffer included."""
        margin = BUFFER / EXTENT
        return (
            self._longitude(self.x - margin),
            self._latitude(self.y + 1 + margin),
            self._longitude(self.x + 1 + margin),
            self._latitude(self.y - margin),
        )

    @property
    def unit_degrees(self) -> float:
        """One unit of the grid in degrees of longitude; a unit of latitude is a little shorter."""
        return 360.0 / 2**self.z / EXTENT

    def _longitude(self, x: float) -> float:
        return x / 2**self.z * 360.0 - 180.0

    def _latitude(self, y: float) -> float:
        return math.degrees(math.atan(math.sinh(math.pi * (1.0 - 2.0 * y / 2**self.z))))


@dataclass(frozen=True, slots=True)
class SourceLayer:
    """One source-layer of a tile, from `from_zoom` on.

    `rows` is a query for `geom` (EPSG:4490) and the `attributes`, which are all that is sent; with `ids` also
    for an integer `id`, which the map needs for hover and click. It restricts `geom && {BOX}` and may use
    `:z` and `:unit` (degrees a grid unit). `simplify` drops vertices that cannot be seen at this zoom.
    """

    name: str
    rows: str
    attributes: tuple[str, ...] = ()
    from_zoom: int = 0
    ids: bool = True
    simplify: bool = False

    @property
    def sql(self) -> str:
        """A scalar query for this source-layer's part of the tile, as bytea.

        ST_AsMVT passes over a NULL shape by itself; a WHERE for it would compute every shape twice.
        """
        shape = f"ST_Simplify(r.geom, :unit * {TOLERANCE}, true)" if self.simplify else "r.geom"
        columns = ", ".join(f'r."{name}"' for name in (("id",) if self.ids else ()) + self.attributes)
        key = ", 'id'" if self.ids else ""
        return f"""(
            SELECT ST_AsMVT(m, '{self.name}', {EXTENT}, 'shape'{key})
            FROM (SELECT {columns}, ST_AsMVTGeom(ST_Transform({shape}, 3857), ST_TileEnvelope(:z, :x, :y),
                                                 {EXTENT}, {BUFFER}) AS shape
                  FROM ({self.rows}) AS r) AS m)"""


def tile_sql(layers: Sequence[SourceLayer], zoom: int) -> str:
    """A scalar expression for a whole tile: the source-layers of this zoom, one after the other."""
    parts = [layer.sql for layer in layers if zoom >= layer.from_zoom]
    return " || ".join(parts) if parts else "CAST('' AS bytea)"


def tile_params(tile: Tile) -> dict[str, Any]:
    """The parameters `tile_sql` and its `rows` use."""
    box = dict(zip(("west", "south", "east", "north"), tile.box, strict=True))
    return {"z": tile.z, "x": tile.x, "y": tile.y, "unit": tile.unit_degrees, **box}
