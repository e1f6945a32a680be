"""Signing in and out: by password, by the code beside it, under a grant."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from api import own_account
from api.auth import SignedIn, sign_out
from api.entering import Turnstile, enter, enter_code
from api.gate import (
    COOKIE,
    Means,
    SignedInDoor,
    clear_cookie,
    means_of,
    refuse_cross_site,
    set_cookie,
    visitor_of,
)
from api.schemas import Body, Credentials, Id, SessionShown
from api.secret_box import secret_box

router = APIRouter(prefix="/api/v1", tags=["session"])


class CodeBody(Body):
    code: Annotated[str, Field(max_length=20, description="Six figures, or a recovery code.")]


class GrantBody(Body):
    """Which grant to act under; null: one's own rights."""

    grant_id: Id | None


class GrantShown(BaseModel):
    """A role on a ground for a time; `acting` tells whether this sign-in acts under it."""

    id: int
    role: str
    territory: str
    starts_at: datetime
    ends_at: datetime
    reason: str
    granted_by: str
    acting: bool = False


class GrantsShown(BaseModel):
    grants: list[GrantShown]


def turnstile_of(request: Request) -> Turnstile:
    return request.app.state.turnstile


@router.post("/session", status_code=201)
async def open_session(
    body: Credentials,
    request: Request,
    response: Response,
    means: Annotated[Means, Depends(means_of)],
    turnstile: Annotated[Turnstile, Depends(turnstile_of)],
) -> SessionShown:
    """Sign in. The token comes in the answer for programs, and as a cookie for pages; a cookie that came
    along ends.

    `first` lists what must be done before the token opens anything else. Tried too often: 429 with
    Retry-After.
    """
    refuse_cross_site(request.method, request.headers)
    now = means.clock()
    work = partial(
        enter,
        means.database,
        body.username,
        body.password,
        now=now,
        kind="phone" if body.phone else "web",
        visitor=visitor_of(request),
        box=partial(secret_box, means.settings.home),
        code=body.code,
        instead_of=request.cookies.get(COOKIE),
    )
    return hand_over(await turnstile.through(work), request, response, now)


@router.post("/session/code")
def show_code(door: SignedInDoor, body: CodeBody, request: Request, response: Response) -> SessionShown:
    """Show the second factor's code; the sign-in goes on under a new token."""
    now, means = door.means.clock(), door.means
    signed_in = enter_code(
        means.database, door.token, body.code, now=now, visitor=visitor_of(request),
        box=partial(secret_box, means.settings.home),
    )  # fmt: skip
    return hand_over(signed_in, request, response, now)


@router.get("/session/grants")
def list_grants(door: SignedInDoor) -> GrantsShown:
    """The grants one may act under now."""
    with door.open() as (session, by, now):
        acting = own_account.acting_grant(session, door.token)
        found = own_account.grants(session, by, now=now)
        return GrantsShown(
            grants=[
                GrantShown.model_validate(grant, from_attributes=True).model_copy(
                    update={"acting": grant.id == acting}
                )
                for grant in found
            ]
        )


@router.put("/session/grant")
def act_under_grant(
    door: SignedInDoor, body: GrantBody, request: Request, response: Response
) -> SessionShown:
    """Go on under a grant, or with one's own rights again. The token before it ends."""
    with door.open() as (session, by, now):
        signed_in = own_account.act_under(
            session, door.token, body.grant_id, by=by, now=now, visitor=visitor_of(request)
        )
    return hand_over(signed_in, request, response, now)


@router.delete("/session", status_code=204)
def close_session(door: SignedInDoor, response: Response) -> None:
    """Sign out: the token of this request ends at once, wherever else it is in use."""
    with door.open_first("code", "password", "second_factor", "undertaking") as (session, _, now):
        sign_out(session, door.token, now=now)
    clear_cookie(response)


def hand_over(signed_in: SignedIn, request: Request, response: Response, now: datetime) -> SessionShown:
    """Give a fresh token to whoever asked, as a cookie and in the answer."""
    set_cookie(response, request, signed_in.token, int((signed_in.expires_at - now).total_seconds()))
    response.headers["Cache-Control"] = "no-store"
    return SessionShown.of(signed_in)
