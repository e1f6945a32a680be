"""Point + time + category -> the one person who answers, with the reason (decisions 6 to 9).

Two questions are kept apart. *Whose ground is it?* is geometry and ledgers (`grids.ground_rules`). *Who is
that now?* is the roster (`grids.receivers` over `grids.roster`): the post's holder, a stand-in, the cell's
leader, the subdistrict's duty officer. Every step is written into the trace, in both languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gis.database import Statement
from gis.errors import Invalid
from gis.geometry import DEFAULT_ACCURACY_M, Fix
from grids import ground_rules, kept_rosters, owner_map, receivers, roster
from grids.ground_rules import BUILDING_REACH_M, RULES, Decision, Question
from grids.owner_map import OwnerMap
from grids.reasons import Trace, sentence
from grids.receivers import Person

__all__ = ["RULES", "Person", "Responsibility", "responsible_for", "unknown_category"]


@dataclass(frozen=True, slots=True)
class Responsibility:
    """The answer and its reason. `cell_code` is None only for orphan ground; `member` is always somebody
    unless the city has nobody at all on its roster for that ground. `roster` is everybody who was considered,
    with their post and whether they were on duty at that instant."""

    member: Person | None
    handler: Person | None
    building_head: Person | None
    department: str | None
    rule: str
    generation: str
    cell_code: str | None
    cell_name: str | None
    territory: str
    confidence: float
    border_m: float | None
    second_cell: str | None
    second_cell_name: str | None
    second_member: Person | None
    second_confidence: float
    building_id: int | None
    place: str | None
    reason_zh: str
    reason_en: str
    trace: list[dict[str, str]]
    exception_id: int | None = None
    roster: list[dict[str, Any]] = field(default_factory=list)

    def as_kept(self) -> dict[str, Any]:
        """The decision as it is kept with the incident for ever: no phone numbers, nothing computed later.

        Its words (`WORDS`) are left out: the incident has columns of their own for them.
        """
        kept = {name: getattr(self, name) for name in _KEPT}
        for key in _PEOPLE:
            person = kept[key]
            if person is not None:
                kept[key] = {"id": person.id, "post": person.post, "on_duty": person.on_duty}
        return kept

    @staticmethod
    def people_in(kept: Mapping[str, Any]) -> list[int]:
        """Whom a kept decision names, by the id of their member."""
        return [kept[key]["id"] for key in _PEOPLE if kept.get(key)]

    @classmethod
    def of_kept(cls, kept: Mapping[str, Any], people: Mapping[int, tuple[str, str | None]]) -> Responsibility:
        """The decision that was kept, its words among it.

        `people` tells name and masked phone by id. Where the decision does not say whether somebody was on
        duty, its roster does; who is on neither is told as off duty.
        """
        duty = {entry["member_id"]: entry["on_duty"] for entry in kept.get("roster", [])}
        values = {name: kept[name] for name in (*_KEPT, *WORDS) if name in kept}
        for key in _PEOPLE:
            if (person := kept.get(key)) is not None:
                name, phone = people[person["id"]]
                on_duty = person.get("on_duty", duty.get(person["id"], False))
                values[key] = Person(person["id"], name, person["post"], "", on_duty, phone)
        return cls(**values)


WORDS = ("reason_zh", "reason_en", "trace")
_PEOPLE = ("member", "handler", "building_head", "second_member")
_KEPT = tuple(field.name for field in fields(Responsibility) if field.name not in WORDS)


# One round trip for everything a decision, and a report after it, needs to know about the place and the
# category. The LATERAL boxes are in degrees around the point so that GiST answers them; metres decide.
_PLACE = Statement(
    """
    SELECT (SELECT stamp::text FROM owner_map_stamp) AS stamp,
           (SELECT stamp::text FROM roster_stamp) AS roster_stamp,
           (SELECT name FROM generation WHERE status = 'active') AS generation,
           b.id AS building_id, b.cell_code AS building_cell, b.name AS building_name, b.metres AS building_m,
           c.id AS component_id, c.cell_code AS component_cell, c.department_code AS component_department,
           r.name AS road_name, k.default_role, k.department_code, k.code AS category, k.active,
           k.name_zh, k.icon, k.needs_confirm, k.urgent, k.limit_kind, k.limit_value::float AS limit_value,
           k.questions,
           (SELECT stamp::text FROM rules_stamp) AS rules_stamp
    FROM (SELECT ST_SetSRID(ST_MakePoint(:lon, :lat), 4490) AS p) AS point
    LEFT JOIN LATERAL (
        SELECT id, cell_code, coalesce(name, address) AS name,
               ST_Distance(geom::geography, p::geography) AS metres
        FROM building
        WHERE geom && ST_Expand(p, :reach * 0.00002) AND ST_DWithin(geom, p, :reach * 0.00002)
        ORDER BY geom <-> p, id LIMIT 1
    ) AS b ON b.metres <= :reach
    LEFT JOIN component AS c ON c.id = :component_id
    LEFT JOIN LATERAL (
        SELECT name FROM road
        WHERE b.name IS NULL AND name IS NOT NULL AND geom && ST_Expand(p, 0.0012)
        ORDER BY geom <-> p LIMIT 1
    ) AS r ON true
    LEFT JOIN category AS k ON k.code = :category
    """
)


def look(session: Session, fix: Fix, *, category: str | None, component_id: int | None = None) -> Any:
    """What stands at a fix, what its category says, and the stamps of the pictures kept in memory: one row.

    A caller that needs the category itself looks once and hands the row to `responsible_for`. Raises Invalid
    for a category that is none.
    """
    reach = min(DEFAULT_ACCURACY_M if fix.accuracy_m is None else fix.accuracy_m, BUILDING_REACH_M)
    place = _PLACE.one(
        session,
        {"lon": fix.lon, "lat": fix.lat, "reach": reach, "component_id": component_id, "category": category},
    )
    if category is not None and place.category is None:
        raise unknown_category(category)
    return place


def responsible_for(
    session: Session,
    fix: Fix,
    *,
    at: datetime,
    category: str | None = None,
    component_id: int | None = None,
    floor: int | None = None,
    unit: str | None = None,
    chosen_cell: str | None = None,
    zone: ZoneInfo = roster.CITY_ZONE,
    place: Any = None,
) -> Responsibility:
    """Find who answers for a point.

    `fix` is lon/lat in EPSG:4490 with its accuracy. The first of `ground_rules.RULES` that applies names the
    cell. `chosen_cell` is the reporter's word between the two candidates, and counts for nothing else. The
    person is the one on duty at `at` (shifts are wall-clock times in `zone`), else the stand-in, else the
    leader, else the duty officer; a `floor` or `unit` names besides the head of that part of the building.
    `place` is a row of `look` for the same fix, category and component. The answer never flickers and `trace`
    tells each step.

    Raises Invalid when the point lies more than 2 km outside the city, the category is unknown, or no
    generation is active.
    """
    place = place or look(session, fix, category=category, component_id=component_id)
    city = owner_map.at_stamp(session, place.stamp, place.generation)
    trace = Trace()
    question = Question.of(
        city, fix, at, component_cell=place.component_cell, building_cell=place.building_cell
    )
    decision = ground_rules.decide(question, trace)
    if chosen_cell is not None:
        decision = ground_rules.as_chosen(city, decision, chosen_cell, trace)
    door = (unit or None, floor) if floor is not None or unit else None
    return _answer(session, city, fix, place, decision, trace, at=at, door=door, zone=zone)


def unknown_category(category: str) -> Invalid:
    return Invalid(
        en=f"There is no category {category}.",
        zh=f"没有类别 {category}。",
        remedy_en="Take a code from GET /api/v1/categories.",
        remedy_zh="请从 GET /api/v1/categories 取一个类别编码。",
    )


def _answer(
    session: Session,
    city: OwnerMap,
    fix: Fix,
    place: Any,
    decision: Decision,
    trace: Trace,
    *,
    at: datetime,
    door: tuple[str | None, int | None] | None,
    zone: ZoneInfo,
) -> Responsibility:
    """Put the people to the ground, and both into words. `door` is a unit and a floor of a place indoors."""
    sure = decision.sureness
    code, name = _code_and_name(city, decision.cell)
    second, second_name = _code_and_name(city, sure.second)
    territory = city.territory_of(decision.cell, fix.lon, fix.lat)
    own = receivers.grounds_of(code, territory)
    others = receivers.grounds_of(second, second) if second else ()
    kept = kept_rosters.at_stamp(
        session,
        place.roster_stamp,
        sorted({*own, *others}),
        at,
        zone=zone,
        building_id=place.building_id if door else None,
    )
    people = kept.roster
    member = kept.first_receiver(own, at, trace)
    head = receivers.building_head(people, at, trace, unit=door[0], floor=door[1]) if door else None
    department = place.component_department or place.department_code
    handler = receivers.handler(people, own, place.default_role, department, at, trace) or member
    border_m = None if decision.rule == "orphan" else round(sure.border_m, 1)
    shown = None if member is None else (member.shown_name, member.on_duty)
    reason_zh, reason_en = sentence(decision.rule, code, border_m, sure.confidence, shown)
    return Responsibility(
        member=member,
        handler=handler,
        building_head=head,
        department=department,
        rule=decision.rule,
        generation=city.generation,
        cell_code=code,
        cell_name=name,
        territory=territory,
        confidence=round(sure.confidence, 4),
        border_m=border_m,
        second_cell=second,
        second_cell_name=second_name,
        second_member=kept.first_receiver(others, at, Trace()) if second else None,
        second_confidence=round(sure.second_confidence, 4),
        building_id=place.building_id,
        place=place.building_name or place.road_name,
        reason_zh=reason_zh,
        reason_en=reason_en,
        trace=trace.steps,
        exception_id=decision.exception_id,
        roster=kept.considered(own, at),
    )


def _code_and_name(city: OwnerMap, cell: int | None) -> tuple[str | None, str | None]:
    return (None, None) if cell is None else (city.codes[cell], city.names[cell])
