"""Signing in and out, and who one is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.auth import sign_in, sign_out
from api.gate import Means, SignedInDoor, clear_cookie, means_of, refuse_cross_site, set_cookie
from api.schemas import Credentials, PrincipalShown, SessionShown

router = APIRouter(prefix="/api/v1", tags=["session"])


@router.post("/session", status_code=201)
def open_session(
    body: Credentials, request: Request, response: Response, means: Annotated[Means, Depends(means_of)]
) -> SessionShown:
    """Sign in. The token comes in the answer for programs, and as a cookie for pages."""
    refuse_cross_site(request.method, request.headers)
    now = means.clock()
    with means.database.unit_of_work() as session:
        signed_in = sign_in(
            session, body.username, body.password, now=now, kind="phone" if body.phone else "web"
        )
    set_cookie(response, request, signed_in.token, int((signed_in.expires_at - now).total_seconds()))
    response.headers["Cache-Control"] = "no-store"
    return SessionShown(
        token=signed_in.token,
        expires_at=signed_in.expires_at,
        principal=PrincipalShown.of(signed_in.principal),
    )


@router.delete("/session", status_code=204)
def close_session(door: SignedInDoor, response: Response) -> None:
    """Sign out: the token of this request ends at once, wherever else it is in use."""
    with door.open() as (session, _, now):
        sign_out(session, door.token, now=now)
    clear_cookie(response)
