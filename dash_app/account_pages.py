"""The addresses of accounts and of people's rights: at the desk, one's own account, and what comes first."""

from __future__ import annotations

from collections.abc import Callable

import anyio
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from api.auth import FirstThings, NotSignedIn, SignedIn, signed_in_for_token
from api.gate import token_in
from dash_app import case_csv
from dash_app.desk import Desk, Visit, current_visit, visiting
from dash_app.entry import SIGN_IN, WELCOME, and_back, manner, own_address, signed_in
from dash_app.pages.account_page import account_page
from dash_app.pages.audit_page import audit_page
from dash_app.pages.exports_page import exports_page
from dash_app.pages.privacy_page import privacy_page
from dash_app.pages.users_page import users_page
from dash_app.pages.welcome_page import welcome_page
from dash_app.texts import Words
from gis.access import DESK_ROLES
from gis.errors import Invalid

STEPS_COOKIE = "cg_steps"
"""How many first things there were when the first of them was shown, for "step 2 of 3"."""


def routes(desk: Desk) -> list[Route]:
    """The pages that need no desk: one's own account, and the first things."""

    async def own(request: Request) -> Response:
        try:
            principal = await signed_in(desk, request)
        except FirstThings:
            return RedirectResponse(and_back(WELCOME, request), 303)
        if principal is None:
            return RedirectResponse(and_back(SIGN_IN, request), 303)
        token = str(token_in(request.headers, request.cookies)[0])
        with visiting(Visit(principal, *manner(request))):
            return await _page(lambda: account_page(desk, token))

    async def welcome(request: Request) -> Response:
        token, _ = token_in(request.headers, request.cookies)
        known = await anyio.to_thread.run_sync(_known, desk, token)
        if known is None:
            return RedirectResponse(and_back(SIGN_IN, request), 303)
        asked = request.query_params.get("next")
        if not known.first:
            home = "/" if known.principal.role in DESK_ROLES else "/m"
            return RedirectResponse(own_address(asked) if asked else home, 303)
        language, theme = manner(request)
        kept = request.cookies.get(STEPS_COOKIE, "")
        steps = max(int(kept) if kept.isdecimal() and len(kept) < 3 else 0, len(known.first))
        page = welcome_page(Words(language), theme, known, own_address(asked), steps)
        answer = HTMLResponse(page, headers={"Cache-Control": "no-store"})
        answer.set_cookie(STEPS_COOKIE, str(steps), max_age=3600, path=WELCOME, httponly=True, samesite="lax")
        return answer

    return [Route("/account", own), Route(WELCOME, welcome)]


def desk_routes(desk: Desk) -> list[Route]:
    """Behind the desk's entry: others' accounts, what is taken away, what is held about a person."""

    async def users(request: Request) -> Response:
        return await _page(lambda: users_page(desk, request.url.query))

    async def audit(request: Request) -> Response:
        return await _page(lambda: audit_page(desk, request.url.query))

    async def exports(request: Request) -> Response:
        return await _page(lambda: exports_page(desk, request.url.query))

    async def rights(request: Request) -> Response:
        return await _page(lambda: privacy_page(desk))

    async def ask_for_cases(request: Request) -> Response:
        try:
            body = await request.json()
            query, reason = str(body["query"])[:2000], str(body["reason"])
        except (ValueError, KeyError, TypeError) as error:
            raise Invalid(
                en="An export of cases takes a filter and a reason.",
                zh="导出事件须有筛选条件和用途。",
                remedy_en="Send {query, reason} as JSON.",
                remedy_zh="请以 JSON 发送 {query, reason}。",
            ) from error
        visit = current_visit()
        asked = await anyio.to_thread.run_sync(case_csv.ask_for_cases, desk, visit, query, reason)
        return JSONResponse({"id": asked.id, "status": asked.status}, 201)

    return [
        Route("/users", users),
        Route("/audit", audit),
        Route("/exports", exports),
        Route("/privacy", rights),
        Route("/exports/cases", ask_for_cases, methods=["POST"]),
    ]


async def _page(draw: Callable[[], str]) -> Response:
    page = await anyio.to_thread.run_sync(draw)
    return HTMLResponse(page, headers={"Cache-Control": "no-store"})


def _known(desk: Desk, token: str | None) -> SignedIn | None:
    """Whom a token stands for, whatever they have yet to do."""
    if token is None:
        return None
    try:
        with desk.database.unbound_work() as session:
            return signed_in_for_token(session, token, now=desk.clock())
    except NotSignedIn:
        return None
