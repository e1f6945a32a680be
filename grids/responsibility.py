"""Point + time + category -> the one person who answers, with the reason (decisions 6 to 9).

Two questions are kept apart. *Whose ground is it?* is geometry: the component's cell, the building's cell,
or what the owner map says. *Who is that now?* is the roster: the post's holder, a stand-in, the cell's
leader, the subdistrict's duty officer. Every step is written into the trace, in both languages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import CODE_WIDTHS
from gis.errors import Invalid
from gis.geometry import DEFAULT_ACCURACY_M, Fix
from gis.masking import mask_name
from grids import owner_map
from grids.owner_map import Ground, OwnerMap

BUILDING_REACH_M = 5.0
"""A point within min(accuracy, this) of a footprint is taken as being at the building."""
NEAR_LIMIT_M = 50.0
ORPHAN_LIMIT_M = 2000.0
CHOSEN_CONFIDENCE = 0.95
"""How far a person on the spot is believed about the side of the road."""

RULES = {
    "component": ("部件归属", "component"),
    "building": ("楼栋归属", "building"),
    "special": ("专属网格", "special cell"),
    "exception": ("例外地段", "exception"),
    "covered": ("落在网格内", "inside a cell"),
    "shared_edge": ("共用边界，取编码小者", "shared edge, lowest code"),
    "near": ("就近", "nearest cell"),
    "orphan": ("属地兜底", "orphan ground"),
}
ROLE_NAMES = {
    "member": ("网格员", "member"),
    "leader": ("网格长", "cell leader"),
    "police_officer": ("片警", "police officer"),
    "property_manager": ("物管员", "property manager"),
    "building_head": ("楼栋长", "building head"),
    "street_chief": ("街长", "street chief"),
    "subdistrict_duty_officer": ("街道值班员", "subdistrict duty officer"),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the roster. `phone` is plain here; whoever shows it masks it."""

    id: int
    name: str
    post: str
    ground: str
    on_duty: bool
    phone: str | None = None
    stand_in_for: int | None = None

    @property
    def surname_zh(self) -> str:
        """The name as shown in a sentence: surname and crosses (design: 王××)."""
        return mask_name(self.name)


@dataclass(frozen=True, slots=True)
class Responsibility:
    """The answer and its reason. `cell_code` is None only for orphan ground; `member` is always somebody
    unless the city has nobody at all on its roster for that ground."""

    member: Person | None
    handler: Person | None
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


# One round trip for everything the decision needs to know about the place itself. The LATERAL boxes are in
# degrees around the point so that GiST answers them; metres decide.
_PLACE = sa.text(
    """
    SELECT (SELECT stamp::text FROM owner_map_stamp) AS stamp,
           (SELECT name FROM generation WHERE status = 'active') AS generation,
           b.id AS building_id, b.cell_code AS building_cell, b.name AS building_name, b.metres AS building_m,
           c.id AS component_id, c.cell_code AS component_cell,
           r.name AS road_name, k.default_role, k.department_code, k.code AS category
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
        WHERE name IS NOT NULL AND geom && ST_Expand(p, 0.0012) ORDER BY geom <-> p LIMIT 1
    ) AS r ON true
    LEFT JOIN category AS k ON k.code = :category
    """
)

_ROSTER = sa.text(
    """
    SELECT m.id, m.name, d.post, d.ground, m.on_duty, m.phone, d.stand_in_for
    FROM duty AS d JOIN member AS m ON m.id = d.member_id
    WHERE d.ground = ANY(:grounds) AND d.starts_at <= :at AND (d.ends_at IS NULL OR d.ends_at > :at)
      AND (d.post <> 'building_head' OR d.building_id = :building_id)
    ORDER BY d.starts_at DESC, d.id
    """
)


def responsible_for(
    session: Session,
    fix: Fix,
    *,
    at: datetime,
    category: str | None = None,
    component_id: int | None = None,
    floor: int | None = None,
    chosen_cell: str | None = None,
    generation: str | None = None,
) -> Responsibility:
    """Find who answers for a point.

    `fix` is lon/lat in EPSG:4490 with its accuracy. The first rule that applies wins: the component's cell,
    the building's cell (with its building head when a `floor` is given), the special or social cell of the
    active generation that covers it, the lowest code on a shared edge, the nearest cell within 50 m, else
    the subdistrict's duty officer. `chosen_cell` is the reporter's word between the two candidates, and
    counts for nothing else. The person is the one on duty at `at`, else the stand-in, else the
    leader, else the duty officer; the answer never flickers and `trace` tells each step.

    Raises Invalid when the point lies more than 2 km outside the city, the category is unknown, or no
    generation is active.
    """
    reach = min(DEFAULT_ACCURACY_M if fix.accuracy_m is None else fix.accuracy_m, BUILDING_REACH_M)
    place = session.execute(
        _PLACE,
        {"lon": fix.lon, "lat": fix.lat, "reach": reach, "component_id": component_id, "category": category},
    ).one()
    if category is not None and place.category is None:
        raise unknown_category(category)
    city = owner_map.at_stamp(session, place.stamp, generation or place.generation)
    trace: list[dict[str, str]] = []
    ground, rule = _whose_ground(city, fix, place, trace)
    if chosen_cell is not None:
        ground = _as_chosen(city, ground, chosen_cell, trace)
    return _answer(session, city, fix, place, ground, rule, trace, at=at, floor=floor)


def unknown_category(category: str) -> Invalid:
    return Invalid(
        en=f"There is no category {category}.",
        zh=f"没有类别 {category}。",
        remedy_en="Take a code from GET /api/v1/categories.",
        remedy_zh="请从 GET /api/v1/categories 取一个类别编码。",
    )


def _whose_ground(city: OwnerMap, fix: Fix, place: Any, trace: list[dict[str, str]]) -> tuple[Ground, str]:
    """The ground rules in order; each either names a cell or leaves a line in the trace and passes on."""
    for rule, cell_code in (("component", place.component_cell), ("building", place.building_cell)):
        cell = city.position.get(cell_code) if cell_code else None
        if cell is not None:
            zh, en = RULES[rule]
            _note(trace, rule, f"{zh}：归 {city.names[cell]}。", f"By {en}: {city.names[cell]}.")
            return city.ground_at(fix, near_limit_m=NEAR_LIMIT_M, cell=cell), rule
    ground = city.ground_at(fix, near_limit_m=NEAR_LIMIT_M)
    if ground.rule == "orphan":
        _refuse_far_outside(city, fix)
    zh, en = RULES[ground.rule]
    name = city.names[ground.cell] if ground.cell is not None else ""
    _note(trace, ground.rule, f"{zh}：{name or '附近没有网格'}。", f"By {en}: {name or 'no cell near'}.")
    return ground, ground.rule


def _as_chosen(city: OwnerMap, ground: Ground, chosen: str, trace: list[dict[str, str]]) -> Ground:
    """The ground after the reporter has said which side of the border they stand on."""
    picked = city.position.get(chosen)
    if picked is None or picked not in (ground.cell, ground.second):
        return ground
    _note(
        trace,
        "chosen",
        f"上报人指认在 {city.names[picked]}。",
        f"The reporter says it is in {city.names[picked]}.",
    )
    if picked == ground.cell:
        return replace(ground, confidence=max(ground.confidence, CHOSEN_CONFIDENCE))
    return replace(
        ground,
        cell=picked,
        second=ground.cell,
        confidence=CHOSEN_CONFIDENCE,
        second_confidence=1.0 - CHOSEN_CONFIDENCE,
    )


def _refuse_far_outside(city: OwnerMap, fix: Fix) -> None:
    outside_m = city.metres_outside(fix.lon, fix.lat)
    if outside_m <= ORPHAN_LIMIT_M:
        return
    west, south, east, north = city.bounds
    swapped = west <= fix.lat <= east and south <= fix.lon <= north
    hint_en = " lon and lat look swapped: send lon first." if swapped else ""
    hint_zh = "经纬度似乎写反了：请先经度后纬度。" if swapped else ""
    raise Invalid(
        en=f"The point lies {outside_m / 1000:,.1f} km outside the city.{hint_en}",
        zh=f"该点在城区以外 {outside_m / 1000:,.1f} 公里。{hint_zh}",
        remedy_en=f"Check lon, lat and crs; the city spans {west:.4f},{south:.4f} to {east:.4f},{north:.4f}.",
        remedy_zh=f"请核对经纬度和坐标系；本市范围 {west:.4f},{south:.4f} 至 {east:.4f},{north:.4f}。",
        outside_m=round(outside_m),
        swapped=swapped,
    )


def _answer(
    session: Session,
    city: OwnerMap,
    fix: Fix,
    place: Any,
    ground: Ground,
    rule: str,
    trace: list[dict[str, str]],
    *,
    at: datetime,
    floor: int | None,
) -> Responsibility:
    code = city.codes[ground.cell] if ground.cell is not None else None
    second = city.codes[ground.second] if ground.second is not None else None
    territory = code or city.area_at(fix.lon, fix.lat) or (city.codes[0][: CODE_WIDTHS["city"]])
    grounds = {g for g in (code, second, territory[: CODE_WIDTHS["subdistrict"]]) if g}
    roster = [
        Person(*row)
        for row in session.execute(
            _ROSTER, {"grounds": list(grounds), "at": at, "building_id": place.building_id}
        )
    ]
    member = first_receiver(roster, code or territory, trace)
    handler, department = _handler(roster, code, place, member, floor, trace)
    second_member = first_receiver(roster, second, []) if second else None
    border_m = None if rule == "orphan" else round(ground.border_m, 1)
    name = city.names[ground.cell] if ground.cell is not None else None
    reason_zh, reason_en = reason(rule, code, name, border_m, ground.confidence, member)
    return Responsibility(
        member=member,
        handler=handler,
        department=department,
        rule=rule,
        generation=city.generation,
        cell_code=code,
        cell_name=name,
        territory=territory,
        confidence=round(ground.confidence, 4),
        border_m=border_m,
        second_cell=second,
        second_cell_name=city.names[ground.second] if ground.second is not None else None,
        second_member=second_member,
        second_confidence=round(ground.second_confidence, 4),
        building_id=place.building_id,
        place=place.building_name or place.road_name,
        reason_zh=reason_zh,
        reason_en=reason_en,
        trace=trace,
    )


def first_receiver(
    roster: Sequence[Person], ground: str | None, trace: list[dict[str, str]]
) -> Person | None:
    """Who receives for a ground: its member on duty, a stand-in, its leader, the subdistrict's duty officer.

    When nobody at all is on duty the member is named all the same, and the trace says so: a case without a
    person is worse than a case that waits for one.
    """
    own = [p for p in roster if p.ground == ground]
    holders = [p for p in own if p.post == "member" and p.stand_in_for is None]
    absent = {p.id for p in holders if not p.on_duty}
    stand_ins = [p for p in own if p.stand_in_for in absent]
    leaders = [p for p in own if p.post == "leader"]
    officers = [p for p in roster if p.post == "subdistrict_duty_officer"]
    for person in (*holders, *stand_ins, *leaders, *officers):
        zh, en = ROLE_NAMES[person.post]
        if person.on_duty:
            as_zh = "代班" if person.stand_in_for else zh
            as_en = "the stand-in" if person.stand_in_for else f"the {en}"
            _note(
                trace,
                "roster",
                f"{as_zh} {person.surname_zh} 正在值班。",
                f"{mask_name(person.name)}, {as_en}, is on duty.",
            )
            return person
        _note(
            trace,
            "roster",
            f"{zh} {person.surname_zh} 不在岗。",
            f"{mask_name(person.name)}, the {en}, is off duty.",
        )
    fallback = next(iter((*holders, *leaders, *officers)), None)
    _note(
        trace,
        "roster",
        "无人值班，先记在名下。" if fallback else "这片地没有排任何人。",
        "Nobody is on duty; it is kept in their name." if fallback else "Nobody holds a post here.",
    )
    return fallback


def _handler(
    roster: Iterable[Person],
    code: str | None,
    place: Any,
    member: Person | None,
    floor: int | None,
    trace: list[dict[str, str]],
) -> tuple[Person | None, str | None]:
    """Who does the work where the category belongs to another role or to a department (decision 7)."""
    if floor is not None and place.building_id is not None:
        head = next((p for p in roster if p.post == "building_head"), None)
        if head:
            _note(
                trace,
                "building_head",
                f"楼栋长 {head.surname_zh} 协同。",
                f"Building head {mask_name(head.name)} is told.",
            )
    role = place.default_role
    if role and role != "member":
        person = next((p for p in roster if p.post == role and p.ground == code and p.on_duty), None)
        if person:
            zh, en = ROLE_NAMES[role]
            _note(
                trace,
                "category",
                f"此类别由{zh} {person.surname_zh} 处置。",
                f"This category is handled by the {en}, {mask_name(person.name)}.",
            )
            return person, place.department_code
    if place.department_code:
        _note(
            trace,
            "category",
            f"责任部门：{place.department_code}。",
            f"Responsible department: {place.department_code}.",
        )
    return member, place.department_code


def reason(
    rule: str,
    code: str | None,
    name: str | None,
    border_m: float | None,
    confidence: float,
    member: Person | None,
) -> tuple[str, str]:
    """The one readable sentence: cell, metres, confidence, duty; Chinese and English."""
    sure = min(99, int(confidence * 100 + 0.5)) if confidence < 0.9995 else 100
    who_zh = (
        f"{member.surname_zh}{'正在值班' if member.on_duty else '不在岗，先记名下'}" if member else "无人值班"
    )
    who_en = (
        f"{mask_name(member.name)} {'is on duty' if member.on_duty else 'is off duty'}"
        if member
        else "nobody is on duty"
    )
    if code is None:
        return (
            f"附近 50 米内没有网格，按属地兜底交街道值班员；{who_zh}。",
            f"No cell within 50 m; by the orphan rule the subdistrict's duty officer answers; {who_en}.",
        )
    metres = f"{border_m:.0f}" if border_m is not None and border_m >= 1 else "不到 1"
    metres_en = f"{border_m:.0f} m" if border_m is not None and border_m >= 1 else "under 1 m"
    if rule == "near":
        return (
            f"不在任何网格内，最近的是 {code}，相距 {metres} 米，把握 {sure}%；{who_zh}。",
            f"In no cell; the nearest is {code}, {metres_en} away, {sure} % sure; {who_en}.",
        )
    lead_zh = {
        "shared_edge": f"正好在网格边界上，取编码小的 {code}",
        "building": f"在网格 {code} 的楼栋",
        "component": f"部件属网格 {code}",
    }.get(rule, f"落在网格 {code} 内")
    lead_en = {
        "shared_edge": f"Exactly on a border: the lower code, {code}",
        "building": f"At a building of cell {code}",
        "component": f"The component belongs to cell {code}",
    }.get(rule, f"In cell {code}")
    return (
        f"{lead_zh}，距边界 {metres} 米，把握 {sure}%；{who_zh}。",
        f"{lead_en}, {metres_en} from its border, {sure} % sure; {who_en}.",
    )


def _note(trace: list[dict[str, str]], step: str, zh: str, en: str) -> None:
    trace.append({"step": step, "zh": zh, "en": en})
