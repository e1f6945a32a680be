"""Taking persons out of old cases: who reported, their words, their exact place. What numbers need stays.

Kept are category, channel, territory, cell, every time and clock, the moves with their stages and the members
who made them, the score of a rating. So each indicator is after it what it was before. A case in somebody's
home moves to the middle of its cell; one on public ground keeps its point.

The story stays append-only: its rows keep what happened when, and their words give way to a mark.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.forgetting import MARK
from incidents.incident import ENDED

_DUE = f"""
    FROM incident AS i WHERE i.closed_at < :before AND i.anonymised_at IS NULL AND i.appealed_at IS NULL
      AND i.stage IN {ENDED}
"""
_COUNT = sa.text(f"SELECT count(*) {_DUE}")
_TAKE = sa.text(f"SELECT i.id {_DUE} ORDER BY i.closed_at, i.id LIMIT :limit FOR UPDATE SKIP LOCKED")

# Whose home it is stands in its building, its door, or whom it was reported for.
_AT_HOME = """(i.building_id IS NOT NULL OR num_nonnulls(i.floor, i.unit, i.room, i.on_behalf) > 0
               OR EXISTS (SELECT FROM building AS b WHERE b.geom && i.geom AND ST_Covers(b.geom, i.geom)))"""
_POINT = f"""CASE WHEN {_AT_HOME} THEN coalesce(
        (SELECT ST_PointOnSurface(c.geom) FROM cell AS c
         WHERE c.code = i.cell_code AND c.generation = i.generation LIMIT 1),
        ST_SnapToGrid(i.geom, 0.005)) ELSE i.geom END"""

_KEPT_DETAILS = (
    "joined_to", "number", "handler", "subtask", "department", "from_member", "from_department", "from_level",
    "to_level", "asked", "kind", "granted", "review_on", "from", "to", "from_due", "to_due",
)  # fmt: skip
"""What moves tell in numbers, codes and moments. What is not named here is taken for words, and goes."""

_STORY = sa.text(
    """
    UPDATE incident_move AS m SET
        note = CASE WHEN m.note IS NOT NULL THEN :mark END, lon = NULL, lat = NULL,
        actor_name = CASE WHEN theirs.own THEN :mark ELSE m.actor_name END,
        account_id = CASE WHEN theirs.own THEN NULL ELSE m.account_id END,
        details = coalesce((SELECT jsonb_object_agg(d.key, d.value) FROM jsonb_each(m.details) AS d
                            WHERE d.key = ANY(:kept)), '{}')
                  #- '{from,lon}' #- '{from,lat}' #- '{from,decision}' #- '{to,lon}' #- '{to,lat}'
    FROM (SELECT n.id, n.role = 'resident' OR n.account_id IS NOT DISTINCT FROM i.reported_by
                       AND i.channel NOT IN ('member', 'desk') AS own
          FROM incident_move AS n JOIN incident AS i ON i.id = n.incident_id
          WHERE i.id = ANY(:ids)) AS theirs
    WHERE theirs.id = m.id
    """
)
_BESIDE = (
    sa.text(
        "UPDATE subtask SET what = CASE WHEN step IS NULL THEN :mark ELSE what END, asked_by = :mark,"
        " reply = CASE WHEN reply IS NOT NULL THEN :mark END WHERE incident_id = ANY(:ids)"
    ),
    sa.text("UPDATE rating SET comment = NULL WHERE incident_id = ANY(:ids) AND comment IS NOT NULL"),
    sa.text("UPDATE dispatch_override SET reason = :mark WHERE incident_id = ANY(:ids)"),
    sa.text("DELETE FROM notice WHERE incident_id = ANY(:ids)"),
)
_CASES = sa.text(
    f"""
    UPDATE incident AS i SET
        title = (SELECT k.name_zh FROM category AS k WHERE k.code = i.category), description = :mark,
        on_behalf = NULL, answers = '{{}}', floor = NULL, unit = NULL, room = NULL, place = NULL,
        building_id = NULL, reported_by = NULL, report_key = 'anonymised ' || i.id, body_hash = '',
        tracking_code = new.code, geom = new.point, source_lon = ST_X(new.point),
        source_lat = ST_Y(new.point), source_crs = 'EPSG:4490', accuracy_m = NULL, accuracy_level = NULL,
        border_m = NULL, reason_zh = :mark, reason_en = :mark, trace = '[]', decision = '{{}}',
        anonymised_at = :now
    FROM (SELECT i.id, {_POINT} AS point, told.code
          FROM incident AS i
          JOIN unnest(CAST(:ids AS int[]), CAST(:codes AS text[])) AS told(id, code) ON told.id = i.id) AS new
    WHERE i.id = new.id
    """
)


def count_due(session: Session, before: datetime) -> int:
    """How many cases ended before a moment and still hold persons. An appeal that waits holds a case back."""
    return session.execute(_COUNT, {"before": before}).scalar_one()


def anonymise_some(session: Session, before: datetime, now: datetime, *, limit: int) -> int:
    """Take persons out of the oldest such cases, at most `limit`; returns how many there were."""
    ids = list(session.execute(_TAKE, {"before": before, "limit": limit}).scalars())
    if ids:
        anonymise(session, ids, now)
    return len(ids)


def anonymise(session: Session, ids: Sequence[int], now: datetime) -> None:
    """Take persons out of these cases. Their old tracking codes open nothing any more."""
    codes = [secrets.token_hex(8) for _ in ids]
    told = {"ids": list(ids), "mark": MARK}
    session.execute(_STORY, told | {"kept": list(_KEPT_DETAILS)})
    for statement in _BESIDE:
        session.execute(statement, told)
    session.execute(_CASES, told | {"codes": codes, "now": now})
