"""Roofs with their shadows by height class."""

from __future__ import annotations

from typing import Any

from dash_app.map_style.expressions import Layer, pixels, zoomed


def roofs(palette: dict[str, Any], latitude: float) -> list[Layer]:
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
        for zoom in (15, 16, 18, 20):
            size = pixels(metres, latitude, zoom)
            offsets += [zoom, ["literal", [round(size * 0.72, 2), round(size, 2)]]]
        layers.append(
            {
                "id": id_,
                "type": "fill",
                "source": "buildings",
                "source-layer": "buildings",
                "minzoom": 15,
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
                "fill-opacity": zoomed((14, 0.55), (15, 1)),
            },
        }
    )
    return layers
