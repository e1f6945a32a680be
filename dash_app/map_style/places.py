"""Shops, street components and house numbers."""

from __future__ import annotations

from typing import Any

from dash_app.map_style.expressions import REGULAR, Layer, zoomed
from dash_app.tokens import ui_palette


def places(palette: dict[str, Any], theme: str) -> list[Layer]:
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
                "circle-radius": zoomed((16.4, 2), (19, 4.5)),
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
                "circle-radius": zoomed((15.6, 1.4), (18, 3.6)),
                "circle-color": roof["shopLine"],
                "circle-stroke-color": label["poi"],
                "circle-stroke-width": zoomed((15.6, 0.5), (18, 1)),
            },
        },
        {
            "id": "shop-label",
            "type": "symbol",
            "source": "shops",
            "source-layer": "shops",
            "minzoom": 17.3,
            "layout": {
                "text-field": ["get", "name"],
                "text-font": REGULAR,
                "text-size": 10.5,
                "text-max-width": 7,
                "text-variable-anchor": ["bottom", "top", "left", "right"],
                "text-radial-offset": 0.6,
                "text-padding": 10,
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
