"""The thin line over every detail panel."""

from __future__ import annotations

from markupsafe import Markup

from dash_app.markup import div, icon, span, tag
from dash_app.texts import Words
from dash_app.view_state import ViewState


def crumb_bar(words: Words, state: ViewState, back: Markup | str, *right: Markup | str) -> Markup:
    """The thin line over a detail panel: back, a number, copy link, close."""
    home = state.without_selection.href()
    return div(
        tag("a", icon("left", "xs"), back, href=home, data_back=True),
        span(cls="grow"),
        *right,
        tag(
            "button",
            icon("link", "xs"),
            type="button",
            cls="icon-btn",
            data_copy_link=True,
            aria_label=words("copy_link"),
            title=words("copy_link"),
        ),
        tag("a", icon("x", "xs"), cls="icon-btn", href=home, aria_label=words("close"), title=words("close")),
        cls="crumb",
    )
