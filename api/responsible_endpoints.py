"""Who answers for a place, without writing anything."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.gate import SignedInDoor
from api.parameters import MAX_ID, Moment
from api.schemas import ResponsibilityShown
from grids.responsibility import responsible_for
from incidents.locating import locate

router = APIRouter(prefix="/api/v1", tags=["responsibility"])


@router.get("/responsible")
def responsible(
    door: SignedInDoor,
    lon: float,
    lat: float,
    crs: Annotated[
        str | None, Query(description="EPSG:4490, EPSG:4326, GCJ-02, BD-09, EPSG:4491..4554")
    ] = None,
    accuracy_m: float | None = None,
    accuracy_level: Annotated[int | None, Query(description="68 or 95")] = None,
    at: Annotated[Moment | None, Query(description="Left out: now.")] = None,
    category: Annotated[str | None, Query(max_length=40)] = None,
    component_id: Annotated[int | None, Query(ge=1, le=MAX_ID)] = None,
    floor: Annotated[int | None, Query(ge=-20, le=200)] = None,
    unit: Annotated[str | None, Query(max_length=40)] = None,
    chosen_cell: Annotated[str | None, Query(max_length=15)] = None,
) -> ResponsibilityShown:
    """The one person who answers for a point, the reason, the distance to the border, a second candidate."""
    fix = locate(lon, lat, crs, accuracy_m=accuracy_m, accuracy_level=accuracy_level)
    with door.open() as (session, _, now):
        return ResponsibilityShown.of(
            responsible_for(
                session,
                fix,
                at=at or now,
                category=category,
                component_id=component_id,
                floor=floor,
                unit=unit,
                zone=door.means.settings.zone,
                chosen_cell=chosen_cell,
            ),
            ask_below=door.means.settings.ask_below,
        )
