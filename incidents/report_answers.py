"""What a report is answered with, and the same again to whoever sends it again.

A retry comes when the first answer was lost on the way, and the case may have gone on since: handed back, a
pin put right, closed. It is answered as the first time, who has it and why among it; `created` tells the two
apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import Principal
from gis.errors import Conflict
from gis.text import can_be_kept
from grids.responsibility import WORDS, Responsibility
from incidents.report_draft import ReportDraft, body_hash


@dataclass(frozen=True, slots=True)
class Reported:
    """The answer to a report. `created` is False when the same key had been answered before.

    `responsibility` is None only where the decision was not kept.
    """

    id: int
    number: str
    tracking_code: str
    stage: str
    version: int
    created: bool
    responsibility: Responsibility | None
    joined_to: str | None = None
    """The number of the case that the report has joined."""


# A moved pin leaves the old decision, words and all, in the story: the first of them is the report's own.
_BEFORE = sa.text(
    f"""
    SELECT i.id, i.number, i.tracking_code, i.body_hash, first.stage, joined.number AS joined_to,
           coalesce(moved.decision, i.decision || jsonb_build_object(
               {", ".join(f"'{name}', i.{name}" for name in WORDS)})) AS decision
    FROM incident AS i
    LEFT JOIN LATERAL (
        SELECT m.to_stage AS stage FROM incident_move AS m
        WHERE m.incident_id = i.id AND m.version = 1 ORDER BY m.id DESC LIMIT 1
    ) AS first ON true
    LEFT JOIN LATERAL (
        SELECT m.details ->> 'number' AS number FROM incident_move AS m
        WHERE m.incident_id = i.id AND m.version = 1 AND m.move = 'join'
    ) AS joined ON true
    LEFT JOIN LATERAL (
        SELECT m.details #> '{{from,decision}}' AS decision FROM incident_move AS m
        WHERE m.incident_id = i.id AND m.details #> '{{from,decision}}' IS NOT NULL ORDER BY m.version LIMIT 1
    ) AS moved ON true
    WHERE i.reported_by = :account AND i.report_key = :key
    """
)
_PEOPLE = sa.text("SELECT id, name, shown_phone(id) FROM member WHERE id = ANY(:ids)")


def answered_before(session: Session, draft: ReportDraft, by: Principal) -> Reported | None:
    """The first answer to this key, None where it is new; Conflict when the body is another one."""
    if not can_be_kept(draft.report_key):
        return None
    row = session.execute(_BEFORE, {"account": by.account_id, "key": draft.report_key}).one_or_none()
    if row is None:
        return None
    if row.body_hash != body_hash(draft):
        raise Conflict(
            en="This report_key was used before for another report.",
            zh="该 report_key 已用于另一条上报。",
            remedy_en="Give the new report a key of its own; resend the old one unchanged.",
            remedy_zh="新的上报请用新的键；重发旧上报请保持内容不变。",
            incident=row.id,
        )
    answer = _decided_then(session, row.decision)
    return Reported(row.id, row.number, row.tracking_code, row.stage, 1, False, answer, row.joined_to)


def _decided_then(session: Session, kept: dict[str, Any]) -> Responsibility | None:
    """The kept decision with its people, as they are called now."""
    if "rule" not in kept:
        return None
    rows = session.execute(_PEOPLE, {"ids": Responsibility.people_in(kept)})
    return Responsibility.of_kept(kept, {id_: (name, phone) for id_, name, phone in rows})
