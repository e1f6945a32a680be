"""Signing in with the city's own accounts: OpenID Connect, authorization code flow with PKCE.

The provider says who somebody is; what they may do stands in our account. A person is known by the provider's
subject, and the first time by a user name that an administrator has added. Nobody is let in unasked.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import sqlalchemy as sa
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwk, jwt
from joserfc.errors import JoseError
from sqlalchemy.orm import Session

from api.account import Account
from api.auth import SignedIn, Visitor, issue_token
from gis import audit
from gis.errors import Denied, Unavailable
from gis.settings import Settings

SCOPE = "openid profile"
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures by the provider's private key only: a shared secret, or none at all, proves nothing."""
KEPT_S = 600
"""How long the provider's addresses and keys are kept before they are asked for again."""
PATIENCE_S = 5
LEEWAY_S = 60
STRONG = frozenset({"mfa", "otp", "hwk", "sc", "fpt", "face"})
"""Ways of proving oneself (`amr`, RFC 8176) that count as a second factor."""


class NotLetIn(Denied):
    """The provider's answer proves nobody, or nobody we know; `why` is refused, forged or unknown."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What must come back with the person: it is kept in their browser meanwhile."""

    state: str
    nonce: str
    verifier: str


class Provider:
    """The city's identity provider, as its discovery document describes it."""

    def __init__(self, issuer: str, client_id: str, client_secret: str | None, claim: str) -> None:
        self.issuer, self.client_id, self.claim = issuer.rstrip("/"), client_id, claim
        self._secret = client_secret
        self._lock = threading.Lock()
        self._known: tuple[float, dict[str, Any], Any] | None = None

    @classmethod
    def of(cls, settings: Settings) -> Provider | None:
        """The provider of the settings, None where the city has none."""
        if settings.oidc_issuer is None or settings.oidc_client_id is None:
            return None
        secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else None
        return cls(settings.oidc_issuer, settings.oidc_client_id, secret, settings.oidc_claim)

    def send_off(self, back_to: str) -> tuple[str, Errand]:
        """(the provider's page to send the browser to, what must come back). Raises Unavailable."""
        errand = Errand(*(secrets.token_urlsafe(32) for _ in range(3)))
        about, _ = self._about()
        address = prepare_grant_uri(
            about["authorization_endpoint"],
            self.client_id,
            "code",
            redirect_uri=back_to,
            scope=SCOPE,
            state=errand.state,
            nonce=errand.nonce,
            code_challenge=create_s256_code_challenge(errand.verifier),
            code_challenge_method="S256",
        )
        return address, errand

    def identify(
        self, code: str, state: str, errand: Errand, back_to: str, *, now: datetime
    ) -> dict[str, Any]:
        """The claims of the person who came back with `code`. Raises NotLetIn, Unavailable."""
        if not hmac.compare_digest(state.encode(), errand.state.encode()):
            raise not_let_in("forged")
        about, keys = self._about()
        answer = self._ask(
            "POST",
            about["token_endpoint"],
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": back_to,
                "client_id": self.client_id,
                "code_verifier": errand.verifier,
            },
            auth=httpx.BasicAuth(self.client_id, self._secret) if self._secret else None,
        )
        if answer.status_code != 200 or not isinstance(answer.json().get("id_token"), str):
            raise not_let_in("refused")
        return self._claims(answer.json()["id_token"], keys, errand.nonce, now)

    def _claims(self, token: str, keys: Any, nonce: str, now: datetime) -> dict[str, Any]:
        """The claims of an ID token whose signature, issuer, audience, times and nonce are right."""
        try:
            decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                options={"iss": {"essential": True, "value": self.issuer}, "aud": {"value": self.client_id}},
                params={"nonce": nonce, "client_id": self.client_id},
            )
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY_S)
        except (JoseError, ValueError) as error:
            raise not_let_in("forged") from error
        return dict(claims)

    def _about(self) -> tuple[dict[str, Any], Any]:
        """(discovery document, keys), asked for again after a while."""
        with self._lock:
            if self._known is None or time.monotonic() - self._known[0] > KEPT_S:
                about = self._ask("GET", f"{self.issuer}/.well-known/openid-configuration").json()
                if about.get("issuer", "").rstrip("/") != self.issuer:
                    raise _unavailable()
                keys = jwk.KeySet.import_key_set(self._ask("GET", about["jwks_uri"]).json())
                self._known = (time.monotonic(), about, keys)
            return self._known[1], self._known[2]

    def _ask(self, method: str, address: str, **more: Any) -> httpx.Response:
        try:
            answer = httpx.request(method, address, timeout=PATIENCE_S, follow_redirects=False, **more)
        except httpx.HTTPError as error:
            raise _unavailable() from error
        if answer.status_code >= 500 or (method == "GET" and answer.status_code != 200):
            raise _unavailable()
        return answer


def let_in(
    session: Session, provider: Provider, claims: dict[str, Any], *, now: datetime, visitor: Visitor
) -> SignedIn:
    """Sign in whom the provider named. Raises NotLetIn for somebody without an account, or a locked one.

    A strong sign-in at the provider (`amr`) is not asked for a code of ours.
    """
    subject = f"{provider.issuer}#{claims['sub']}"
    account = session.scalar(sa.select(Account).where(Account.oidc_subject == subject))
    if account is None:
        name = claims.get(provider.claim)
        account = (
            session.scalar(
                sa.select(Account)
                .where(Account.username == name, Account.oidc_subject.is_(None))
                .with_for_update()
            )
            if isinstance(name, str)
            else None
        )
        if account is not None and account.active:
            account.oidc_subject = subject
            session.flush()
            audit.record(session, "oidc.linked", "account", account.id, by=None, now=now)
    if account is None or not account.active:
        raise not_let_in("unknown")
    amr = claims.get("amr")
    strong = isinstance(amr, list) and bool(STRONG & {str(way) for way in amr})
    return issue_token(session, account, now=now, kind="web", visitor=visitor, asks_code=not strong)


def not_let_in(why: str) -> NotLetIn:
    return NotLetIn(
        en="The city's account service did not let you in.",
        zh="统一身份登录未通过。",
        remedy_en="Try again; if it stays, ask an administrator whether your account has been added here.",
        remedy_zh="请重试；仍不行请联系管理员确认已在本系统添加您的账户。",
        why=why,
    )


def _unavailable() -> Unavailable:
    return Unavailable(
        en="The city's account service cannot be reached.",
        zh="统一身份服务暂时无法连接。",
        remedy_en="Sign in with your password here, or try again later.",
        remedy_zh="请改用密码登录，或稍后再试。",
    )
