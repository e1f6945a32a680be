"""Who looked at people on one's ground, and whether the trail is intact."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.audit_check import TrailState, check_trail, trail_state
from api.audit_words import fault_words
from api.gate import SignedInDoor
from gis.audit_chain import Verdict
from layers.looks import GroundLook, looks_on_ground

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])


class LooksOnGround(BaseModel):
    looks: list[GroundLook]


class CheckAnswer(BaseModel):
    """What a check found; the words are empty when the trail is intact."""

    verdict: Verdict
    fault_zh: str
    fault_en: str


@router.get("/looks")
def looks(
    door: SignedInDoor,
    days: Annotated[int, Query(ge=1, le=366)] = 7,
    who: Annotated[str, Query(max_length=80)] = "",
    place: Annotated[str, Query(max_length=80)] = "",
    action: Literal["read_households", "unmask_resident", "read_refused"] | None = None,
) -> LooksOnGround:
    """Who looked at people on my ground, the newest first; for supervisors."""
    with door.open() as (session, by, now):
        since = now - timedelta(days=days)
        found = looks_on_ground(session, since, now, by=by, who=who, place=place, action=action)
    return LooksOnGround(looks=found)


@router.get("/trail")
def state(door: SignedInDoor) -> TrailState:
    """The trail's last seal and last check; for supervisors."""
    with door.open() as (_, by, _now):
        pass
    return trail_state(door.means.database, by)


@router.post("/trail/check")
def check(door: SignedInDoor) -> CheckAnswer:
    """Check the whole trail now. Noted in it."""
    with door.open() as (_, by, now):
        pass
    verdict = check_trail(door.means.database, by, now)
    zh, en = fault_words(verdict)
    return CheckAnswer(verdict=verdict, fault_zh=zh, fault_en=en)
