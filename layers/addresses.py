"""Search: a few characters -> places, the best first. Codes, addresses, names and trades; nobody's name.

What is typed is cut where script or digits change, and each piece must occur: "银杏苑3栋" finds 银杏苑 3 栋.
An exact code or name comes before a beginning, a beginning before a part, and among equals the nearest to
where the map looks. Two Chinese characters are enough.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

PER_KIND = 4
"""Places of one kind, so that forty buildings do not hide the one road of that name."""
MAX_LENGTH = 80
MAX_WORDS = 6

_WORDS = re.compile(r"\d+|[a-z]+|[^\da-z\s]+")


@dataclass(frozen=True, slots=True)
class Found:
    """One place. `rank` is 0 for an exact fit, 1 for a beginning, 2 for a part; `near` is its distance in
    degrees. `lon`, `lat` lie on it (EPSG:4490); `bbox` is west, south, east, north where it has a size."""

    kind: str
    id: int | None
    code: str | None
    title: str
    subtitle: str | None
    lon: float
    lat: float
    bbox: tuple[float, float, float, float] | None
    rank: int
    near: float


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed, in lower case: as it is, without blanks, and in words. No words, no finds."""

    text: str
    compact: str
    words: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Typed:
        text = text[:MAX_LENGTH].replace("\x00", "").strip().lower()
        return cls(text, "".join(text.split()), tuple(_WORDS.findall(text)[:MAX_WORDS]))

    @property
    def is_code(self) -> bool:
        """Digits alone: worth looking for among codes."""
        return self.compact.isascii() and self.compact.isdigit()

    def rank(self, *texts: str | None) -> int:
        """How well the best of some texts fits (see `Found.rank`), for finds from elsewhere."""
        plain = ["".join((text or "").split()).lower() for text in texts]
        if self.compact in plain:
            return 0
        return 1 if any(text.startswith(self.compact) for text in plain) else 2


@dataclass(frozen=True, slots=True)
class _Kind:
    """Where one kind of place is found. `rows` gives id, code, title, subtitle, geom and the `texts` to look
    in; `code` is matched as a whole, by its beginning and by its end."""

    name: str
    rows: str
    texts: tuple[str, ...]
    code: str | None = None
    sized: bool = False


_KINDS = (
    _Kind(
        "area",
        "SELECT NULL::int AS id, t.code, t.name AS title, p.name AS subtitle, t.geom, t.name, t.name_en"
        " FROM area AS t LEFT JOIN area AS p ON p.code = t.parent_code",
        ("name", "name_en"),
        "code",
        sized=True,
    ),
    _Kind(
        "cell",
        "SELECT id, code, name AS title, code AS subtitle, geom, name FROM cell WHERE kind = 'social'"
        " AND generation = (SELECT name FROM generation WHERE status = 'active')",
        ("name",),
        "code",
        sized=True,
    ),
    _Kind(
        "estate",
        "SELECT t.id, NULL AS code, t.name AS title, a.name AS subtitle, t.geom, t.name"
        " FROM estate AS t LEFT JOIN area AS a ON a.code = left(t.territory, 12)",
        ("name",),
        sized=True,
    ),
    _Kind(
        "road",
        "SELECT NULL::int AS id, NULL AS code, name AS title, NULL AS subtitle, ST_Collect(geom) AS geom,"
        " name, name_en FROM road WHERE name IS NOT NULL GROUP BY name, name_en",
        ("name", "name_en"),
        sized=True,
    ),
    _Kind(
        "building",
        "SELECT t.id, NULL AS code, coalesce(t.name, t.address, t.number) AS title,"
        " coalesce(t.address, e.name) AS subtitle, t.geom, t.name, t.address"
        " FROM building AS t LEFT JOIN estate AS e ON e.id = t.estate_id",
        ("name", "address"),
    ),
    _Kind(
        "shop",
        "SELECT id, NULL AS code, name AS title, coalesce(address, category) AS subtitle, geom, name,"
        " category FROM shop",
        ("name", "category"),
    ),
    _Kind(
        "component",
        "SELECT id, code, coalesce(name, code) AS title, code AS subtitle, geom, name FROM component"
        " WHERE coalesce(name, code) IS NOT NULL",
        ("name",),
        "code",
    ),
)
ORDER = tuple(kind.name for kind in _KINDS)
"""Among equally good finds the larger place comes first."""


def search(
    session: Session, typed: Typed, *, lon: float | None = None, lat: float | None = None
) -> list[Found]:
    """Places that fit, at most `PER_KIND` of each kind, best first; one statement.

    `lon`, `lat` (EPSG:4490) is where the map looks; without it the order among equals is by name.
    """
    if not typed.words:
        return []
    params: dict[str, Any] = {f"word_{n}": f"%{_like(word)}%" for n, word in enumerate(typed.words)}
    params |= {"compact": typed.compact, "beginning": _like(typed.compact) + "%"}
    params |= {"end": "%" + _like(typed.compact), "lon": lon, "lat": lat, "per_kind": PER_KIND}
    rows = session.execute(_statement(tuple(map(_has_case, typed.words)), typed.is_code), params)
    found = [
        Found(kind, id_, code, title, subtitle, lon, lat, None if box[0] is None else tuple(box), rank, near)
        for kind, id_, code, title, subtitle, lon, lat, *box, rank, near in rows
    ]
    return sorted(found, key=lambda f: (f.rank, ORDER.index(f.kind), f.near, f.title))


def _has_case(word: str) -> bool:
    """Chinese and digits have none, and LIKE reads a text four times as fast as ILIKE."""
    return word.upper() != word


@lru_cache(maxsize=256)
def _statement(cased: tuple[bool, ...], is_code: bool) -> sa.TextClause:
    """The query for as many words, each with or without upper and lower case."""
    return sa.text("\nUNION ALL\n".join(f"({_kind_sql(kind, cased, is_code)})" for kind in _KINDS))


def _kind_sql(kind: _Kind, cased: tuple[bool, ...], is_code: bool) -> str:
    def any_text(template: str) -> str:
        return " OR ".join(template.format(text=f"r.{text}") for text in kind.texts)

    like = ("LIKE", "ILIKE")
    fits = " AND ".join(f"({any_text(f'{{text}} {like[case]} :word_{n}')})" for n, case in enumerate(cased))
    exact = any_text("lower(replace({text}, ' ', '')) = :compact")
    begins = any_text("lower(replace({text}, ' ', '')) LIKE :beginning")
    if kind.code and is_code:
        fits = f"({fits}) OR r.{kind.code} LIKE :beginning OR r.{kind.code} LIKE :end"
        exact = f"{exact} OR r.{kind.code} = :compact"
        begins = f"{begins} OR r.{kind.code} LIKE :beginning"
    box = (
        "ST_XMin(geom), ST_YMin(geom), ST_XMax(geom), ST_YMax(geom)"
        if kind.sized
        else "NULL, NULL, NULL, NULL"
    )
    return f"""
        SELECT '{kind.name}', id, code, title, subtitle, ST_X(spot), ST_Y(spot), {box}, rank, near
        FROM (SELECT r.*, CASE WHEN {exact} THEN 0 WHEN {begins} THEN 1 ELSE 2 END AS rank,
                     coalesce(r.geom <-> ST_SetSRID(ST_MakePoint(:lon, :lat), 4490), 0) AS near
              FROM ({kind.rows}) AS r WHERE {fits} ORDER BY rank, near, title LIMIT :per_kind) AS best,
        LATERAL ST_PointOnSurface(geom) AS spot"""


def _like(text: str) -> str:
    """A text with LIKE's own signs taken literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
