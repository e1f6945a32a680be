"""The phone pages at /m: one plain HTML page, ES modules, no framework and no build step.

The page holds no data of anybody: what it shows it asks the API for, with the cookie of its own sign-in. Its
files live under an address that names their state, so a browser keeps them for good and a release is one new
address.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import anyio
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from api.gate import COOKIE
from dash_app.desk import Desk
from dash_app.entry import manner
from dash_app.frame import document
from dash_app.markup import LOGO, join, sprite, tag
from dash_app.pages.ground import active_map, bounds_of
from dash_app.statics import ENGINE
from dash_app.texts import Words
from dash_app.tokens import css_variables, ui_palette
from gis.errors import NotFound

FILES = Path(__file__).parent / "files"
SHARED = {"markers.js": Path(__file__).parent.parent / "map_view" / "markers.js"}
"""Scripts of the desk that the phone draws with too."""
VIEWPORT = "width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
"""A keyboard takes its room from the page: the button under what is being typed stays in reach."""
DEMO_GROUND = (113.1, 23.0)
"""Where the demo city will lie while there is no city yet."""
KEPT_FOR_GOOD = "public, max-age=31536000, immutable"


def routes(desk: Desk) -> list[Route]:
    """The page, its manifest and its files."""

    async def page(request: Request) -> Response:
        has_token = COOKIE in request.cookies
        middle = await anyio.to_thread.run_sync(_middle, desk)
        page = phone_page(desk, *manner(request), has_token=has_token, middle=middle)
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})

    return [
        Route("/m", page),
        Route("/m/manifest.webmanifest", _manifest),
        Route("/m/{state}/{name}", _file),
    ]


def _middle(desk: Desk) -> tuple[float, float]:
    """Where a map begins for somebody without a cell and without a position: lon, lat, EPSG:4490."""
    with desk.database.system_work() as session:
        bounds = bounds_of(active_map(session), "")
    if bounds is None:
        return DEMO_GROUND
    west, south, east, north = bounds
    return (west + east) / 2, (south + north) / 2


def phone_page(
    desk: Desk, language: str, theme: str, *, has_token: bool, middle: tuple[float, float] = DEMO_GROUND
) -> str:
    """The one HTML page. `now` lets the scripts count by the server's clock, whatever the phone's says.

    Scripts cannot see the cookie: `has_token` tells them whether asking who is signed in makes sense.
    `middle` is that of the city, lon and lat in EPSG:4490.
    """
    words, at = Words(language), f"/m/{files_state()}/"
    data = {
        "language": language,
        "theme": theme,
        "timezone": str(desk.zone),
        "now": desk.clock().isoformat(),
        "engine": ENGINE,
        "has_token": has_token,
        "middle": {"lon": middle[0], "lat": middle[1]},
    }
    rail = ui_palette(theme)["rail"]["surface"]
    head = join(
        [
            tag("title", words("product.full")),
            tag("meta", name="viewport", content=VIEWPORT),
            tag("meta", name="theme-color", content=rail),
            tag("link", rel="manifest", href="/m/manifest.webmanifest"),
            tag("link", rel="icon", href="/icon.svg", type="image/svg+xml"),
            tag("style", Markup(css_variables())),
            tag("link", rel="stylesheet", href=at + "phone.css"),
            [tag("link", rel="modulepreload", href=at + name) for name in _modules()],
            tag("link", rel="stylesheet", href=ENGINE["css"]),
            tag("link", rel="modulepreload", href=ENGINE["js"]),
            tag("script", src=at + "markers.js", defer=True),
            tag("script", src=at + "app.js", type="module"),
        ]
    )
    body = join(
        [
            sprite(),
            tag("template", LOGO, id="logo"),
            tag("div", id="phone"),
            tag("div", id="toasts", role="status"),
            tag("noscript", "CityGrid needs JavaScript. 本页面需要 JavaScript。"),
            _data(data),
        ]
    )
    return document(language, theme, head, body)


@lru_cache(maxsize=1)
def files_state() -> str:
    """A few characters that change with any of the page's files."""
    digest = hashlib.sha256()
    for path in [*sorted(FILES.iterdir()), *SHARED.values()]:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _modules() -> list[str]:
    """The scripts `app.js` draws in, told at once: found level by level, each costs a slow network a trip."""
    return sorted(path.name for path in FILES.glob("*.js"))


async def _file(request: Request) -> Response:
    name, state = request.path_params["name"], request.path_params["state"]
    path = SHARED.get(name) or FILES / Path(name).name
    if not path.is_file():
        raise NotFound(
            en=f"There is no file {name} here.",
            zh=f"没有文件 {name}。",
            remedy_en="Open /m again.",
            remedy_zh="请重新打开 /m。",
        )
    return FileResponse(
        path, headers={"Cache-Control": KEPT_FOR_GOOD if state == files_state() else "no-store"}
    )


async def _manifest(request: Request) -> Response:
    """What a phone needs to keep the page on its home screen."""
    language, theme = manner(request)
    ui = ui_palette(theme)
    return JSONResponse(
        {
            "name": Words(language)("product.full"),
            "short_name": Words(language)("product"),
            "start_url": "/m",
            "scope": "/m",
            "display": "standalone",
            "background_color": ui["surface"]["page"],
            "theme_color": ui["rail"]["surface"],
            "icons": [{"src": "/icon.svg", "sizes": "any", "type": "image/svg+xml"}],
        },
        media_type="application/manifest+json",
    )


def _data(data: Mapping[str, object]) -> Markup:
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return tag("script", Markup(text), id="phone-page", type="application/json")
