"""Exceptions (例外地段) from a file: polygons, or road lines with a buffer, each with its cell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from etl.fields import DATASETS, Dataset
from etl.loading import FileRequest, Occasion, Plan, load
from etl.report import LoadReport, Reason
from etl.sources import open_source
from etl.staging import Stage

NO_CELL = Reason(
    "no_such_cell",
    "现行网格中没有这个网格",
    "the active generation has no such cell",
    "请填写现行网格的编码、来源编码或名称。",
    "Give the code, the source code or the name of an active cell.",
)
NO_BUFFER = Reason(
    "no_buffer",
    "线状例外没有缓冲距离",
    "a line without a buffer is no ground",
    "请填写 buffer_m（米）。",
    "Fill in buffer_m, in metres.",
)
ENDS_BEFORE = Reason(
    "ends_before", "结束早于开始", "it ends before it starts", "请核对起止时间。", "Check both times."
)

_LINES = (1, 5)
"""GEOS type numbers of lines."""

_CELL = """
    UPDATE {stage} AS s SET cell_code = c.code, territory = c.territory
    FROM cell AS c JOIN generation AS g ON g.name = c.generation AND g.status = 'active'
    WHERE c.kind IN ('social', 'special') AND s.cell IN (c.code, c.source_code, c.name)"""
_KEPT = """
    UPDATE {stage} AS s
    SET starts_at = coalesce(s.starts_at, e.starts_at), created_by = e.created_by
    FROM exception AS e WHERE e.source_code = s.source_code COLLATE "C" """


def exceptions(session: Session, request: FileRequest, occasion: Occasion) -> LoadReport:
    """Load exceptions: a file of polygons, or one of lines with `buffer_m`.

    The cell is named by its code, what its file called it, or its name. One without a start holds from now
    on; loaded again it keeps the start it had.
    """

    def settle(stage: Stage, report: LoadReport) -> None:
        session.execute(sa.text(_CELL.format(stage=stage.name)))
        session.execute(sa.text(_KEPT.format(stage=stage.name)))
        by = "import" if occasion.by is None else occasion.by.display_name
        session.execute(
            sa.text(
                f"UPDATE {stage.name} SET starts_at = coalesce(starts_at, CAST(:now AS timestamptz)),"
                " created_by = coalesce(created_by, :by)"
            ),
            {"now": occasion.now, "by": by},
        )
        stage.refuse("s.cell_code IS NULL", NO_CELL, report, "s.cell")
        stage.refuse("ST_Dimension(s.geom) = 1 AND s.buffer_m <= 0", NO_BUFFER, report)
        stage.refuse("s.ends_at <= s.starts_at", ENDS_BEFORE, report)

    plan = Plan(
        _dataset(request),
        (
            "cell_code", "priority", "buffer_m", "reason", "starts_at", "ends_at", "created_by", "geom",
            "territory",
        ),
        extra={"cell_code": "text", "created_by": "text", "territory": "text"},
        settle=settle,
    )  # fmt: skip
    return load(session, request, plan, occasion)


def _dataset(request: FileRequest) -> Dataset:
    """The dataset for what the file draws: lines when its first geometry is one, else polygons."""
    polygons = DATASETS["exceptions"]
    with open_source(request.path, layer=request.layer, encoding=request.encoding) as source:
        first = next(source.batches(()), None) if source.drawn else None
        shapes = [] if first is None or first.geometry is None else list(first.geometry)
    types = shapely.get_type_id([shape for shape in shapes if shape is not None])
    return replace(polygons, geometry="line") if np.isin(types[:1], _LINES).any() else polygons
