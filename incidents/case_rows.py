"""Cases as rows: which ones a filter means, which of them a person may see, and what one line holds.

A person sees the whole of their territory in a desk role, else what they handle, own or have reported. Rows
outside are simply not there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from gis.access import Principal, prefix_range
from gis.errors import Invalid, NotFound
from gis.masking import mask_name
from incidents.incident import ENDED, STAGES
from incidents.work_queues import condition_of, queues_for

CLOCKS = ("overdue", "due_soon", "in_time", "paused", "closed")

CLOCK_SQL = f"""
    CASE WHEN i.stage IN {ENDED} THEN 'closed'
         WHEN i.stage = 'parked' OR i.paused_at IS NOT NULL THEN 'paused'
         WHEN i.due_at < :now THEN 'overdue'
         WHEN i.due_soon_at <= :now THEN 'due_soon'
         ELSE 'in_time' END"""
"""The state of a case's clock at :now, from the alias `i`; the one definition for all readers."""

HOLLOW_SQL = "i.stage IN ('reported', 'registered')"
"""Not yet dispatched: drawn as the same outline, hollow."""


STANDS_ALONE_SQL = "(i.joined_to IS NULL OR i.appealed_at IS NOT NULL)"
"""A report that joined another case is not listed beside it, unless its reporter appeals."""

ANSWER_OWED_SQL = f"((i.stage IN {ENDED} AND i.answered_at IS NULL) OR i.appealed_at IS NOT NULL)"
"""`incident.ANSWER_OWED` of the alias `i`."""

ANSWER_STATES = ("nobody_waits", "waiting", "answered", "unanswered")
ANSWER_SQL = f"""
    CASE WHEN i.reported_by IS NULL AND i.on_behalf IS NULL AND i.channel IN ('import', 'sensor')
              THEN 'nobody_waits'
         WHEN {ANSWER_OWED_SQL} THEN 'unanswered'
         WHEN i.stage = 'reported' AND i.due_at < :now THEN 'unanswered'
         WHEN i.stage IN {ENDED} THEN 'answered'
         ELSE 'waiting' END"""
"""件件有回音, at :now, from the alias `i`: a report is unanswered when it has waited for its first word
longer than the record clock allows, has ended without its reporter being told, or has an appeal that waits.
Machines and files of other systems wait for no answer."""


ALIVE_SQL = f"(i.stage NOT IN {ENDED} OR i.appealed_at IS NOT NULL)"
"""Something is still asked of somebody; each half has its index."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What to list. Empty means no restriction; `bbox` is west, south, east, north in EPSG:4490."""

    bbox: tuple[float, float, float, float] | None = None
    stages: Sequence[str] = ()
    categories: Sequence[str] = ()
    clocks: Sequence[str] = ()
    territory: str | None = None
    building: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    closed_since: datetime | None = None
    """Of the ended cases only those that ended since; open ones are not concerned."""
    q: str | None = None
    overdue: bool | None = None
    open_only: bool = False
    hollow: bool | None = None
    mine: str | None = None
    """tasks: what I have to handle; reports: what I reported; turn: what waits for a move of mine."""
    ids: Sequence[int] = ()
    answer: str | None = None
    """One of ANSWER_STATES."""
    works: Sequence[str] = ()
    """In one of these work queues (`incidents.work_queues`)."""
    today: date | None = None
    """The city's day, by which a review is due; wanted with `works` and with mine = turn."""


@dataclass(frozen=True, slots=True)
class Row:
    """One case as a list or the map shows it. `handler` is masked; nothing else here is personal."""

    id: int
    number: str
    title: str
    category: str
    category_zh: str
    category_en: str
    icon: str
    stage: str
    clock: str
    hollow: bool
    due_at: datetime | None
    due_soon_at: datetime | None
    paused_at: datetime | None
    reported_at: datetime
    closed_at: datetime | None
    place: str | None
    territory: str
    cell_code: str | None
    cell_name: str | None
    handler_id: int | None
    handler: str | None
    department_code: str | None
    department_zh: str | None
    department_en: str | None
    version: int
    reports: int
    """How many reports it stands for."""
    open_subtasks: int
    floor: int | None
    unit: str | None
    room: str | None
    building_id: int | None
    lon: float
    lat: float


ROW_SQL = f"""
    SELECT i.id, i.number, i.title, i.category, k.name_zh AS category_zh, k.name_en AS category_en, k.icon,
           i.stage, {CLOCK_SQL} AS clock, {HOLLOW_SQL} AS hollow, i.due_at, i.due_soon_at, i.paused_at,
           i.reported_at, i.closed_at, i.place, i.territory, i.cell_code, c.name AS cell_name, i.handler_id,
           m.name AS handler, i.department_code, d.name_zh AS department_zh, d.name_en AS department_en,
           i.version, i.reports, i.open_subtasks, i.floor, i.unit, i.room, i.building_id, ST_X(i.geom) AS lon,
           ST_Y(i.geom) AS lat
"""
FROM_SQL = """
    FROM incident AS i
    JOIN category AS k ON k.code = i.category
    LEFT JOIN cell AS c ON c.generation = i.generation AND c.kind = 'social' AND c.code = i.cell_code
    LEFT JOIN member AS m ON m.id = i.handler_id
    LEFT JOIN department AS d ON d.code = i.department_code
"""


@dataclass
class Where:
    """Conditions and their parameters, gathered one by one."""

    parts: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)

    def add(self, condition: str, **params: Any) -> None:
        self.parts.append(condition)
        self.params.update(params)

    @property
    def condition(self) -> str:
        return " AND ".join(self.parts)

    @property
    def sql(self) -> str:
        return " WHERE " + self.condition

    def on(self, alias: str) -> str:
        """The condition where the cases stand under another alias."""
        return re.sub(r"\bi\.", f"{alias}.", self.condition)


# As an array, so that the index on `id` can answer it beside those on the other columns.
_HELPED_BY_MEMBER = "i.id = ANY(ARRAY(SELECT s.incident_id FROM subtask AS s WHERE s.member_id = :me_member))"
_HELPED_BY_DEPARTMENT = """i.id = ANY(ARRAY(
    SELECT s.incident_id FROM subtask AS s
    WHERE s.territory >= :mine_low AND s.territory < :mine_high AND s.department_code IS NOT NULL
      AND (CAST(:me_department AS text) IS NULL OR s.department_code = :me_department)))"""


def _visible(where: Where, by: Principal) -> None:
    """Restrict to what the person may see: their ground for a desk role, else their own tasks and reports,
    and what they were asked to help with."""
    own = ["i.reported_by = :me_account"]
    where.params["me_account"] = by.account_id
    if by.role == "system":
        own.append("true")
    if by.member_id is not None:
        own.append(f"i.handler_id = :me_member OR i.member_id = :me_member OR {_HELPED_BY_MEMBER}")
        where.params["me_member"] = by.member_id
    if by.role == "department_handler" and by.territory is not None:
        own.append(
            "(i.department_code IS NOT NULL AND i.territory >= :mine_low AND i.territory < :mine_high"
            f" AND (CAST(:me_department AS text) IS NULL OR i.department_code = :me_department))"
            f" OR {_HELPED_BY_DEPARTMENT}"
        )
        where.params["me_department"] = by.department
    if by.sees_territory:
        own.append("(i.territory >= :mine_low AND i.territory < :mine_high)")
    if by.territory is not None:
        where.params["mine_low"], where.params["mine_high"] = prefix_range(by.territory)
    where.add("(" + " OR ".join(own) + ")")


def visible_to(by: Principal) -> Where:
    """The WHERE of everything a person may see on the alias `i`, joined reports among it."""
    where = Where()
    _visible(where, by)
    return where


_CONDITIONS = {
    "stages": "i.stage = ANY(:stages)",
    "categories": "i.category = ANY(:categories)",
    "clocks": f"({CLOCK_SQL}) = ANY(:clocks)",
    "ids": "i.id = ANY(:ids)",
    "building": "i.building_id = :building",
    "since": "i.reported_at >= :since",
    "until": "i.reported_at < :until",
    "closed_since": f"(i.stage NOT IN {ENDED} OR i.closed_at >= :closed_since)",
    "overdue": f"(({CLOCK_SQL}) = 'overdue') = :overdue",
    "hollow": f"({HOLLOW_SQL}) = :hollow",
}
"""Field of a filter -> its condition, where the field's value is the whole parameter."""


def conditions(wanted: Filter, by: Principal) -> Where:
    """The WHERE of a read on the alias `i`: what the person may see, and of that what the filter means.

    Raises Invalid for a stage that is none.
    """
    _refuse_unknown_stages(wanted)
    where = Where()
    _visible(where, by)
    for name, condition in _CONDITIONS.items():
        value = getattr(wanted, name)
        if value is None or value == ():
            continue
        where.add(condition, **{name: list(value) if isinstance(value, tuple | list) else value})
    if not wanted.ids and wanted.mine != "reports":
        where.add(STANDS_ALONE_SQL)
    if wanted.answer:
        where.add(f"({ANSWER_SQL}) = :answer", answer=wanted.answer)
    if wanted.open_only:
        where.add(f"i.stage NOT IN {ENDED}")
    if wanted.bbox:
        where.add(
            "i.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)",
            **dict(zip(("west", "south", "east", "north"), wanted.bbox, strict=True)),
        )
    if wanted.territory:
        low, high = prefix_range(wanted.territory)
        where.add("i.territory >= :low AND i.territory < :high", low=low, high=high)
    if wanted.works:
        asked = condition_of(tuple(wanted.works))
        where.add(f"{ALIVE_SQL} AND {asked}", today=wanted.today, me=by.member_id)
    if wanted.mine == "turn":
        where.add(f"{ALIVE_SQL} AND {turn_condition(by)}", today=wanted.today, me=by.member_id)
    if wanted.mine == "tasks":
        where.add(_theirs(by), me=by.member_id)
    if wanted.mine == "reports":
        where.add("i.reported_by = :me_account")
    if wanted.q:
        where.add(
            "(i.number ILIKE :q OR i.title ILIKE :q OR i.place ILIKE :q OR i.cell_code LIKE :q_prefix)",
            q="%" + _like(wanted.q) + "%",
            q_prefix=_like(wanted.q) + "%",
        )
    return where


def turn_condition(by: Principal) -> str:
    """SQL that is true for a case that waits for this person: in a queue of their role, or in their hands.

    Needs `:now`, `:today` and `:me`, as a work queue does.
    """
    own = f"({_theirs(by)} AND i.stage IN ('dispatched', 'handling'))"
    helped = f"(i.open_subtasks > 0 AND {_asked_of(by)})"
    names = tuple(queues_for(by.role))
    return " OR ".join(["(" + condition_of(names), own, helped + ")"]) if names else f"({own} OR {helped})"


def _theirs(by: Principal) -> str:
    """SQL that is true for a case the person has to handle; what a department sees is its own."""
    if by.role == "department_handler":
        return "i.department_code IS NOT NULL"
    return "i.handler_id = CAST(:me AS int)"


def _asked_of(by: Principal) -> str:
    """SQL that is true where a piece of work waits for the person; a department sees no others."""
    if by.role == "department_handler":
        return "true"
    return """EXISTS (SELECT FROM subtask AS s WHERE s.incident_id = i.id AND s.member_id = CAST(:me AS int)
                      AND s.stage IN ('open', 'accepted'))"""


def _refuse_unknown_stages(wanted: Filter) -> None:
    unknown = set(wanted.stages) - set(STAGES)
    if unknown:
        raise Invalid(
            en=f"There is no stage {', '.join(sorted(unknown))}.",
            zh=f"没有阶段 {'、'.join(sorted(unknown))}。",
            remedy_en="Stages are " + ", ".join(STAGES) + ".",
            remedy_zh="阶段为 " + "、".join(STAGES) + "。",
        )


def _like(text: str) -> str:
    """A search text with LIKE's own signs taken literally."""
    return text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def no_incident(incident_id: object) -> NotFound:
    return NotFound(
        en=f"There is no case {incident_id} that you can see.",
        zh=f"没有您可查看的事件 {incident_id}。",
        remedy_en="Check the number; a case outside your territory is not shown.",
        remedy_zh="请核对编号；辖区以外的事件不显示。",
    )


def to_row(values: dict[str, Any]) -> Row:
    values.pop("sort_key", None)
    values["handler"] = mask_name(values["handler"]) if values["handler"] else None
    return Row(**values)
