"""The ground: land, water, estates, and the roads that cut through them."""

from __future__ import annotations

from typing import Any

from dash_app.map_style.expressions import Expression, Layer, each, kinds, match, metres, zoomed

ROAD_CLASSES = ("lane", "local", "secondary", "arterial", "expressway")
ROAD_FROM_ZOOM = {"lane": 15.2, "local": 13.6, "secondary": 12, "arterial": 9, "expressway": 9}


def ground(palette: dict[str, Any]) -> list[Layer]:
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
        _fill("land-use", "land", kinds(areal), match("kind", colour, areal, palette["estate"])),
        _fill("estate", "estates", None, estate_colour, minzoom=12),
        _fill("water", "water", None, each(palette["water"])),
        _fill(
            "land-detail",
            "land",
            kinds(detail),
            match("kind", colour, detail, palette["greenInEstate"]),
            13.5,
        ),
        _fill("land-wall", "land", kinds(("wall",)), each(palette["estateWall"]), 14),
        {
            "id": "estate-wall",
            "type": "line",
            "source": "base",
            "source-layer": "estates",
            "minzoom": 13.5,
            "paint": {"line-color": palette["estateWall"], "line-width": zoomed((13.5, 0.4), (16, 1.1))},
        },
        {
            "id": "green-edge",
            "type": "line",
            "source": "base",
            "source-layer": "land",
            "minzoom": 14,
            "filter": kinds(("park", "school", "hospital", "civic", "commercial", "factory")),
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


def roads(palette: dict[str, Any], latitude: float) -> list[Layer]:
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
    on_ground = ["!=", ["get", "bridge"], True]
    for name in ROAD_CLASSES:
        if name == "lane":
            continue
        layers.append(
            _road(
                f"road-case-{name}",
                name,
                case.get(name, road["case"]),
                metres(width[name], latitude, extra=1.6),
                on_ground,
            )
        )
    for name in ROAD_CLASSES:
        layers.append(
            _road(f"road-{name}", name, surface[name], metres(width[name], latitude), on_ground, cap="round")
        )
    bridge = ["==", ["get", "bridge"], True]
    for name in ROAD_CLASSES[1:]:
        rail = _road(
            f"bridge-rail-{name}",
            name,
            palette["building"]["towerLine"],
            metres(width[name], latitude, extra=2.6),
            bridge,
        )
        layers += [
            rail,
            _road(f"bridge-{name}", name, surface[name], metres(width[name], latitude), bridge),
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
