"""The outbox: what must be told to somebody, written in the transaction of the change that caused it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Identity
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gis.database import Base, territory_column

CHANNEL = "citygrid"
"""The NOTIFY channel that carries changes to every open page; listeners filter by territory."""


class Notice(Base):
    """One thing to tell one member, or the desk of a territory when `member_id` is absent."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    member_id: Mapped[int | None] = mapped_column(index=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    territory: Mapped[str] = territory_column()
