"""Keyset paging: where a page of rows ended, as text that goes out with the page and comes back unchanged.

A cursor holds the sort value of the last row and the row's id, which breaks ties. It is no secret: whoever
makes one up sees the rows that are theirs to see, from another place on.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime

from gis.errors import Invalid
from gis.text import can_be_kept

_MAX_ID = 2**63 - 1


def written(value: str, row_id: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([value, row_id]).encode()).decode()


def read(after: str) -> tuple[str, int]:
    """(sort value, id). Raises Invalid for a text that `written` does not write."""
    try:
        value, row_id = json.loads(base64.urlsafe_b64decode(after.encode()))
    except (ValueError, TypeError, RecursionError) as error:
        raise unreadable() from error
    sound = isinstance(value, str) and can_be_kept(value) and type(row_id) is int and 0 <= row_id <= _MAX_ID
    if not sound:
        raise unreadable()
    return value, row_id


def read_moment(after: str) -> tuple[datetime, int]:
    """As `read`, where rows are sorted by a moment."""
    value, row_id = read(after)
    try:
        return datetime.fromisoformat(value), row_id
    except ValueError as error:
        raise unreadable() from error


def unreadable() -> Invalid:
    return Invalid(
        en="The paging cursor cannot be read.",
        zh="翻页游标无法识别。",
        remedy_en="Pass `next` of the page before unchanged, or leave `after` out.",
        remedy_zh="请原样传回上一页的 next，或不填 after。",
    )
