"""Trying out a drawing of the cells on the incidents of the last days, without writing anything."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Response
from pydantic import Field

from api import parameters
from api.gate import SignedInDoor
from api.ground_endpoints import shape_of
from api.schemas import Body
from etl.what_if import Trial, TrialException, what_if
from grids.exceptions import MAX_BUFFER_M

router = APIRouter(prefix="/api/v1", tags=["responsibility"])

CASES_TOLD = 1_000
"""Moved cases told one by one; the counts are of all."""

Code = Annotated[str, Field(max_length=15)]


class CellOnTrial(Body):
    """Another shape of a cell: a GeoJSON (multi)polygon in EPSG:4490. Its neighbours give way."""

    code: Code
    geometry: dict[str, Any]


class ExceptionOnTrial(Body):
    """Ground given to a cell: a (multi)polygon, or a (multi)line with `buffer_m`; EPSG:4490."""

    cell_code: Code
    geometry: dict[str, Any]
    buffer_m: Annotated[float, Field(ge=0, le=MAX_BUFFER_M)] = 0.0
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0


class TrialBody(Body):
    """What is tried. `generation`: left out, the active one; `days`: how far back incidents are asked."""

    generation: Annotated[str, Field(max_length=80)] | None = None
    cells: Annotated[list[CellOnTrial], Field(max_length=1_000)] = Field(default_factory=list)
    exceptions: Annotated[list[ExceptionOnTrial], Field(max_length=1_000)] = Field(default_factory=list)
    days: Annotated[int, Field(ge=1, le=366)] = 30
    territory: Code | None = None

    @property
    def trial(self) -> Trial:
        return Trial(
            self.generation,
            {cell.code: shape_of(cell.geometry) for cell in self.cells},
            [
                TrialException(one.cell_code, shape_of(one.geometry), one.buffer_m, one.priority)
                for one in self.exceptions
            ],
        )


@router.post("/cells/what-if", response_class=Response)
def try_cells(door: SignedInDoor, body: TrialBody) -> Response:
    """Who would have got the incidents of the last days, were this drawing in force with today's posts.

    Counts per cell and per member that differ, and the cases that move (the first thousand one by one).
    """
    with door.open() as (session, by, now):
        found = what_if(
            session,
            body.trial,
            since=now - timedelta(days=body.days),
            now=now,
            zone=door.means.settings.zone,
            territory=parameters.own_ground(by, body.territory),
        )
    told = asdict(found) | {"moved": found.moved[:CASES_TOLD], "moved_count": len(found.moved)}
    return Response(orjson.dumps(told), media_type="application/json")
