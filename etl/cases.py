"""Cases of another system into this city: routed, numbered and told as a story, each exactly once.

A case is known by its id in the source system (`report_key`). Loading the file again changes nothing, but for
one thing: a case the source has closed meanwhile is closed here too. Nobody is notified of old cases.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from etl.fields import DATASETS, plain
from etl.loading import FileRequest, Occasion, Plan, load
from etl.merging import Merged
from etl.preparing import Reading
from etl.report import LoadReport, Reason, RowNote
from etl.routing import Routed, route
from etl.staging import Stage, ewkb
from incidents.categories import Category
from incidents.incident import ENDED
from incidents.reporting import MAX_TITLE

OTHER = {
    "code": "39999",
    "kind": "event",
    "group_code": "399",
    "group_zh": "其他",
    "group_en": "Other",
    "name_zh": "其他（外部导入）",
    "name_en": "Other (imported)",
    "icon": "more",
    "default_role": "member",
    "department_code": None,
    "needs_confirm": False,
    "urgent": False,
    "limit_kind": "working_days",
    "limit_value": 5,
    "standard": "local",
    "sort": 999,
    "active": True,
}
"""The category of cases whose own is not one of the city's; made when the first such case comes in."""

CHANNEL = "import"
SOON = timedelta(hours=1)
GIVEN_LIMIT = ("来源系统给定的时限", "The limit the source system gave")

BEFORE = Reason(
    "closed_before", "结案时间早于上报时间", "it was closed before it was reported",
    "请核对两个时间及其时区。", "Check both times and their offset.",
)  # fmt: skip
FUTURE = Reason(
    "in_future", "上报时间在将来", "it was reported in the future", "请核对时间及其时区。",
    "Check the time and its offset.",
)  # fmt: skip
CHANGED = Reason(
    "changed",
    "与先前导入的同一编号内容不同",
    "it differs from what was loaded under this id before",
    "请在本系统中办理变更。",
    "Make the change here, by a move.",
)
NOT_ROUTED = Reason(
    "not_routed", "无法定责", "nobody can be found for the place", "请核对坐标和坐标系声明。",
    "Check the coordinates and the declared system.",
)  # fmt: skip


def incidents(session: Session, request: FileRequest, occasion: Occasion) -> LoadReport:
    """Load cases. The file's columns are found by name or given: id, place, category, moments.

    A case with a closing moment is closed, another is registered and waits for the desk. A moment without an
    offset is the city's. Raises Invalid when no generation of cells is active.
    """

    def write(stage: Stage, report: LoadReport, reading: Reading) -> Merged:
        stage.refuse("s.closed_at < s.reported_at", BEFORE, report)
        stage.refuse("s.reported_at > CAST(:now AS timestamptz)", FUTURE, report, now=occasion.now)
        rows = _with_what_is_known(stage)
        known = []
        for row in rows:
            if row.before is not None and row.before == body_hash(row, reading.crs):
                known.append(row)
            elif row.before is not None:
                report.refused.append(RowNote(row.row, row.source_code, CHANGED))
        closed = _close(session, [row for row in known if row.closed_at and row.stage not in ENDED], occasion)
        new = [row for row in rows if row.before is None]
        inserted = _insert(session, new, report, reading, occasion, request.path.name)
        return Merged(inserted, closed, len(known) - closed)

    return load(session, request, Plan(DATASETS["incidents"], (), write=write), occasion)


def body_hash(row: Any, crs: str | None) -> str:
    """What a case says of itself at its birth: whatever of it changes later makes it another case."""
    reported = None if row.reported_at is None else row.reported_at.timestamp()
    facts = (row.source_lon, row.source_lat, crs, row.category, reported, row.title, row.description)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _with_what_is_known(stage: Stage) -> Sequence[Any]:
    """The staged rows, each with the case an earlier load made of it."""
    return stage.session.execute(
        sa.text(
            "SELECT s.*, ST_X(s.geom) AS lon, ST_Y(s.geom) AS lat, i.body_hash AS before, i.id AS case_id,"
            f" i.stage, i.version, i.territory FROM {stage.name} AS s LEFT JOIN incident AS i"
            f" ON i.channel = '{CHANNEL}' AND i.report_key = s.source_code COLLATE \"C\" ORDER BY s.row"
        )
    ).all()


def _insert(
    session: Session,
    rows: Sequence[Any],
    report: LoadReport,
    reading: Reading,
    occasion: Occasion,
    file: str,
) -> int:
    """Route the new cases and write them with their stories; returns how many."""
    if not rows:
        return 0
    answers = route(
        session,
        np.array([row.lon for row in rows]),
        np.array([row.lat for row in rows]),
        [None] * len(rows),
        at=occasion.now,
        zone=occasion.zone,
    )
    pairs = list(zip(rows, answers, strict=True))
    for row, answer in pairs:
        if answer.rule == "refused":
            report.refused.append(RowNote(row.row, row.source_code, NOT_ROUTED, answer.reason_en))
    pairs = [(row, answer) for row, answer in pairs if answer.rule != "refused"]
    categories = _categories(session, [row.category for row, _ in pairs], report)
    numbers = _numbers(session, [row.reported_at or occasion.now for row, _ in pairs], occasion)
    stage = Stage(session, "cases", CASE_COLUMNS)
    cases = [
        _case(row, answer, categories[row.category], number, reading.crs, occasion.now)
        for (row, answer), number in zip(pairs, numbers, strict=True)
    ]
    places = shapely.points([row.lon for row, _ in pairs], [row.lat for row, _ in pairs])
    told = {column: [case[column] for case in cases] for column in stage.columns if column != "geom"}
    stage.copy({**told, "geom": ewkb(places, multi=False)})
    stage.analyze()
    listed = ", ".join(CASE_COLUMNS)
    session.execute(
        sa.text(f"INSERT INTO incident ({listed}) SELECT {listed} FROM {stage.name} ORDER BY row")
    )
    session.execute(sa.text(_STORY.format(stage=stage.name)), {"actor": _actor(occasion), "file": file})
    return len(cases)


def _case(
    row: Any, answer: Routed, category: Category, number: str, crs: str | None, now: datetime
) -> dict[str, Any]:
    """Column -> value of one new case, but for its place."""
    reported_at = row.reported_at or now
    text = row.title or row.category or category.name_zh
    title = text if len(text) <= MAX_TITLE else text[: MAX_TITLE - 1] + "…"
    description = "\n".join(part for part in (text if title != text else None, row.description) if part)
    limit = GIVEN_LIMIT if row.due_at else (None, None)
    return {
        "row": row.row,
        "number": number,
        "tracking_code": secrets.token_hex(8),
        "report_key": row.source_code,
        "body_hash": body_hash(row, crs),
        "channel": CHANNEL,
        "category": category.code,
        "title": title,
        "description": description,
        "stage": "closed" if row.closed_at else "registered",
        "version": 2 if row.closed_at else 1,
        "source_lon": row.source_lon,
        "source_lat": row.source_lat,
        "source_crs": crs,
        "place": row.place,
        "generation": answer.generation,
        "cell_code": answer.cell,
        "territory": answer.territory,
        "rule": answer.rule,
        "confidence": answer.confidence,
        "border_m": answer.border_m,
        "second_cell": answer.second_cell,
        "second_member_id": answer.second_member_id,
        "reason_zh": answer.reason_zh,
        "reason_en": answer.reason_en,
        "member_id": answer.member_id,
        "department_code": category.department_code,
        "reported_at": reported_at,
        "registered_at": reported_at,
        "closed_at": row.closed_at,
        "answered_at": row.closed_at,
        "due_at": row.due_at,
        "due_soon_at": row.due_at - SOON if row.due_at else None,
        "limit_words_zh": limit[0],
        "limit_words_en": limit[1],
    }


CASE_COLUMNS = {
    **dict.fromkeys(
        (
            "number", "tracking_code", "report_key", "body_hash", "channel", "category", "title",
            "description", "stage", "source_crs", "place", "generation", "cell_code", "territory", "rule",
            "second_cell", "reason_zh", "reason_en", "department_code", "limit_words_zh", "limit_words_en",
        ),
        "text",
    ),
    **dict.fromkeys(("version", "second_member_id", "member_id"), "int4"),
    **dict.fromkeys(("source_lon", "source_lat", "confidence", "border_m"), "float8"),
    **dict.fromkeys(
        ("reported_at", "registered_at", "closed_at", "answered_at", "due_at", "due_soon_at"), "timestamptz"
    ),
    "geom": "geometry",
}  # fmt: skip

_STORY = """
    INSERT INTO incident_move (incident_id, move, from_stage, to_stage, at, actor_name, role, note, version,
                               territory)
    SELECT i.id, m.move, m.from_stage, m.to_stage, m.at, :actor, 'system', m.note, m.version, i.territory
    FROM {stage} AS s JOIN incident AS i ON i.tracking_code = s.tracking_code
    CROSS JOIN LATERAL (VALUES
        ('report', NULL, 'reported', s.reported_at, :file || ' · ' || s.report_key, 1),
        ('register', 'reported', 'registered', s.reported_at, NULL, 1),
        ('close', 'registered', 'closed', s.closed_at, NULL, 2)
    ) AS m(move, from_stage, to_stage, at, note, version)
    WHERE m.at IS NOT NULL
    ORDER BY i.id, m.version, m.from_stage NULLS FIRST
"""
"""The story of an imported case: reported and registered by the source system, closed when it says so."""


_CLOSE = """
    WITH told AS (
        SELECT * FROM unnest(CAST(:ids AS int[]), CAST(:at AS timestamptz[])) AS t(id, at)
    ), story AS (
        INSERT INTO incident_move (incident_id, move, from_stage, to_stage, at, actor_name, role, version,
                                   territory)
        SELECT i.id, 'close', i.stage, 'closed', told.at, :actor, 'system', i.version + 1, i.territory
        FROM told JOIN incident AS i ON i.id = told.id
    )
    UPDATE incident AS i
    SET stage = 'closed', closed_at = told.at, answered_at = told.at, version = version + 1
    FROM told WHERE i.id = told.id
"""


def _close(session: Session, rows: Sequence[Any], occasion: Occasion) -> int:
    """Close the cases the source has closed since they were loaded; the story says so. Returns how many."""
    if not rows:
        return 0
    session.execute(
        sa.text(_CLOSE),
        {
            "ids": [row.case_id for row in rows],
            "at": [row.closed_at for row in rows],
            "actor": _actor(occasion),
        },
    )
    return len(rows)


def _categories(
    session: Session, wanted: Sequence[str | None], report: LoadReport
) -> dict[str | None, Category]:
    """The category of each text a file uses: by code or by name, else the catch-all, which says how often."""
    known: dict[str, Category] = {}
    for category in session.scalars(sa.select(Category).where(Category.active)):
        for name in (category.code, category.name_zh, category.name_en):
            known.setdefault(plain(name), category)
    counts = Counter(wanted)
    strange = {text: n for text, n in counts.items() if text is None or plain(text) not in known}
    found: dict[str | None, Category] = {
        text: known[plain(text)] for text in counts if text is not None and text not in strange
    }
    if strange:
        other = session.get(Category, OTHER["code"]) or Category(**OTHER)
        session.add(other)
        session.flush()
        found |= dict.fromkeys(strange, other)
        listed = ", ".join(f"{text or '—'} ({n:,})" for text, n in Counter(strange).most_common(8))
        report.remark(
            f"归入“{other.name_zh}”的类别：{listed}", f"categories taken as {other.name_en}: {listed}"
        )
    return found


def _numbers(session: Session, moments: Sequence[datetime], occasion: Occasion) -> list[str]:
    """Case numbers in the city's format, counted on within the day of each moment.

    Days that are over go on from the highest number they have; today's come from the sequence that live
    reports draw from at this very moment.
    """
    days = [moment.astimezone(occasion.zone).date() for moment in moments]
    today = occasion.now.astimezone(occasion.zone).date()
    stems = {day: f"{day:%Y-%m%d-}" for day in sorted(set(days))}
    rows = session.execute(
        sa.text(
            "SELECT stem, coalesce(max(substr(number, 11)::bigint), 0)"
            " FROM unnest(CAST(:stems AS text[])) AS stem"
            " LEFT JOIN incident ON number >= stem AND number < stem || '~' GROUP BY stem"
        ),
        {"stems": list(stems.values())},
    )
    last = {stem: int(highest) for stem, highest in rows}
    live = iter(
        session.scalars(
            sa.text("SELECT next_case_number(:today) FROM generate_series(1, :n)"),
            {"today": today, "n": sum(day >= today for day in days)},
        ).all()
    )
    numbers = [""] * len(days)
    for i in sorted(range(len(days)), key=lambda i: moments[i]):
        if days[i] >= today:
            numbers[i] = next(live)
        else:
            stem = stems[days[i]]
            last[stem] += 1
            numbers[i] = f"{stem}{last[stem]:04d}"
    return numbers


def _actor(occasion: Occasion) -> str:
    return occasion.by.display_name if occasion.by else CHANNEL
