"""Query parameters that several endpoints share, and how their text is read."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import AwareDatetime, BeforeValidator

from gis.access import CODE_WIDTHS, Principal, code_level
from gis.errors import Denied, Invalid
from incidents.work_queues import QUEUES

MAX_ID = 2**31 - 1
"""Identifiers are PostgreSQL integers; a larger number names nothing."""

Bounds = tuple[float, float, float, float]


def _plus_restored(value: object) -> object:
    """An offset whose + became a space on its way through an address: 10:00:00 08:00."""
    return re.sub(r"(T.*) (\d\d:?\d\d)$", r"\1+\2", value) if isinstance(value, str) else value


Moment = Annotated[AwareDatetime, BeforeValidator(_plus_restored)]
"""A time with its offset."""

IncidentId = Annotated[int, Path(ge=1, le=MAX_ID, description="Number of the case in the database (`id`).")]

BboxText = Annotated[
    str | None,
    Query(
        max_length=120,
        description="west,south,east,north in degrees of EPSG:4490",
        examples=["113.1,22.9,113.2,23.1"],
    ),
]
TerritoryText = Annotated[
    str | None,
    Query(max_length=15, description="A code of 4, 6, 9, 12 or 15 digits: city to cell."),
]


def bounds(text: str | None) -> Bounds | None:
    """`west,south,east,north` -> four degrees, or None for no text. Raises Invalid."""
    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise _bad_bounds(text) from error
    fits = all(math.isfinite(v) for v in (west, south, east, north))
    if not (fits and -180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise _bad_bounds(text)
    return west, south, east, north


def place(text: str | None) -> tuple[float, float] | None:
    """`lon,lat` -> two degrees of EPSG:4490, or None for no text. Raises Invalid."""
    if text is None:
        return None
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError as error:
        raise _bad_place(text) from error
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise _bad_place(text)
    return lon, lat


def territory(text: str | None) -> str | None:
    """A territory code, or None for no text. Raises Invalid for anything else."""
    if not text:
        return None
    if code_level(text) is None:
        widths = ", ".join(f"{level} {width}" for level, width in CODE_WIDTHS.items())
        raise Invalid(
            en=f"{text!r} is no territory code.",
            zh=f"“{text}”不是辖区编码。",
            remedy_en=f"Codes are digits of fixed width: {widths}.",
            remedy_zh=f"编码为固定位数的数字：{widths}。",
        )
    return text


def own_ground(by: Principal, text: str | None) -> str:
    """The territory a desk looks at: the code asked for where it is its own ground, else all of its own.

    Raises Denied for another's ground and for a role that sees no ground, Invalid for what is no code.
    """
    wanted = territory(text)
    if not by.sees_territory or by.territory is None or (wanted is not None and not by.covers(wanted)):
        raise Denied(
            en="This ground is not yours to look at.",
            zh="这不是您的辖区。",
            remedy_en="Leave territory out, or name one of your own ground.",
            remedy_zh="请不填 territory，或填写本辖区的编码。",
        )
    return by.territory if wanted is None else wanted


def work_queue(text: str | None) -> tuple[str, ...]:
    """The work queue of this name, none for no text. Raises Invalid for a queue there is none of."""
    if text and text not in QUEUES:
        raise Invalid(
            en=f"There is no work queue {text}.",
            zh=f"没有工作队列 {text}。",
            remedy_en="Queues are " + ", ".join(QUEUES) + ".",
            remedy_zh="队列有 " + "、".join(QUEUES) + "。",
        )
    return (text,) if text else ()


def listed(values: list[str] | None) -> tuple[str, ...]:
    """`a,b` and repeated parameters alike -> the values, without empty ones."""
    return tuple(part.strip() for value in values or () for part in value.split(",") if part.strip())


def _bad_bounds(text: str) -> Invalid:
    return Invalid(
        en=f"bbox {text[:120]!r} is not west,south,east,north in degrees.",
        zh=f"bbox “{text[:120]}”不是以度为单位的 西,南,东,北。",
        remedy_en="Send four numbers, longitude first: bbox=113.10,22.98,113.14,23.02",
        remedy_zh="请给四个数，先经度后纬度：bbox=113.10,22.98,113.14,23.02",
    )


def _bad_place(text: str) -> Invalid:
    return Invalid(
        en=f"{text[:60]!r} is not lon,lat in degrees.",
        zh=f"“{text[:60]}”不是以度为单位的 经度,纬度。",
        remedy_en="Send two numbers, longitude first: 113.1234,23.0021",
        remedy_zh="请给两个数，先经度后纬度：113.1234,23.0021",
    )


def has_window(since: datetime | None, until: datetime | None) -> None:
    """Refuse a window that ends before it starts. Raises Invalid."""
    if since is not None and until is not None and since >= until:
        raise Invalid(
            en="`from` must lie before `to`.",
            zh="from 须早于 to。",
            remedy_en="Swap them; `to` itself is not included.",
            remedy_zh="请对调二者；时段不含 to 本身。",
        )
