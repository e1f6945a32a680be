"""The outbox: what must be told to somebody, written in the transaction of the change that caused it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.database import Base, announce, territory_column

CHANNEL = "citygrid"
"""The NOTIFY channel that carries changes to every open page; listeners filter by territory."""


class Notice(Base):
    """One thing to tell a member, the account that reported, a department of a territory, or, with none of
    them, the desk of the territory."""

    __tablename__ = "notice"
    __table_args__ = (Index("ix_notice_unplanned", "id", postgresql_where=text("planned_at IS NULL")),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    member_id: Mapped[int | None]
    account_id: Mapped[int | None]
    department_code: Mapped[str | None]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    planned_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When it was decided who hears of it outside (`incidents.deliveries`)."""
    territory: Mapped[str] = territory_column(index=False)


def announce_case(
    session: Session,
    *,
    move: str,
    case: Mapping[str, Any],
    place: tuple[float, float],
    previous_member_id: int | None,
    helpers: Mapping[str, Sequence[Any]] | None = None,
) -> None:
    """Nudge every open page that may see the case, once the change is committed.

    `case` gives the columns the pages need; `place` is its lon, lat; `previous_member_id` is who had it
    before, so that their page takes it off the list; `helpers` names members and departments with a piece of
    work in it whom the change concerns.
    """
    columns = ("id", "stage", "version", "territory", "reported_by", "title", "icon")
    announce(
        session,
        CHANNEL,
        {
            "type": "incident",
            "move": move,
            **{column: case[column] for column in columns},
            "member_id": case["handler_id"],
            "previous_member_id": previous_member_id,
            "lon": place[0],
            "lat": place[1],
            "helpers": list((helpers or {}).get("members", ())),
            "departments": list((helpers or {}).get("departments", ())),
        },
    )
