"""Several forces, several reports: my pieces of work on other people's cases, and what is reported nearby."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.gate import SignedInDoor
from incidents import duplicates
from incidents.duplicates import Alike
from incidents.locating import locate
from incidents.subtask_rows import Work, work_of

router = APIRouter(prefix="/api/v1", tags=["cases"])


class WorkShown(BaseModel):
    """My pieces of work that are not done, the most pressing first."""

    subtasks: list[Work]


class AlikeShown(BaseModel):
    """Cases nearby that may be the same thing, the nearest first: without a word of their reports."""

    alike: list[Alike]


@router.get("/subtasks")
def my_subtasks(door: SignedInDoor) -> WorkShown:
    """What I, or my department, was asked to do on cases that others are responsible for."""
    with door.open() as (session, by, now):
        return WorkShown(subtasks=work_of(session, by=by, now=now))


@router.get("/incidents/alike")
def reported_nearby(
    door: SignedInDoor,
    lon: float,
    lat: float,
    category: Annotated[str, Query(max_length=40)],
    crs: str | None = None,
    unit: Annotated[str | None, Query(max_length=40)] = None,
    floor: Annotated[int | None, Query(ge=-20, le=200)] = None,
    room: Annotated[str | None, Query(max_length=20)] = None,
) -> AlikeShown:
    """What is reported already where I am about to report: its `id` as `same_as` adds me to it."""
    fix = locate(lon, lat, crs)
    with door.open() as (session, _by, now):
        found = duplicates.alike(session, category, fix.lon, fix.lat, now, unit=unit, floor=floor, room=room)
    return AlikeShown(alike=found)
