"""A small OpenID provider behind a real server: real keys, real tokens, and the ways in which one may lie.

Its sign-in page lets `person` in at once. `lie` changes the ID token it gives: another nonce, audience,
issuer, signer, algorithm, or one that is over.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from joserfc import jwk, jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "citygrid", "a secret of the test"


@dataclass
class OidcProvider:
    """The provider's state; `url` is known once it is served, `now` is its clock."""

    url: str = ""
    now: float = field(default_factory=time.time)
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "p-1", "preferred_username": "officer"})
    lie: str | None = None
    key: Any = field(default_factory=lambda: jwk.RSAKey.generate_key(2048, {"kid": "one"}))
    other_key: Any = field(default_factory=lambda: jwk.RSAKey.generate_key(2048, {"kid": "one"}))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._about),
                Route("/keys", self._keys),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    async def _about(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": self.url + "/authorize",
                "token_endpoint": self.url + "/token",
                "jwks_uri": self.url + "/keys",
            }
        )

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["client_id"] == CLIENT and asked["response_type"] == "code"
        code = secrets.token_urlsafe()
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 303)

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self.codes.pop(str(form["code"]), None)
        challenge = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        proved = asked and asked["code_challenge"] == base64.urlsafe_b64encode(challenge).decode().rstrip("=")
        if not proved or request.headers["authorization"].partition(" ")[2] != basic:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": self._id_token(asked)})

    def _id_token(self, asked: dict[str, str]) -> str:
        lied = {
            "nonce": {"nonce": "another"},
            "audience": {"aud": "another"},
            "issuer": {"iss": "https://elsewhere.example"},
            "over": {"exp": int(self.now) - 3600},
        }.get(self.lie or "", {})
        claims = {
            "iss": self.url, "aud": CLIENT, "iat": int(self.now), "exp": int(self.now) + 300,
            "nonce": asked["nonce"], **self.person, **lied,
        }  # fmt: skip
        if self.lie == "unsigned":
            parts = [base64.urlsafe_b64encode(p).rstrip(b"=") for p in (b'{"alg":"none"}', _json(claims))]
            return b".".join([*parts, b""]).decode()
        if self.lie == "shared secret":
            return jwt.encode({"alg": "HS256"}, claims, jwk.OctKey.import_key(SECRET))
        key = self.other_key if self.lie == "signer" else self.key
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()
