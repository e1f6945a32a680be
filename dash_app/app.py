"""The composition root: desk, phone, API and map engine as one ASGI application.

`citygrid serve` hands `dash_app.app:create` to uvicorn, the one name that points upward. A path decides which
application answers: Dash would answer any unknown path with its own page, so it gets only what is its.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import anyio
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from api import app as api_app
from api import docs_page, logs
from api.auth import FirstThings
from api.demo_accounts import demo_accounts
from api.errors import DATABASE_FAILURES, cut_short, of_database, problem
from api.oidc import Provider
from api.senders import senders_of
from dash_app import account_pages, frame, phone, replay_view
from dash_app.case_csv import case_file
from dash_app.desk import Desk, current_visit
from dash_app.entry import WELCOME, Entry, manner, own_address, refused, signed_in
from dash_app.evaluation_csv import evaluation_file
from dash_app.map_style import map_style
from dash_app.pages import (
    audit_page,
    evaluation_page,
    exports_page,
    people_page,
    privacy_page,
    public_page,
    settings_page,
    tracking_page,
    users_page,
)
from dash_app.plain_pages import error_page, sign_in_page
from dash_app.statics import app_icon, engine_file
from dash_app.texts import LANGUAGES, Words
from dash_app.tokens import THEMES, css_variables
from dash_app.wire import Compressed, Guarded, style_hash
from gis.access import DESK_ROLES
from gis.cluster import database_url
from gis.database import Database
from gis.errors import CityGridError, NotFound
from gis.settings import Settings

_log = structlog.get_logger("citygrid.pages")


def create() -> ASGIApp:
    """The application of the settings in the environment, over the private cluster where none is named."""
    logs.configure()
    settings = Settings.load()
    return compose(Database(database_url(settings)), settings)


def compose(
    database: Database, settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> ASGIApp:
    """Everything this server answers, over a database. The caller disposes of the database."""
    desk = Desk(database, settings.zone, clock, tuple(senders_of(settings, clock)))
    dash = frame.DeskApp(desk)
    pages = _pages(desk, settings.public_url, has_provider=Provider.of(settings) is not None)
    routes: list[tuple[tuple[str, ...], ASGIApp]] = [
        (api_app.PATHS, api_app.create_app(database, settings, clock=clock)),
        ((*frame.PATHS, *frame.DASH_PATHS), Entry(_OnePage(dash.server), desk)),
        (("/_dash-component-suites",), dash.server),
        (
            (
                *evaluation_page.ADDRESSES,
                replay_view.PATH,
                "/cases.csv",
                people_page.PATH,
                settings_page.PATH,
                users_page.PATH,
                exports_page.PATH,
                audit_page.PATH,
                privacy_page.PATH,
            ),
            Entry(pages, desk),
        ),
    ]
    guarded = Guarded(
        _Dispatch(routes, pages),
        scripts=dash.csp_hashes(),
        styles=[style_hash(css_variables()), style_hash(docs_page.STYLE)],
        loose_pages=frame.PATHS,
        only_tls=(settings.public_url or "").startswith("https://"),
    )
    return Compressed(guarded)


class _Dispatch:
    """Sends a request to the application its path belongs to; start and stop go to the API alone."""

    def __init__(self, routes: list[tuple[tuple[str, ...], ASGIApp]], otherwise: ASGIApp) -> None:
        self.by_prefix = [(prefix, app) for prefixes, app in routes for prefix in prefixes]
        self.lifespan = routes[0][1]
        self.otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.lifespan(scope, receive, send)
        await self.app_for(scope["path"])(scope, receive, send)

    def app_for(self, path: str) -> ASGIApp:
        """ "/" is only itself; any other prefix stands for itself and what lies below it."""
        for prefix, app in self.by_prefix:
            if path == prefix or (prefix != "/" and path.startswith(prefix + "/")):
                return app
        return self.otherwise


class _OnePage:
    """To Dash every page of the desk is its one page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in frame.PATHS:
            scope = {**scope, "path": "/", "raw_path": b"/"}
        await self.app(scope, receive, send)


def _pages(desk: Desk, public_url: str | None, *, has_provider: bool) -> Starlette:
    """What is neither Dash nor API: signing in, the reporter's page, files, and what does not exist."""

    async def sign_in(request: Request) -> Response:
        next_ = own_address(request.query_params.get("next"))
        try:
            principal = await signed_in(desk, request)
        except FirstThings:
            return RedirectResponse(WELCOME, 303)
        if principal is not None:
            return RedirectResponse(next_ if principal.role in DESK_ROLES else "/m", 303)
        language, theme = manner(request)
        demo = await anyio.to_thread.run_sync(_demo_accounts, desk, int(desk.clock().timestamp() // 600))
        page = sign_in_page(
            Words(language), theme, next_, demo, has_provider=has_provider,
            failed=request.query_params.get("failed"),
        )  # fmt: skip
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})

    async def evaluation(request: Request) -> Response:
        page = await anyio.to_thread.run_sync(evaluation_page.evaluation_page, desk, request.url.query)
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})

    async def shapes(request: Request) -> Response:
        found = await anyio.to_thread.run_sync(evaluation_page.shade_shapes, desk, request.url.query)
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    async def weeks(request: Request) -> Response:
        found = await anyio.to_thread.run_sync(evaluation_page.drawn_weeks, desk, request.url.query)
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    async def evaluation_csv(request: Request) -> Response:
        name, content = await anyio.to_thread.run_sync(
            evaluation_file, desk, current_visit(), request.url.query
        )
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Response(content, media_type="text/csv; charset=utf-8", headers=headers)

    async def past(request: Request) -> Response:
        found = await anyio.to_thread.run_sync(replay_view.replayed, desk, request.url.query)
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    async def cases_csv(request: Request) -> Response:
        asked = request.query_params.get("export", "")
        if not asked.isdecimal():  # an address from before: the way leads past the question what it is for
            return RedirectResponse(f"/exports?{request.url.query}", 303)
        number = int(asked[:9])
        name, content = await anyio.to_thread.run_sync(case_file, desk, current_visit(), number)
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Response(content, media_type="text/csv; charset=utf-8", headers=headers)

    async def people(request: Request) -> Response:
        page = await anyio.to_thread.run_sync(people_page.people_page, desk, request.url.query)
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})

    async def settings(request: Request) -> Response:
        page = await anyio.to_thread.run_sync(settings_page.settings_page, desk, request.url.query)
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})

    return Starlette(
        routes=[
            Route("/sign-in", sign_in),
            Route(settings_page.PATH, settings),
            Route(people_page.PATH, people),
            Route(evaluation_page.PATH, evaluation),
            Route(evaluation_page.SHAPES, shapes),
            Route(evaluation_page.WEEKS_DRAWN, weeks),
            Route(evaluation_page.CSV, evaluation_csv),
            Route(replay_view.PATH, past),
            Route("/cases.csv", cases_csv),
            Route("/map/style/{theme}/{language}.json", _map_style),
            Route("/vendor/maplibre-gl/{name}", engine_file),
            Route("/assets/{name}", _asset),
            *account_pages.routes(desk),
            *account_pages.desk_routes(desk),
            *phone.routes(desk),
            *tracking_page.routes(desk, public_url),
            *public_page.routes(desk),
            Route("/icon.svg", app_icon),
            Route("/favicon.ico", app_icon),
        ],
        exception_handlers={
            CityGridError: _refused,
            HTTPException: _not_there,
            **dict.fromkeys(DATABASE_FAILURES, _database_failed),
            ClientDisconnect: _gone,
            Exception: _fault,
        },
    )


@lru_cache(maxsize=4)
def _demo_accounts(desk: Desk, _ten_minutes: int) -> list[tuple[str, str, str]]:
    """(role, user name, password) of the demo city's accounts, looked up once in ten minutes: each is proved
    by hashing its password. None in a real city."""
    with desk.database.system_work() as session:
        return [(one.role, one.username, one.password) for one in demo_accounts(session)]


async def _map_style(request: Request) -> Response:
    """The map's style for a theme and a language; `latitude`, in degrees, makes its roads true to scale."""
    theme, language = request.path_params["theme"], request.path_params["language"]
    if theme not in THEMES or language not in LANGUAGES:
        raise _nothing_at(request)
    try:
        latitude = min(max(round(float(request.query_params.get("latitude", "23"))), -60), 60)
    except (ValueError, OverflowError):
        latitude = 23
    return JSONResponse(
        map_style(theme, language, latitude), headers={"Cache-Control": "public, max-age=600"}
    )


async def _asset(request: Request) -> Response:
    """A style sheet or script of ours. An address that names the file's state may be kept for good."""
    path = frame.ASSETS / Path(request.path_params["name"]).name
    if not path.is_file():
        raise _nothing_at(request)
    kept = "public, max-age=31536000, immutable" if "m" in request.query_params else "public, max-age=60"
    return FileResponse(path, headers={"Cache-Control": kept})


def _nothing_at(request: Request) -> NotFound:
    return NotFound(
        en=f"There is nothing at {request.url.path}.",
        zh=f"没有 {request.url.path} 这个地址。",
        remedy_en="Start from the map.",
        remedy_zh="请从地图开始。",
    )


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, CityGridError)
    return refused(request, error)


async def _not_there(request: Request, error: Exception) -> Response:
    return refused(request, _nothing_at(request))


async def _database_failed(request: Request, error: Exception) -> Response:
    return refused(request, of_database(error, request.url.path))


async def _gone(request: Request, error: Exception) -> Response:
    return problem(cut_short(), request.headers)


async def _fault(request: Request, error: Exception) -> Response:
    reference = uuid.uuid4().hex[:8]
    _log.error("fault", reference=reference, path=request.url.path, exc_info=error)
    language, theme = manner(request)
    return HTMLResponse(error_page(Words(language), theme, None, reference), 500)
