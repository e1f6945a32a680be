"""The one map: a Dash component around MapLibre, in plain JavaScript without a build step."""

from __future__ import annotations

from dash_app.own_component import OwnComponent


class MapView(OwnComponent):
    """A vector map that fills its container.

    `styleUrl` is a template with `{theme}`; the map follows the page's theme by itself. `engine` names the
    module and stylesheet of MapLibre on our own server. `camera` is the first view: `bounds` [w, s, e, n] or
    `center` and `zoom`. `hit` lists the layers a click may find, topmost first.

    `open` is the FeatureCollection of open incidents; a new one is applied as a difference. `focus` is what
    is selected: its features and where to look. `past` is the filter on the history tiles. `moved` in
    `focus` tells a new selection from a refresh of the old one, so that a live update never moves the map.

    Written by the map: `click` (layer, id, properties, lon, lat) and `ready`.
    """

    _type = "MapView"
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
