"""A second drawing of the toy city: gated, activated, and everything that stands there moved with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import shapely
import sqlalchemy as sa
from geoalchemy2.shape import from_shape

from etl.activation import activate_generation
from gis.access import Principal
from gis.errors import Invalid, NotFound
from gis.geometry import Fix
from grids.cells import Cell, Generation
from grids.exceptions import GroundException
from grids.generation_check import check_generation
from grids.responsibility import responsible_for
from incidents.replay import replay
from incidents.subtask_rows import work_of
from incidents.workflow import ReportDraft, move, report
from layers.components import Component
from tests import toy_city
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, NOW, SOUTH_EAST, SOUTH_WEST, STEP

ADMIN = Principal(1, "admin", "管理员", "admin", "")
SHIFT = 0.0005
"""The new middle line lies this far west of the old one (51 m), so that building 3 changes sides."""


@pytest.fixture
def city(session):
    return toy_city.build(session)


def draw(session, name: str, shapes: dict[str, shapely.Geometry]) -> None:
    session.add(Generation(name=name, label=name))
    session.flush()
    for code, shape in shapes.items():
        session.add(
            Cell(
                generation=name,
                kind="social",
                code=code,
                name=code[-3:],
                community_code=code[:12],
                area_m2=1.0,
                geom=from_shape(shapely.MultiPolygon([shape]), srid=4490),
                territory=code,
            )
        )
    session.flush()


def moved_line(shift: float = SHIFT) -> dict[str, shapely.Geometry]:
    west, south, east, north = LON - STEP, LAT - STEP, LON + STEP, LAT + STEP
    middle = LON - shift
    return {
        NORTH_WEST: shapely.box(west, LAT, middle, north),
        NORTH_EAST: shapely.box(middle, LAT, east, north),
        SOUTH_WEST: shapely.box(west, south, middle, LAT),
        SOUTH_EAST: shapely.box(middle, south, east, LAT),
    }


def test_a_sound_drawing_is_clean(session, city):
    draw(session, "next", moved_line())
    found = check_generation(session, "next", now=NOW)
    assert found.clean and found.cells == 4
    # 0.004 degrees square at 23 N: 409.9 m x 443.0 m (the CGCS2000 degree there: 102.5 km and 110.8 km).
    assert found.area_ha == pytest.approx(18.16, abs=0.03)


def test_faults_are_told_each_with_its_place_and_area(session, city):
    shapes = moved_line()
    west, south, middle = LON - STEP, LAT - STEP, LON - SHIFT
    shapes[NORTH_WEST] = shapely.box(west, LAT + 0.0002, middle + 0.0001, LAT + STEP)
    shapes["990101001002009"] = shapely.box(west, south, west + 0.0001, south + 0.0001)
    draw(session, "bad", shapes)
    found = check_generation(session, "bad", now=NOW)
    # The strip lost in the south is a gap of 22 m; the strip won in the east is claimed twice (10 m wide);
    # the cell nobody has a member for lies on another one.
    assert found.counts == {"gap": 1, "overlap": 2, "no_team": 1}
    gap = found.faults[0]
    assert gap.kind == "gap" and LAT < gap.lat < LAT + 0.0002 and gap.area_m2 == pytest.approx(3400, rel=0.02)
    twice = next(f for f in found.faults if f.codes == (NORTH_WEST, NORTH_EAST))
    assert middle < twice.lon < middle + 0.0001
    assert "990101001002009" in found.faults[-1].words("zh") and "no member" in found.faults[-1].words("en")


def test_a_faulty_drawing_is_refused_and_nothing_changes(session, city):
    shapes = moved_line()
    shapes.pop(SOUTH_EAST)
    draw(session, "hole", shapes)
    with pytest.raises(Invalid) as refusal:
        activate_generation(session, "hole", by=ADMIN, now=NOW)
    assert "--force" in refusal.value.remedy_en and refusal.value.details["counts"] == {"gap": 1}
    assert session.scalar(sa.text("SELECT name FROM generation WHERE status = 'active'")) == "toy"


def test_force_activates_and_is_written_into_the_trail(session, city):
    shapes = moved_line()
    shapes.pop(SOUTH_EAST)
    draw(session, "hole", shapes)
    done = activate_generation(session, "hole", by=ADMIN, now=NOW, force=True)
    assert (done.replaced, done.report.counts) == ("toy", {"gap": 1})
    details = session.scalar(
        sa.text("SELECT details FROM audit_entry WHERE action = 'activate_generation' AND username = 'admin'")
    )
    assert details["forced"] is True and details["faults"] == {"gap": 1}


def test_everything_moves_to_the_new_cells_but_closed_cases(session, city):
    draft = {"lon": LON - 0.0001, "lat": LAT + 0.0005, "crs": "EPSG:4490", "category": "9901"}
    made = {
        key: report(session, ReportDraft(report_key=key, **draft), by=ADMIN, now=NOW, zone=toy_city.BEIJING)
        for key in ("open", "closed")
    }
    session.execute(
        sa.text("UPDATE incident SET stage = 'closed', closed_at = :now WHERE id = :id"),
        {"now": NOW, "id": made["closed"].id},
    )
    session.execute(
        sa.text("INSERT INTO household (building_id, territory) VALUES (:b, :t)"),
        {"b": city.building, "t": NORTH_WEST},
    )
    draw(session, "next", moved_line())
    done = activate_generation(session, "next", by=ADMIN, now=NOW)

    assert done.stamped["building"] == done.stamped["household"] == done.stamped["incident"] == 1
    building = session.execute(sa.text("SELECT cell_code, territory FROM building")).one()
    assert tuple(building) == (NORTH_EAST, NORTH_EAST)
    assert session.scalar(sa.text("SELECT territory FROM household")) == NORTH_EAST
    kept = {
        key: where for key, where in session.execute(sa.text("SELECT report_key, territory FROM incident"))
    }
    assert kept == {"open": NORTH_EAST, "closed": NORTH_WEST}
    assert responsible_for(session, Fix(LON - 0.0001, LAT + 0.0005), at=NOW).cell_code == NORTH_EAST


def test_an_open_case_keeps_its_person_and_its_deadlines_and_takes_its_pieces_of_work_along(session, city):
    draft = ReportDraft("key", lon=LON - 0.0001, lat=LAT + 0.0005, crs="EPSG:4490", category="9901")
    case = report(session, draft, by=ADMIN, now=NOW, zone=toy_city.BEIJING)
    told = {"department": "city_management", "note": "封闭现场"}
    handler = move(session, case.id, "assist", by=ADMIN, now=NOW, version=case.version, **told).handler_id
    promised = "SELECT id, due_at, stopped_at FROM case_clock ORDER BY id"
    before = session.execute(sa.text(promised)).all()
    draw(session, "next", moved_line())
    stamped = activate_generation(session, "next", by=ADMIN, now=NOW).stamped

    assert (stamped["subtask"], stamped["case_clock"]) == (1, len(before))
    assert session.execute(sa.text(promised)).all() == before
    kept = session.execute(sa.text("SELECT handler_id, territory FROM incident")).one()
    assert tuple(kept) == (handler, NORTH_EAST)
    for ground, count in ((NORTH_EAST, 1), (NORTH_WEST, 0)):
        squad = Principal(8, "squad", "城管队", "department_handler", ground, department="city_management")
        assert len(work_of(session, by=squad, now=NOW)) == count


def test_what_stands_in_a_special_cell_lies_on_the_territory_beneath_it(session, city):
    """As a report there does: the special cell answers, the social cell beneath gives the territory."""
    draw(session, "next", moved_line())
    school = f"{NORTH_WEST[:12]}801"
    west, south = LON - 0.0009, LAT + 0.0003
    inside = shapely.box(west, south, west + 0.0003, south + 0.0003)
    session.add(
        Cell(
            generation="next", kind="special", code=school, name="学校", community_code=NORTH_WEST[:12],
            area_m2=1.0, territory=NORTH_WEST,
            geom=from_shape(shapely.MultiPolygon([inside]), 4490),
        )
    )  # fmt: skip
    place = {"lon": west + 0.0001, "lat": south + 0.0001, "crs": "EPSG:4490", "category": "9901"}
    before = report(session, ReportDraft("old", **place), by=ADMIN, now=NOW, zone=toy_city.BEIJING)
    activate_generation(session, "next", by=ADMIN, now=NOW, force=True)
    after = report(session, ReportDraft("new", **place), by=ADMIN, now=NOW, zone=toy_city.BEIJING)
    where = dict(session.execute(sa.text("SELECT id, (cell_code, territory)::text FROM incident")).all())
    assert where[before.id] == where[after.id] == f"({school},{NORTH_WEST})"


def test_an_open_case_stays_where_the_rules_of_routing_put_it(session, city):
    """A lamp registered across the line, a place off every cell, a strip given to the other side, a word of
    the reporter: covering cells alone would say otherwise of all four."""
    lamp = Component(
        kind="lamp", code="990101000001", state="damaged", cell_code=NORTH_EAST, territory=NORTH_EAST,
        geom=from_shape(shapely.Point(LON + 0.0004, LAT + 0.0005), 4490),
    )  # fmt: skip
    strip = shapely.box(LON - 0.0009, LAT - 0.0004, LON - 0.0007, LAT - 0.0002)
    given = GroundException(
        cell_code=NORTH_WEST, geom=from_shape(strip, 4490), buffer_m=0.0, priority=1, reason="试",
        territory=NORTH_WEST, created_by="t", starts_at=NOW - timedelta(hours=1),
    )  # fmt: skip
    session.add_all([lamp, given])
    session.flush()

    def told(key, lon, lat, **more):
        place = {"lon": lon, "lat": lat, "crs": "EPSG:4490", "category": "9901"}
        return report(session, ReportDraft(key, **place, **more), by=ADMIN, now=NOW, zone=toy_city.BEIJING).id

    told("lamp", LON - 0.00095, LAT + 0.0008, component_id=lamp.id)
    told("near", LON - STEP - 0.0001, LAT + 0.0005)
    told("given", LON - 0.0008, LAT - 0.0003)
    told("word", LON - 0.0009, LAT - 0.00001, accuracy_m=20.0, chosen_cell=NORTH_WEST)
    where = "SELECT report_key, rule, cell_code, territory FROM incident ORDER BY id"
    before = session.execute(sa.text(where)).all()
    assert [(row.rule, row.cell_code) for row in before[:3]] == [
        ("component", NORTH_EAST), ("near", NORTH_WEST), ("exception", NORTH_WEST),
    ]  # fmt: skip
    assert before[3].cell_code == NORTH_WEST
    draw(session, "next", moved_line())
    activate_generation(session, "next", by=ADMIN, now=NOW, force=True)
    assert session.execute(sa.text(where)).all() == before


def test_the_story_tells_of_the_new_ground_and_replay_shows_the_old_one_before_it(session, city):
    draft = ReportDraft("key", lon=LON - 0.0001, lat=LAT + 0.0005, crs="EPSG:4490", category="9901")
    case = report(session, draft, by=ADMIN, now=NOW, zone=toy_city.BEIJING)
    elsewhere = replace(draft, report_key="b", lon=LON + 0.0005)
    still = report(session, elsewhere, by=ADMIN, now=NOW, zone=toy_city.BEIJING)
    draw(session, "next", moved_line())
    noon = NOW + timedelta(hours=2)
    activate_generation(session, "next", by=ADMIN, now=noon)

    told = session.execute(
        sa.text("SELECT incident_id, role, note, version FROM incident_move WHERE move = 'redraw'")
    ).all()
    assert [tuple(row) for row in told] == [(case.id, "system", f"网格 {NORTH_WEST} → {NORTH_EAST}", 2)]
    before, after = (
        {row.id: (row.territory, row.cell_name) for row in replay(session, minute, by=ADMIN)}
        for minute in (noon - timedelta(minutes=1), noon)
    )
    assert before[case.id] == (NORTH_WEST, "安澜 001")
    assert after[case.id] == (NORTH_EAST, "002")
    assert before[still.id][0] == after[still.id][0] == NORTH_EAST


def test_activating_again_moves_nothing(session, city):
    draw(session, "next", moved_line())
    activate_generation(session, "next", by=ADMIN, now=NOW)
    again = activate_generation(session, "next", by=ADMIN, now=NOW)
    assert again.replaced is None and not any(again.stamped.values())


def test_an_unknown_generation_is_told_with_those_that_are_loaded(session, city):
    with pytest.raises(NotFound) as refusal:
        activate_generation(session, "nowhere", by=ADMIN, now=NOW)
    assert "toy" in refusal.value.remedy_en
