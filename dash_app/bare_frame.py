"""The frame of an account's page without the desk around it: before the first things are done, on a phone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from markupsafe import Markup

from dash_app.frame import document
from dash_app.markup import div, join, sprite, tag
from dash_app.plain_frame import page_data
from dash_app.texts import Words
from dash_app.tokens import css_variables


def bare_page(
    words: Words, theme: str, title: str, body: Markup, data: Mapping[str, object], texts: Iterable[str]
) -> str:
    """A page of accounts without the desk around it."""
    head = join(
        [
            tag("title", f"{title} · {words('product.full')}"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("link", rel="icon", href="/icon.svg", type="image/svg+xml"),
            tag("style", Markup(css_variables())),
            tag("link", rel="stylesheet", href="/assets/desk.css"),
            tag("link", rel="stylesheet", href="/assets/accounts.css"),
            tag("script", src="/assets/plain.js", defer=True),
            tag("script", src="/assets/accounts.js", defer=True),
        ]
    )
    told = {**data, "texts": {key: words(key) for key in texts}}
    parts = [
        sprite(),
        body,
        div(cls="toasts", role="status"),
        page_data(words, "accounts", told),
    ]
    return document(words.language, theme, head, join(parts))
