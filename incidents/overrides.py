"""Overrides: a dispatch to somebody else than the routing proposed needs a reason, and is kept for ever."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Identity
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.access import Principal
from gis.database import Base, territory_column
from gis.errors import Invalid
from incidents.incident import Incident


class DispatchOverride(Base):
    """One overridden dispatch: who decided, whom the routing had proposed, whom they chose, and why."""

    __tablename__ = "dispatch_override"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    version: Mapped[int]
    proposed_id: Mapped[int | None]
    chosen_id: Mapped[int]
    reason: Mapped[str]
    account_id: Mapped[int]
    decided_by: Mapped[str]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    territory: Mapped[str] = territory_column()


def proposed(case: Any) -> int | None:
    """Whom the routing named for the work: the handler of the kept decision, else the owner of the ground.

    `case` is an `Incident`, or a row with its `decision` and `member_id`.
    """
    handler = (case.decision or {}).get("handler")
    return handler["id"] if handler else case.member_id


def keep(session: Session, case: Incident, reason: str | None, *, by: Principal, now: datetime) -> None:
    """Keep a case's dispatch as an override, if it is one: called once `handler_id` is the person chosen.

    Where the routing named nobody, any choice is a first choice and no override. Raises Invalid when the
    reason is missing.
    """
    proposed_id, chosen_id = proposed(case), case.handler_id
    if proposed_id is None or chosen_id is None or chosen_id == proposed_id:
        return
    if not (reason or "").strip():
        raise Invalid(
            en="The routing proposed somebody else: say why you choose another person.",
            zh="系统建议的是另一位人员：改派他人须写明理由。",
            remedy_en="Write in a few words why, or dispatch as proposed.",
            remedy_zh="请简要写明原因，或按建议派遣。",
            proposed=proposed_id,
        )
    session.add(
        DispatchOverride(
            incident_id=case.id,
            version=case.version,
            proposed_id=proposed_id,
            chosen_id=chosen_id,
            reason=(reason or "").strip(),
            account_id=by.account_id,
            decided_by=by.display_name,
            at=now,
            territory=case.territory,
        )
    )
