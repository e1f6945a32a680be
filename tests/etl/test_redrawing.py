"""Cases reported and moved while the cells change over real connections: none stays on the old drawing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from etl.activation import activate_generation
from etl.redrawing import redraw_late_cases
from incidents.locating import DeclaredPlace
from incidents.workflow import ReportDraft, move, report
from tests import toy_city
from tests.etl.test_activation import ADMIN, draw, moved_line
from tests.toy_city import BEIJING, LAT, LON, NORTH_EAST, NORTH_WEST, NOW

BETWEEN = (LON - 0.0001, LAT + 0.0005)
"""In the north-west by the old drawing, in the north-east by the new one."""
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def city(database):
    with database.system_work() as session:
        toy_city.build(session)
        draw(session, "next", moved_line())
    return database


def told(session: Session, key: str, place: tuple[float, float] = BETWEEN):
    draft = ReportDraft(key, *place, "EPSG:4490", "9901")
    return report(session, draft, by=ADMIN, now=NOW, zone=BEIJING)


def activated(database) -> None:
    with database.system_work() as session:
        activate_generation(session, "next", by=ADMIN, now=NOW)


def caught_up(database, **more: float) -> dict[str, int]:
    with database.system_work() as session:
        return redraw_late_cases(session, "next", since=NOW, now=LATER, **more)


def where(database) -> dict[str, tuple[object, ...]]:
    with database.system_work() as session:
        rows = session.execute(
            sa.text("SELECT report_key, generation, cell_code, territory, version FROM incident")
        )
        return {row[0]: tuple(row[1:]) for row in rows}


def test_a_report_under_way_at_the_change_is_waited_for_and_goes_to_the_new_cells(city):
    with ThreadPoolExecutor(1) as pool:
        with city.system_work() as session:
            told(session, "late")
            activated(city)
            catching_up = pool.submit(caught_up, city)
            assert wait([catching_up], timeout=0.5).not_done, "its writer has not committed yet"
        assert catching_up.result() == {"incident": 1, "case_clock": 1, "subtask": 0}
    assert where(city) == {"late": ("next", NORTH_EAST, NORTH_EAST, 2)}
    with city.system_work() as session:
        story = session.execute(sa.text("SELECT move, territory FROM incident_move ORDER BY id")).all()
    assert story[-1] == ("redraw", NORTH_EAST)
    assert caught_up(city) == {"incident": 0, "case_clock": 0, "subtask": 0}


def test_a_late_report_on_ground_that_stayed_is_only_noted_on_the_new_drawing(city):
    with city.system_work() as session:
        told(session, "late", (LON + 0.001, LAT + 0.001))
        activated(city)
    assert caught_up(city)["incident"] == 0
    assert where(city) == {"late": ("next", NORTH_EAST, NORTH_EAST, 1)}


def test_a_pin_put_right_during_the_change_is_looked_at_again(city):
    """The mover saw the old drawing, and the change had read the old place: both are behind the times."""
    with city.system_work() as session:
        case = told(session, "moved", (LON - 0.0015, LAT + 0.0005))
    activated(city)
    with city.system_work() as session:
        place = DeclaredPlace(*BETWEEN, "EPSG:4490")
        move(
            session,
            case.id,
            "relocate",
            by=ADMIN,
            now=LATER,
            version=1,
            note="改点",
            place=place,
            zone=BEIJING,
        )
        session.execute(sa.text("UPDATE incident SET territory = :w, cell_code = :w"), {"w": NORTH_WEST})
    assert caught_up(city)["incident"] == 1
    assert where(city)["moved"][:3] == ("next", NORTH_EAST, NORTH_EAST)


def test_what_runs_for_long_is_not_waited_for_without_end(city):
    with city.system_work() as session:
        session.execute(sa.text("SELECT 1"))
        activated(city)
        assert caught_up(city, wait_s=0.1)["incident"] == 0


def test_nothing_is_redrawn_for_a_drawing_that_is_not_in_force(city):
    with city.system_work() as session:
        told(session, "k")
    assert caught_up(city) == {}
    assert where(city) == {"k": ("toy", NORTH_WEST, NORTH_WEST, 1)}
