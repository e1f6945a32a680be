"""The rights of the person by HTTP: what is held, as an answer or a file; corrections; erasure; retention.

A name or number is only ever in a body, never in an address. As in `api.household_endpoints` a door tells
its failure after the commit, so that the attempt stays in the trail.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from api import retention
from api.gate import Door, SignedInDoor
from api.household_endpoints import seen_from
from api.parameters import MAX_ID
from api.schemas import Body
from etl import export_gate
from etl.export_marks import mark_of
from gis.access import Principal
from gis.database import Session
from gis.errors import Denied
from gis.forgetting import KINDS, rules
from incidents.setting_changes import CITY_KEEPERS
from layers import subject_rights
from layers.household_reading import no_households
from layers.subject_rights import Corrected, SubjectReport

router = APIRouter(prefix="/api/v1", tags=["privacy"])

Number = Annotated[int, Path(ge=1, le=MAX_ID)]
Text = Annotated[str, Field(max_length=subject_rights.MAX_TEXT)]
SUBJECT = "subject_report"


class ReportBody(Body):
    """A person: by their number, or by exact name and telephone."""

    resident: Annotated[int | None, Field(ge=1, le=MAX_ID)] = None
    name: Annotated[str | None, Field(max_length=80)] = None
    phone: Annotated[str | None, Field(max_length=20)] = None
    purpose: Annotated[str, Field(max_length=20, description=", ".join(subject_rights.PURPOSES))]


class ReportsShown(BaseModel):
    """Usually one report; several where people share name and telephone."""

    reports: list[SubjectReport]


class CorrectionBody(Body):
    """A field's right value as text (null: nothing), and what that rests on."""

    field: Annotated[str, Field(max_length=20, description=", ".join(subject_rights.CORRECTABLE))]
    value: Text | None = None
    reason: Text


class UndoBody(Body):
    reason: Text


class ErasureBody(Body):
    ground: Annotated[str, Field(max_length=20, description=", ".join(subject_rights.GROUNDS))]


class RuleShown(BaseModel):
    """One retention rule. Words are {zh, en}; `due` counts what a run now would remove."""

    kind: str
    title: dict[str, str]
    counted_from: dict[str, str]
    act: str
    tables: list[str]
    days: int
    least: int
    most: int
    basis: dict[str, str]
    due: int
    last_run_at: datetime | None
    last_rows: int | None


class RetentionShown(BaseModel):
    rules: list[RuleShown]


@router.post("/privacy/report")
def report(door: SignedInDoor, body: ReportBody, request: Request, response: Response) -> ReportsShown:
    """Everything held about a person of my ground, where it came from, who saw it. Recorded."""
    response.headers["Cache-Control"] = "no-store"
    with door.open() as (session, by, now):
        found = _reports(session, body, request, by, now)
    if not found:
        raise no_households()
    return ReportsShown(reports=found)


@router.post("/privacy/report/file", response_class=Response)
def report_file(door: SignedInDoor, body: ReportBody, request: Request) -> Response:
    """The same as a file with the mark of who took it; registered like every export."""
    with door.open() as (session, by, now):
        found = _reports(session, body, request, by, now)
        content = _file(session, found, body.purpose, by, now, door) if found else b""
    if not found:
        raise no_households()
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="person-{found[0].resident_id}.json"',
    }
    return Response(content, media_type="application/json", headers=headers)


def _reports(
    session: Session, body: ReportBody, request: Request, by: Principal, now: datetime
) -> list[SubjectReport]:
    return subject_rights.report(
        session, resident_id=body.resident, name=body.name, phone=body.phone, purpose=body.purpose, by=by,
        now=now, where=seen_from(request),
        kept_days={kind: rule.days for kind, rule in rules(session).items()},
    )  # fmt: skip


def _file(
    session: Session, found: list[SubjectReport], purpose: str, by: Principal, now: datetime, door: Door
) -> bytes:
    rows = sum(len(one.records) + len(one.seen) for one in found)
    what = {"residents": [one.resident_id for one in found]}
    ground = found[0].territory
    reason = " ".join(subject_rights.PURPOSES[purpose])
    asked = export_gate.ask(session, SUBJECT, what, reason, rows=rows, by=by, now=now, ground=ground)
    export_gate.opened(session, asked.id, by=by, now=now)
    number = export_gate.new_number()
    mark = mark_of(asked, number, rows=rows, now=now, zone=door.means.settings.zone)
    told = {"citygrid_export": mark.members, "reports": [asdict(one) for one in found]}
    content = json.dumps(told, ensure_ascii=False, indent=1, default=str).encode()
    export_gate.register(
        session, asked, number, hashlib.sha256(content).hexdigest(), rows=rows, by=by, now=now,
        file_name=f"person-{found[0].resident_id}.json",
    )  # fmt: skip
    return content


@router.post("/residents/{resident_id}/corrections")
def correct(door: SignedInDoor, resident_id: Number, body: CorrectionBody, request: Request) -> Corrected:
    """Put one field of a person right; what it said before is kept, with the reason."""
    with door.open() as (session, by, now):
        made = subject_rights.correct(
            session, resident_id, body.field, body.value, body.reason, by=by, now=now,
            where=seen_from(request),
        )  # fmt: skip
    if made is None:
        raise no_households()
    return made


@router.post("/corrections/{correction_id}/undo")
def undo(door: SignedInDoor, correction_id: Number, body: UndoBody, request: Request) -> Corrected:
    """Take a correction back; the field must still say what it was corrected to."""
    with door.open() as (session, by, now):
        made = subject_rights.undo(
            session, correction_id, body.reason, by=by, now=now, where=seen_from(request)
        )
    if made is None:
        raise no_households()
    return made


@router.post("/residents/{resident_id}/erasure", status_code=204)
def erase(door: SignedInDoor, resident_id: Number, body: ErasureBody, request: Request) -> None:
    """Make a person nameless, on a ground of the law. It cannot be taken back."""
    with door.open() as (session, by, now):
        done = subject_rights.erase(
            session, resident_id, body.ground, by=by, now=now, where=seen_from(request)
        )
    if not done:
        raise no_households()


@router.get("/privacy/retention")
def retention_rules(door: SignedInDoor) -> RetentionShown:
    """How long each kind of thing is kept, and how much is due; for those who keep the city's settings."""
    with door.open() as (_, by, now):
        if by.role not in CITY_KEEPERS:
            raise Denied(
                en="The retention rules are shown to those who keep the city's settings.",
                zh="留存规则由市级设置人员查看。",
                remedy_en="Ask an administrator.",
                remedy_zh="请联系系统管理员。",
            )
    with door.means.database.system_work() as session:
        found = retention.overview(session, now)
    shown = []
    for one in found:
        kind = KINDS[one.kind]
        shown.append(
            RuleShown(
                title=_both(kind.title), counted_from=_both(kind.counted_from), basis=_both(kind.basis),
                act=kind.act, tables=list(kind.tables), least=kind.least, most=kind.most, **asdict(one),
            )
        )  # fmt: skip
    return RetentionShown(rules=shown)


def _both(words: tuple[str, str]) -> dict[str, str]:
    return {"zh": words[0], "en": words[1]}
