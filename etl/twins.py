"""One id on several rows of a file: pieces of one thing are joined, different things are refused.

Files cut at tile edges and districts drawn as several polygons repeat an id on purpose: the rows say the same
and only their ground differs. Rows that say different things under one id cannot both be right.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa

from etl.fields import Dataset
from etl.report import LoadReport, Reason, RowNote
from etl.staging import SRID, Stage

TWICE = Reason(
    "twice",
    "编码已被前面的行使用，内容不同",
    "the id was used by an earlier row that says something else",
    "请给每一条各自的编码。",
    "Give each thing an id of its own.",
)
JOINED = Reason("joined", "编码相同的多行已合为一条", "rows with the same id were joined into one")

GROUND = frozenset({"geom", "cell_code", "territory"})
"""What may differ between the pieces of one thing."""


def resolve_twins(stage: Stage, dataset: Dataset, report: LoadReport, key: Sequence[str]) -> None:
    """Leave one row for each `key` in the stage; tell the report which rows were joined or refused.

    The first row of a key stays. A later one that says the same is joined to it: polygons and lines are
    united, a point or a person is simply the same again. A building's pieces must touch. Anything else is
    refused.
    """
    facts = ", ".join(f'"{column}"' for column in stage.columns if column not in GROUND | {"row"})
    drawn = "geom" in stage.columns
    keys = ", ".join(f'"{column}"' for column in key)
    rows = stage.session.execute(
        sa.text(
            f"SELECT ctid::text AS place, row, source_code AS key, ROW({keys})::text AS twin,"
            f" ROW({facts})::text AS facts, {'ST_AsBinary(geom)' if drawn else 'NULL'} AS wkb"
            f" FROM {stage.name} WHERE ({keys}) IN"
            f" (SELECT {keys} FROM {stage.name} GROUP BY {keys} HAVING count(*) > 1) ORDER BY {keys}, row"
        )
    )
    grown: list[tuple[str, bytes]] = []
    gone: list[str] = []
    for _, group in groupby(rows, key=lambda row: row.twin):
        first, *others = group
        same = [row for row in others if row.facts == first.facts]
        shape = _united(dataset, [first, *same]) if drawn else None
        if drawn and shape is None:
            same = [row for row in same if row.wkb == first.wkb]
        elif shape is not None and same:
            grown.append((first.place, shapely.to_wkb(shapely.set_srid(shape, SRID), include_srid=True)))
        joined = {row.place for row in same}
        for row in others:
            gone.append(row.place)
            if row.place in joined:
                report.joined += 1
                report.repaired.append(RowNote(row.row, row.key, JOINED, f"↦ {first.row}"))
            else:
                report.refused.append(RowNote(row.row, row.key, TWICE, str(first.row)))
    _write(stage, grown, gone)


def _united(dataset: Dataset, rows: Sequence[Any]) -> shapely.Geometry | None:
    """The pieces as one geometry of the dataset's kind, or None when they cannot be one."""
    pieces = shapely.from_wkb(np.array([bytes(row.wkb) for row in rows], object))
    if dataset.geometry == "point":
        return None
    united = shapely.union_all(pieces)
    if dataset.geometry == "line":
        return shapely.MultiLineString(list(shapely.get_parts(shapely.line_merge(united))))
    if dataset.single:
        return united if united.geom_type == "Polygon" else None
    return shapely.MultiPolygon(list(shapely.get_parts(united)))


def _write(stage: Stage, grown: list[tuple[str, bytes]], gone: list[str]) -> None:
    if grown:
        places, shapes = zip(*grown, strict=True)
        stage.session.execute(
            sa.text(
                f"UPDATE {stage.name} AS s SET geom = g.shape::geometry"
                " FROM unnest(CAST(:places AS tid[]), CAST(:shapes AS bytea[])) AS g(place, shape)"
                " WHERE s.ctid = g.place"
            ),
            {"places": list(places), "shapes": list(shapes)},
        )
    if gone:
        stage.session.execute(
            sa.text(f"DELETE FROM {stage.name} WHERE ctid = ANY(CAST(:gone AS tid[]))"), {"gone": gone}
        )
