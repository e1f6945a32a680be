"""A way to load one small file in a test's own transaction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from etl.loading import FileRequest, Occasion
from etl.report import LoadReport
from gis.access import Principal
from tests.toy_city import NOW

SHANGHAI = ZoneInfo("Asia/Shanghai")
OPERATOR = Principal(0, "cli:test", "操作员", "admin", "")
WHEN = Occasion(OPERATOR, NOW, SHANGHAI)

Load = Callable[..., LoadReport]


@pytest.fixture
def load(session: Session) -> Load:
    """`load(pipeline, path, crs=..., mapping=..., headers=..., **particular)` -> the report."""

    def run(pipeline: Callable[..., LoadReport], path: Path, **more: object) -> LoadReport:
        names = ("crs", "mapping", "layer", "encoding", "headers", "refused_file")
        request = FileRequest(path, **{name: more.pop(name) for name in names if name in more})
        return pipeline(session, request, WHEN, **more)

    return run


@pytest.fixture
def rows(session: Session) -> Callable[..., list[tuple[object, ...]]]:
    """`rows("SELECT ...")` -> the rows as tuples."""
    return lambda sql, **params: [tuple(row) for row in session.execute(sa.text(sql), params)]


def codes(notes: list) -> list[tuple[int, str]]:
    """(row, reason) of refusals or repairs, in the order of rows."""
    return sorted((note.row, note.reason.code) for note in notes)


def counts(report: LoadReport) -> tuple[int, int, int]:
    """New, changed, as they were."""
    return report.inserted, report.updated, report.unchanged
