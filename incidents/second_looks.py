"""What a bad rating offers: the reporter has the case opened again, once, by the code alone.

The offer stands where the reporter rated the end of their own case poorly not long ago and has not used it
yet. A second time is the desk's to decide: it sees the rating beside the case.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import Principal
from gis.errors import Conflict
from incidents import workflow
from incidents.incident import ENDED, Incident
from incidents.tracking import LOW

REPORTER = "resident"
"""The role in which whoever holds the code acts."""
OFFERED_FOR = timedelta(days=30)
"""How long after its end a case can be opened again by its reporter."""

_OFFERED = sa.text(
    f"""
    SELECT i.id, i.version, i.reported_by FROM incident AS i JOIN rating AS r ON r.incident_id = i.id
    WHERE i.tracking_code = :code AND i.stage IN {ENDED} AND i.reported_by IS NOT NULL AND r.score <= {LOW}
      AND r.at >= i.closed_at AND i.closed_at >= :since
      AND NOT EXISTS (SELECT 1 FROM incident_move AS m WHERE m.incident_id = i.id AND m.move = 'reopen'
                        AND m.role = '{REPORTER}')
    """
)


def is_offered(session: Session, code: str, *, now: datetime) -> bool:
    """Whether whoever holds the code may have the case opened again."""
    return session.execute(_OFFERED, {"code": code, "since": now - OFFERED_FOR}).first() is not None


def take_up_again(session: Session, code: str, reason: str, *, now: datetime, zone: ZoneInfo) -> Incident:
    """Open the case of a tracking code again, for its reporter's reason.

    Raises Conflict where this is not offered, Invalid for a reason that is missing or too long.
    """
    offered = session.execute(_OFFERED, {"code": code, "since": now - OFFERED_FOR}).one_or_none()
    if offered is None:
        raise Conflict(
            en="This case cannot be opened again from here.",
            zh="不能在此重开该事件。",
            remedy_en="Rate it first; where it was opened again before, report anew or call the hotline.",
            remedy_zh="请先评价；已重开过的，请重新上报或拨打热线。",
        )
    by = Principal(offered.reported_by, "", "反映人", REPORTER)
    return workflow.move(
        session, offered.id, "reopen", by=by, now=now, version=offered.version, note=reason, zone=zone
    )
