"""Features of any catalogued layer, by box and filter, as GeoJSON: one statement a page.

Coordinates are lon, lat in EPSG:4490 with eight decimals (a millimetre). Pages follow each other by the
layer's key, so a row that arrives meanwhile shifts nothing. Only the fields a role may read exist here;
layers about people are refused by the catalogue. Whoever asks for a scoped layer hands in the condition on
its rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis import cursors
from gis.access import prefix_range
from gis.errors import Invalid, NotFound
from layers.catalog import Layer, drawable_layer

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees, EPSG:4490."""


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL over a layer's table, aliased `t`, with its parameters: which rows a person may see."""

    sql: str = "true"
    params: Mapping[str, Any] = field(default_factory=dict)


EVERYTHING = Condition()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read, `limit` (1 or more) features a page. `equals` maps a field to the text of its value;
    `territory` is a code prefix."""

    bbox: Box | None = None
    equals: Mapping[str, str] = field(default_factory=dict)
    territory: str | None = None
    limit: int = 500
    after: str | None = None


@dataclass(frozen=True, slots=True)
class FeaturePage:
    """Features as GeoJSON objects, and the key to ask for the next page with (None at the end)."""

    features: list[dict[str, Any]]
    next: str | None


def features(
    session: Session, name: str, wanted: Wanted, *, role: str, visible: Condition = EVERYTHING
) -> FeaturePage:
    """A page of a layer's features in the order of its key.

    Raises NotFound for an unknown layer, Denied for one about people, Invalid for a filter on a field the
    role cannot read (as if there were no such field) and a cursor that is none of this layer.
    """
    layer = drawable_layer(name)
    parts, params = _conditions(layer, wanted, role, visible)
    rows = session.execute(
        sa.text(f"{_select(layer, role)} WHERE {' AND '.join(parts)} ORDER BY t.{layer.key} LIMIT :limit"),
        {**params, "limit": wanted.limit + 1},
    ).all()
    page = [_feature(row, layer, role) for row in rows[: wanted.limit]]
    return FeaturePage(page, str(page[-1]["id"]) if len(rows) > wanted.limit else None)


def feature(
    session: Session, name: str, key: str, *, role: str, visible: Condition = EVERYTHING
) -> dict[str, Any]:
    """One feature by its key. Raises NotFound where there is none, or none the person may know of."""
    layer = drawable_layer(name)
    value = _key(layer, key)
    row = None
    if value is not None:
        row = session.execute(
            sa.text(
                f"{_select(layer, role)} WHERE t.{layer.key} = :key AND {layer.where} AND ({visible.sql})"
            ),
            {**visible.params, "key": value},
        ).one_or_none()
    if row is None:
        raise NotFound(
            en=f"There is no {key} in the layer {name}.",
            zh=f"图层“{layer.title_zh}”中没有 {key}。",
            remedy_en="Take the id from the layer's features.",
            remedy_zh="请从该图层的要素中取编号。",
        )
    return _feature(row, layer, role)


def _select(layer: Layer, role: str) -> str:
    columns = [f"t.{layer.key}", "ST_AsGeoJSON(t.geom, 8, 0)"]
    columns += [f't."{field.name}"' for field in layer.fields_for(role)]
    return f"SELECT {', '.join(columns)} FROM {layer.table} AS t"


def _feature(row: Sequence[Any], layer: Layer, role: str) -> dict[str, Any]:
    names = [field.name for field in layer.fields_for(role)]
    key, geometry, *values = row
    return {
        "type": "Feature",
        "id": key,
        "geometry": orjson.Fragment(geometry),
        "properties": dict(zip(names, values, strict=True)),
    }


def _conditions(
    layer: Layer, wanted: Wanted, role: str, visible: Condition
) -> tuple[list[str], dict[str, Any]]:
    parts, params = [layer.where, f"({visible.sql})"], dict(visible.params)
    if wanted.bbox is not None:
        parts.append(
            "t.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)"
            " AND ST_Intersects(t.geom, ST_MakeEnvelope(:west, :south, :east, :north, 4490))"
        )
        params |= zip(("west", "south", "east", "north"), wanted.bbox, strict=True)
    readable = {field.name for field in layer.fields_for(role)}
    if wanted.territory:
        _must_be_readable(layer, {"territory"}, readable)
        parts.append("t.territory >= :ground_low AND t.territory < :ground_high")
        params["ground_low"], params["ground_high"] = prefix_range(wanted.territory)
    _must_be_readable(layer, set(wanted.equals), readable)
    for number, (name, value) in enumerate(wanted.equals.items()):
        parts.append(f't."{name}"::text = :equals_{number}')
        params[f"equals_{number}"] = value
    if wanted.after is not None:
        after = _key(layer, wanted.after)
        if after is None:
            raise cursors.unreadable()
        parts.append(f"t.{layer.key} > :after")
        params["after"] = after
    return parts, params


def _key(layer: Layer, text: str) -> int | str | None:
    """A key as its column holds it: digits as a number that fits, codes as they are; None if it cannot be."""
    if layer.key != "id":
        return text
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def _must_be_readable(layer: Layer, names: set[str], readable: set[str]) -> None:
    unknown = sorted(names - readable)
    if unknown:
        raise Invalid(
            en=f"The layer {layer.name} has no field {', '.join(unknown)}.",
            zh=f"图层“{layer.title_zh}”没有字段 {'、'.join(unknown)}。",
            remedy_en="Fields are " + ", ".join(sorted(readable)) + ".",
            remedy_zh="可用字段：" + "、".join(sorted(readable)) + "。",
        )
