"""The owner map is there before the first question, and a city without cells is no fault."""

from __future__ import annotations

from sqlalchemy import event

from api.gate import Means
from api.warming import warm_in_background
from gis.geometry import Fix
from gis.settings import Settings
from grids.responsibility import responsible_for
from tests import toy_city
from tests.toy_city import LAT, LON, NORTH_EAST, NOW


def questions(database, ask):
    """The statements that SQLAlchemy sends while `ask` runs."""
    sent = []

    def note(_connection, _cursor, statement, *_):
        sent.append(statement)

    event.listen(database.system_engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(database.system_engine, "before_cursor_execute", note)
    return sent


def test_the_first_question_finds_the_owner_map_made(database):
    with database.system_work() as session:
        toy_city.build(session)

    def ask():
        with database.system_work() as session:
            answer = responsible_for(session, Fix(LON + 0.001, LAT + 0.001), at=NOW)
            assert answer.cell_code == NORTH_EAST

    warm_in_background(Means(database, Settings(), lambda: NOW)).join()
    assert not [sql for sql in questions(database, ask) if "FROM cell" in sql]


def test_a_city_without_cells_is_served_all_the_same(database):
    thread = warm_in_background(Means(database, Settings(), lambda: NOW))
    thread.join()
    with database.system_work() as session:
        toy_city.build(session)
        assert responsible_for(session, Fix(LON + 0.001, LAT + 0.001), at=NOW).cell_code == NORTH_EAST
