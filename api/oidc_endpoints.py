"""The way to the city's own sign-in page and back. For browsers: each answer is a redirect."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from api import oidc, tries
from api.auth import sign_out
from api.gate import COOKIE, Means, means_of, set_cookie, visitor_of
from api.oidc import Errand, Provider
from gis.errors import CityGridError, NotFound

router = APIRouter(prefix="/api/v1/session/oidc", tags=["session"], include_in_schema=False)

ERRAND_COOKIE = "cg_errand"
ERRAND_S = 600


def provider_of(request: Request) -> Provider:
    """The city's provider. Raises NotFound where there is none."""
    provider = request.app.state.oidc
    if provider is None:
        raise NotFound(
            en="This city has no account service of its own.",
            zh="本市未接入统一身份登录。",
            remedy_en="Sign in with name and password.",
            remedy_zh="请用用户名和密码登录。",
        )
    return provider


@router.get("")
def send_off(
    request: Request,
    provider: Annotated[Provider, Depends(provider_of)],
    next_: Annotated[str, Query(alias="next", max_length=500)] = "/",
) -> Response:
    """To the provider's page; what must come back is kept in the browser, out of reach of scripts."""
    try:
        address, errand = provider.send_off(_back_to(request))
    except CityGridError as error:
        return _failed(error)
    answer = RedirectResponse(address, 303)
    kept = base64.urlsafe_b64encode(json.dumps({**asdict(errand), "next": next_}).encode()).decode()
    # Lax and not strict: it has to come along when the provider sends the browser back.
    answer.set_cookie(
        ERRAND_COOKIE, kept, max_age=ERRAND_S, path=router.prefix, httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return answer


@router.get("/callback")
def come_back(
    request: Request,
    means: Annotated[Means, Depends(means_of)],
    provider: Annotated[Provider, Depends(provider_of)],
    code: Annotated[str, Query(max_length=2000)] = "",
    state: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Back from the provider: signed in, or at the sign-in page with the reason."""
    now, visitor = means.clock(), visitor_of(request)
    try:
        errand, next_ = _errand(request)
        with means.database.system_work() as session:
            tries.take(session, "address", visitor.address or "none", now=now)
        claims = provider.identify(code, state, errand, _back_to(request), now=now)
        with means.database.system_work() as session:
            signed_in = oidc.let_in(session, provider, claims, now=now, visitor=visitor)
            tries.give_back(session, "address", visitor.address or "none")
            if COOKIE in request.cookies:
                sign_out(session, request.cookies[COOKIE], now=now)
    except CityGridError as error:
        return _failed(error)
    answer = RedirectResponse(f"/welcome?next={quote(next_, safe='/')}", 303)
    answer.delete_cookie(ERRAND_COOKIE, path=router.prefix)
    set_cookie(answer, request, signed_in.token, int((signed_in.expires_at - now).total_seconds()))
    return answer


def _back_to(request: Request) -> str:
    """Where the provider sends the browser back; registered there, hence from the settings."""
    base = means_of(request).settings.public_url or str(request.base_url)
    return base.rstrip("/") + f"{router.prefix}/callback"


def _errand(request: Request) -> tuple[Errand, str]:
    """What this browser was sent off with. Raises NotLetIn when it was not, or too long ago."""
    try:
        kept = json.loads(base64.urlsafe_b64decode(request.cookies[ERRAND_COOKIE]))
        next_ = str(kept.pop("next"))
        return Errand(**{name: str(value) for name, value in kept.items()}), next_
    except (KeyError, ValueError, TypeError) as error:
        raise oidc.not_let_in("forged") from error


def _failed(error: CityGridError) -> Response:
    why = error.details.get("why") or ("often" if "retry_after_s" in error.details else "down")
    answer = RedirectResponse(f"/sign-in?failed={why}", 303)
    answer.delete_cookie(ERRAND_COOKIE, path=router.prefix)
    return answer
