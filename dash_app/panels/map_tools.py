"""What floats on the map and never changes: the search box, the controls, scale and position."""

from __future__ import annotations

from markupsafe import Markup

from dash_app.markup import div, icon, join, span, tag
from dash_app.texts import Words

CONTROLS = (("in", "plus"), ("out", "minus"), ("home", "locate"), ("measure", "ruler"))
_TIPS = {"in": "map.zoom_in", "out": "map.zoom_out", "home": "map.home", "measure": "map.measure"}


def map_tools(words: Words) -> Markup:
    return join([_search(words), _controls(words), _foot()])


def _search(words: Words) -> Markup:
    return div(
        icon("search"),
        tag(
            "input",
            id="search",
            type="search",
            autocomplete="off",
            spellcheck="false",
            placeholder=words("search.placeholder"),
            aria_label=words("search.label"),
            role="combobox",
            aria_expanded="false",
            aria_controls="suggestions",
            aria_autocomplete="list",
        ),
        span("/", cls="kbd", aria_hidden="true"),
        div(id="suggestions", cls="suggestions", role="listbox", hidden=True),
        cls="float search",
        role="search",
    )


def _controls(words: Words) -> Markup:
    return div(
        [
            tag(
                "button",
                icon(sign),
                type="button",
                data_map=name,
                aria_label=words(_TIPS[name]),
                title=words(_TIPS[name]),
                aria_pressed="false" if name == "measure" else None,
            )
            for name, sign in CONTROLS
        ],
        cls="float controls",
    )


def _foot() -> Markup:
    return div(
        span("", data_position=True),
        span("", cls="scale", data_scale_bar=True),
        span("", data_scale_text=True),
        cls="foot",
    )
