"""A function for each dataset that has a place. People are in `etl.people`, cases in `etl.cases`.

Each says what is special about its file and hands it to `loading.load`. All run in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from etl.codes import CodeTable, Given, Known, area_codes, cell_codes, parent_of
from etl.exceptions import exceptions
from etl.fields import DATASETS
from etl.grounds import Grounds
from etl.loading import FileRequest, Occasion, Plan, load
from etl.preparing import inner_points
from etl.report import LoadReport, Reason, RowNote
from etl.staging import Stage
from gis.errors import Conflict, Invalid
from grids.cells import KINDS, Generation
from layers.areas import LEVELS

CODED = Reason("code_made_up", "区划代码表中没有，已生成编码", "not in the code table: a code was made up")
SAME_CODE = Reason(
    "same_code",
    "与前面的行得到同一个编码",
    "an earlier row has the same code",
    "请更正编码或名称。",
    "Correct the code or the name.",
)


def areas(
    session: Session,
    request: FileRequest,
    occasion: Occasion,
    *,
    level: str,
    code_tables: Sequence[Path] = (),
) -> LoadReport:
    """Load the areas of one level. `code_tables` are CSV files of division codes, searched by name."""
    if level not in LEVELS:
        raise _unknown("level", "层级", level, LEVELS)
    table = CodeTable.read(code_tables)

    def settle(stage: Stage, report: LoadReport) -> None:
        rows = session.execute(
            sa.text(f"SELECT row, source_code, name, parent FROM {stage.name} ORDER BY row")
        ).all()
        known = [Known(*row) for row in session.execute(sa.text("SELECT code, name, source_code FROM area"))]
        coded = area_codes([Given(*row[1:]) for row in rows], level, known, table)
        stage.fill(
            "row",
            {
                "row": [row.row for row in rows],
                "code": [code.code for code in coded],
                "level": [level] * len(coded),
                "parent_code": [parent_of(code.code) or None for code in coded],
                "territory": [code.code for code in coded],
            },
        )
        made_up = [row for row, code in zip(rows, coded, strict=True) if code.origin == "invented"]
        if table.names:
            report.repaired += [RowNote(row.row, row.source_code, CODED) for row in made_up]
        elif made_up:
            report.remark(f"生成了 {len(made_up)} 个编码。", f"{len(made_up)} codes were made up.")
        _refuse_same_code(stage, report)

    plan = Plan(
        DATASETS["areas"],
        ("level", "name", "name_en", "parent_code", "source_code", "geom", "territory"),
        key=("code",),
        extra={"code": "text", "level": "text", "parent_code": "text", "territory": "text"},
        settle=settle,
    )
    return load(session, request, plan, occasion)


def cells(
    session: Session,
    request: FileRequest,
    occasion: Occasion,
    *,
    kind: str = "social",
    generation: str | None = None,
) -> LoadReport:
    """Load the cells of one kind into a generation, which is made when it does not exist.

    Without a name the generation is called after the file, so that the same file is the same drawing. Raises
    Conflict when the file would change an active generation: a drawing changes as a whole, by activation.
    """
    if kind not in KINDS:
        raise _unknown("kind", "网格类型", kind, KINDS)
    name = generation or request.path.stem
    drawn = session.get(Generation, name)
    if drawn is None:
        session.add(Generation(name=name, label=name))
        session.flush()

    def settle(stage: Stage, report: LoadReport) -> None:
        _settle_cells(session, stage, kind, name)
        _refuse_same_code(stage, report)

    plan = Plan(
        DATASETS["cells"],
        ("name", "community_code", "source_code", "area_m2", "geom", "territory"),
        key=("generation", "kind", "code"),
        extra={
            "generation": "text",
            "kind": "text",
            "code": "text",
            "community_code": "text",
            "area_m2": "float8",
            "territory": "text",
        },
        settle=settle,
    )
    report = load(session, request, plan, occasion)
    if drawn is not None and drawn.status == "active" and report.inserted + report.updated:
        raise Conflict(
            en=f"The generation {name} is active; a file cannot change it.",
            zh=f"版本 {name} 正在启用，不能用文件改动。",
            remedy_en="Load it as a new one (--generation NAME), then: citygrid cells activate NAME",
            remedy_zh="请用 --generation 新版本名 导入，再运行：citygrid cells activate 版本名",
        )
    return report


def _settle_cells(session: Session, stage: Stage, kind: str, generation: str) -> None:
    """Codes, communities, areas in square metres; a cell without a name is called what the file calls it."""
    rows = session.execute(
        sa.text(
            f"SELECT row, source_code, ST_AsBinary(geom) AS wkb, ST_Area(geom::geography) AS m2"
            f" FROM {stage.name} ORDER BY source_code"
        )
    ).all()
    grounds = Grounds.of_areas(session)
    points = inner_points(shapely.from_wkb(np.array([bytes(row.wkb) for row in rows], object)))
    home = grounds.at(shapely.get_x(points), shapely.get_y(points)).territory
    if kind in ("social", "special"):
        known = session.execute(
            sa.text(
                "SELECT DISTINCT ON (c.source_code) c.source_code, c.code FROM cell AS c"
                " JOIN generation AS g ON g.name = c.generation WHERE c.kind = :kind"
                " AND c.source_code IS NOT NULL ORDER BY c.source_code, g.loaded_at DESC"
            ),
            {"kind": kind},
        )
        taken = session.execute(sa.text("SELECT DISTINCT code FROM cell")).scalars()
        given = [(row.source_code, area) for row, area in zip(rows, home, strict=True)]
        codes = [coded.code for coded in cell_codes(given, dict(list(known)), taken)]
        territory = codes
    else:
        codes, territory = [row.source_code for row in rows], home
    stage.fill(
        "row",
        {
            "row": [row.row for row in rows],
            "generation": [generation] * len(rows),
            "kind": [kind] * len(rows),
            "code": codes,
            "community_code": [
                code[:12] if len(code) == 15 else area or None for code, area in zip(codes, home, strict=True)
            ],
            "area_m2": [row.m2 for row in rows],
            "territory": territory,
        },
    )
    session.execute(sa.text(f"UPDATE {stage.name} SET name = source_code WHERE name IS NULL"))


def estates(session: Session, request: FileRequest, occasion: Occasion) -> LoadReport:
    """Load estates (小区): named grounds with one wall or one name around them."""
    plan = Plan(DATASETS["estates"], ("name", "kind", "geom", "territory"))
    return load(session, request, plan, occasion)


TOWER_FLOORS = 18
LOW_FLOORS = 6
STOREY_M = 3.0

_STYLE = f"""
    UPDATE {{stage}} SET style = CASE
        WHEN coalesce(floors, height_m / {STOREY_M}) >= {TOWER_FLOORS} THEN 'tower'
        WHEN use = 'commercial' AND coalesce(floors, height_m / {STOREY_M}) <= {LOW_FLOORS} THEN 'shop'
        WHEN coalesce(floors, height_m) IS NOT NULL THEN 'slab'
        ELSE 'other' END
    WHERE style IS NULL"""
_ESTATE = """
    UPDATE {stage} AS s SET estate_id = e.id FROM estate AS e
    WHERE CASE WHEN s.estate IS NOT NULL THEN s.estate IN (e.source_code, e.name)
               ELSE s.geom && e.geom AND ST_Covers(e.geom, ST_PointOnSurface(s.geom)) END"""


def buildings(session: Session, request: FileRequest, occasion: Occasion) -> LoadReport:
    """Load buildings: one footprint a row; how it looks follows from its height where the file does not say.

    The estate is the one the file names (by code or name), else the one the building stands in.
    """

    def settle(stage: Stage, _report: LoadReport) -> None:
        session.execute(sa.text(_STYLE.format(stage=stage.name)))
        if _any_row(session, "estate"):
            session.execute(sa.text(_ESTATE.format(stage=stage.name)))

    plan = Plan(
        DATASETS["buildings"],
        (
            "name", "number", "estate_id", "address", "use", "style", "floors", "units", "height_m",
            "households_count", "cell_code", "geom", "territory",
        ),
        extra={"estate_id": "int4"},
        settle=settle,
    )  # fmt: skip
    return load(session, request, plan, occasion)


def roads(session: Session, request: FileRequest, occasion: Occasion) -> LoadReport:
    """Load roads by their centre lines; what is no road (rails, ferries) is refused by its class."""
    columns = ("name", "name_en", "class", "width_m", "bridge", "geom")
    return load(session, request, Plan(DATASETS["roads"], columns), occasion)


def shops(session: Session, request: FileRequest, occasion: Occasion) -> LoadReport:
    """Load shops: points with a name; each is hung on the building it stands in."""

    def settle(stage: Stage, _report: LoadReport) -> None:
        if _any_row(session, "building"):
            session.execute(
                sa.text(
                    f"UPDATE {stage.name} AS s SET building_id ="
                    " (SELECT b.id FROM building AS b WHERE b.geom && s.geom AND ST_Covers(b.geom, s.geom)"
                    " ORDER BY b.id LIMIT 1)"
                )
            )

    columns = ("name", "category", "building_id", "address", "cell_code", "geom", "territory")
    plan = Plan(DATASETS["shops"], columns, extra={"building_id": "int4"}, settle=settle)
    return load(session, request, plan, occasion)


def components(session: Session, request: FileRequest, occasion: Occasion) -> LoadReport:
    """Load components (部件); a department may be given by its code or by its name."""

    def settle(stage: Stage, _report: LoadReport) -> None:
        session.execute(
            sa.text(
                f"UPDATE {stage.name} AS s SET department_code = d.code FROM department AS d"
                " WHERE s.department_code IN (d.name_zh, d.name_en)"
            )
        )

    columns = ("kind", "code", "name", "department_code", "state", "cell_code", "geom", "territory")
    return load(session, request, Plan(DATASETS["components"], columns, settle=settle), occasion)


def land(session: Session, request: FileRequest, occasion: Occasion) -> LoadReport:
    """Load land use."""
    return load(session, request, Plan(DATASETS["land"], ("kind", "name", "geom")), occasion)


def water(session: Session, request: FileRequest, occasion: Occasion) -> LoadReport:
    """Load rivers, canals and ponds as areas."""
    return load(session, request, Plan(DATASETS["water"], ("kind", "name", "geom")), occasion)


Pipeline = Callable[[Session, FileRequest, Occasion], LoadReport]

GROUND: dict[str, Pipeline] = {
    "estates": estates,
    "buildings": buildings,
    "roads": roads,
    "shops": shops,
    "components": components,
    "land": land,
    "water": water,
    "exceptions": exceptions,
}
"""The datasets that need nothing but their file."""


def _refuse_same_code(stage: Stage, report: LoadReport) -> None:
    stage.refuse(
        f"EXISTS (SELECT 1 FROM {stage.name} AS o WHERE o.code = s.code AND o.row < s.row)",
        SAME_CODE,
        report,
        "code",
    )


def _any_row(session: Session, table: str) -> bool:
    return session.execute(sa.text(f"SELECT EXISTS (SELECT 1 FROM {table})")).scalar_one()


def _unknown(what: str, what_zh: str, value: str, known: Sequence[str]) -> Invalid:
    return Invalid(
        en=f"There is no {what} {value}.",
        zh=f"没有{what_zh} {value}。",
        remedy_en="Use one of " + ", ".join(known) + ".",
        remedy_zh="可用：" + "、".join(known) + "。",
    )
