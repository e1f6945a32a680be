"""Company for two living cases of the demo city: other forces at work on one, more reports of another.

Told by the real verbs once the demo's people can sign in, so that story, clocks and notices are what a city
would have.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import Principal, prefix_range
from incidents.reporting import ReportDraft, report
from incidents.workflow import move

MORE_REPORTS = 3
STEP = 0.00002
"""Degrees between one reporter and the next: some two metres."""

_AT_WORK = sa.text(
    """
    SELECT i.id, i.version, (SELECT d.member_id FROM duty AS d WHERE d.ground = i.cell_code
                               AND d.post = 'police_officer' ORDER BY d.id LIMIT 1) AS police
    FROM incident AS i
    WHERE i.stage = 'handling' AND i.paused_at IS NULL AND i.territory >= :low AND i.territory < :high
    ORDER BY i.territory <> :cell, i.reported_at DESC, i.id LIMIT 1
    """
)
_SEEN_BY_MANY = sa.text(
    """
    SELECT i.id, i.category, i.unit, i.floor, ST_X(i.geom) AS lon, ST_Y(i.geom) AS lat
    FROM incident AS i JOIN category AS k ON k.code = i.category
    WHERE i.stage IN ('dispatched', 'handling') AND k.same_within_m >= 15 AND i.id <> :but
      AND i.reported_at > :now - make_interval(hours => k.same_within_hours)
      AND i.territory >= :low AND i.territory < :high
    ORDER BY i.territory <> :cell, i.reported_at DESC, i.id LIMIT 1
    """
)


def give_company(
    session: Session, *, desk: Principal, resident: Principal, cell: str, now: datetime, zone: ZoneInfo
) -> None:
    """Ask a department and a police officer to one case, let residents add to another, near `cell`.

    A subdistrict without a case that fits is left as it is.
    """
    low, high = prefix_range(cell[:9])
    where = {"low": low, "high": high, "cell": cell, "now": now}
    helped = session.execute(_AT_WORK, where).one_or_none()
    if helped is None:
        return
    move(
        session, helped.id, "assist", by=desk, now=now, version=helped.version, note="围挡现场，清运杂物",
        department="city_management", zone=zone,
    )  # fmt: skip
    if helped.police is not None:
        move(
            session, helped.id, "assist", by=desk, now=now, version=helped.version + 1, note="疏导围观",
            member_id=helped.police, zone=zone,
        )  # fmt: skip
    lead = session.execute(_SEEN_BY_MANY, where | {"but": helped.id}).one_or_none()
    if lead is None:
        return
    for n in range(MORE_REPORTS):
        draft = ReportDraft(
            report_key=f"demo-same-{n}", lon=lead.lon + n * STEP, lat=lead.lat + STEP, crs="EPSG:4490",
            category=lead.category, description="我也看到了", unit=lead.unit, floor=lead.floor,
            channel="wechat", same_as=lead.id,
        )  # fmt: skip
        report(session, draft, by=resident, now=now, zone=zone)
