"""Maps for notebooks and letters: one HTML file that holds everything it needs and asks nobody for anything.

Leaflet comes from npm with the map engine (`package.json`) and is written into the page; there is no base map
but the city's own layers.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import branca.element
import folium
import geopandas as gpd
import numpy as np

from gis.errors import Unavailable
from gis.settings import PROJECT
from layers.catalog import drawable_layer

LEAFLET = PROJECT / "node_modules" / "leaflet" / "dist"

COLOURS = {
    "land": "#cfe3c4",
    "water": "#a9cbe8",
    "areas": "#6b7280",
    "cells": "#3157d5",
    "estates": "#b99a6b",
    "buildings": "#8d8778",
    "roads": "#9aa1ab",
    "shops": "#c2703d",
    "components": "#4d8f6f",
    "incidents": "#c8322b",
}
FILL = {"polygon": 0.18, "line": 0.0, "point": 0.8}
BACKGROUND = "#f4f2ec"
TOOLTIP_FIELDS = 6


def offline_map(frames: Mapping[str, gpd.GeoDataFrame]) -> folium.Map:
    """A map of layers by their names, the first beneath, zoomed to what they hold.

    Raises Unavailable when Leaflet has not been installed.
    """
    figure = _figure()
    drawing = folium.Map(tiles=None, control_scale=True, prefer_canvas=True, attributionControl=False)
    drawing.default_js, drawing.default_css = [], []
    figure.add_child(drawing)
    shown = {name: frame for name, frame in frames.items() if len(frame)}
    for name, frame in shown.items():
        _layer(frame, name).add_to(drawing)
    folium.LayerControl(collapsed=False).add_to(drawing)
    if shown:
        bounds = np.array([frame.total_bounds for frame in shown.values()])
        (west, south), (east, north) = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
        drawing.fit_bounds([[float(south), float(west)], [float(north), float(east)]])
    return drawing


def _layer(frame: gpd.GeoDataFrame, name: str) -> folium.GeoJson:
    """One layer with its fields as a tooltip, titled in Chinese and English."""
    layer = drawable_layer(name)
    colour, fill = COLOURS[name], FILL[layer.geometry or "point"]
    shown = [field for field in layer.fields if field.name in frame.columns][:TOOLTIP_FIELDS]
    titled = frame[[*(field.name for field in shown), frame.geometry.name]].rename(
        columns={field.name: field.zh for field in shown}
    )
    titles = [field.zh for field in shown]
    titled[titles] = titled[titles].astype(object).where(titled[titles].notna(), "").astype(str)
    return folium.GeoJson(
        titled.set_crs("EPSG:4326", allow_override=True),
        name=f"{layer.title_zh} {layer.title_en}",
        style_function=lambda _: {"color": colour, "weight": 1.2, "fillColor": colour, "fillOpacity": fill},
        marker=folium.CircleMarker(radius=4, weight=1, fill=True),
        tooltip=folium.GeoJsonTooltip(titles),
    )


def _figure() -> branca.element.Figure:
    """A page with Leaflet in it: no address of anybody else's, so it opens anywhere and tells nobody."""
    if not LEAFLET.is_dir():
        raise Unavailable(
            en="Leaflet is not installed, so no map can be drawn.",
            zh="未安装 Leaflet，无法绘图。",
            remedy_en="Run make setup.",
            remedy_zh="请运行 make setup。",
        )
    css = re.sub(r"url\(images/([\w.-]+)\)", _image, (LEAFLET / "leaflet.css").read_text("utf-8"))
    code = re.sub(r"//# sourceMappingURL=\S+", "", (LEAFLET / "leaflet.js").read_text("utf-8"))
    figure = branca.element.Figure(height="560px")
    figure.header._children.clear()
    css += f".leaflet-container{{background:{BACKGROUND}}}"
    for part in ('<meta charset="utf-8">', f"<style>{css}</style>", f"<script>{code}</script>"):
        figure.header.add_child(_Literal(part))
    return figure


def _image(found: re.Match[str]) -> str:
    path: Path = LEAFLET / "images" / found[1]
    return f"url(data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()})"


class _Literal(branca.element.Element):
    """Text that goes into the page as it is; branca would read braces in it as a template."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def render(self, **_: Any) -> str:
        return self._text
