"""Who comes to the desk: the token of a request becomes a visit, and a stranger is shown the door.

Everything behind this door may rely on `desk.current_visit()`.
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

import anyio
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.addresses import secret_in_address, secrets_in
from api.auth import FirstThings, NotSignedIn, not_signed_in, principal_for_token
from api.errors import DATABASE_FAILURES, of_database, problem, status_of
from api.gate import refuse_cross_site, token_in
from dash_app.desk import (
    LANGUAGE_COOKIE,
    THEME_COOKIE,
    Desk,
    Visit,
    chosen_language,
    chosen_theme,
    visiting,
)
from dash_app.plain_pages import error_page
from dash_app.texts import Words
from gis.access import DESK_ROLES, Principal
from gis.errors import CityGridError, Denied

SIGN_IN = "/sign-in"
WELCOME = "/welcome"
PHONE = "/m"


class Entry:
    """Lets signed-in people of the desk through to `app`.

    A page answers a stranger with the way to the sign-in page, somebody who has something to do first with
    the way there, and somebody whose work is on the street with the way to the phone page; what a script asks
    for is refused in words.
    """

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self.app = app
        self.desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if secrets_in(scope.get("query_string", b"")):
            return await problem(secret_in_address(), request.headers)(scope, receive, send)
        try:
            principal = await signed_in(self.desk, request)
            refuse_cross_site(request.method, request.headers)
        except FirstThings as first:
            return await _first_things(request, first)(scope, receive, send)
        except Denied as refusal:
            return await problem(refusal, request.headers)(scope, receive, send)
        except DATABASE_FAILURES as error:
            return await refused(request, of_database(error, scope["path"]))(scope, receive, send)
        if principal is None or principal.role not in DESK_ROLES:
            return await _turned_away(request, principal)(scope, receive, send)
        with visiting(Visit(principal, *manner(request))):
            await self.app(scope, receive, send)


async def signed_in(desk: Desk, connection: HTTPConnection) -> Principal | None:
    """Whom the request's token stands for, or None. Raises FirstThings."""
    token, _ = token_in(connection.headers, connection.cookies)
    return None if token is None else await anyio.to_thread.run_sync(_known, desk, token)


def _known(desk: Desk, token: str) -> Principal | None:
    try:
        with desk.database.unbound_work() as session:
            return principal_for_token(session, token, now=desk.clock())
    except NotSignedIn:
        return None


def manner(connection: HTTPConnection) -> tuple[str, str]:
    """(language, theme) as the browser's cookies say, else as it prefers."""
    cookies = connection.cookies
    language = chosen_language(cookies.get(LANGUAGE_COOKIE), connection.headers.get("accept-language"))
    return language, chosen_theme(cookies.get(THEME_COOKIE))


def wants_page(request: Request) -> bool:
    """Whether a person opens this in a browser, rather than a script asking for data."""
    return request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")


def refused(request: Request, error: CityGridError) -> Response:
    """A failure in words: a page for a person, a problem document for a script."""
    answer: Response = problem(error, request.headers)
    if not wants_page(request):
        return answer
    language, theme = manner(request)
    page = HTMLResponse(error_page(Words(language), theme, error), status_of(error))
    if "retry-after" in answer.headers:
        page.headers["Retry-After"] = answer.headers["retry-after"]
    return page


def _turned_away(request: Request, principal: Principal | None) -> Response:
    if principal is None:
        if wants_page(request):
            return RedirectResponse(and_back(SIGN_IN, request), 303)
        return problem(not_signed_in("This needs sign-in.", "请先登录。"), request.headers)
    if wants_page(request):
        return RedirectResponse(PHONE, 303)
    return _not_at_the_desk(request)


def _first_things(request: Request, first: FirstThings) -> Response:
    if wants_page(request):
        return RedirectResponse(and_back(WELCOME, request), 303)
    return problem(first, request.headers)


def and_back(path: str, request: Request) -> str:
    """The address of a page that leads back here."""
    query = f"?{request.url.query}" if request.url.query else ""
    here = request.url.path + query
    return f"{path}?next={quote(here, safe='/')}" if here != "/" else path


def _not_at_the_desk(request: Request) -> JSONResponse:
    error = Denied(
        en="The desk is not for this role.",
        zh="该角色不使用工作台。",
        remedy_en="Open the phone page /m, or ask an administrator for another role.",
        remedy_zh="请打开手机页面 /m，或请管理员调整角色。",
    )
    return problem(error, request.headers)


def own_address(text: str | None) -> str:
    """Where to go after signing in: an address of this server, else the desk itself."""
    parts = urlsplit(text or "")
    own = not parts.scheme and not parts.netloc and parts.path.startswith("/") and "\\" not in parts.path
    return str(text) if text and own and not text.startswith("//") else "/"
