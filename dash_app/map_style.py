"""The two map styles, generated from the design tokens: MapLibre cannot read CSS variables.

Layer order, from the ground up: land, water, estates, roads, roofs, borders, selection, labels, closed cases,
open cases, the selected case. Zoom rules follow the design: z13 communities and secondary roads, z14 cells and
single cases, z15 roofs and estates, z16 shops and local names, z17 components and house numbers.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from dash_app.tokens import clock_palette, map_palette, ui_palette

Layer = dict[str, Any]
Expression = Any

REGULAR = ["CityGrid Regular", "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", "sans-serif"]
BOLD = ["CityGrid Bold", *REGULAR[1:]]
ITALIC = ["CityGrid Italic", *REGULAR[1:]]
"""No glyph server: the browser draws every glyph. The first name only tells the weight and the slope."""

ROAD_CLASSES = ("lane", "local", "secondary", "arterial", "expressway")
ROAD_FROM_ZOOM = {"lane": 15.2, "local": 13.6, "secondary": 12, "arterial": 9, "expressway": 9}
LAYER_GROUPS = {
    "incidents": ("open-cluster", "open-ring", "open", "closed"),
    "borders": (
        "subdistrict-halo",
        "subdistrict-line",
        "community-halo",
        "community-line",
        "cell-line",
        "cell-hover",
    ),
    "buildings": ("shadow-low", "shadow-slab", "shadow-tower", "building", "building-number"),
    "shops": ("shop", "shop-label"),
    "components": ("component",),
}
"""What each switch of the layer control shows and hides."""

OPEN_MAX_ZOOM_CLUSTERED = 14


@lru_cache(maxsize=16)
def map_style(theme: str, language: str, latitude: float = 23.0) -> dict[str, Any]:
    """The complete style for one theme and language; `latitude` turns metres into pixels for road widths."""
    palette = map_palette(theme)
    return {
        "version": 8,
        "name": f"CityGrid {theme}",
        "sources": _sources(),
        "layers": [
            *_ground(palette),
            *_roads(palette, latitude),
            *_roofs(palette, latitude),
            *_borders(palette, theme),
            *_focus(theme),
            *_labels(palette, language),
            *_places(palette, theme, language),
            *_incidents(theme),
        ],
    }


def _sources() -> dict[str, Any]:
    def tiles(layer: str, minzoom: int, maxzoom: int, **more: Any) -> dict[str, Any]:
        return {
            "type": "vector",
            "tiles": [f"/tiles/{layer}/{{z}}/{{x}}/{{y}}.pbf"],
            "minzoom": minzoom,
            "maxzoom": maxzoom,
            **more,
        }

    empty = {"type": "FeatureCollection", "features": []}
    return {
        "base": tiles("base", 9, 16),
        "buildings": tiles("buildings", 14, 16),
        "cells": tiles("cells", 12, 15),
        "shops": tiles("shops", 15, 16),
        "components": tiles("components", 16, 16),
        "closed": tiles("incidents", 13, 16),
        "open": {
            "type": "geojson",
            "data": empty,
            "cluster": True,
            "clusterRadius": 46,
            "clusterMaxZoom": OPEN_MAX_ZOOM_CLUSTERED,
            "clusterProperties": {
                clock: ["+", ["case", ["==", ["get", "clock"], clock], 1, 0]]
                for clock in ("overdue", "due_soon", "in_time", "paused")
            },
        },
        "focus": {"type": "geojson", "data": empty},
    }


# ---- the ground ------------------------------------------------------------------------------------


def _ground(palette: dict[str, Any]) -> list[Layer]:
    land_colours = {
        "park": "green",
        "green": "green",
        "estate_green": "greenInEstate",
        "school": "school",
        "hospital": "school",
        "civic": "school",
        "village": "urbanVillage",
        "commercial": "estate",
        "factory": "urbanVillage",
        "plaza": "parkPath",
        "parking": "lane",
        "track": "track",
        "pitch": "pitch",
        "wall": "estateWall",
        "tree": "tree",
        "path": "parkPath",
    }
    road = palette["road"]
    colour = {kind: palette.get(key) or road[key] for kind, key in land_colours.items()}
    areal = ("commercial", "factory", "village", "school", "hospital", "civic", "park", "green")
    detail = ("plaza", "parking", "estate_green", "track", "pitch", "path", "tree")
    estate_colour = ["match", ["get", "kind"], "village", palette["urbanVillage"], palette["estate"]]
    return [
        {"id": "land", "type": "background", "paint": {"background-color": palette["land"]}},
        _fill("land-use", "land", _kinds(areal), _match("kind", colour, areal, palette["estate"])),
        _fill("estate", "estates", None, estate_colour, minzoom=12),
        _fill("water", "water", None, palette["water"]),
        _fill(
            "land-detail", "land", _kinds(detail), _match("kind", colour, detail, palette["greenInEstate"]), 13.5
        ),
        _fill("land-wall", "land", _kinds(("wall",)), palette["estateWall"], 14),
        {
            "id": "estate-wall",
            "type": "line",
            "source": "base",
            "source-layer": "estates",
            "minzoom": 13.5,
            "paint": {"line-color": palette["estateWall"], "line-width": _zoomed((13.5, 0.4), (16, 1.1))},
        },
        {
            "id": "green-edge",
            "type": "line",
            "source": "base",
            "source-layer": "land",
            "minzoom": 14,
            "filter": _kinds(("park", "school", "hospital", "civic", "commercial", "factory")),
            "paint": {"line-color": palette["estateWall"], "line-width": 0.7, "line-opacity": 0.7},
        },
    ]


def _fill(
    id_: str, layer: str, condition: Expression, colour: Expression, minzoom: float | None = None
) -> Layer:
    result: Layer = {
        "id": id_,
        "type": "fill",
        "source": "base",
        "source-layer": layer,
        "paint": {"fill-color": colour, "fill-antialias": True},
    }
    if condition is not None:
        result["filter"] = condition
    if minzoom is not None:
        result["minzoom"] = minzoom
    return result


def _kinds(kinds: tuple[str, ...]) -> Expression:
    return ["match", ["get", "kind"], list(kinds), True, False]


def _match(field: str, values: dict[str, Any], keys: tuple[str, ...], other: Any) -> Expression:
    branches: list[Any] = []
    for key in keys:
        branches += [key, values[key]]
    return ["match", ["get", field], *branches, other]


# ---- roads -----------------------------------------------------------------------------------------


def _roads(palette: dict[str, Any], latitude: float) -> list[Layer]:
    """Cases of every class first, then surfaces from small to large, bridges last with their rails."""
    road = palette["road"]
    width = road["widthMetres"]
    case = {
        "expressway": road["expresswayCase"],
        "arterial": road["arterialCase"],
    }
    surface = {
        "expressway": road["expressway"],
        "arterial": road["arterial"],
        "secondary": road["secondary"],
        "local": road["local"],
        "lane": road["lane"],
    }
    layers: list[Layer] = []
    ground = ["!=", ["get", "bridge"], True]
    for name in ROAD_CLASSES:
        if name == "lane":
            continue
        layers.append(
            _road(
                f"road-case-{name}",
                name,
                case.get(name, road["case"]),
                _metres(width[name], latitude, extra=1.6),
                ground,
            )
        )
    for name in ROAD_CLASSES:
        layers.append(
            _road(f"road-{name}", name, surface[name], _metres(width[name], latitude), ground, cap="round")
        )
    bridge = ["==", ["get", "bridge"], True]
    for name in ROAD_CLASSES[1:]:
        rail = _road(
            f"bridge-rail-{name}",
            name,
            palette["building"]["towerLine"],
            _metres(width[name], latitude, extra=2.6),
            bridge,
        )
        layers += [
            rail,
            _road(f"bridge-{name}", name, surface[name], _metres(width[name], latitude), bridge),
        ]
    middle = _road("expressway-middle", "expressway", road["expresswayCase"], 0.8, None)
    middle["minzoom"] = 13.5
    return [*layers, middle]


def _road(
    id_: str, class_: str, colour: str, width: Expression, condition: Expression, cap: str = "butt"
) -> Layer:
    where: list[Any] = ["all", ["==", ["get", "class"], class_]]
    if condition is not None:
        where.append(condition)
    return {
        "id": id_,
        "type": "line",
        "source": "base",
        "source-layer": "roads",
        "minzoom": ROAD_FROM_ZOOM[class_],
        "filter": where,
        "layout": {"line-join": "round", "line-cap": cap},
        "paint": {"line-color": colour, "line-width": width},
    }


def _pixels(metres: float, latitude: float, zoom: float) -> float:
    """Screen pixels of a length at a zoom, for 512 px tiles."""
    metres_per_pixel = 40075016.686 * math.cos(math.radians(latitude)) / (512 * 2**zoom)
    return metres / metres_per_pixel


def _metres(metres: float, latitude: float, extra: float = 0.0) -> Expression:
    """A width true to the ground from z13 on, never thinner than a hairline before."""
    stops: list[Any] = []
    for zoom, least in ((9, 0.5), (12, 0.8), (13, 1.0)):
        stops += [zoom, round(max(_pixels(metres, latitude, zoom), least) + extra, 2)]
    for zoom in (14, 16, 18, 20):
        stops += [zoom, round(_pixels(metres, latitude, zoom) + extra, 2)]
    return ["interpolate", ["exponential", 2], ["zoom"], *stops]


def _zoomed(*stops: tuple[float, float]) -> Expression:
    flat: list[Any] = []
    for zoom, value in stops:
        flat += [zoom, value]
    return ["interpolate", ["linear"], ["zoom"], *flat]


# ---- roofs -----------------------------------------------------------------------------------------


def _roofs(palette: dict[str, Any], latitude: float) -> list[Layer]:
    roof = palette["building"]
    style = ["get", "style"]
    fill = [
        "match",
        style,
        "tower",
        roof["tower"],
        "shop",
        roof["shop"],
        "village",
        roof["village"],
        roof["slab"],
    ]
    edge = [
        "match",
        style,
        "tower",
        roof["towerLine"],
        "shop",
        roof["shopLine"],
        "village",
        roof["slabLine"],
        roof["slabLine"],
    ]
    shadows = [
        ("shadow-low", ["match", style, ["shop", "village"], True, False], 1.3),
        ("shadow-slab", ["match", style, ["shop", "village", "tower"], False, True], 3.2),
        ("shadow-tower", ["==", style, "tower"], 7.0),
    ]
    layers: list[Layer] = []
    for id_, where, metres in shadows:
        offsets: list[Any] = []
        for zoom in (14.5, 16, 18, 20):
            size = _pixels(metres, latitude, zoom)
            offsets += [zoom, ["literal", [round(size * 0.72, 2), round(size, 2)]]]
        layers.append(
            {
                "id": id_,
                "type": "fill",
                "source": "buildings",
                "source-layer": "buildings",
                "minzoom": 14.6,
                "filter": where,
                "paint": {
                    "fill-color": roof["shadow"],
                    "fill-antialias": False,
                    "fill-translate": ["interpolate", ["exponential", 2], ["zoom"], *offsets],
                },
            }
        )
    layers.append(
        {
            "id": "building",
            "type": "fill",
            "source": "buildings",
            "source-layer": "buildings",
            "minzoom": 14,
            "paint": {
                "fill-color": fill,
                "fill-outline-color": edge,
                "fill-opacity": _zoomed((14, 0.55), (15, 1)),
            },
        }
    )
    return layers


# ---- borders and selection -------------------------------------------------------------------------


def _borders(palette: dict[str, Any], theme: str) -> list[Layer]:
    border = palette["border"]
    layers: list[Layer] = [
        {
            "id": "cell-fill",
            "type": "fill",
            "source": "cells",
            "source-layer": "cells",
            "minzoom": 12,
            "paint": {
                "fill-color": ui_palette(theme)["accent"]["base"],
                "fill-opacity": ["case", ["boolean", ["feature-state", "hover"], False], 0.05, 0],
            },
        },
        _border("cell-line", "cells", "cells", None, border["cell"], 13.6),
    ]
    for level, minzoom in (("community", 12.4), ("subdistrict", 9)):
        where = ["==", ["get", "level"], level]
        rule = border[level]
        halo = _border(
            f"{level}-halo", "base", "areas", where, {**rule, "opacity": rule["haloOpacity"]}, minzoom
        )
        halo["paint"]["line-width"] = rule["halo"]
        del halo["paint"]["line-dasharray"]
        layers += [halo, _border(f"{level}-line", "base", "areas", where, rule, minzoom)]
    return layers


def _border(
    id_: str, source: str, source_layer: str, where: Expression, rule: dict[str, Any], minzoom: float
) -> Layer:
    layer: Layer = {
        "id": id_,
        "type": "line",
        "source": source,
        "source-layer": source_layer,
        "minzoom": minzoom,
        "layout": {"line-join": "round"},
        "paint": {
            "line-color": rule["color"],
            "line-width": rule["width"],
            "line-dasharray": [round(step / rule["width"], 2) for step in rule["dash"]],
            "line-opacity": rule.get("opacity", 0.85),
        },
    }
    if where is not None:
        layer["filter"] = where
    return layer


def _focus(theme: str) -> list[Layer]:
    """What is selected: its ground in accent on a halo, the second candidate dashed, the way to the border."""
    ui = ui_palette(theme)
    accent, halo, ink = ui["accent"]["base"], ui["markerHalo"], ui["ink"]["primary"]

    def role(name: str) -> Expression:
        return ["==", ["get", "role"], name]

    def line(id_: str, name: str, colour: str, width: float, **paint: Any) -> Layer:
        return {
            "id": id_,
            "type": "line",
            "source": "focus",
            "filter": role(name),
            "layout": {"line-join": "round", "line-cap": "round" if "line-dasharray" not in paint else "butt"},
            "paint": {"line-color": colour, "line-width": width, **paint},
        }

    return [
        {
            "id": "focus-fill",
            "type": "fill",
            "source": "focus",
            "filter": ["match", ["get", "role"], ["cell", "building"], True, False],
            "paint": {
                "fill-color": accent,
                "fill-opacity": ["match", ["get", "role"], "building", 0.32, 0.07],
            },
        },
        line("focus-second", "second", accent, 1.6, **{"line-dasharray": [3, 2.4], "line-opacity": 0.8}),
        line("focus-halo", "cell", halo, 6.4, **{"line-opacity": 0.8}),
        line("focus-line", "cell", accent, 2.8),
        line("focus-building", "building", accent, 2),
        line("focus-dimension", "dimension", ink, 1.3, **{"line-dasharray": [2.6, 1.8]}),
    ]


# ---- labels ----------------------------------------------------------------------------------------


def _name(language: str) -> Expression:
    if language == "en":
        return ["coalesce", ["get", "name_en"], ["get", "name"], ""]
    return ["coalesce", ["get", "name"], ""]


def _labels(palette: dict[str, Any], language: str) -> list[Layer]:
    label = palette["label"]
    chinese = language == "zh"
    halo = {"text-halo-color": label["halo"], "text-halo-width": 1.4}
    layers: list[Layer] = []
    for class_, size, zoom, spacing in (
        ("local", 10.5, 15.6, 520),
        ("secondary", 11.5, 13.4, 420),
        ("arterial", 12, 12.2, 420),
        ("expressway", 12, 12.2, 420),
    ):
        layers.append(
            {
                "id": f"label-road-{class_}",
                "type": "symbol",
                "source": "base",
                "source-layer": "roads",
                "minzoom": zoom,
                "filter": ["all", ["==", ["get", "class"], class_], ["has", "name"]],
                "layout": {
                    "symbol-placement": "line",
                    "symbol-spacing": spacing,
                    "text-field": _name(language),
                    "text-font": REGULAR,
                    "text-size": size if chinese else size - 0.5,
                    "text-letter-spacing": 0.32 if chinese else 0.02,
                    "text-max-angle": 40,
                    "text-padding": 6,
                },
                "paint": {"text-color": label["road"], **halo},
            }
        )
    layers.append(_river(label, language))
    layers += [
        _point("label-estate", ("estate", "village", "lane"), label["area"], 11.5, 14.6, language, halo),
        _point(
            "label-place",
            ("school", "hospital", "civic", "commercial", "factory", "plaza"),
            label["poi"],
            11.5,
            14.4,
            language,
            halo,
        ),
        _point("label-park", ("park", "green"), label["park"], 12, 13.4, language, halo),
        _area_label("label-community", "community", label, language, 13.5 if chinese else 11.5, 12.4, 15.9),
        _area_label("label-subdistrict", "subdistrict", label, language, 15 if chinese else 13, 9, 13),
    ]
    return layers


def _river(label: dict[str, Any], language: str) -> Layer:
    return {
        "id": "label-river",
        "type": "symbol",
        "source": "base",
        "source-layer": "labels",
        "minzoom": 11,
        "filter": _kinds(("river", "canal")),
        "layout": {
            "text-field": _name(language),
            "text-font": ITALIC,
            "text-size": 15 if language == "zh" else 14,
            "text-letter-spacing": 1.6 if language == "zh" else 0.12,
            "text-padding": 12,
            "text-rotate": ["coalesce", ["get", "angle"], 0],
        },
        "paint": {"text-color": label["river"]},
    }


def _point(
    id_: str,
    kinds: tuple[str, ...],
    colour: str,
    size: float,
    minzoom: float,
    language: str,
    halo: dict[str, Any],
) -> Layer:
    return {
        "id": id_,
        "type": "symbol",
        "source": "base",
        "source-layer": "labels",
        "minzoom": minzoom,
        "filter": _kinds(kinds),
        "layout": {
            "text-field": _name(language),
            "text-font": REGULAR,
            "text-size": size,
            "text-max-width": 8,
            "text-padding": 4,
        },
        "paint": {"text-color": colour, **halo},
    }


def _area_label(
    id_: str, kind: str, label: dict[str, Any], language: str, size: float, minzoom: float, maxzoom: float
) -> Layer:
    layer = _point(
        id_,
        (kind,),
        label["community"],
        size,
        minzoom,
        language,
        {"text-halo-color": label["halo"], "text-halo-width": 1.6},
    )
    layer["maxzoom"] = maxzoom
    layer["layout"]["text-font"] = BOLD
    layer["layout"]["text-letter-spacing"] = 0.28 if language == "zh" else 0.2
    if language == "en":
        layer["layout"]["text-transform"] = "uppercase"
    return layer


# ---- shops, components, house numbers ----------------------------------------------------------------


def _places(palette: dict[str, Any], theme: str, language: str) -> list[Layer]:
    label, roof = palette["label"], palette["building"]
    halo = {"text-halo-color": label["halo"], "text-halo-width": 1.3}
    return [
        {
            "id": "component",
            "type": "circle",
            "source": "components",
            "source-layer": "components",
            "minzoom": 16.4,
            "layout": {"visibility": "none"},
            "paint": {
                "circle-radius": _zoomed((16.4, 2), (19, 4.5)),
                "circle-color": [
                    "match",
                    ["get", "state"],
                    "good",
                    palette["border"]["cell"]["color"],
                    ui_palette(theme)["clock"]["dueSoon"]["fill"],
                ],
                "circle-stroke-color": ui_palette(theme)["markerHalo"],
                "circle-stroke-width": 1,
            },
        },
        {
            "id": "shop",
            "type": "circle",
            "source": "shops",
            "source-layer": "shops",
            "minzoom": 15.6,
            "paint": {
                "circle-radius": _zoomed((15.6, 1.4), (18, 3.6)),
                "circle-color": roof["shopLine"],
                "circle-stroke-color": label["poi"],
                "circle-stroke-width": _zoomed((15.6, 0.5), (18, 1)),
            },
        },
        {
            "id": "shop-label",
            "type": "symbol",
            "source": "shops",
            "source-layer": "shops",
            "minzoom": 16.8,
            "layout": {
                "text-field": _name(language),
                "text-font": REGULAR,
                "text-size": 10.5,
                "text-max-width": 7,
                "text-variable-anchor": ["bottom", "top", "left", "right"],
                "text-radial-offset": 0.6,
                "text-padding": 6,
            },
            "paint": {"text-color": label["poi"], **halo},
        },
        {
            "id": "building-number",
            "type": "symbol",
            "source": "buildings",
            "source-layer": "buildings",
            "minzoom": 16.6,
            "filter": ["has", "number"],
            "layout": {
                "text-field": ["to-string", ["get", "number"]],
                "text-font": REGULAR,
                "text-size": 10.5,
                "text-padding": 2,
            },
            "paint": {"text-color": label["area"], **halo},
        },
    ]


# ---- incidents ---------------------------------------------------------------------------------------


def _incidents(theme: str) -> list[Layer]:
    """Markers are images drawn on demand: `case|clock|hollow|icon` and `cluster|overdue|soon|time|paused`."""
    ui = ui_palette(theme)
    accent = ui["accent"]["base"]
    closed = clock_palette(theme)["closed"]
    single = ["!", ["has", "point_count"]]
    return [
        {
            "id": "closed",
            "type": "symbol",
            "source": "closed",
            "source-layer": "incidents",
            "minzoom": 13,
            "filter": ["==", ["get", "clock"], "closed"],
            "layout": {
                "icon-image": "case|closed|0|",
                "icon-allow-overlap": True,
                "icon-size": _zoomed((13, 0.5), (15, 0.82)),
            },
            "paint": {"icon-opacity": 0.72},
            "metadata": {"ink": closed["ink"]},
        },
        {
            "id": "open-cluster",
            "type": "symbol",
            "source": "open",
            "filter": ["has", "point_count"],
            "layout": {
                "icon-image": [
                    "concat",
                    "cluster",
                    *[
                        part
                        for clock in ("overdue", "due_soon", "in_time", "paused")
                        for part in ("|", ["to-string", ["get", clock]])
                    ],
                ],
                "icon-allow-overlap": True,
            },
        },
        {
            "id": "open-ring",
            "type": "circle",
            "source": "open",
            "filter": single,
            "paint": {
                "circle-radius": 19,
                "circle-color": accent,
                "circle-opacity": ["case", ["boolean", ["feature-state", "hover"], False], 0.16, 0],
                "circle-stroke-color": accent,
                "circle-stroke-width": 2,
                "circle-stroke-opacity": ["case", ["boolean", ["feature-state", "hover"], False], 0.9, 0],
            },
        },
        {
            "id": "open",
            "type": "symbol",
            "source": "open",
            "filter": single,
            "layout": {
                "icon-image": [
                    "concat",
                    "case|",
                    ["get", "clock"],
                    "|",
                    ["case", ["boolean", ["get", "hollow"], False], "1", "0"],
                    "|",
                    ["get", "icon"],
                ],
                "icon-allow-overlap": True,
                "icon-ignore-placement": True,
                "symbol-z-order": "viewport-y",
            },
        },
        {
            "id": "focus-ring",
            "type": "circle",
            "source": "focus",
            "filter": ["==", ["get", "role"], "incident"],
            "paint": {
                "circle-radius": 20,
                "circle-color": accent,
                "circle-opacity": 0.13,
                "circle-stroke-color": accent,
                "circle-stroke-width": 2.4,
            },
        },
        {
            "id": "focus-place",
            "type": "circle",
            "source": "focus",
            "filter": ["==", ["get", "role"], "place"],
            "paint": {
                "circle-radius": 7,
                "circle-color": accent,
                "circle-stroke-color": ui["markerHalo"],
                "circle-stroke-width": 2.5,
            },
        },
        {
            "id": "focus-case",
            "type": "symbol",
            "source": "focus",
            "filter": ["==", ["get", "role"], "incident"],
            "layout": {
                "icon-image": [
                    "concat",
                    "case|",
                    ["get", "clock"],
                    "|",
                    ["case", ["boolean", ["get", "hollow"], False], "1", "0"],
                    "|",
                    ["get", "icon"],
                ],
                "icon-allow-overlap": True,
                "icon-ignore-placement": True,
                "icon-size": 1.08,
            },
        },
        {
            "id": "focus-label",
            "type": "symbol",
            "source": "focus",
            "filter": ["has", "label"],
            "layout": {
                "icon-image": ["concat", "label|", ["get", "label_kind"], "|", ["get", "label"]],
                "icon-allow-overlap": True,
                "icon-ignore-placement": True,
            },
        },
    ]
