"""Putting a drawing of the cells to work: the gate, the change of generations, and who stands where now.

All in the caller's transaction: either the whole city has moved to the new cells or nothing has. Territory is
stamped on the ledgers and on open incidents, with their clocks and the pieces of work of other forces; closed
incidents keep the ground they were handled on (decision 4). Ground is all that changes about an open case:
whoever has it keeps it, and its running clocks keep the moment that was promised to the reporter. What comes
next, a reassignment or the next clock, goes by the new ground. The story of a case tells the change (the move
`redraw`), so that replay knows the ground of an earlier minute.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from etl.grounds import Grounds
from etl.routing import Places, Refusal, decided
from etl.staging import Stage
from gis import audit
from gis.access import Principal
from gis.database import rows_changed
from gis.errors import Invalid
from grids import owner_map
from grids.generation_check import GenerationReport, check_generation, no_generation
from grids.ground_rules import Decision, as_chosen
from grids.owner_map import OwnerMap
from grids.reasons import Trace
from incidents.incident import ENDED
from incidents.workflow import SYSTEM

NAMED = 5
"""Faults told in the refusal itself; the check lists them all."""


@dataclass(frozen=True, slots=True)
class Activation:
    """What was done: the check that came before, the generation that was replaced, rows stamped by table."""

    generation: str
    replaced: str | None
    report: GenerationReport
    stamped: dict[str, int]


def activate_generation(
    session: Session, name: str, *, by: Principal | None, now: datetime, force: bool = False
) -> Activation:
    """Make `name` the active generation and retire the one before it.

    Activating the active generation again stamps everything anew. Raises NotFound when it is not loaded, and
    Invalid with what is wrong when the check finds faults; `force` activates all the same and leaves the
    faults in the trail.
    """
    session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('activate generation'))"))
    if not session.scalar(sa.text("SELECT 1 FROM generation WHERE name = :name"), {"name": name}):
        raise no_generation(session, name)
    report = check_generation(session, name, now=now)
    if report.faults and not force:
        raise _faulty(report)
    replaced = _change(session, name, now)
    stamped = _stamp(session, name, now)
    audit.record(
        session, "activate_generation", "generation", name,
        by=by, now=now, replaced=replaced, forced=force and not report.clean, faults=report.counts,
    )  # fmt: skip
    return Activation(name, replaced, report, stamped)


def _faulty(report: GenerationReport) -> Invalid:
    first = report.faults[:NAMED]
    name, count = report.generation, len(report.faults)
    more_en, more_zh = ("; ...", "；……") if count > NAMED else (".", "。")
    return Invalid(
        en=f"Generation {name} has {count} faults: " + "; ".join(f.words("en") for f in first) + more_en,
        zh=f"版本 {name} 有 {count} 处问题：" + "；".join(f.words("zh") for f in first) + more_zh,
        remedy_en=f"See them all with: citygrid cells check {name}. Mend the drawing, or activate it with"
        " --force, which is written into the trail.",
        remedy_zh=f"用 citygrid cells check {name} 查看全部；请修正，或用 --force 强行启用（留痕）。",
        counts=report.counts,
    )


def _change(session: Session, name: str, now: datetime) -> str | None:
    """Retire the active generation, then activate `name`; at no moment are two active."""
    replaced = session.scalar(
        sa.text(
            "UPDATE generation SET status = 'retired', valid_to = :now"
            " WHERE status = 'active' AND name <> :name RETURNING name"
        ),
        {"name": name, "now": now},
    )
    session.execute(
        sa.text(
            "UPDATE generation SET status = 'active', activated_at = :now, valid_to = NULL,"
            " valid_from = coalesce(valid_from, :now) WHERE name = :name"
        ),
        {"name": name, "now": now},
    )
    return replaced


_PLACED = {
    "building": ("ST_PointOnSurface(t.geom)", True),
    "estate": ("ST_PointOnSurface(t.geom)", False),
    "shop": ("t.geom", True),
    "component": ("t.geom", True),
}
"""Ledgers with a place: the point that stands for a row, and whether it also keeps its cell."""

_INHERITED = (
    ("household", "building", "t.building_id = s.id"),
    ("resident", "household", "t.household_id = s.id"),
)
"""Ledgers that stand where something else stands, in this order."""

_OF_A_CASE = (("case_clock", "climb_asked_of = NULL, "), ("subtask", ""))
"""What lies where its open case lies; on other ground the ladder is asked again."""


def _stamp(session: Session, name: str, now: datetime) -> dict[str, int]:
    """Stamp territory (and cell) on whatever now stands elsewhere; rows that stay put are not written."""
    grounds = Grounds.of_city(session)
    stamped = {}
    for table, (point, keeps_cell) in _PLACED.items():
        stage = _standing(session, grounds, table, point)
        cell = "cell_code = s.cell_code, " if keeps_cell else ""
        moved = "(t.territory, t.cell_code) IS DISTINCT FROM (s.territory, s.cell_code)"
        stamped[table] = _changed(
            session,
            f"UPDATE {table} AS t SET {cell}territory = s.territory FROM {stage} AS s WHERE t.id = s.row AND "
            + (moved if keeps_cell else "t.territory IS DISTINCT FROM s.territory"),
        )
    for table, source, joined in _INHERITED:
        stamped[table] = _changed(
            session,
            f"UPDATE {table} AS t SET territory = s.territory FROM {source} AS s"
            f" WHERE {joined} AND t.territory IS DISTINCT FROM s.territory",
        )
    stamped["incident"] = _stamp_open_incidents(session, name, now)
    for table, asked_again in _OF_A_CASE:
        stamped[table] = _changed(
            session,
            f"UPDATE {table} AS t SET {asked_again}territory = i.territory FROM incident AS i"
            f" WHERE t.incident_id = i.id AND i.stage NOT IN {ENDED}"
            " AND t.territory IS DISTINCT FROM i.territory",
        )
    session.execute(
        sa.text(
            "UPDATE cell AS c SET households_count = coalesce("
            "(SELECT sum(b.households_count) FROM building AS b WHERE b.cell_code = c.code), 0)"
            " WHERE c.generation = :name"
        ),
        {"name": name},
    )
    return stamped


_OPEN = sa.text(
    f"""
    SELECT i.id, ST_X(i.geom) AS lon, ST_Y(i.geom) AS lat, i.accuracy_m, i.accuracy_level, i.cell_code,
           b.cell_code AS building, c.cell_code AS component,
           i.trace @> CAST('[{{"step": "chosen"}}]' AS jsonb) AS chosen
    FROM incident AS i LEFT JOIN building AS b ON b.id = i.building_id
                       LEFT JOIN component AS c ON c.id = i.component_id
    WHERE i.stage NOT IN {ENDED} ORDER BY i.id
    """
)


def _stamp_open_incidents(session: Session, name: str, now: datetime) -> int:
    """Open cases go where a report of today would, by the same rules: the ledgers are stamped already.

    What the reporter said of the side of a border still holds where it is still a border.
    """
    city = owner_map.current(session)
    stage = Stage(session, "standing_incident", {"cell_code": "text", "territory": "text"})
    rows: dict[str, list[Any]] = {"row": [], "cell_code": [], "territory": []}
    for case, decision in _decided(city, session.execute(_OPEN).all(), now):
        if case.chosen and case.cell_code:
            decision = as_chosen(city, decision, case.cell_code, Trace())
        rows["row"].append(case.id)
        rows["cell_code"].append(None if decision.cell is None else city.codes[decision.cell])
        rows["territory"].append(city.territory_of(decision.cell, case.lon, case.lat))
    stage.copy(rows)
    stage.analyze()
    moved = _changed(session, _REDRAW.format(stage=stage.name), name=name, now=now, actor=SYSTEM.display_name)
    _changed(
        session,
        f"UPDATE incident SET generation = :name WHERE stage NOT IN {ENDED}"
        " AND generation IS DISTINCT FROM :name",
        name=name,
    )
    return moved


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


# The story keeps where the case lay, pin and all: a later move of the pin changes what the case itself says.
_REDRAW = """
    WITH moved AS (
        UPDATE incident AS t
        SET cell_code = s.cell_code, territory = s.territory, generation = :name, version = t.version + 1
        FROM {stage} AS s JOIN incident AS was ON was.id = s.row
        WHERE t.id = s.row AND (t.territory, t.cell_code) IS DISTINCT FROM (s.territory, s.cell_code)
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


def _standing(session: Session, grounds: Grounds, table: str, point: str) -> str:
    """A stage (row = id, cell_code, territory) of where each row of a table stands now; its name."""
    found = session.execute(
        sa.text(f"SELECT t.id, ST_X({point}), ST_Y({point}) FROM {table} AS t ORDER BY t.id")
    ).all()
    places = np.array([row[1:] for row in found], float).reshape(-1, 2)
    at = grounds.at(places[:, 0], places[:, 1])
    stage = Stage(session, f"standing_{table}", {"cell_code": "text", "territory": "text"})
    stage.copy({"row": [row[0] for row in found], "cell_code": at.cell, "territory": at.territory})
    stage.analyze()
    return stage.name


def _changed(session: Session, statement: str, **params: object) -> int:
    return rows_changed(session, sa.text(statement), params)
