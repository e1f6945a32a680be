"""The gate every file goes out by: who may take how much, for what reason, and who has to agree.

An export is asked for with a reason. Up to its role's own limit it is open at once; above it a superior
decides. It may then be fetched for a day. Each file made is registered by its hash and by the number in its
mark, so that a stray copy is traced to a person whatever it is called (`etl.export_marks`). Counts are
nobody's data: a file of them is made at once, and registered and marked like every other.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Identity
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis import audit
from gis.access import Principal
from gis.database import Base, territory_column
from gis.errors import Conflict, Denied, Invalid, NotFound

OPEN_FOR = timedelta(hours=24)
"""How long an approved export may be fetched."""
MAX_REASON = 200
STATUSES = ("asked", "approved", "refused")


@dataclass(frozen=True, slots=True)
class Limit:
    """Rows a role may take by itself, and with a superior's approval."""

    free: int
    approved: int


LIMITS = {
    "admin": Limit(50_000, 5_000_000),
    "city_officer": Limit(50_000, 5_000_000),
    "district_officer": Limit(20_000, 500_000),
    "command_operator": Limit(5_000, 100_000),
    "analyst": Limit(20_000, 500_000),
    "subdistrict_officer": Limit(5_000, 100_000),
    "community_officer": Limit(2_000, 20_000),
    "inspector": Limit(1_000, 20_000),
    "leader": Limit(500, 5_000),
}
"""Roles that export at all. The field force and residents see their cases and take no lists away."""

AT_THE_TERMINAL = 0
"""The account number of who works at the command line: they reach the database itself, so no limit holds
them; their files are marked and registered all the same."""

DECIDERS = ("admin", "city_officer", "district_officer", "subdistrict_officer")
"""Roles that decide on others' exports of their own ground."""


class ExportRequest(Base):
    """A wish to take data away. `what` tells it exactly: layer, filter, format; `territory` whose ground."""

    __tablename__ = "export_request"
    __table_args__ = (CheckConstraint(f"status IN {STATUSES}", name="status_known"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(index=True)
    username: Mapped[str]
    display_name: Mapped[str]
    role: Mapped[str]
    subject: Mapped[str]
    what: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str]
    rows: Mapped[int]
    status: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decided_by: Mapped[str | None]
    open_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    territory: Mapped[str] = territory_column()


class ExportFile(Base):
    """One file that went out: the number in its mark, and its hash."""

    __tablename__ = "export_file"

    number: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("export_request.id"), index=True)
    sha256: Mapped[str] = mapped_column(index=True)
    rows: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    territory: Mapped[str] = territory_column()


def ask(
    session: Session,
    subject: str,
    what: dict[str, Any],
    reason: str,
    *,
    rows: int,
    by: Principal,
    now: datetime,
    ground: str | None = None,
) -> ExportRequest:
    """Ask for an export of `rows` rows. It is approved at once up to the role's own limit.

    `ground` is the territory code the rows lie on; absent, the person's own. Raises Denied for a role that
    exports nothing or that many rows, Invalid without a reason.
    """
    limit = LIMITS.get(by.role)
    if limit is None or by.territory is None:
        raise Denied(
            en="Your role takes no lists away.",
            zh="您的角色不能导出。",
            remedy_en="Ask the office of your territory for the file.",
            remedy_zh="请联系属地办理。",
        )
    if not 1 <= len(reason.strip()) <= MAX_REASON:
        raise Invalid(
            en=f"An export needs a reason of at most {MAX_REASON} characters.",
            zh=f"导出须写明用途，不超过 {MAX_REASON} 字。",
            remedy_en="Write in a few words what the file is for.",
            remedy_zh="请简要写明文件作何用途。",
        )
    unlimited = by.account_id == AT_THE_TERMINAL
    if rows > limit.approved and not unlimited:
        raise Denied(
            en=f"{rows:,} rows are more than your role may take ({limit.approved:,}).",
            zh=f"{rows:,} 行超过您的角色上限（{limit.approved:,} 行）。",
            remedy_en="Narrow the filter, or take it in parts.",
            remedy_zh="请缩小范围，或分批导出。",
        )
    free = unlimited or rows <= limit.free
    return _keep(
        session, subject, what, reason, rows, by, now, by.territory if ground is None else ground,
        open_until=now + OPEN_FOR if free else None,
    )  # fmt: skip


def take_counts(
    session: Session,
    subject: str,
    what: dict[str, Any],
    reason: str,
    *,
    rows: int,
    by: Principal,
    now: datetime,
    ground: str | None = None,
) -> ExportRequest:
    """A file of counts is being made: nobody decides on it, and it cannot be fetched again later.

    The caller makes sure that the counts are the person's to see.
    """
    ground = (by.territory or "") if ground is None else ground
    return _keep(session, subject, what, reason, rows, by, now, ground, open_until=now)


def _keep(
    session: Session,
    subject: str,
    what: dict[str, Any],
    reason: str,
    rows: int,
    by: Principal,
    now: datetime,
    ground: str,
    *,
    open_until: datetime | None,
) -> ExportRequest:
    request = ExportRequest(
        account_id=by.account_id,
        username=by.username,
        display_name=by.display_name,
        role=by.role,
        subject=subject,
        what=what,
        reason=reason.strip(),
        rows=rows,
        status="asked" if open_until is None else "approved",
        asked_at=now,
        open_until=open_until,
        territory=ground,
    )
    session.add(request)
    session.flush()
    return request


def decide(
    session: Session, request_id: int, approve: bool, *, by: Principal, now: datetime
) -> ExportRequest:
    """Approve or refuse an export somebody asked for. Raises NotFound, Denied for one's own, Conflict."""
    request = session.get(ExportRequest, request_id, with_for_update=True)
    if request is None or by.role not in DECIDERS or not by.covers(request.territory):
        raise _no_such(request_id)
    if request.account_id == by.account_id:
        raise Denied(
            en="Nobody approves their own export.",
            zh="不能审批自己的导出申请。",
            remedy_en="Ask a superior or a colleague with that right.",
            remedy_zh="请由上级或其他有权限的同事审批。",
        )
    if request.status != "asked":
        raise Conflict(
            en=f"This export is already {request.status}.",
            zh="该申请已有结论。",
            remedy_en="Reload the list.",
            remedy_zh="请刷新列表。",
        )
    request.status = "approved" if approve else "refused"
    request.decided_at, request.decided_by = now, by.display_name
    request.open_until = now + OPEN_FOR if approve else None
    session.flush()
    audit.record(
        session, f"export.{request.status}", request.subject, request.id, by=by, now=now,
        territory=request.territory or None, rows=request.rows, asked_by=request.account_id,
    )  # fmt: skip
    return request


def opened(session: Session, request_id: int, *, by: Principal, now: datetime) -> ExportRequest:
    """An export of the person's own that may be fetched now. Raises NotFound, or Denied telling why not."""
    request = session.get(ExportRequest, request_id)
    if request is None or request.account_id != by.account_id:
        raise _no_such(request_id)
    if request.status != "approved" or request.open_until is None or request.open_until <= now:
        waiting = request.status == "asked"
        raise Denied(
            en="This export waits for approval." if waiting else "This export is not open any more.",
            zh="该导出待审批。" if waiting else "该导出已不能下载。",
            remedy_en="Ask your superior to decide on it." if waiting else "Ask for it again.",
            remedy_zh="请联系上级审批。" if waiting else "请重新申请。",
        )
    return request


def refuse_more(request: ExportRequest, rows: int) -> None:
    """Raise Conflict when there are more rows now than were agreed on, and more than the role takes alone."""
    agreed = max(request.rows, LIMITS[request.role].free)
    if rows > agreed and request.account_id != AT_THE_TERMINAL:
        raise Conflict(
            en=f"There are {rows:,} rows by now; {agreed:,} were agreed on.",
            zh=f"现已有 {rows:,} 行，超过批准的 {agreed:,} 行。",
            remedy_en="Ask for the export again.",
            remedy_zh="请重新申请导出。",
        )


def requests(session: Session, *, by: Principal, limit: int = 50) -> Sequence[ExportRequest]:
    """The person's own exports, and for who decides those that wait on their ground; the newest first."""
    mine = ExportRequest.account_id == by.account_id
    if by.role in DECIDERS and by.territory is not None:
        low, high = by.territory, by.territory + "~"
        waiting = sa.and_(
            ExportRequest.status == "asked", ExportRequest.territory >= low, ExportRequest.territory < high
        )
        mine = sa.or_(mine, waiting)
    return session.scalars(
        sa.select(ExportRequest).where(mine).order_by(ExportRequest.id.desc()).limit(limit)
    ).all()


def new_number() -> str:
    """The number of a file, in its mark: 80 random bits, so that nobody marks a file with another's."""
    return "CG-" + secrets.token_hex(10).upper()


def register(
    session: Session,
    request: ExportRequest,
    number: str,
    sha256: str,
    *,
    rows: int,
    by: Principal,
    now: datetime,
    file_name: str,
) -> ExportFile:
    """Keep who took this file, and tell the trail."""
    file = ExportFile(
        number=number,
        request_id=request.id,
        sha256=sha256,
        rows=rows,
        made_at=now,
        territory=request.territory,
    )
    session.add(file)
    session.flush()
    audit.record(
        session, "export", request.subject, file_name, by=by, now=now, territory=request.territory or None,
        face="export", rows=rows, sha256=sha256, number=number, request=request.id, **_told(request.what),
    )  # fmt: skip
    return file


def _told(what: dict[str, Any]) -> dict[str, Any]:
    """What was taken, as the trail tells it: a search may hold a name, and its words stay with the request,
    which is forgotten earlier."""
    query = parse_qsl(str(what.get("filter", "")), keep_blank_values=True)
    if not query:
        return what
    return what | {"filter": urlencode([(name, "*" if name == "q" else value) for name, value in query])}


def _no_such(request_id: int) -> NotFound:
    return NotFound(
        en=f"There is no export {request_id} for you.",
        zh=f"没有您可办理的导出 {request_id}。",
        remedy_en="Look in your list of exports.",
        remedy_zh="请在导出列表中查找。",
    )
