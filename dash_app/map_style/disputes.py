"""Ground under dispute: strips that many misroutes point at, and exceptions given. Switched off at first."""

from __future__ import annotations

from typing import Any

from dash_app.map_style.expressions import Layer
from dash_app.tokens import ui_palette


def disputes(theme: str) -> list[Layer]:
    ui = ui_palette(theme)
    analysis, accent = ui["analysis"], ui["accent"]["base"]

    def fill(id_: str, source: str, colour: str, opacity: float) -> Layer:
        return {
            "id": id_,
            "type": "fill",
            "source": source,
            "layout": {"visibility": "none"},
            "filter": ["==", ["geometry-type"], "Polygon"],
            "paint": {"fill-color": colour, "fill-opacity": opacity},
        }

    def line(id_: str, source: str, colour: str, **paint: Any) -> Layer:
        return {
            "id": id_,
            "type": "line",
            "source": source,
            "layout": {"visibility": "none", "line-join": "round"},
            "paint": {"line-color": colour, "line-width": 1.8, **paint},
        }

    return [
        fill("exception", "exceptions", accent, 0.16),
        line("exception-line", "exceptions", accent),
        fill("strip", "strips", analysis, 0.24),
        line("strip-line", "strips", analysis, **{"line-dasharray": [3, 2]}),
    ]
