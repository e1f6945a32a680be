"""Cases: closed ones from tiles, open ones in clusters, in stacks and alone, and the selected one on top.

A cluster is near together and falls apart on the way in; a stack is one point, a building's sixty doors.
"""

from __future__ import annotations

from dash_app.map_style.expressions import Layer, zoomed
from dash_app.tokens import clock_palette, ui_palette

_HOLLOW = ["case", ["boolean", ["get", "hollow"], False], "1", "0"]
_MARKER = ["concat", "case|", ["get", "clock"], "|", _HOLLOW, "|", ["get", "icon"]]
"""The name of an open case's image."""


def cases(theme: str) -> list[Layer]:
    """Markers are images drawn on demand: `case|clock|hollow|icon` and `cluster|overdue|soon|time|paused`."""
    ui = ui_palette(theme)
    accent = ui["accent"]["base"]
    closed = clock_palette(theme)["closed"]
    single = ["all", ["!", ["has", "point_count"]], ["!", ["has", "stack"]]]
    counts = [
        part
        for clock in ("overdue", "due_soon", "in_time", "paused")
        for part in ("|", ["to-string", ["get", clock]])
    ]
    return [
        {
            "id": "closed",
            "type": "symbol",
            "source": "closed",
            "source-layer": "incidents",
            "minzoom": 13,
            "filter": ["==", ["get", "clock"], "closed"],
            "layout": {
                "visibility": "none",
                "icon-image": "case|closed|0|",
                "icon-allow-overlap": True,
                "icon-size": zoomed((13, 0.5), (15, 0.82)),
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
                "icon-image": ["concat", "cluster", *counts],
                "icon-allow-overlap": True,
            },
        },
        {
            "id": "open-stack",
            "type": "symbol",
            "source": "open",
            "filter": ["all", ["!", ["has", "point_count"]], ["has", "stack"]],
            "layout": {
                "icon-image": ["concat", "cluster", *counts],
                "icon-allow-overlap": True,
                "icon-ignore-placement": True,
            },
        },
        {
            "id": "open-ring",
            "type": "circle",
            "source": "open",
            "filter": single,
            "layout": {"visibility": "none"},  # until something is hovered
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
                "icon-image": _MARKER,
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
                "icon-image": _MARKER,
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
