"""How a request proves who it is, and the unit of work it then gets.

Pages carry the token in a cookie, programs in `Authorization: Bearer`, GIS programs as the password of HTTP
Basic. A token in an address is never looked at, and refused (`api.limits`): addresses end up in logs.

An endpoint asks for `door: SignedInDoor` and opens it where the work is done:

    with door.open() as (session, by, now):
        return queries.get_incident(session, incident_id, by=by, now=now)

The token is looked up inside the same transaction as the work, so signing in costs one query and no
connection of its own. A request without any proof is refused before its body is looked at.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from sqlalchemy.orm import Session

from api.auth import Visitor, first_things, not_signed_in, principal_for_token, signed_in_for_token
from api.tries import network_of
from gis.access import Principal
from gis.database import Database
from gis.errors import Denied
from gis.settings import Settings

COOKIE = "cg_session"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Means:
    """What all endpoints work with; `create_app` keeps it as `app.state.means`. Tests hand in their clock."""

    database: Database
    settings: Settings
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Door:
    """The way in for one request that carries a token."""

    means: Means
    token: str

    @contextmanager
    def open(self) -> Iterator[tuple[Session, Principal, datetime]]:
        """A unit of work for the person asking, and the one moment everything in it is measured at.

        Raises NotSignedIn when the token is unknown, expired or ended; FirstThings when something must be
        done before.
        """
        now = self.means.clock()
        with self.means.database.unbound_work() as session:
            by = principal_for_token(session, self.token, now=now)
            yield session, by, now

    @contextmanager
    def open_first(self, *allowed: str) -> Iterator[tuple[Session, Principal, datetime]]:
        """As `open`, for the endpoints by which the first things are done: `allowed` may still be due."""
        now = self.means.clock()
        with self.means.database.unbound_work() as session:
            known = signed_in_for_token(session, self.token, now=now)
            if set(known.first) - set(allowed):
                raise first_things(known.first)
            yield session, known.principal, now


def token_in(headers: Mapping[str, str], cookies: Mapping[str, str]) -> tuple[str | None, bool]:
    """(token, whether a cookie brought it). `Authorization` wins over the cookie; names are lower case."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip(), False
    if scheme.lower() == "basic":
        return _basic_password(value), False
    return cookies.get(COOKIE) or None, True


def _basic_password(value: str) -> str | None:
    """The password of HTTP Basic; the user name beside a token may be anything."""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def refuse_cross_site(method: str, headers: Mapping[str, str]) -> None:
    """Refuse a change that another site made the browser send along with our cookie (CSRF).

    Browsers say where a request comes from in `Sec-Fetch-Site`, older ones at least in `Origin`. A request
    with neither was not made by a page. Raises Denied.
    """
    if method in _SAFE_METHODS:
        return
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    own = site in ("same-origin", "none") if site else origin is None or _same_host(origin, headers)
    if not own:
        raise Denied(
            en="This change was sent from another site.",
            zh="这次修改来自其他网站。",
            remedy_en="Do it on a page of this server itself; programs send Authorization: Bearer.",
            remedy_zh="请在本服务器自己的页面上操作；程序请用 Authorization: Bearer。",
        )


def _same_host(origin: str, headers: Mapping[str, str]) -> bool:
    return urlsplit(origin).netloc == headers.get("host")


async def _signed_in_door(request: Request) -> Door:
    # async, so that it runs on the event loop: it only reads headers, a thread would cost more than it does.
    token, from_cookie = token_in(request.headers, request.cookies)
    if token is None:
        raise not_signed_in("This needs sign-in.", "请先登录。")
    if from_cookie:
        refuse_cross_site(request.method, request.headers)
    return Door(means_of(request), token)


SignedInDoor = Annotated[Door, Depends(_signed_in_door)]
"""Declares an endpoint's need for a signed-in person."""


def means_of(request: Request) -> Means:
    return request.app.state.means


def visitor_of(request: Request) -> Visitor:
    """Where a sign-in comes from. Behind a proxy the server must be told to believe its headers (uvicorn's
    `FORWARDED_ALLOW_IPS`), else all sign-ins come from the proxy."""
    return Visitor(
        network_of(request.client.host if request.client else None), request.headers.get("user-agent")
    )


def set_cookie(response: Response, request: Request, token: str, seconds: int) -> None:
    """Give the browser its token: never to scripts, never to other sites, over TLS only under TLS."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=seconds,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def clear_cookie(response: Response) -> None:
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")
