"""A part of the page written as markup on the server and patched in place in the browser.

The panels are many small pieces (a queue row alone has twenty), with inline SVG that Dash's own components
cannot express. One Fragment carries a whole panel as text that `dash_app.markup` built and escaped; the
browser changes only the nodes that differ, so focus, scroll and hover survive a refresh.
"""

from __future__ import annotations

from dash_app.own_component import OwnComponent


class Fragment(OwnComponent):
    """Server-written markup. `html` must come from `dash_app.markup`, which escapes every text."""

    _type = "Fragment"
    PROPS = ("id", "html", "tag", "className", "role", "label", "live", "hidden")
