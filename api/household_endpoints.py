"""Households of a building, masked; one person opened for a purpose; and who looked.

Every answer about people leaves one entry in the trail, a refused question too: so a door here tells its
failure only once the transaction with that entry is committed.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from api.gate import SignedInDoor, visitor_of
from api.parameters import MAX_ID
from api.schemas import Body
from layers import household_reading as reading
from layers.household_reading import From, HouseholdLine, Look, OpenedResident
from layers.unusual_looks import Unusual, unusual_looks

router = APIRouter(prefix="/api/v1", tags=["people"])

Number = Annotated[int, Path(ge=1, le=MAX_ID)]


class HouseholdsShown(BaseModel):
    """Households, and what a name or number may be opened for: code -> words in both languages."""

    households: list[HouseholdLine]
    purposes: dict[str, dict[str, str]]


class PurposeBody(Body):
    purpose: Annotated[str, Field(max_length=20, description=", ".join(reading.PURPOSES))]


class LooksShown(BaseModel):
    looks: list[Look]


def seen_from(request: Request) -> From:
    """A page of ours asks with fetch, which browsers say; everything else is a program."""
    face = "page" if request.headers.get("sec-fetch-site") == "same-origin" else "api"
    return From(face, visitor_of(request).address)


@router.get("/buildings/{building_id}/households", response_model=HouseholdsShown)
def households(door: SignedInDoor, building_id: Number, request: Request, response: Response) -> Any:
    """Who lives in a building of my ground, names and numbers masked. Recorded."""
    response.headers["Cache-Control"] = "no-store"
    with door.open() as (session, by, now):
        found = reading.households_of(session, building_id, by=by, now=now, where=seen_from(request))
    if found is None:
        raise reading.no_households()
    purposes = {code: {"zh": zh, "en": en} for code, (zh, en) in reading.PURPOSES.items()}
    return {"households": [asdict(one) for one in found], "purposes": purposes}


@router.post("/residents/{resident_id}/unmask")
def unmask(
    door: SignedInDoor, resident_id: Number, body: PurposeBody, request: Request, response: Response
) -> OpenedResident:
    """One person's name and number, for a purpose. Recorded with it."""
    response.headers["Cache-Control"] = "no-store"
    with door.open() as (session, by, now):
        found = reading.open_resident(
            session, resident_id, body.purpose, by=by, now=now, where=seen_from(request)
        )
    if found is None:
        raise reading.no_households()
    return found


@router.get("/households/{household_id}/looks")
def looks(door: SignedInDoor, household_id: Number) -> LooksShown:
    """Who looked at a household, newest first: for a supervisor everybody, else only oneself."""
    with door.open() as (session, _, _):
        return LooksShown(looks=list(reading.looks_at(session, household_id)))


class AlertsShown(BaseModel):
    alerts: list[Unusual]


@router.get("/audit/alerts")
def alerts(door: SignedInDoor, days: Annotated[int, Query(ge=1, le=90)] = 7) -> AlertsShown:
    """Looks at people on my ground that stand out: very many, by night, or refused. Else only my own."""
    with door.open() as (session, _, now):
        since = now - timedelta(days=days)
        return AlertsShown(alerts=unusual_looks(session, since, now, zone=door.means.settings.zone))
