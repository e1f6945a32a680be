"""The frame around the desk: Dash on its own FastAPI application, and the HTML the first request gets.

Dash would send every library it ships; the desk draws with its own components, so what is not used stays out,
and the table's library waits until the case page asks for it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from dash import Dash
from fastapi import FastAPI
from markupsafe import Markup, escape

from dash_app.desk import Desk, Visit, current_visit
from dash_app.map_style import FETCHED, LAYER_GROUPS
from dash_app.markup import join, sprite, tag
from dash_app.pages import cases_page, map_page
from dash_app.statics import ENGINE
from dash_app.texts import TEXTS, Words
from dash_app.tokens import css_variables

ASSETS = Path(__file__).parent / "assets"
PATHS = ("/", cases_page.PATH)
"""The addresses of the desk; both are one page to Dash."""
DASH_PATHS = ("/_dash-layout", "/_dash-dependencies", "/_dash-update-component")
LANGUAGE_TAGS = {"zh": "zh-CN", "en": "en"}

_SCRIPT = re.compile(r'<script src="([^"]+)"></script>')
_UNUSED = ("/dash_table/", "/polyfill@", "/dash_core_components", "/dash_html_components")
_LATER = {"table": "/dash_ag_grid/"}


class DeskApp(Dash):
    """Dash with our own page around it, one per database; nothing is registered at import."""

    def __init__(self, desk: Desk) -> None:
        server = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        super().__init__(
            "dash_app",
            server=server,  # type: ignore[arg-type]  # Dash declares it for Flask only
            assets_folder=str(ASSETS),
            assets_ignore=r"^(?![a-z]_|desk\.|replay\.)",  # the desk's own; other pages name theirs
            update_title="",
            suppress_callback_exceptions=True,
            add_log_handler=False,
            enable_mcp=False,
        )
        self.backend.websocket_capability = False  # or every page opens one that carries nothing
        self._desk = desk
        self.layout = self._page
        map_page.register(self, desk)
        cases_page.register(self, desk)

    def _page(self) -> list[Any]:
        return [*map_page.layout(self._desk), cases_page.layout()]

    def interpolate_index(
        self,
        metas: str = "",
        title: str = "",
        css: str = "",
        config: str = "",
        scripts: str = "",
        app_entry: str = "",
        favicon: str = "",
        renderer: str = "",
    ) -> str:
        """The page for the visit being answered, around Dash's own tags."""
        visit = current_visit()
        wanted, later = _sorted_scripts(scripts)
        head = join(
            [
                tag("title", visit.words("product.full")),
                tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
                tag("link", rel="icon", href="/icon.svg", type="image/svg+xml"),
                tag("style", Markup(css_variables())),
                Markup(css),
                # What the map asks for a second later; the browser can begin now.
                tag("link", rel="modulepreload", href=ENGINE["js"]),
                tag("link", rel="stylesheet", href=ENGINE["css"]),
            ]
        )
        body = join(
            [
                sprite(),
                tag("a", visit.words("skip"), cls="skip", href="#queue-rows"),
                tag("div", id="cg-status", cls="sr", role="status"),
                tag("div", id="cg-alert", cls="sr", role="alert"),
                Markup(app_entry),
                _page_data(visit, self._desk, later),
                Markup(config + wanted + renderer),
            ]
        )
        return document(visit.language, visit.theme, head, body)


def document(language: str, theme: str, head: Markup, body: Markup) -> str:
    """A whole HTML page of ours."""
    return (
        f'<!doctype html><html lang="{LANGUAGE_TAGS[language]}" class="lang-{language}"'
        f' data-theme="{escape(theme)}"><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'
    )


def _sorted_scripts(scripts: str) -> tuple[str, dict[str, str]]:
    """(the scripts the page loads at once, name -> address of those it may ask for later)."""
    wanted, later = [], {}
    for address in _SCRIPT.findall(scripts):
        name = next((name for name, mark in _LATER.items() if mark in address), None)
        if name:
            later[name] = address
        elif not any(mark in address for mark in _UNUSED):
            wanted.append(f'<script src="{escape(address)}"></script>')
    return "".join(wanted), later


def _page_data(visit: Visit, desk: Desk, later: dict[str, str]) -> Markup:
    """What the scripts need to know, as JSON beside them."""
    words = visit.words
    data = {
        "language": visit.language,
        "live": True,
        "engine": ENGINE,
        "map": map_page.first_map(desk, visit),
        "timezone": str(desk.zone),
        "texts": words.for_scripts,
        "layers": LAYER_GROUPS,
        "fetched": FETCHED,
        "closed": words("clock.closed"),
        "components": _named(words, "component."),
        "scripts": later,
    }
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return tag("script", Markup(text), id="cg-page", type="application/json")


def _named(words: Words, prefix: str) -> dict[str, str]:
    """The words of all keys that begin alike, by what follows."""
    return {key.removeprefix(prefix): words(key) for key in TEXTS if key.startswith(prefix)}
