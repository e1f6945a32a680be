"""Secrets in an address are refused, and ended: addresses stay in logs and histories."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

import anyio
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.auth import sign_out
from api.errors import problem
from api.gate import Means
from gis.errors import Invalid

_NAMES = """
token access_token id_token refresh_token auth_token bearer authorization auth api_key apikey
password passwd pwd session session_id sessionid cg_session
"""
SECRET_NAMES = frozenset(_NAMES.split())
_OURS = re.compile(r"[\w-]{43}")
"""What a token of ours looks like: 32 bytes in base64."""


class NoSecretsInAddresses:
    """ASGI middleware: a request whose query holds a secret's name is refused; a token of ours there ends."""

    def __init__(self, app: ASGIApp, means: Means) -> None:
        self.app, self.means = app, means

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = secrets_in(scope["query_string"]) if scope["type"] == "http" else []
        if not found:
            return await self.app(scope, receive, send)
        ours = [value for value in found if _OURS.fullmatch(value)]
        if ours:
            await anyio.to_thread.run_sync(self._end, ours)
        await problem(secret_in_address(ended=bool(ours)), Headers(scope=scope))(scope, receive, send)

    def _end(self, tokens: list[str]) -> None:
        with self.means.database.system_work() as session:
            for token in tokens:
                sign_out(session, token, now=self.means.clock())


def secrets_in(query: bytes) -> list[str]:
    """The values of a query that stand under a secret's name."""
    if b"=" not in query:
        return []
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return [value for name, value in pairs if name.lower() in SECRET_NAMES]


def secret_in_address(*, ended: bool = False) -> Invalid:
    more_en = " The token has been ended, because it stands in logs now." if ended else ""
    more_zh = "该令牌已作废，因为它已留在日志里。" if ended else ""
    return Invalid(
        en=f"A token or password does not belong in an address.{more_en}",
        zh=f"令牌或密码不能写在网址里。{more_zh}",
        remedy_en="Send the token as Authorization: Bearer, or as the password of HTTP Basic.",
        remedy_zh="请用 Authorization: Bearer 发送令牌，或作为 HTTP Basic 的密码。",
    )
