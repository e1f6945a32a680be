"""Cases: report one, list them, read one, move it on, add photographs; the categories a report may name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse

from api import parameters
from api.gate import Door, SignedInDoor
from api.parameters import BboxText, IncidentId, Moment, TerritoryText
from api.report_forms import Upload, read_report, read_upload
from api.schemas import (
    CaseShown,
    GroupShown,
    MoveAnswer,
    MoveBody,
    MovesShown,
    OpenMove,
    PageShown,
    PhotosShown,
    ReportAnswer,
    ReportBody,
    case_shown,
)
from gis.geometry import metres_from
from incidents import photos, queries, workflow
from incidents.categories import groups
from incidents.channels import channel_for
from incidents.lifecycle import open_moves
from incidents.queries import PhotoRow
from incidents.work_queues import QUEUES

router = APIRouter(prefix="/api/v1", tags=["cases"])

_REPORT_REQUEST = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": ReportBody.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["report"],
                    "properties": {
                        "report": {"type": "string", "description": "The JSON above."},
                        "photos": {"type": "array", "items": {"type": "string", "format": "binary"}},
                    },
                }
            },
        },
    }
}
_UPLOAD_REQUEST = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["photos"],
                    "properties": {
                        "kind": {"type": "string", "enum": list(photos.KINDS)},
                        "photos": {"type": "array", "items": {"type": "string", "format": "binary"}},
                    },
                }
            }
        },
    }
}


@router.post("/incidents", status_code=201, response_model=ReportAnswer, openapi_extra=_REPORT_REQUEST)
async def report(door: SignedInDoor, request: Request) -> Response:
    """Report something. Answers 201 with its number and who is responsible, 200 for a key sent before."""
    body, files = await read_report(request)
    answer = await run_in_threadpool(_report, door, body, files)
    # Written out here: the framework would check an answer we have just built a second time.
    return Response(
        answer.model_dump_json(),
        201 if answer.created else 200,
        headers={"Location": f"/api/v1/incidents/{answer.id}"},
        media_type="application/json",
    )


def _report(door: Door, body: ReportBody, files: list[bytes]) -> ReportAnswer:
    """The whole of a report in one transaction: its photographs stand or fall with it."""
    zone = door.means.settings.zone
    with door.open() as (session, by, now):
        prepared = [photos.prepare(file, zone) for file in files]
        draft = body.draft(channel_for(by.role, body.channel))
        reported = workflow.report(session, draft, by=by, now=now, zone=zone)
        if not reported.created:
            photos.require_kept(session, reported.id, prepared)
            return ReportAnswer.of(reported, queries.photos(session, reported.id))
        kept: list[PhotoRow] = []
        if prepared:
            folder = photo_folder(door)
            kept = photos.keep(session, folder, reported.id, prepared, kind="before", by=by, now=now)
        return ReportAnswer.of(reported, kept)


@router.get("/incidents")
def list_incidents(
    door: SignedInDoor,
    bbox: BboxText = None,
    stage: Annotated[list[str] | None, Query(description="One or more, by comma or repeated.")] = None,
    category: Annotated[list[str] | None, Query(description="One or more, by comma or repeated.")] = None,
    clock: Annotated[list[str] | None, Query(description=", ".join(queries.CLOCKS))] = None,
    territory: TerritoryText = None,
    overdue: bool | None = None,
    open_: Annotated[bool, Query(alias="open", description="Only cases that have not ended.")] = False,
    from_: Annotated[Moment | None, Query(alias="from", description="Reported at or after.")] = None,
    to: Annotated[Moment | None, Query(description="Reported before.")] = None,
    q: Annotated[
        str | None, Query(max_length=80, description="In number, title, place; start of a cell.")
    ] = None,
    mine: Annotated[
        Literal["tasks", "reports", "turn"] | None, Query(description="turn: what waits for a move of mine.")
    ] = None,
    work: Annotated[
        str | None, Query(max_length=20, description="A work queue: " + ", ".join(QUEUES))
    ] = None,
    near: Annotated[str | None, Query(max_length=60, description="lon,lat: this page nearest first.")] = None,
    order: Annotated[str, Query(description=", ".join(queries.ORDERS))] = "due",
    after: Annotated[str | None, Query(max_length=200, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> PageShown:
    """Cases I may see, the most pressing first."""
    parameters.has_window(from_, to)
    wanted = queries.Filter(
        bbox=parameters.bounds(bbox),
        stages=parameters.listed(stage),
        categories=parameters.listed(category),
        clocks=parameters.listed(clock),
        territory=parameters.territory(territory),
        since=from_,
        until=to,
        q=q,
        overdue=overdue,
        open_only=open_,
        mine=mine,
        works=parameters.work_queue(work),
    )
    with door.open() as (session, by, now):
        wanted = replace(wanted, today=now.astimezone(door.means.settings.zone).date())
        page = queries.list_incidents(session, wanted, by=by, now=now, order=order, limit=limit, after=after)
        return PageShown(incidents=_nearest_first(page.rows, parameters.place(near)), next=page.next)


def _nearest_first(rows: list[queries.Row], place: tuple[float, float] | None) -> list[queries.Row]:
    """The rows by their distance from a place; equally far ones keep their order."""
    if place is None or not rows:
        return rows
    metres = metres_from(*place, [row.lon for row in rows], [row.lat for row in rows])
    return [rows[i] for i in metres.argsort(kind="stable")]


@router.get("/incidents/{incident_id}", response_model=CaseShown)
def read_incident(door: SignedInDoor, incident_id: IncidentId) -> Any:
    """One case with its person, reason, clocks, story and photographs, and what I may do with it."""
    with door.open() as (session, by, now):
        return case_shown(queries.get_incident(session, incident_id, by=by, now=now))


@router.get("/incidents/{incident_id}/moves")
def read_moves(door: SignedInDoor, incident_id: IncidentId) -> MovesShown:
    """What I may do with a case now, and everything that happened to it."""
    with door.open() as (session, by, now):
        case = queries.get_incident(session, incident_id, by=by, now=now)
        return MovesShown(
            stage=case.row.stage,
            version=case.row.version,
            moves=[OpenMove.of(name) for name in case.moves],
            story=case.story,
        )


@router.post("/incidents/{incident_id}/moves")
def make_move(door: SignedInDoor, incident_id: IncidentId, body: MoveBody) -> MoveAnswer:
    """Move a case on, as it stood at `version`; a case that has moved meanwhile is a conflict."""
    with door.open() as (session, by, now):
        case = workflow.move(
            session,
            incident_id,
            body.move,
            by=by,
            now=now,
            version=body.version,
            note=body.note,
            member_id=body.member_id,
            amount=body.amount,
            review_on=body.review_on,
            place=body.place.declared() if body.place else None,
            department=body.department,
            subtask_id=body.subtask_id,
            case_id=body.case_id,
            here=body.here.stored() if body.here else None,
            zone=door.means.settings.zone,
        )
        if body.photos:
            photos.attach(session, incident_id, body.photos, version=case.version)
        # The person may not see the case any more (handed back), so the answer comes from the move itself.
        return MoveAnswer(
            id=case.id,
            number=case.number,
            stage=case.stage,
            version=case.version,
            moves=[OpenMove.of(name) for name in open_moves(case, by, now)],
        )


@router.post("/incidents/{incident_id}/photos", status_code=201, openapi_extra=_UPLOAD_REQUEST)
async def add_photos(door: SignedInDoor, incident_id: IncidentId, request: Request) -> PhotosShown:
    """Add photographs to a case. The same photograph again changes nothing and is answered alike."""
    upload = await read_upload(request)
    return await run_in_threadpool(_add_photos, door, incident_id, upload)


def _add_photos(door: Door, incident_id: int, upload: Upload) -> PhotosShown:
    with door.open() as (session, by, now):
        prepared = [photos.prepare(file, door.means.settings.zone) for file in upload.files]
        kept = photos.keep(
            session, photo_folder(door), incident_id, prepared, kind=upload.kind, by=by, now=now
        )
        return PhotosShown(photos=kept)


@router.get("/photos/{photo_id}", response_class=FileResponse, tags=["photos"])
def read_photo(door: SignedInDoor, photo_id: IncidentId, request: Request) -> Response:
    """A photograph of a case I may see, as JPEG without anything but its picture.

    The browser keeps its copy and asks each time, so that it shows nothing to whoever comes after me.
    """
    with door.open() as (session, by, now):
        path = photos.find(session, photo_folder(door), photo_id, by=by, now=now)
    mark = f'"{path.stem}"'  # the name of the file is its hash
    headers = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff", "ETag": mark}
    if request.headers.get("if-none-match") == mark:
        return Response(status_code=304, headers=headers)
    return FileResponse(path, media_type=photos.CONTENT_TYPE, headers=headers)


def photo_folder(door: Door) -> Path:
    return door.means.settings.home / "photos"


@router.get("/categories")
def categories(door: SignedInDoor) -> list[GroupShown]:
    """What a report may be about: main classes in order, each with its categories."""
    with door.open() as (session, _, _):
        return [GroupShown.model_validate(group) for group in groups(session)]
