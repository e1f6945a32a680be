"""Putting a drawing of the cells to work: the gate, the change of generations, and who stands where now.

All in the caller's transaction: either the whole city has moved to the new cells or nothing has. Territory is
stamped on the ledgers and on open cases (`etl.redrawing`); closed cases keep the ground they were handled on
(decision 4). Reports go on meanwhile: those the change could not see yet are caught up with by
`redrawing.redraw_late_cases`, in a second transaction after this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from etl.grounds import Grounds
from etl.redrawing import redraw_open_cases
from etl.staging import Stage
from gis import audit
from gis.access import Principal
from gis.database import rows_changed
from gis.errors import Invalid
from grids.generation_check import GenerationReport, check_generation, no_generation

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
    stamped |= redraw_open_cases(session, name, now=now)
    session.execute(
        sa.text(
            "UPDATE cell AS c SET households_count = coalesce("
            "(SELECT sum(b.households_count) FROM building AS b WHERE b.cell_code = c.code), 0)"
            " WHERE c.generation = :name"
        ),
        {"name": name},
    )
    return stamped


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
