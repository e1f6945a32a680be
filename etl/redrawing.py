"""Open cases on cells that were redrawn: each goes where a report of today would, and its story tells so.

Ground is all that changes about an open case, with its clocks and the pieces of work of other forces: whoever
has it keeps it, and its running clocks keep the moment that was promised to the reporter. What comes next, a
reassignment or the next clock, goes by the new ground. The story keeps the change as the move `redraw`, so
that replay knows the ground of an earlier minute.

An activation takes its time, and cases are reported and moved while it does. They are decided on the picture
of before and cannot be seen by the activation's own transaction; `redraw_late_cases` catches up with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from etl.routing import Places, Refusal, decided
from etl.staging import Stage
from gis.database import rows_changed
from grids import owner_map
from grids.ground_rules import Decision, as_chosen
from grids.owner_map import OwnerMap
from grids.reasons import Trace
from incidents.incident import ENDED
from incidents.workflow import SYSTEM

LATE_S = 30.0
"""How long the work that was under way at the change of cells is waited for."""
_LOOK_EVERY_S = 0.05

_OF_A_CASE = (("case_clock", "climb_asked_of = NULL, "), ("subtask", ""))
"""What lies where its open case lies; on other ground the ladder is asked again."""

_OPEN = f"""
    SELECT i.id, ST_X(i.geom) AS lon, ST_Y(i.geom) AS lat, i.accuracy_m, i.accuracy_level, i.cell_code,
           b.cell_code AS building, c.cell_code AS component,
           i.trace @> CAST('[{{"step": "chosen"}}]' AS jsonb) AS chosen
    FROM incident AS i LEFT JOIN building AS b ON b.id = i.building_id
                       LEFT JOIN component AS c ON c.id = i.component_id
    WHERE i.stage NOT IN {ENDED}"""
_IN_ORDER = " ORDER BY i.id"
_LATE = """
      AND (i.generation IS DISTINCT FROM :name
           OR EXISTS (SELECT FROM incident_move AS m
                      WHERE m.incident_id = i.id AND m.at >= :since AND m.move <> 'redraw'))"""
"""Decided on another drawing, or moved since the change began: a pin put right meanwhile counts as well."""

# The story keeps where the case lay, pin and all: a later move of the pin changes what the case itself says.
_REDRAW = f"""
    WITH moved AS (
        UPDATE incident AS t
        SET cell_code = s.cell_code, territory = s.territory, generation = :name, version = t.version + 1
        FROM {{stage}} AS s JOIN incident AS was ON was.id = s.row
        WHERE t.id = s.row AND t.stage NOT IN {ENDED}
          AND (t.territory, t.cell_code) IS DISTINCT FROM (s.territory, s.cell_code)
        RETURNING t.id, t.stage, t.version, t.territory, t.cell_code, was.territory AS old_territory,
                  was.cell_code AS old_cell, was.generation AS old_generation, t.geom
    )
    INSERT INTO incident_move (incident_id, move, from_stage, to_stage, at, actor_name, role, note, version,
                               details, territory)
    SELECT id, 'redraw', stage, stage, :now, :actor, 'system',
           '网格 ' || coalesce(old_cell, '（无）') || ' → ' || coalesce(cell_code, '（无）'), version,
           jsonb_build_object(
               'from', jsonb_build_object(
                   'lon', ST_X(geom), 'lat', ST_Y(geom), 'territory', old_territory, 'cell_code', old_cell,
                   'generation', old_generation),
               'to', jsonb_build_object('territory', territory, 'cell_code', cell_code)),
           territory
    FROM moved
"""


def redraw_open_cases(session: Session, name: str, *, now: datetime) -> dict[str, int]:
    """Put every open case, with what belongs to it, on the cells of the active generation `name`.

    The ledgers must have been stamped before. Returns the rows changed by table.
    """
    return _redraw(session, session.execute(sa.text(_OPEN + _IN_ORDER)).all(), name, now)


def redraw_late_cases(
    session: Session, name: str, *, since: datetime, now: datetime, wait_s: float = LATE_S
) -> dict[str, int]:
    """Do the same for the cases that an activation begun at `since` missed; in a transaction after its own.

    Transactions that began before this one may have decided on the old picture, so their end is waited for,
    at most `wait_s` seconds: what runs for longer than that (a backup) reports nothing. Changes nothing where
    `name` is no longer the active generation.
    """
    for _ in range(int(wait_s / _LOOK_EVERY_S)):
        if not session.scalar(_OLDER_WORK):
            break
        session.execute(sa.text("SELECT pg_sleep(:s)"), {"s": _LOOK_EVERY_S})
    if owner_map.current(session).generation != name:
        return {}
    late = session.execute(sa.text(_OPEN + _LATE + _IN_ORDER), {"name": name, "since": since}).all()
    return _redraw(session, late, name, now)


# The view is read once a transaction unless told otherwise.
_OLDER_WORK = sa.text(
    "SELECT count(*) FROM (SELECT pg_stat_clear_snapshot()) AS anew, pg_stat_activity"
    " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    " AND xact_start < now()"
)


def _redraw(session: Session, cases: Sequence[Any], name: str, now: datetime) -> dict[str, int]:
    """These cases, and their clocks and pieces of work, on the ground where they are now decided to lie.

    What the reporter said of the side of a border still holds where it is still a border.
    """
    city = owner_map.current(session)
    stage = Stage(session, "standing_incident", {"cell_code": "text", "territory": "text"})
    rows: dict[str, list[Any]] = {"row": [], "cell_code": [], "territory": []}
    for case, decision in _decided(city, cases, now):
        if case.chosen and case.cell_code:
            decision = as_chosen(city, decision, case.cell_code, Trace())
        rows["row"].append(case.id)
        rows["cell_code"].append(None if decision.cell is None else city.codes[decision.cell])
        rows["territory"].append(city.territory_of(decision.cell, case.lon, case.lat))
    stage.copy(rows)
    stage.analyze()
    told = {"name": name, "now": now, "actor": SYSTEM.display_name}
    changed = {"incident": rows_changed(session, sa.text(_REDRAW.format(stage=stage.name)), told)}
    ids = {"ids": [case.id for case in cases]}
    rows_changed(
        session,
        sa.text(
            f"UPDATE incident SET generation = :name WHERE id = ANY(:ids) AND stage NOT IN {ENDED}"
            " AND generation IS DISTINCT FROM :name"
        ),
        ids | {"name": name},
    )
    for table, asked_again in _OF_A_CASE:
        follow = (
            f"UPDATE {table} AS t SET {asked_again}territory = i.territory FROM incident AS i"
            f" WHERE t.incident_id = i.id AND i.id = ANY(:ids) AND i.stage NOT IN {ENDED}"
            " AND t.territory IS DISTINCT FROM i.territory"
        )
        changed[table] = rows_changed(session, sa.text(follow), ids)
    return changed


def _decided(city: OwnerMap, cases: Sequence[Any], now: datetime) -> Iterator[tuple[Any, Decision]]:
    """Each case with whose ground it is; a place the city would no longer take stays as it is."""
    places = Places(
        np.array([case.lon for case in cases], float),
        np.array([case.lat for case in cases], float),
        [case.accuracy_m for case in cases],
        now,
        [case.building for case in cases],
        component=[case.component for case in cases],
        accuracy_level=[case.accuracy_level for case in cases],
    )
    for case, decision in zip(cases, decided(city, places), strict=True):
        if not isinstance(decision, Refusal):
            yield case, decision
