"""The person signed in: their posts and cells, and their on-duty switch."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from api.gate import SignedInDoor
from api.schemas import DutyBody, PrincipalShown
from grids.own_posts import OwnPost, is_on_duty, own_posts, set_on_duty

router = APIRouter(prefix="/api/v1/me", tags=["me"])


class MeShown(BaseModel):
    """Who I am and which ground is mine; `on_duty` is null for an account that is no member's."""

    principal: PrincipalShown
    on_duty: bool | None
    posts: list[OwnPost]


class DutyShown(BaseModel):
    on_duty: bool


@router.get("")
def me(door: SignedInDoor) -> MeShown:
    """The account, its posts of this moment with the ground of each as GeoJSON, and the on-duty switch.

    My open tasks are `GET /api/v1/incidents?mine=tasks`, my reports `?mine=reports`.
    """
    with door.open() as (session, by, now):
        if by.member_id is None:
            return MeShown(principal=PrincipalShown.of(by), on_duty=None, posts=[])
        return MeShown(
            principal=PrincipalShown.of(by),
            on_duty=is_on_duty(session, by.member_id),
            posts=own_posts(session, by.member_id, at=now),
        )


@router.put("/duty")
def switch_duty(door: SignedInDoor, body: DutyBody) -> DutyShown:
    """Go on or off duty. New reports then find me, or whoever stands in."""
    with door.open() as (session, by, now):
        return DutyShown(on_duty=set_on_duty(session, body.on_duty, by=by, now=now))
