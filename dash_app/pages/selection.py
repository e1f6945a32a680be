"""What is chosen on the map or in the queue: its panel, and what the map draws for it.

A thing that is gone, or lies outside one's ground, opens the error panel in its place; so does a fault of
ours, with a number the log knows.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import shapely
import structlog

from dash_app.desk import Desk, Visit
from dash_app.drawing import (
    building_focus,
    case_focus,
    cell_focus,
    dispute_focus,
    ground_focus,
    place_focus,
)
from dash_app.markup import thousands
from dash_app.pages.ground import active_map
from dash_app.panels.building import building_name, building_panel
from dash_app.panels.cell import cell_panel
from dash_app.panels.dispute import exception_panel, strip_panel
from dash_app.panels.households import households_opener
from dash_app.panels.incident import incident_panel
from dash_app.panels.place import place_panel
from dash_app.panels.problem import problem_panel
from dash_app.texts import Words
from dash_app.view_state import ViewState
from gis.database import Session
from gis.errors import CityGridError
from grids import exceptions, owner_map
from grids.cells import cell_facts
from grids.duties import team
from grids.exceptions import buffered
from grids.members import departments
from grids.owner_map import OwnerMap
from incidents import queries
from incidents.calendar import current_calendar
from incidents.misroutes import strip_by_key
from incidents.queries import Filter, IncidentDetail
from incidents.workload import Candidate, candidates
from layers.buildings import building_facts
from layers.features import feature

Chosen = tuple[str, dict[str, Any]]

_log = structlog.get_logger("citygrid.desk")


def chosen(desk: Desk, state: ViewState) -> Chosen:
    """The panel and the drawing of the selection; never raises."""
    if state.selection is None:
        raise ValueError("nothing is chosen")
    kind, key = state.selection
    problem, reference = None, uuid.uuid4().hex[:8]
    with desk.reading() as (session, visit, now):
        try:
            return _PANELS[kind](desk, session, visit, state, key, now)
        except CityGridError as error:
            problem = error
        except Exception as error:
            _log.error("fault", reference=reference, kind=kind, key=key, exc_info=error)
    panel = problem_panel(visit.words, problem, reference, state, now=now, zone=desk.zone)
    return panel, ground_focus(f"{kind}:{key}", None)


def _incident(
    desk: Desk, session: Session, visit: Visit, state: ViewState, key: str, now: datetime
) -> Chosen:
    words = visit.words
    case = queries.get_incident(session, _number(key), by=visit.principal, now=now)
    panel = incident_panel(
        words,
        case,
        state,
        candidates=_candidates(session, words, case, now, desk.zone),
        departments=[(one.code, words.either(one.name_zh, one.name_en)) for one in departments(session)],
        stretches=case.clock.spans(now, current_calendar(session, desk.zone)) if case.clock else [],
        now=now,
        zone=desk.zone,
    )
    picture = owner_map.current(session, case.generation) if case.generation else None
    return panel, case_focus(
        words,
        case,
        now,
        cell=_shape_of(picture, case.row.cell_code),
        second=_shape_of(picture, case.second_cell),
    )


def _candidates(
    session: Session, words: Words, case: IncidentDetail, now: datetime, zone: ZoneInfo
) -> list[tuple[int, str]]:
    """Whom a dispatch may name: whom the routing proposed first, for whom no reason is asked, then the team,
    the least laden first; each with what they have on their hands."""
    proposed, owner = (None if one is None else one.id for one in (case.proposed, case.member))
    team_of_cell = candidates(session, case.row.cell_code, proposed, now=now, zone=zone)
    found = {one.member_id: _laden(words, one, owner) for one in team_of_cell}
    if case.proposed and proposed not in found:
        found = {
            case.proposed.id: _named(words, case.proposed.name, owns=proposed == owner, proposed=True)
        } | found
    return list(found.items())


def _named(words: Words, name: str, *, owns: bool, proposed: bool) -> str:
    """A name, and why it may be the one to choose."""
    if owns:
        return words("dialog.member_default", name=name)
    return words("dialog.member_proposed", name=name) if proposed else name


def _laden(words: Words, one: Candidate, owner: int | None) -> str:
    name = f"{one.name} {words('role.' + one.post)}"
    facts = [_named(words, name, owns=one.member_id == owner, proposed=one.proposed)]
    if not one.on_duty:
        facts.append(words("incident.off_duty"))
    facts.append(words("people.open_cases", n=one.load.open))
    if one.load.assists:
        facts.append(words("people.assists", n=one.load.assists))
    if one.load.overdue:
        facts.append(words("people.overdue_cases", n=one.load.overdue))
    return " · ".join(facts)


def _shape_of(picture: OwnerMap | None, code: str | None) -> shapely.Geometry | None:
    if picture is None or code not in picture.position:
        return None
    return picture.geoms[picture.position[code]]


def _cell(desk: Desk, session: Session, visit: Visit, state: ViewState, key: str, now: datetime) -> Chosen:
    words = visit.words
    cell = cell_facts(session, key)
    wanted = Filter(territory=cell.code, open_only=True)
    rows = queries.list_incidents(session, wanted, by=visit.principal, now=now).rows
    mates = team(session, key, at=now, zone=desk.zone)
    panel = cell_panel(words, cell, mates, rows, state, now=now, zone=desk.zone)
    label = f"{cell.name} · {thousands(cell.households)} {words('unit.households')}".strip()
    shape = _shape_of(active_map(session), cell.code)
    return panel, cell_focus(cell.code, label, shape) if shape is not None else ground_focus(key, cell.bbox)


def _building(
    desk: Desk, session: Session, visit: Visit, state: ViewState, key: str, now: datetime
) -> Chosen:
    building = building_facts(session, _number(key))
    wanted = Filter(building=building.id, open_only=True)
    rows = queries.list_incidents(session, wanted, by=visit.principal, now=now).rows
    name = _cell_name(session, building.cell_code)
    title = building_name(visit.words, building)
    people = households_opener(visit.words, building.id, title, visit.principal)
    panel = building_panel(visit.words, building, name, rows, state, now=now, people=people)
    footprint = _plain(feature(session, "buildings", key, role=visit.principal.role))["geometry"]
    return panel, building_focus(building.id, footprint, (building.lon, building.lat))


def _place(kind: str) -> Callable[..., Chosen]:
    def place(
        desk: Desk, session: Session, visit: Visit, state: ViewState, key: str, now: datetime
    ) -> Chosen:
        found = _plain(feature(session, f"{kind}s", key, role=visit.principal.role))
        facts = {**found["properties"], "id": found["id"]}
        lon, lat = found["geometry"]["coordinates"]
        name = _cell_name(session, facts.get("cell_code"))
        panel = place_panel(visit.words, kind, facts, state, cell_name=name, lon=lon, lat=lat)
        return panel, place_focus(kind, key, (lon, lat))

    return place


def _strip(desk: Desk, session: Session, visit: Visit, state: ViewState, key: str, now: datetime) -> Chosen:
    words, by = visit.words, visit.principal
    strip = strip_by_key(session, _number(key), now=now, territory=by.territory)
    city = owner_map.current(session)
    names = {code: city.names[city.position[code]] for code in (strip.from_cell, strip.to_cell)}
    panel = strip_panel(words, strip, names, state, gives=exceptions.may_give(by, strip.to_cell))
    shapes = {"cell": _shape_of(city, strip.from_cell), "second": _shape_of(city, strip.to_cell)}
    return panel, dispute_focus(f"strip:{key}", strip.shape, label=names[strip.from_cell], **shapes)


def _exception(
    desk: Desk, session: Session, visit: Visit, state: ViewState, key: str, now: datetime
) -> Chosen:
    words, by = visit.words, visit.principal
    exception, drawn = exceptions.find(session, _number(key), by=by)
    city = owner_map.current(session)
    name = _cell_name(session, exception.cell_code) or exception.cell_code
    panel = exception_panel(
        words, exception, name, state,
        ends=exceptions.may_give(by, exception.cell_code) and exception.holds_at(now), zone=desk.zone,
    )  # fmt: skip
    ground = buffered(drawn, exception.buffer_m, city.zone)
    cell = _shape_of(city, exception.cell_code)
    return panel, dispute_focus(f"exception:{key}", ground, cell=cell, second=None, label=name)


def _cell_name(session: Session, code: str | None) -> str | None:
    picture = active_map(session)
    return picture.names[picture.position[code]] if picture and code in picture.position else None


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    """A feature whose geometry is ready-made JSON, as plain values."""
    return orjson.loads(orjson.dumps(found))


def _number(key: str) -> int:
    """A number as the database holds one; an impossible one is simply not there."""
    return int(key) if len(key) <= 18 else 0


_PANELS: dict[str, Callable[..., Chosen]] = {
    "incident": _incident,
    "cell": _cell,
    "building": _building,
    "shop": _place("shop"),
    "component": _place("component"),
    "strip": _strip,
    "exception": _exception,
}
