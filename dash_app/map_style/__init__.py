"""The two map styles, generated from the design tokens: MapLibre cannot read CSS variables.

Layer order, from the ground up: land, water, estates, roads, roofs, borders, selection, labels, closed cases,
open cases, the selected case. Zoom rules follow the design: z13 communities and secondary roads, z14 cells
and single cases, z15 roofs and estates, z16 shops and local names, z17 components and house numbers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from dash_app.map_style.borders import borders, focus
from dash_app.map_style.cases import cases
from dash_app.map_style.disputes import disputes
from dash_app.map_style.ground import ground, roads
from dash_app.map_style.labels import labels
from dash_app.map_style.places import places
from dash_app.map_style.roofs import roofs
from dash_app.tokens import map_palette

LAYER_GROUPS = {
    "incidents": ("open-cluster", "open-stack", "open-ring", "open", "closed"),
    "borders": (
        "district-halo",
        "district-line",
        "subdistrict-faint",
        "subdistrict-halo",
        "subdistrict-line",
        "community-halo",
        "community-line",
        "cell-line",
    ),
    "buildings": ("shadow-low", "shadow-slab", "shadow-tower", "building", "building-number"),
    "shops": ("shop", "shop-label"),
    "components": ("component",),
    "disputes": ("strip", "strip-line", "exception", "exception-line"),
}
"""What each switch of the layer control shows and hides."""

FETCHED = {"disputes": {"strips": "/api/v1/misroutes", "exceptions": "/api/v1/exceptions"}}
"""Where the sources of a switch come from, once it is on."""

LAST_CLUSTERED_ZOOM = 15
CLUSTER_RADIUS_PX = 30
"""Only markers that would hide each other are drawn as one."""


@lru_cache(maxsize=16)
def map_style(theme: str, language: str, latitude: float = 23.0) -> dict[str, Any]:
    """The complete style for one theme and language; `latitude` turns metres into pixels for road widths."""
    palette = map_palette(theme)
    return {
        "version": 8,
        "name": f"CityGrid {theme}",
        "sources": _sources(),
        "layers": [
            *ground(palette),
            *roads(palette, latitude),
            *roofs(palette, latitude),
            *borders(palette, theme),
            *disputes(theme),
            *focus(theme),
            *labels(palette, language),
            *places(palette, theme),
            *cases(theme),
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
            "clusterRadius": CLUSTER_RADIUS_PX,
            "clusterMaxZoom": LAST_CLUSTERED_ZOOM,
            "clusterProperties": {
                clock: ["+", ["coalesce", ["get", clock], ["case", ["==", ["get", "clock"], clock], 1, 0]]]
                for clock in ("overdue", "due_soon", "in_time", "paused")
            },
        },
        "focus": {"type": "geojson", "data": empty},
        "strips": {"type": "geojson", "data": empty},
        "exceptions": {"type": "geojson", "data": empty},
    }
