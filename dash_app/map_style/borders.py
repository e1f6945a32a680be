"""Borders of areas and cells, and what is selected."""

from __future__ import annotations

from typing import Any

from dash_app.map_style.expressions import Expression, Layer
from dash_app.tokens import ui_palette

WHOLE_CITY_ENDS = 12
"""The zoom from which subdistricts have the strong borders; below it the districts, which end there."""


def borders(palette: dict[str, Any], theme: str) -> list[Layer]:
    border = palette["border"]
    hovered = ["boolean", ["feature-state", "hover"], False]
    layers: list[Layer] = [
        {
            "id": "cell-fill",
            "type": "fill",
            "source": "cells",
            "source-layer": "cells",
            "minzoom": 12,
            "paint": {
                "fill-color": ["case", hovered, ui_palette(theme)["accent"]["base"], "rgba(0, 0, 0, 0)"],
                "fill-opacity": 0.06,
                "fill-antialias": False,
            },
        },
        _border("cell-line", "cells", "cells", None, border["cell"], 13.6),
    ]
    for level, minzoom in (("community", 12.4), ("subdistrict", WHOLE_CITY_ENDS), ("district", 8)):
        where = ["==", ["get", "level"], level]
        rule = border["subdistrict" if level == "district" else level]
        halo = _border(
            f"{level}-halo", "base", "areas", where, {**rule, "opacity": rule["haloOpacity"]}, minzoom
        )
        halo["paint"]["line-width"] = rule["halo"]
        del halo["paint"]["line-dasharray"]
        layers += [halo, _border(f"{level}-line", "base", "areas", where, rule, minzoom)]
    return [*layers, _faint(border["subdistrict"])]


def _faint(rule: dict[str, Any]) -> Layer:
    """The subdistricts of a whole city: a hundred halos and dashes beside each other would be one smudge, so
    here the districts have them."""
    where = ["==", ["get", "level"], "subdistrict"]
    layer = _border("subdistrict-faint", "base", "areas", where, {**rule, "width": 0.8, "opacity": 0.45}, 9)
    del layer["paint"]["line-dasharray"]
    return {**layer, "maxzoom": WHOLE_CITY_ENDS}


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


def focus(theme: str) -> list[Layer]:
    """What is selected: its ground on a halo, the second candidate dashed, the way to the border."""
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
            "layout": {
                "line-join": "round",
                "line-cap": "round" if "line-dasharray" not in paint else "butt",
            },
            "paint": {"line-color": colour, "line-width": width, **paint},
        }

    return [
        {
            "id": "focus-fill",
            "type": "fill",
            "source": "focus",
            "filter": ["match", ["get", "role"], ["cell", "building", "strip"], True, False],
            "paint": {
                "fill-color": accent,
                "fill-opacity": ["match", ["get", "role"], "cell", 0.07, 0.32],
            },
        },
        line("focus-second", "second", accent, 1.6, **{"line-dasharray": [3, 2.4], "line-opacity": 0.8}),
        line("focus-halo", "cell", halo, 6.4, **{"line-opacity": 0.8}),
        line("focus-line", "cell", accent, 2.8),
        line("focus-building", "building", accent, 2),
        line("focus-strip", "strip", accent, 2),
        line("focus-dimension", "dimension", ink, 1.3, **{"line-dasharray": [2.6, 1.8]}),
    ]
