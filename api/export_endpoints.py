"""Taking data away: asking with a reason, deciding on others' requests, fetching the marked file."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from api import parameters
from api.gate import SignedInDoor
from api.parameters import MAX_ID
from api.schemas import Body
from etl import export_gate, exports
from etl.loading import Occasion
from gis.errors import NotFound
from layers.catalog import drawable_layer

router = APIRouter(prefix="/api/v1/exports", tags=["exports"])

RequestId = Annotated[int, InPath(ge=1, le=MAX_ID)]
Format = Literal[".gpkg", ".geojson", ".parquet", ".csv", ".xlsx"]


class ExportBody(Body):
    """A layer to take away, and what for."""

    layer: Annotated[str, Field(max_length=40)]
    format: Format = ".gpkg"
    bbox: Annotated[str | None, Field(max_length=120, description="west,south,east,north")] = None
    territory: Annotated[str | None, Field(max_length=15)] = None
    reason: Annotated[str, Field(max_length=export_gate.MAX_REASON)]


class DecisionBody(Body):
    decision: Literal["approve", "refuse"]


class ExportShown(BaseModel):
    """An export asked for. `open_until`: until when an approved one may be fetched."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    username: str
    display_name: str
    role: str
    subject: str
    what: dict[str, Any]
    reason: str
    rows: int
    status: str
    asked_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    open_until: datetime | None


class ExportsShown(BaseModel):
    exports: list[ExportShown]


@router.post("", status_code=201)
def ask(door: SignedInDoor, body: ExportBody) -> ExportShown:
    """Ask for a layer as a file. Up to the role's own limit it is open at once (`status` approved), above it
    a superior decides (asked)."""
    bbox, territory = parameters.bounds(body.bbox), parameters.territory(body.territory)
    with door.open() as (session, by, now):
        layer = drawable_layer(body.layer)
        rows = exports.count_rows(session, layer, by, bbox=bbox, territory=territory)
        what = exports.what_of(body.format, bbox, territory)
        asked = export_gate.ask(
            session, layer.name, what, body.reason, rows=rows, by=by, now=now, ground=territory
        )
        return ExportShown.model_validate(asked)


@router.get("")
def list_exports(door: SignedInDoor, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> ExportsShown:
    """One's own exports, and those one may decide on; the newest first."""
    with door.open() as (session, by, _):
        found = export_gate.requests(session, by=by, limit=limit)
        return ExportsShown(exports=[ExportShown.model_validate(one) for one in found])


@router.post("/{request_id}/decision")
def decide(door: SignedInDoor, request_id: RequestId, body: DecisionBody) -> ExportShown:
    """Approve or refuse somebody else's export on one's own ground."""
    with door.open() as (session, by, now):
        decided = export_gate.decide(session, request_id, body.decision == "approve", by=by, now=now)
        return ExportShown.model_validate(decided)


@router.get("/{request_id}/file", response_class=FileResponse)
def fetch(door: SignedInDoor, request_id: RequestId) -> FileResponse:
    """The file of an approved export of one's own, with its mark; made anew each time, and registered."""
    zone = door.means.settings.zone
    folder = tempfile.TemporaryDirectory(prefix="citygrid-export-")
    try:
        with door.open() as (session, by, now):
            request = export_gate.opened(session, request_id, by=by, now=now)
            if "format" not in request.what:
                raise NotFound(
                    en="This export is fetched from its page.",
                    zh="该导出请在页面上下载。",
                    remedy_en="Open /exports.",
                    remedy_zh="请打开 /exports。",
                )
            stamp = now.astimezone(zone).strftime("%Y%m%d-%H%M")
            out = Path(folder.name) / f"{request.subject}-{stamp}{request.what['format']}"
            bbox = tuple(request.what["bbox"]) if request.what["bbox"] else None
            exports.export(
                session, request.subject, out, Occasion(by, now, zone), bbox=bbox,
                territory=request.what["ground"], request=request,
            )  # fmt: skip
    except BaseException:
        folder.cleanup()
        raise
    headers = {"Cache-Control": "no-store"}
    return FileResponse(out, filename=out.name, headers=headers, background=BackgroundTask(folder.cleanup))
