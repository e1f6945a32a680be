"""What the map draws beside its tiles: the open cases, and the selection with its ground and its border.

Pure: rows, facts and shapes in, GeoJSON out. Coordinates are lon, lat in EPSG:4490. `role` tells the style
what a feature is; `label` and `label_kind` what is written at it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import shapely

from dash_app.clock_words import left_words
from dash_app.panels.queue import handler_words, place_words, title_words
from dash_app.texts import Words
from incidents.incident import ENDED
from incidents.queries import Filter, IncidentDetail, Row

Feature = dict[str, Any]
Place = tuple[float, float]

METRES_PER_DEGREE = 111_195.0
"""Of latitude, on a globe of the earth's mean radius: within 0.4 % of the ellipsoid in China."""
LINE_TOLERANCE_M = 3.0
LABEL_M = (170.0, 45.0)
"""Width and height of two labels side by side, on the ground at the zoom a case is looked at (16.4)."""


def open_cases(words: Words, rows: Iterable[Row], now: datetime) -> dict[str, Any]:
    """The FeatureCollection of the cases that are not done; a done one is drawn from the tiles."""
    places: dict[Place, list[Row]] = {}
    for row in rows:
        if row.clock != "closed":
            places.setdefault((round(row.lon, 6), round(row.lat, 6)), []).append(row)
    found = [
        case_point(words, here[0], now) if len(here) == 1 else _stack_point(words, here, now)
        for here in places.values()
    ]
    return {"type": "FeatureCollection", "features": found}


def _stack_point(words: Words, rows: Sequence[Row], now: datetime) -> Feature:
    """Several cases at one point: how many of each clock, and the building whose doors they lie behind."""
    clocks = Counter(row.clock for row in rows)
    counts = {clock: clocks[clock] for clock in ("overdue", "due_soon", "in_time", "paused")}
    building = {row.building_id for row in rows if row.building_id is not None}
    return case_point(
        words,
        rows[0],
        now,
        stack=len(rows),
        building=building.pop() if len(building) == 1 else None,
        title=words("stack.cases", n=len(rows)),
        **counts,
    )


def past_cases(wanted: Filter, midnight: datetime) -> list[Any]:
    """The filter on the tiles of ended cases: as the list's, and of today unless it names a period."""
    no_ended_clock = bool(wanted.clocks) and "closed" not in wanted.clocks
    no_ended_stage = bool(wanted.stages) and not set(ENDED) & set(wanted.stages)
    if no_ended_clock or no_ended_stage or wanted.q:
        return ["literal", False]
    parts: list[Any] = ["all"]
    if wanted.since is None and wanted.until is None:
        parts.append([">=", ["get", "closed_at"], int(midnight.timestamp())])
    if wanted.since is not None:
        parts.append([">=", ["get", "reported_at"], int(wanted.since.timestamp())])
    if wanted.until is not None:
        parts.append(["<", ["get", "reported_at"], int(wanted.until.timestamp())])
    if wanted.categories:
        parts.append(["in", ["get", "category"], ["literal", list(wanted.categories)]])
    if wanted.territory:
        parts.append(["==", ["slice", ["get", "territory"], 0, len(wanted.territory)], wanted.territory])
    return parts


def case_point(words: Words, row: Row, now: datetime, **more: Any) -> Feature:
    """A case as a point, with what its marker and its popover say."""
    properties = {
        "clock": row.clock,
        "hollow": row.hollow,
        "icon": row.icon,
        "title": title_words(words, row),
        "left": left_words(row.clock, row.due_at, now, words.language),
        "place": place_words(words, row),
        "person": "" if row.hollow else handler_words(words, row),
        "stage": words(f"stage.{row.stage}"),
        **more,
    }
    geometry = {"type": "Point", "coordinates": [round(row.lon, 7), round(row.lat, 7)]}
    return {"type": "Feature", "id": row.id, "geometry": geometry, "properties": properties}


def case_focus(
    words: Words,
    case: IncidentDetail,
    now: datetime,
    *,
    cell: shapely.Geometry | None,
    second: shapely.Geometry | None,
) -> dict[str, Any]:
    """A case with its cell, the second candidate dashed, and the dimension line to the border in metres."""
    row = case.row
    features = []
    if second is not None:
        label = words("incident.second_label", cell=case.second_cell_name or case.second_cell)
        taken = [(row.lon, row.lat), *([_top(cell)] if cell is not None else [])]
        features += [_shape(second, "second"), _tag(_clear_of(second, taken), label, "second")]
    if cell is not None:
        features += [_shape(cell, "cell"), _tag(_top(cell), row.cell_name or row.cell_code or "", "cell")]
        features += _dimension(words, case, cell)
    features.append(case_point(words, row, now, role="incident", incident=row.id))
    camera = {"center": [row.lon, row.lat], "zoom": 16.4}
    return {"features": features, "camera": camera, "moved": f"incident:{row.id}"}


def _dimension(words: Words, case: IncidentDetail, cell: shapely.Geometry) -> list[Feature]:
    """The line to the cell's border with its metres; none where the border meant is not the cell's own.

    The decision measured against the final ground, which a special cell or an exception may have cut: a line
    that is not as long as its figure says would be a lie.
    """
    row = case.row
    border = way_to_border(cell, row.lon, row.lat)
    if case.border_m is None or abs(_metres((row.lon, row.lat), border) - case.border_m) > LINE_TOLERANCE_M:
        return []
    middle = ((row.lon + border[0]) / 2, (row.lat + border[1]) / 2)
    line = shapely.LineString([(row.lon, row.lat), border])
    return [_shape(line, "dimension"), _tag(middle, words("map.metres", n=round(case.border_m)), "metres")]


def way_to_border(shape: shapely.Geometry, lon: float, lat: float) -> Place:
    """The point of a shape's border nearest to a place, on the plane that touches the globe there."""
    squeeze = math.cos(math.radians(lat))
    border = shapely.transform(shapely.boundary(shape), lambda xy: xy * (squeeze, 1.0))
    way = shapely.shortest_line(border, shapely.Point(lon * squeeze, lat))
    x, y = way.coords[0]
    return x / squeeze, y


def _metres(one: Place, other: Place) -> float:
    """Metres between two near places."""
    east = (one[0] - other[0]) * math.cos(math.radians(one[1]))
    return METRES_PER_DEGREE * math.hypot(east, one[1] - other[1])


def cell_focus(code: str, label: str, shape: shapely.Geometry) -> dict[str, Any]:
    """A cell in outline with its name on top."""
    features = [_shape(shape, "cell"), _tag(_top(shape), label, "cell")]
    camera = {"bounds": list(shapely.bounds(shape)), "pad": 60, "maxZoom": 17}
    return {"features": features, "camera": camera, "moved": f"cell:{code}"}


def dispute_focus(
    key: str,
    shape: shapely.Geometry,
    *,
    cell: shapely.Geometry | None,
    second: shapely.Geometry | None,
    label: str = "",
) -> dict[str, Any]:
    """Ground under dispute: the strip, the cell it belongs to in outline, the other one dashed."""
    features = []
    if second is not None:
        features += [_shape(second, "second")]
    if cell is not None:
        features += [_shape(cell, "cell"), _tag(_top(cell), label, "cell")]
    features.append(_shape(shape, "strip"))
    camera = {"bounds": list(shapely.bounds(shape)), "pad": 90, "maxZoom": 17.5}
    return {"features": features, "camera": camera, "moved": key}


def building_focus(building_id: int, geometry: dict[str, Any], at: Place) -> dict[str, Any]:
    """A building's footprint."""
    feature = {"type": "Feature", "geometry": geometry, "properties": {"role": "building"}}
    camera = {"center": list(at), "zoom": 16.8}
    return {"features": [feature], "camera": camera, "moved": f"building:{building_id}"}


def place_focus(kind: str, id_: str, at: Place) -> dict[str, Any]:
    """A shop or a component as a dot."""
    geometry = {"type": "Point", "coordinates": list(at)}
    feature = {"type": "Feature", "geometry": geometry, "properties": {"role": "place"}}
    camera = {"center": list(at), "zoom": 17.4}
    return {"features": [feature], "camera": camera, "moved": f"{kind}:{id_}"}


def ground_focus(territory: str, bounds: tuple[float, float, float, float] | None) -> dict[str, Any]:
    """Nothing is chosen: the view follows the territory, when there is one to follow."""
    camera = {"bounds": list(bounds), "pad": 40} if bounds else None
    return {"features": [], "camera": camera, "moved": f"ground:{territory}"}


def _shape(shape: shapely.Geometry, role: str) -> Feature:
    return {
        "type": "Feature",
        "geometry": shapely.geometry.mapping(shape),
        "properties": {"role": role},
    }


def _tag(at: Place, label: str, kind: str) -> Feature:
    """A label of its own; the browser draws the tag around it."""
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": list(at)},
        "properties": {"role": "label", "label": label, "label_kind": kind},
    }


def _clear_of(shape: shapely.Geometry, taken: Iterable[Place]) -> Place:
    """A point inside a shape where a label does not touch the ones at `taken`, where the shape has such a
    point; else any point inside."""
    free = shape
    for lon, lat in taken:
        tall = LABEL_M[1] / METRES_PER_DEGREE
        wide = LABEL_M[0] / METRES_PER_DEGREE / math.cos(math.radians(lat))
        free = shapely.difference(free, shapely.box(lon - wide, lat - tall, lon + wide, lat + tall))
    point = shapely.point_on_surface(shape if free.is_empty else free)
    return point.x, point.y


def _top(shape: shapely.Geometry) -> Place:
    """A point of the shape near its northern edge, above its middle."""
    west, _, east, north = shapely.bounds(shape)
    middle = shapely.LineString([((west + east) / 2, -90.0), ((west + east) / 2, north)])
    cut = shapely.intersection(middle, shape)
    return ((west + east) / 2, float(north if cut.is_empty else shapely.bounds(cut)[3]))
