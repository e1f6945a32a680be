"""How a report is written: the case, its first moves, its first clock and its notices, in one statement."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from gis.access import Principal
from gis.database import Statement
from grids.responsibility import Responsibility, unknown_category
from incidents import duplicates
from incidents.clocks import STARTED, clock_wanted
from incidents.deadlines import deadline
from incidents.incident import AT_ONCE, LEVELS, ORDINARY
from incidents.report_draft import ReportDraft, body_hash
from incidents.rules import Limit, Rulebook, Traits


@dataclass(frozen=True, slots=True)
class ReportedCategory:
    """What a report needs to know of its category."""

    code: str
    name_zh: str
    icon: str
    needs_confirm: bool
    urgent: bool
    limit_kind: str
    limit_value: float
    rules_stamp: str


def category_of(place: Any) -> ReportedCategory:
    """The category as `look` has read it; one that is no longer used is none."""
    if not place.active:
        raise unknown_category(place.category)
    return ReportedCategory(
        place.category,
        place.name_zh,
        place.icon,
        place.needs_confirm,
        place.urgent,
        place.limit_kind,
        place.limit_value,
        place.rules_stamp,
    )


def first_moves(waits: bool, answer: Responsibility) -> list[dict[str, Any]]:
    """The moves of a new case: as far as it goes by itself."""
    moves: list[dict[str, Any]] = [{"move": "report", "from_stage": None, "to_stage": "reported"}]
    if not waits:
        moves.append({"move": "register", "from_stage": "reported", "to_stage": "registered"})
        if answer.member is not None:
            moves.append({"move": "dispatch", "from_stage": "registered", "to_stage": "dispatched"})
    return moves


def joining_moves(lead: duplicates.Alike) -> list[dict[str, Any]]:
    """The moves of a report that joins another case at once."""
    details = {"joined_to": lead.id, "number": lead.number, "handler": None}
    return [
        {"move": "report", "from_stage": None, "to_stage": "reported"},
        {"move": "join", "from_stage": "reported", "to_stage": "joined", "details": details},
    ]


def first_notices(values: dict[str, Any], answer: Responsibility) -> list[dict[str, Any]]:
    """Who hears of a new case: its handler, else who may confirm it, else the desk; a building head too."""
    if values["stage"] == "dispatched":
        told = [{"kind": "task_arrived", "member_id": values["handler_id"]}]
    elif values["stage"] == "reported" and values["member_id"] is not None:
        told = [{"kind": "confirm_wanted", "member_id": values["member_id"]}]
    else:
        told = [{"kind": "case_arrived", "member_id": None}]
    head = answer.building_head
    if head is not None and head.id != values["handler_id"]:
        told.append({"kind": "building_told", "member_id": head.id})
    return told


def first_clock(
    values: dict[str, Any], category: ReportedCategory, rules: Rulebook, now: datetime
) -> dict[str, Any] | None:
    """The clock that runs at the first stage, as columns of `case_clock`; None where no rule wants one."""
    traits = Traits(category.code, LEVELS[0], values["channel"], values["grade"])
    own = Limit(category.limit_kind, category.limit_value)
    wanted = clock_wanted(values["stage"], traits, own, rules)
    if wanted is None:
        return None
    name, limit = wanted
    due = deadline(now, limit.kind, limit.value, rules.calendar, started=STARTED[name])
    return {
        "clock": name,
        "level": LEVELS[0],
        "kind": limit.kind,
        "value": limit.value,
        "started_at": now,
        "due_at": due.due_at,
        "due_soon_at": due.due_soon_at,
        "words_zh": due.words_zh,
        "words_en": due.words_en,
        "provisional": due.provisional,
        "territory": values["territory"],
    }


CLOCK_COPY = {
    "due_at": "due_at",
    "due_soon_at": "due_soon_at",
    "limit_words_zh": "words_zh",
    "limit_words_en": "words_en",
}
"""Column of the case <- column of its running clock."""


def incident_values(
    draft: ReportDraft,
    category: ReportedCategory,
    answer: Responsibility,
    stage: str,
    *,
    by: Principal,
    now: datetime,
) -> dict[str, Any]:
    """Column -> value of the new row, but for the number, which the database gives."""
    return {
        "tracking_code": secrets.token_hex(8),
        "report_key": draft.report_key,
        "body_hash": body_hash(draft),
        "reported_by": by.account_id,
        "channel": draft.channel,
        "category": category.code,
        "title": draft.title or category.name_zh,
        "description": draft.description,
        "on_behalf": draft.on_behalf,
        "answers": draft.answers,
        "floor": draft.floor,
        "unit": draft.unit,
        "room": draft.room,
        "stage": stage,
        "version": 1,
        "grade": AT_ONCE if category.urgent else ORDINARY,
        "source_lon": draft.lon,
        "source_lat": draft.lat,
        "source_crs": draft.crs,
        "accuracy_m": draft.accuracy_m,
        "accuracy_level": draft.accuracy_level,
        "place": answer.place,
        "building_id": answer.building_id,
        "component_id": draft.component_id,
        "generation": answer.generation,
        "cell_code": answer.cell_code,
        "territory": answer.territory,
        "rule": answer.rule,
        "confidence": answer.confidence,
        "border_m": answer.border_m,
        "second_cell": answer.second_cell,
        "second_member_id": answer.second_member.id if answer.second_member else None,
        "reason_zh": answer.reason_zh,
        "reason_en": answer.reason_en,
        "trace": answer.trace,
        "decision": answer.as_kept(),
        "member_id": answer.member.id if answer.member else None,
        "handler_id": answer.handler.id if answer.handler and stage == "dispatched" else None,
        "department_code": answer.department,
        "reported_at": now,
        "registered_at": now if stage != "reported" else None,
        "dispatched_at": now if stage == "dispatched" else None,
    }


# fmt: off
_COLUMNS = ", ".join([
    "tracking_code", "report_key", "body_hash", "reported_by", "channel", "category", "title",
    "description", "on_behalf", "answers", "floor", "unit", "room", "joined_to", "stage", "version",
    "grade", "source_lon", "source_lat",
    "source_crs", "accuracy_m", "accuracy_level", "place", "building_id", "component_id", "generation",
    "cell_code", "territory", "rule", "confidence", "border_m", "second_cell", "second_member_id",
    "reason_zh", "reason_en", "trace", "decision", "member_id", "handler_id", "department_code",
    "reported_at", "registered_at", "dispatched_at", "due_at", "due_soon_at", "limit_words_zh",
    "limit_words_en",
])
_CLOCK_COLUMNS = ", ".join([
    "clock", "level", "kind", "value", "started_at", "due_at", "due_soon_at", "words_zh", "words_en",
    "provisional", "territory",
])
# fmt: on

# The rows travel as JSON, typed by the tables themselves: one value to send is far cheaper than sixty.
# `app.case` says that what follows is of this case, which the statement itself cannot read yet.
INSERT = Statement(
    f"""
    WITH new AS (
        INSERT INTO incident (number, geom, {_COLUMNS})
        SELECT next_case_number(:day), ST_SetSRID(ST_MakePoint(:lon, :lat), 4490), {_COLUMNS}
        FROM jsonb_populate_record(CAST(NULL AS incident), CAST(:case AS jsonb))
        ON CONFLICT (reported_by, report_key) DO NOTHING
        RETURNING id, number, reported_at, reported_by, handler_id, territory,
                  set_config('app.case', id::text, true) AS in_hand
    ), moved AS (
        INSERT INTO incident_move (incident_id, move, from_stage, to_stage, at, account_id, actor_name, role,
                                   member_id, version, details, territory)
        SELECT new.id, m.move, m.from_stage, m.to_stage, new.reported_at, new.reported_by, :actor_name, :role,
               CASE WHEN m.move = 'dispatch' THEN new.handler_id END, 1,
               coalesce(m.details, jsonb_build_object()), new.territory
        FROM new, jsonb_to_recordset(CAST(:moves AS jsonb))
            AS m(move text, from_stage text, to_stage text, details jsonb)
    ), clocked AS (
        INSERT INTO case_clock (incident_id, {_CLOCK_COLUMNS})
        SELECT new.id, {", ".join(f"c.{column}" for column in _CLOCK_COLUMNS.split(", "))}
        FROM new, jsonb_populate_record(CAST(NULL AS case_clock), CAST(:clock AS jsonb)) AS c
        WHERE c.clock IS NOT NULL
    ), told AS (
        INSERT INTO notice (incident_id, kind, member_id, account_id, body, created_at, territory)
        SELECT new.id, n.kind, n.member_id, n.account_id, coalesce(n.body, jsonb_build_object()),
               new.reported_at, new.territory
        FROM new, jsonb_to_recordset(CAST(:notices AS jsonb))
            AS n(kind text, member_id bigint, account_id bigint, body jsonb)
    )
    SELECT id, number FROM new
    """
)


def as_json(value: object) -> str:
    return orjson.dumps(value).decode()
