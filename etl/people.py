"""Households, residents and the grid force: people have no place, they hang on a building or a cell.

What a file says of a person never goes into a reason, a report or the trail. The rows it refuses are written
beside it for its owner's eyes only (`report.write_refused`).
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from etl.fields import DATASETS
from etl.loading import FileRequest, Occasion, Plan, load
from etl.merging import Merged
from etl.preparing import Reading
from etl.report import LoadReport, Reason, RowNote
from etl.staging import Stage
from gis.database import rows_changed

NO_BUILDING = Reason(
    "no_building",
    "找不到所写的楼栋，或不止一栋",
    "its building is not found, or there are several",
    "请先导入楼栋；写楼栋编码，或小区加楼号。",
    "Load the buildings first; name it by its code, or by estate and number.",
)
NO_HOUSEHOLD = Reason(
    "no_household",
    "找不到所写的住户",
    "its household is not found",
    "请先导入住户；写住户编码。",
    "Load the households first; name it by its code.",
)
NO_GROUND = Reason(
    "no_ground",
    "找不到所写的网格或街道",
    "its cell or subdistrict is not found",
    "请写现行版本（或新导入版本）中网格的编码或名称，或街道的编码或名称。",
    "Name a cell of the active generation, or of one newly loaded, or a subdistrict, by code or by name.",
)
KEPT_RIGHT = Reason(
    "kept_right",
    "文件里仍是更正前的内容，已保留更正",
    "the file still says what was put right; the correction stays",
)
WRONG_SPAN = Reason(
    "wrong_span",
    "结束日期不晚于开始日期",
    "it ends before it begins",
    "请核对起止日期。",
    "Check both dates.",
)

# A file names a building by the code it was loaded with, by its name, or by estate and number.
_BUILDING = """
    UPDATE {stage} AS s SET building_id = f.id, territory = f.territory FROM (
        SELECT row, min(id) AS id, min(territory) AS territory FROM (
            SELECT n.row, b.id, b.territory FROM {stage} AS n
            JOIN building AS b ON b.source_code = n.building COLLATE "C"
            UNION
            SELECT n.row, b.id, b.territory FROM {stage} AS n
            JOIN building AS b ON b.name = n.building COLLATE "C"
        ) AS named GROUP BY row HAVING count(*) = 1
    ) AS f WHERE f.row = s.row"""
_BUILDING_IN_ESTATE = """
    UPDATE {stage} AS s SET building_id = f.id, territory = f.territory FROM (
        SELECT n.row, min(b.id) AS id, min(b.territory) AS territory FROM {stage} AS n
        JOIN estate AS e ON n.estate COLLATE "C" IN (e.source_code, e.name)
        JOIN building AS b ON b.estate_id = e.id
         AND regexp_replace(b.number, '[^0-9A-Za-z]', '', 'g')
           = regexp_replace(n.building, '[^0-9A-Za-z]', '', 'g') COLLATE "C"
        GROUP BY n.row HAVING count(*) = 1
    ) AS f WHERE f.row = s.row AND s.building_id IS NULL"""
_HOUSEHOLDS_COUNTED = """
    SELECT b.id, count(h.id) FROM building AS b LEFT JOIN household AS h ON h.building_id = b.id
    WHERE b.id IN (SELECT building_id FROM {stage})
    GROUP BY b.id HAVING b.households_count <> count(h.id)"""
_CELLS_COUNTED = """
    SELECT c.id, sum(b.households_count) FROM cell AS c
    JOIN generation AS g ON g.name = c.generation AND g.status = 'active'
    JOIN building AS b ON b.cell_code = c.code
    WHERE c.code IN (SELECT o.cell_code FROM building AS o JOIN {stage} AS s ON s.building_id = o.id)
    GROUP BY c.id HAVING c.households_count <> sum(b.households_count)"""
_RESIDENTS_COUNTED = """
    SELECT h.id, count(r.id) FROM household AS h LEFT JOIN resident AS r ON r.household_id = h.id
    WHERE h.id IN (SELECT household_id FROM {stage})
    GROUP BY h.id HAVING h.residents_count <> count(r.id)"""
# A person's record was put right, and the file still says what was wrong: the correction stands. Whatever
# else the file says is news, and wins. In a stage the fields of a person read as `field_of` tells them.
_CORRECTED = """
    UPDATE {stage} AS s SET {field} = r.{field} FROM resident AS r
    WHERE r.source_code = s.source_code COLLATE "C" AND s.{field} IS DISTINCT FROM r.{field} AND EXISTS (
        SELECT FROM resident_correction AS c
        WHERE c.resident_id = r.id AND c.field = '{field}' AND c.undoes IS NULL
          AND c.before IS NOT DISTINCT FROM {said} COLLATE "C"
          AND NOT EXISTS (SELECT FROM resident_correction AS u WHERE u.undoes = c.id))
    RETURNING s.row, s.source_code"""
_SAID = {
    "name": "s.name",
    "gender": "s.gender",
    "birth_year": "s.birth_year::text",
    "phone": "s.phone",
    "is_head": "s.is_head::text",
    "tags": "nullif(array_to_string(s.tags, ','), '')",
}
_HOUSEHOLD = """
    UPDATE {stage} AS s SET household_id = h.id, territory = h.territory FROM household AS h
    WHERE h.source_code = s.household COLLATE "C" """


def households(session: Session, request: FileRequest, occasion: Occasion) -> LoadReport:
    """Load dwellings onto their buildings; the counts on buildings and cells follow."""

    def settle(stage: Stage, report: LoadReport) -> None:
        _run(stage, _BUILDING)
        _run(stage, _BUILDING_IN_ESTATE)
        stage.refuse("s.building_id IS NULL", NO_BUILDING, report)

    def finish(stage: Stage) -> None:
        _recount(stage, "building", "households_count", _HOUSEHOLDS_COUNTED)
        _recount(stage, "cell", "households_count", _CELLS_COUNTED)

    plan = Plan(
        DATASETS["households"],
        ("building_id", "unit", "floor", "door", "residents_count", "territory"),
        extra={"building_id": "int4", "territory": "text"},
        settle=settle,
        finish=finish,
    )
    return load(session, request, plan, occasion)


def residents(session: Session, request: FileRequest, occasion: Occasion) -> LoadReport:
    """Load persons into their households, named by the code they were loaded with."""

    def settle(stage: Stage, report: LoadReport) -> None:
        _run(stage, _HOUSEHOLD)
        stage.refuse("s.household_id IS NULL", NO_HOUSEHOLD, report)
        for field, said in _SAID.items():
            kept = stage.session.execute(sa.text(_CORRECTED.format(stage=stage.name, field=field, said=said)))
            report.repaired += [RowNote(row, key, KEPT_RIGHT, field) for row, key in kept]

    plan = Plan(
        DATASETS["residents"],
        ("household_id", "name", "gender", "birth_year", "phone", "is_head", "tags", "territory"),
        extra={"household_id": "int4", "territory": "text"},
        settle=settle,
        finish=lambda stage: _recount(stage, "household", "residents_count", _RESIDENTS_COUNTED),
    )
    return load(session, request, plan, occasion)


# A post's ground is found in the active generation, else in the newest loaded one: a new drawing gets its
# teams before it is activated, because the gate asks for them.
_GROUND = """
    UPDATE {stage} AS s SET territory = g.code FROM (
        SELECT row, min(code) AS code FROM (
            SELECT row, code, new, bool_and(new) OVER (PARTITION BY row) AS only_new FROM (
                SELECT n.row, c.code, g.status = 'loaded' AS new FROM {stage} AS n
                JOIN cell AS c ON n.ground COLLATE "C" IN (c.code, c.source_code, c.name)
                JOIN generation AS g ON g.name = c.generation
                WHERE c.kind IN ('social', 'special') AND (g.status = 'active' OR g.name = (
                    SELECT name FROM generation WHERE status = 'loaded' ORDER BY loaded_at DESC LIMIT 1))
                UNION
                SELECT n.row, a.code, false FROM {stage} AS n
                JOIN area AS a ON n.ground COLLATE "C" IN (a.code, a.source_code, a.name)
                WHERE a.level = 'subdistrict'
            ) AS named
        ) AS found WHERE new = only_new GROUP BY row HAVING count(*) = 1
    ) AS g WHERE g.row = s.row"""
_NEW_MEMBERS = """
    INSERT INTO member (name, phone, role, source_code, territory)
    SELECT DISTINCT ON (s.source_code) s.name, s.phone, s.role, s.source_code, s.territory FROM {stage} AS s
    WHERE NOT EXISTS (SELECT 1 FROM member AS m WHERE m.source_code = s.source_code COLLATE "C")
    ORDER BY s.source_code, s.row"""
_CHANGED_MEMBERS = """
    UPDATE member AS m SET name = s.name, phone = s.phone, territory = s.territory FROM (
        SELECT DISTINCT ON (source_code) * FROM {stage} ORDER BY source_code, row
    ) AS s WHERE m.source_code = s.source_code COLLATE "C"
      AND (m.name, m.phone, m.territory) IS DISTINCT FROM
          (s.name COLLATE "C", s.phone COLLATE "C", s.territory COLLATE "C")"""
_MEMBER_IDS = """
    UPDATE {stage} AS s SET member_id = m.id FROM member AS m
    WHERE m.source_code = s.source_code COLLATE "C" """
_NEW_DUTIES = """
    INSERT INTO duty (post, member_id, ground, building_id, starts_at, ends_at, territory)
    SELECT s.role, s.member_id, s.territory, s.building_id, coalesce(s.starts_at, :now), s.ends_at,
           s.territory
    FROM {stage} AS s WHERE NOT EXISTS (
        SELECT 1 FROM duty AS d WHERE d.member_id = s.member_id AND d.post = s.role COLLATE "C"
          AND d.ground = s.territory COLLATE "C" AND d.building_id IS NOT DISTINCT FROM s.building_id
          AND d.stand_in_for IS NULL
          AND (s.starts_at IS NULL AND (d.ends_at IS NULL OR d.ends_at > :now) OR d.starts_at = s.starts_at)
    ) ORDER BY s.row"""
_ENDED_DUTIES = """
    UPDATE duty AS d SET ends_at = s.ends_at FROM {stage} AS s
    WHERE d.member_id = s.member_id AND d.post = s.role COLLATE "C" AND d.ground = s.territory COLLATE "C"
      AND d.building_id IS NOT DISTINCT FROM s.building_id AND d.stand_in_for IS NULL
      AND (s.starts_at IS NULL OR d.starts_at = s.starts_at)
      AND s.ends_at > d.starts_at AND d.ends_at IS DISTINCT FROM s.ends_at"""


def members(session: Session, request: FileRequest, occasion: Occasion) -> LoadReport:
    """Load the grid force with their posts: a row is one person on one post of one ground.

    A person with several grounds has several rows under one id. A post without a first day is held from now;
    a last day in the file ends one that is held. Nobody's post is ended by being left out of the file.
    """

    def settle(stage: Stage, report: LoadReport) -> None:
        _run(stage, _GROUND)
        stage.refuse("s.territory IS NULL", NO_GROUND, report)
        stage.refuse("s.ends_at <= coalesce(s.starts_at, :now)", WRONG_SPAN, report, now=occasion.now)
        _run(stage, _BUILDING_OF_HEAD)
        stage.refuse("s.building IS NOT NULL AND s.building_id IS NULL", NO_BUILDING, report)

    def write(stage: Stage, _report: LoadReport, _reading: Reading) -> Merged:
        rows = stage.count()
        _run(stage, _NEW_MEMBERS)
        changed = _run(stage, _CHANGED_MEMBERS)
        _run(stage, _MEMBER_IDS)
        new = _run(stage, _NEW_DUTIES, now=occasion.now)
        changed += _run(stage, _ENDED_DUTIES)
        return Merged(new, changed, max(rows - new - changed, 0))

    plan = Plan(
        DATASETS["members"],
        (),
        twin_key=("source_code", "ground", "role", "building"),
        extra={"member_id": "int4", "building_id": "int4", "territory": "text"},
        settle=settle,
        write=write,
    )
    return load(session, request, plan, occasion)


_BUILDING_OF_HEAD = _BUILDING.replace(", territory = f.territory", "")
"""A building head's ground is the cell the file names; the building is only looked up."""

PEOPLE: dict[str, Callable[[Session, FileRequest, Occasion], LoadReport]] = {
    "households": households,
    "residents": residents,
    "members": members,
}


def _run(stage: Stage, statement: str, **params: object) -> int:
    """One statement over the stage; returns how many rows it changed."""
    return rows_changed(stage.session, sa.text(statement.format(stage=stage.name)), params)


def _recount(stage: Stage, table: str, column: str, counted: str) -> None:
    """Write the counts that are wrong, and nothing where none is: a cell's change reloads the owner map."""
    wrong = stage.session.execute(sa.text(counted.format(stage=stage.name))).all()
    if wrong:
        ids, counts = zip(*wrong, strict=True)
        stage.session.execute(
            sa.text(
                f"UPDATE {table} AS t SET {column} = n.count"
                " FROM unnest(CAST(:ids AS int[]), CAST(:counts AS int[])) AS n(id, count) WHERE t.id = n.id"
            ),
            {"ids": list(ids), "counts": [int(count) for count in counts]},
        )
