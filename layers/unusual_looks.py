"""Looks at people that somebody should ask about: very many, by night, or outside the looker's own duty.

Nothing is refused for it. It is read out of the trail, under the reader's own policies: a supervisor sees
what happened on their ground.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from layers.household_reading import LOOKS, REFUSED

BULK_AN_HOUR = 30
"""Sets of records one account sees in an hour of ordinary visits at most: a building every two minutes."""
NIGHT = (22, 6)
"""From and until which hour, in the city's time."""


@dataclass(frozen=True, slots=True)
class Unusual:
    """Some looks of one account: kind is bulk, night or outside."""

    kind: str
    account_id: int
    username: str
    looks: int
    since: datetime
    until: datetime


_UNUSUAL = sa.text(
    f"""
    WITH looks AS (
        SELECT account_id, username, at, action, extract(hour FROM at AT TIME ZONE :zone) AS hour,
               count(*) OVER (PARTITION BY account_id ORDER BY at
                              RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW) AS within_an_hour
        FROM audit_entry
        WHERE action IN {LOOKS} AND at >= :since AND at < :until
    ), told AS (
        SELECT 'bulk' AS kind, max(within_an_hour) AS looks, account_id, username, min(at) AS since,
               max(at) AS until
        FROM looks WHERE within_an_hour > :bulk GROUP BY account_id, username
        UNION ALL
        SELECT 'night', count(*), account_id, username, min(at), max(at)
        FROM looks WHERE hour >= :night OR hour < :morning GROUP BY account_id, username
        UNION ALL
        SELECT 'outside', count(*), account_id, username, min(at), max(at)
        FROM looks WHERE action = '{REFUSED}' GROUP BY account_id, username
    )
    SELECT kind, account_id, username, looks, since, until FROM told ORDER BY until DESC, kind, account_id
    """
)


def unusual_looks(session: Session, since: datetime, until: datetime, *, zone: ZoneInfo) -> list[Unusual]:
    """What stands out in a span, the newest first."""
    night, morning = NIGHT
    rows = session.execute(
        _UNUSUAL,
        {
            "since": since,
            "until": until,
            "zone": zone.key,
            "bulk": BULK_AN_HOUR,
            "night": night,
            "morning": morning,
        },
    )
    return [Unusual(**row._mapping) for row in rows]
