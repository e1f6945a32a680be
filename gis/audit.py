"""The append-only trail of who did and who looked. UPDATE and DELETE on it are revoked by the migrations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Identity, Index, insert, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.access import Principal
from gis.database import Base, territory_column

FACES = ("page", "phone", "api", "tile", "export", "notebook", "cli")
"""Where a person looked from."""

CUT = "trail.cut"
"""The action of an entry that says that the entries before another were removed (`gis.audit_cut`)."""


class AuditEntry(Base):
    """One act or one read. `details` never holds personal text.

    Of a read of personal records `purpose` is why, `face` which of `FACES`, `origin` the network address; one
    entry stands for one set of records that were shown together.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_subject", "subject_kind", "subject_id"),
        Index("ix_audit_entry_cut", "id", postgresql_where=text(f"action = '{CUT}'")),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    account_id: Mapped[int | None] = mapped_column(index=True)
    username: Mapped[str]
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    territory: Mapped[str | None] = territory_column(nullable=True)
    purpose: Mapped[str | None]
    face: Mapped[str | None]
    origin: Mapped[str | None]


def record(
    session: Session,
    action: str,
    subject_kind: str,
    subject_id: object = None,
    *,
    by: Principal | None,
    now: datetime,
    territory: str | None = None,
    purpose: str | None = None,
    face: str | None = None,
    origin: str | None = None,
    **details: Any,
) -> None:
    """Append one entry in the caller's transaction: the trail and the act stand or fall together."""
    session.execute(
        insert(AuditEntry).values(
            at=now,
            account_id=by.account_id if by else None,
            username=by.username if by else "system",
            action=action,
            subject_kind=subject_kind,
            subject_id=None if subject_id is None else str(subject_id),
            details=details,
            territory=territory,
            purpose=purpose,
            face=face,
            origin=origin,
        )
    )
