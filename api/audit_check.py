"""The state of the trail for whoever supervises: its last seal, the last check, and a check on demand.

The seals belong to no ground and are closed to persons, so this is the house's own work (`system_work`), and
says no more than numbers and hashes. A check reads the whole trail: one at a time.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from gis import audit, audit_chain
from gis.access import Principal
from gis.database import Database
from gis.errors import Conflict, Denied
from layers.looks import require_supervisor

CHECKERS = ("admin", "city_officer")
"""Who starts a check: the trail is the whole city's."""
ACTION = "verify_trail"
_busy = threading.Lock()


@dataclass(frozen=True, slots=True)
class LastCheck:
    """Who had the trail checked when, and what came out: the fields of `audit_chain.Verdict`."""

    at: datetime
    username: str
    verdict: audit_chain.Verdict


@dataclass(frozen=True, slots=True)
class TrailState:
    """`hash` is the last seal's, hexadecimal; empty, like `sealed_at`, when nothing is sealed yet."""

    seals: int
    hash: str
    sealed_at: datetime | None
    waiting: int
    last_check: LastCheck | None


_STATE = sa.text(
    """
    SELECT (SELECT count(*) FROM audit_seal) AS seals, encode(s.hash, 'hex') AS hash, s.at,
           (SELECT count(*) FROM audit_entry WHERE id > coalesce(s.to_id, 0)) AS waiting
    FROM (SELECT) AS one LEFT JOIN (SELECT * FROM audit_seal ORDER BY id DESC LIMIT 1) AS s ON true
    """
)
_LAST_CHECK = sa.text(
    "SELECT at, username, details FROM audit_entry WHERE action = :action ORDER BY id DESC LIMIT 1"
)


def trail_state(database: Database, by: Principal) -> TrailState:
    """Raises Denied for a role that supervises nobody."""
    require_supervisor(by)
    with database.system_work() as session:
        row = session.execute(_STATE).one()
        checked = session.execute(_LAST_CHECK, {"action": ACTION}).one_or_none()
    last = (
        LastCheck(checked.at, checked.username, audit_chain.Verdict(**checked.details)) if checked else None
    )
    return TrailState(row.seals, row.hash or "", row.at, row.waiting, last)


def check_trail(database: Database, by: Principal, now: datetime) -> audit_chain.Verdict:
    """Check every seal and entry, and note in the trail who did and what came out. Raises Denied, or Conflict
    while another check is at work."""
    if by.role not in CHECKERS:
        raise Denied(
            en="The trail is the whole city's; your role does not check it.",
            zh="留痕属于全市，您的角色不能核验。",
            remedy_en="Ask an administrator or a city officer.",
            remedy_zh="请联系管理员或市级人员。",
        )
    if not _busy.acquire(blocking=False):
        raise Conflict(
            en="A check of the trail is at work.",
            zh="正在核验，请稍候。",
            remedy_en="Look again in a minute.",
            remedy_zh="请稍后再看。",
        )
    try:
        with database.system_work() as session:
            verdict = audit_chain.verify(session)
            told = {name: getattr(verdict, name) for name in audit_chain.Verdict.__slots__}
            audit.record(session, ACTION, "trail", by=by, now=now, face="page", **told)
        return verdict
    finally:
        _busy.release()
