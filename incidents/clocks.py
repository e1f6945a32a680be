"""The clocks of a case: which one runs at which stage, and how it is started, paused, extended and stopped.

Every clock a case ever had is a row, so a finished handling clock is still there to be judged when the case
has long been closed. At most one runs. The case carries a copy of it (`due_at` and its kin) for the map and
the queue; once the case has ended it carries its last handling clock.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gis.database import Base, territory_column
from incidents.rules import CLOCKS

_MOMENT = DateTime(timezone=True)


class CaseClock(Base):
    """One clock of one case, running or stopped."""

    __tablename__ = "case_clock"
    __table_args__ = (
        CheckConstraint(f"clock IN {CLOCKS}", name="clock_known"),
        Index("ix_case_clock_due", "due_at", postgresql_where=text("stopped_at IS NULL")),
        Index(
            "uq_case_clock_running", "incident_id", unique=True, postgresql_where=text("stopped_at IS NULL")
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    clock: Mapped[str]
    level: Mapped[str]
    kind: Mapped[str]
    value: Mapped[Decimal]
    extended: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default="0")
    """Units granted on top of `value`."""
    started_at: Mapped[datetime] = mapped_column(_MOMENT)
    pauses: Mapped[list[list[str | None]]] = mapped_column(JSONB, default=list, server_default="[]")
    """Pairs of ISO moments; the last one's end is null while the clock stands."""
    due_at: Mapped[datetime] = mapped_column(_MOMENT)
    due_soon_at: Mapped[datetime] = mapped_column(_MOMENT)
    words_zh: Mapped[str]
    words_en: Mapped[str]
    provisional: Mapped[bool] = mapped_column(default=False, server_default="false")
    """It runs through a year whose calendar was not published when it was computed."""
    stopped_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    stopped_by: Mapped[str | None]
    """The move that stopped it."""
    territory: Mapped[str] = territory_column()
