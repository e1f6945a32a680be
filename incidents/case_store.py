"""How a move reaches the database: one statement locks and reads the case, one statement writes the move.

The objects in between are plain: an `Incident` and its `CaseClock`s that belong to no session, so nothing is
written before the move is complete and nothing twice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy.orm import Session

from gis.access import Principal
from gis.database import Statement
from gis.errors import Conflict
from incidents.case_file import no_incident
from incidents.case_rows import Filter, conditions
from incidents.clocks import CaseClock
from incidents.incident import Incident
from incidents.rules import Limit

_COLUMNS = [column.key for column in Incident.__table__.columns if column.key != "geom"]
_OF_THE_SWEEPS = ("soon_told_of", "late_told_of")
"""What reminders write of a clock while a move may hold its case: a move leaves it alone."""
_CLOCK_COLUMNS = [
    column.key for column in CaseClock.__table__.columns if column.key not in ("id", *_OF_THE_SWEEPS)
]

# `app.case` keeps the case readable for the rest of the transaction: a move may hand it to a neighbour, and
# PostgreSQL lets nobody change a row into one they may not read (`gis.policies.MY_CASE`).
# `version_read` is the version as the statement began. It differs from the locked row's where another move
# was waited for: then what was read beside the row (clocks, story) is older than the row itself.
_READ = f"""
    SELECT {", ".join(f"i.{column}" for column in _COLUMNS)}, ST_X(i.geom) AS lon, ST_Y(i.geom) AS lat,
           k.icon, k.limit_kind, k.limit_value::float AS limit_value,
           (SELECT stamp::text FROM rules_stamp) AS rules_stamp,
           set_config('app.case', i.id::text, true) AS in_hand,
           (SELECT x.version FROM incident AS x WHERE x.id = i.id) AS version_read,
           (SELECT max(m.at) FROM incident_move AS m WHERE m.incident_id = i.id) AS moved_at,
           (SELECT jsonb_build_object('stage', m.from_stage, 'details', m.details) FROM incident_move AS m
             WHERE m.incident_id = i.id AND m.move IN ('park', 'join')
             ORDER BY m.version DESC LIMIT 1) AS parked,
           (SELECT coalesce(jsonb_agg(to_jsonb(c) ORDER BY c.id), '[]') FROM case_clock AS c
             WHERE c.incident_id = i.id) AS clocks
    FROM incident AS i JOIN category AS k ON k.code = i.category
    WHERE {{condition}}
    FOR UPDATE OF i
"""


@lru_cache(maxsize=64)
def _read(condition: str) -> Statement:
    """The statement for one kind of person."""
    return Statement(_READ.format(condition=condition))


@lru_cache(maxsize=256)
def _write(sets: str) -> Statement:
    """The statement for one set of changed columns."""
    return Statement(_WRITE.format(sets=sets))


@dataclass(frozen=True, slots=True)
class LockedCase:
    """A case nobody else can move until the transaction ends, with what a move needs to know of it."""

    case: Incident
    clocks: list[CaseClock]
    lon_lat: tuple[float, float]
    icon: str
    own: Limit
    """The category's own handling limit."""
    rules_stamp: str
    moved_at: datetime
    """When it was moved last."""
    parked_from: str | None
    """The stage in which it was parked or joined to another case last."""
    parked: dict[str, Any]
    """What the story kept then."""
    _as_read: dict[str, Any]
    _clocks_as_read: list[dict[str, Any]]


def lock(session: Session, incident_id: int, version: int, by: Principal) -> LockedCase:
    """Lock and read a case as it stood at `version`.

    Raises NotFound where the person may not see it, Conflict where it has moved on since, also while this
    statement waited for somebody else's move.
    """
    where = conditions(Filter(ids=[incident_id]), by)
    row = _read(where.condition).first(session, where.params)
    if row is None:
        raise no_incident(incident_id)
    if row.version != version or row.version_read != version:
        raise Conflict(
            en=f"The case has moved on: it is at version {row.version}, you saw {version}.",
            zh=f"该事件已有变化：现为第 {row.version} 版，您看到的是第 {version} 版。",
            remedy_en="Reload it and decide again.",
            remedy_zh="请刷新后再操作。",
            version=row.version,
        )
    as_read = {column: getattr(row, column) for column in _COLUMNS}
    clocks = [_clock(values) for values in row.clocks]
    return LockedCase(
        case=Incident(**as_read),
        clocks=clocks,
        lon_lat=(row.lon, row.lat),
        icon=row.icon,
        own=Limit(row.limit_kind, row.limit_value),
        rules_stamp=row.rules_stamp,
        moved_at=row.moved_at or row.reported_at,
        parked_from=row.parked["stage"] if row.parked else None,
        parked=row.parked["details"] if row.parked else {},
        _as_read=as_read,
        _clocks_as_read=[_values(clock) for clock in clocks],
    )


def _clock(values: dict[str, Any]) -> CaseClock:
    """A clock from its row as JSON."""
    moments = ("started_at", "due_at", "due_soon_at", "stopped_at", "climb_asked_of")
    read = {name: datetime.fromisoformat(values[name]) for name in moments if values[name] is not None}
    numbers = {name: Decimal(str(values[name])) for name in ("value", "extended")}
    kept = {name: value for name, value in values.items() if name not in _OF_THE_SWEEPS}
    return CaseClock(**(kept | read | numbers))


def _values(clock: CaseClock) -> dict[str, Any]:
    return {column: getattr(clock, column) for column in _CLOCK_COLUMNS}


def write(
    session: Session,
    locked: LockedCase,
    lon_lat: tuple[float, float],
    clocks: Sequence[CaseClock],
    moves: Sequence[dict[str, Any]],
    notices: Sequence[dict[str, Any]],
) -> None:
    """Write what has changed of the case and its clocks, the new rows of its story, and the notices."""
    case = locked.case
    now = {column: getattr(case, column) for column in _COLUMNS}
    changed = {column: value for column, value in now.items() if value != locked._as_read[column]}
    known = len(locked._clocks_as_read)
    turned = [
        {"id": clock.id, **_values(clock)}
        for clock, before in zip(clocks[:known], locked._clocks_as_read, strict=True)
        if _values(clock) != before
    ]
    sets = [f"{column} = n.{column}" for column in changed]
    parameters: dict[str, Any] = {"id": case.id, "territory": case.territory}
    if lon_lat != locked.lon_lat:
        sets.append("geom = ST_SetSRID(ST_MakePoint(:lon, :lat), 4490)")
        parameters |= {"lon": lon_lat[0], "lat": lon_lat[1]}
    for name, rows in (
        ("case", changed),
        ("turned", turned),
        ("started", [_values(clock) for clock in clocks[known:]]),
        ("moves", moves),
        ("notices", notices),
    ):
        parameters[name] = json.dumps(rows, default=_plain, ensure_ascii=False)
    _write(", ".join(sets)).one(session, parameters)


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} cannot be written")


_KEPT = [column for column in _CLOCK_COLUMNS if column != "incident_id"]

_SET_CLOCK = f"({', '.join(_KEPT)}) = ({', '.join(f't.{column}' for column in _KEPT)})"
_TURNED = "jsonb_populate_recordset(NULL::case_clock, CAST(:turned AS jsonb)) AS t"
_AFTER = "(SELECT count(*) FROM stopped) AS after"

# At most one clock may run, so what goes on or starts waits until everything that stops has stopped: a join
# with a count over `stopped` cannot yield a row before `stopped` is complete. The clocks are looked for among
# those of the case: PostgreSQL takes what comes as JSON for a hundred rows, and would read the whole table.
_WRITE = f"""
    WITH stopped AS (
        UPDATE case_clock AS c SET {_SET_CLOCK} FROM {_TURNED}
        WHERE c.incident_id = :id AND c.id = t.id AND t.stopped_at IS NOT NULL RETURNING c.id
    ), went_on AS (
        UPDATE case_clock AS c SET {_SET_CLOCK} FROM {_AFTER}, {_TURNED}
        WHERE c.incident_id = :id AND c.id = t.id AND t.stopped_at IS NULL
    ), started AS (
        INSERT INTO case_clock ({", ".join(_CLOCK_COLUMNS)})
        SELECT {", ".join(f"s.{column}" for column in _CLOCK_COLUMNS)}
        FROM {_AFTER}, jsonb_populate_recordset(NULL::case_clock, CAST(:started AS jsonb)) AS s
    ), moved AS (
        INSERT INTO incident_move (incident_id, move, from_stage, to_stage, at, account_id, actor_name, role,
                                   member_id, note, version, lon, lat, details, territory)
        SELECT :id, m.move, m.from_stage, m.to_stage, m.at, m.account_id, m.actor_name, m.role, m.member_id,
               m.note, m.version, m.lon, m.lat, m.details, :territory
        FROM jsonb_populate_recordset(NULL::incident_move, CAST(:moves AS jsonb)) AS m
    ), told AS (
        INSERT INTO notice (incident_id, kind, member_id, account_id, department_code, body, created_at,
                            territory)
        SELECT :id, n.kind, n.member_id, n.account_id, n.department_code,
               coalesce(n.body, jsonb_build_object()), n.created_at, :territory
        FROM jsonb_populate_recordset(NULL::notice, CAST(:notices AS jsonb)) AS n
    )
    UPDATE incident AS i SET {{sets}}
    FROM jsonb_populate_record(NULL::incident, CAST(:case AS jsonb)) AS n WHERE i.id = :id
    RETURNING i.id
"""
