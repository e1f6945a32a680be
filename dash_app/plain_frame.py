"""The frame of a desk page without Dash: rail, main part, and a small script that talks to the API.

What such scripts have in common is `assets/plain.js`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from dash_app.desk import Visit
from dash_app.frame import document
from dash_app.markup import div, join, sprite, tag
from dash_app.panels.rail import rail
from dash_app.texts import Words
from dash_app.tokens import css_variables
from dash_app.view_state import ViewState


def plain_page(
    visit: Visit, title: str, body: Any, *, name: str, overdue: int, data: Mapping[str, object]
) -> str:
    """A whole page. `name` is that of its style sheet, script and data; `overdue` is the rail's figure."""
    words = visit.words
    head = join(
        [
            tag("title", f"{title} · {words('product.full')}"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("link", rel="icon", href="/icon.svg", type="image/svg+xml"),
            tag("style", Markup(css_variables())),
            tag("link", rel="stylesheet", href="/assets/desk.css"),
            tag("link", rel="stylesheet", href=f"/assets/{name}.css"),
            tag("script", src="/assets/plain.js", defer=True),
            tag("script", src=f"/assets/{name}.js", defer=True),
        ]
    )
    parts = [
        sprite(),
        tag(
            "nav",
            rail(words, visit.principal, ViewState(), theme=visit.theme, overdue=overdue),
            cls="rail",
            aria_label=words("rail.label"),
        ),
        body,
        div(cls="toasts", role="status"),
        page_data(words, name, data),
    ]
    return document(visit.language, visit.theme, head, join(parts))


def page_data(words: Words, name: str, data: Mapping[str, object]) -> Markup:
    """What the scripts need to know, as JSON beside them; `page` is the one marked in the rail."""
    told = {
        "language": words.language,
        "failed": words("dialog.failed"),
        "offline": words("dialog.offline"),
        "page": name,
        **data,
    }
    text = json.dumps(told, ensure_ascii=False).replace("<", "\\u003c")
    return tag("script", Markup(text), id=f"{name}-page", type="application/json")
