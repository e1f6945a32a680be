"""A part of the page written as markup on the server and patched in place in the browser.

The panels are many small pieces (a queue row alone has twenty), with inline SVG that Dash's own components
cannot express. One Fragment carries a whole panel as text that `dash_app.markup` built and escaped; the
browser changes only the nodes that differ, so focus, scroll and hover survive a refresh.
"""

from __future__ import annotations

from typing import Any

from dash.development.base_component import Component


class Fragment(Component):
    """Server-written markup. `html` must come from `dash_app.markup`, which escapes every text."""

    _namespace = "citygrid"
    _type = "Fragment"
    _children_props: list[str] = []  # noqa: RUF012 - read by Dash on the class
    _base_nodes: list[str] = []  # noqa: RUF012
    PROPS = ("id", "html", "tag", "className", "role", "label", "live", "hidden")

    def __init__(self, **props: Any) -> None:
        self._prop_names = self.available_properties = list(self.PROPS)
        self._valid_wildcard_attributes = self.available_wildcard_properties = []
        super().__init__(**props)
