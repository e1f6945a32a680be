"""The one map: a Dash component around MapLibre, in plain JavaScript without a build step."""

from __future__ import annotations

from typing import Any

from dash.development.base_component import Component


class MapView(Component):
    """A vector map that fills its container.

    `styleUrl` is a template with `{theme}`; the map follows the page's theme by itself. `engine` names the
    module and stylesheet of MapLibre on our own server. `camera` is the first view: `bounds` [w, s, e, n] or
    `center` and `zoom`. `hit` lists the layers a click may find, topmost first.

    `open` is the FeatureCollection of open incidents; a new one is applied as a difference. `focus` is what
    is selected: its features and where to look. `past` is the filter on the history tiles. `moved` in
    `focus` tells a new selection from a refresh of the old one, so that a live update never moves the map.

    Written by the map: `click` (layer, id, properties, lon, lat) and `ready`.
    """

    _namespace = "citygrid"
    _type = "MapView"
    _children_props: list[str] = []  # noqa: RUF012 - read by Dash on the class
    _base_nodes: list[str] = []  # noqa: RUF012
    PROPS = (
        "id",
        "styleUrl",
        "engine",
        "camera",
        "hit",
        "open",
        "focus",
        "past",
        "label",
        "click",
        "ready",
        "className",
    )

    def __init__(self, **props: Any) -> None:
        self._prop_names = self.available_properties = list(self.PROPS)
        self._valid_wildcard_attributes = self.available_wildcard_properties = []
        super().__init__(**props)
