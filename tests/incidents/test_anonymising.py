"""Old cases lose their persons and keep their numbers: every indicator before and after, every word gone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from api.migrations.tables import metadata
from gis.forgetting import MARK
from incidents import tracking
from incidents.anonymising import anonymise_some, count_due
from incidents.calendar import CITY_ZONE
from incidents.evaluation import GROUPINGS
from incidents.incident import Incident, IncidentMove
from incidents.locating import DeclaredPlace
from incidents.replay import replay
from tests.incidents.test_indicators import BY_HAND, LATER, at, day, numbers, read  # noqa: F401
from tests.toy_city import LAT, LON, NORTH_EAST, NOW, square

BEFORE = NOW + timedelta(days=30)
YEARS_LATER = NOW + timedelta(days=1200)
WHO, PHONE, ROOM, WORDS, ANSWER = "孙大圣", "10099998888", "水帘洞", "大闹天宫", "筋斗云"
"""Words about an obviously invented person, put wherever a case has room for words."""


def everything(session) -> str:
    """Every row of every table as text, the trail and the stories included."""
    return "\n".join(
        json.dumps(row, ensure_ascii=False, default=str)
        for table in metadata.sorted_tables
        for (row,) in session.execute(sa.text(f'SELECT to_jsonb(t) FROM "{table.name}" AS t'))
    )


@pytest.fixture
def told(town):
    """A resident's case, closed and rated, with the invented person in every field it has."""
    case = town.report(
        town.resident, "r1", title=f"{WHO}家漏水", description=f"{WHO} {PHONE}：{WORDS}", channel="resident",
        on_behalf=f"{WHO} {PHONE}", floor=3, unit="2", room=ROOM,
    )  # fmt: skip
    town.session.execute(
        sa.update(Incident)
        .where(Incident.id == case.id)
        .values(place=f"{ROOM}门口", answers={"who": ANSWER}, reason_zh=f"{WHO}在岗")
    )
    town.move(case, "supervise", town.operator, note=f"找{WHO}")
    town.move(
        case,
        "relocate",
        town.officer,
        note=WORDS,
        place=DeclaredPlace(LON + 0.0007, LAT + 0.0007, "EPSG:4490"),
    )
    town.move(case, "assist", town.officer, note=f"问{WHO}", member_id=town.leader.member_id)
    task = town.session.scalar(sa.text("SELECT id FROM subtask"))
    town.move(case, "assist_finish", town.leader, subtask_id=task, note=f"{WHO}不在")
    town.move(case, "finish", town.member, note=f"{WHO}已签字", here=(LON + 0.00071, LAT + 0.00072))
    town.walk(case, ("verify", town.inspector), ("close", town.officer))
    tracking.rate(town.session, case.tracking_code, 5, f"我是{WHO}", now=NOW)
    return case


def forget(town, *, before=BEFORE, limit=500) -> int:
    done = anonymise_some(town.session, before, YEARS_LATER, limit=limit)
    town.session.expire_all()
    return done


def test_nothing_of_the_person_is_left_anywhere(town, told):
    assert all(word in everything(town.session) for word in (WHO, PHONE, ROOM, WORDS, ANSWER))
    assert forget(town) == 1
    left = everything(town.session)
    for word in (WHO, PHONE, ROOM, WORDS, ANSWER, "孙某", told.tracking_code):
        assert not [line for line in left.splitlines() if word in line], word


def test_what_numbers_need_stays(town, told):
    before = town.case(told)
    kept = ("number", "channel", "category", "territory", "cell_code", "stage", "member_id", "handler_id",
            "reported_at", "dispatched_at", "closed_at", "due_at", "confidence", "rule")  # fmt: skip
    was = {name: getattr(before, name) for name in kept}
    moves = sa.select(IncidentMove.move, IncidentMove.at, IncidentMove.to_stage, IncidentMove.member_id)
    story = town.session.execute(moves.order_by(IncidentMove.id)).all()
    forget(town)
    after = town.case(told)
    assert {name: getattr(after, name) for name in kept} == was
    assert town.session.execute(moves.order_by(IncidentMove.id)).all() == story
    assert (after.reported_by, after.description, after.anonymised_at) == (None, MARK, YEARS_LATER)
    assert after.title == "暴露垃圾", "the category's own name"


def test_a_home_moves_to_the_middle_of_its_cell_and_public_ground_stays(town, told):
    on_the_street = town.report(town.member, "m1", lon=LON + 0.0003, lat=LAT + 0.0004)
    town.walk(on_the_street, ("finish", town.member), ("verify", town.inspector), ("close", town.officer))
    forget(town)
    points = dict(
        (row.id, (row.x, row.y, row.source_lon))
        for row in town.session.execute(
            sa.text("SELECT id, ST_X(geom) AS x, ST_Y(geom) AS y, source_lon FROM incident")
        )
    )
    middle = square(NORTH_EAST).centroid
    assert points[told.id] == pytest.approx((middle.x, middle.y, middle.x))
    assert points[on_the_street.id] == pytest.approx((LON + 0.0003, LAT + 0.0004, LON + 0.0003))


def test_every_indicator_reads_the_same_before_and_after(town, day):  # noqa: F811
    """The ten stories counted by hand, told apart in every way there is."""
    groupings = [None, *GROUPINGS]
    was = [read(town, group=group) for group in groupings]
    past = replay(town.session, at(12), by=town.operator, zone=CITY_ZONE)
    assert count_due(town.session, BEFORE) == forget(town) == 5, "A, B, E, F and G have ended"
    assert [read(town, group=group) for group in groupings] == was
    assert numbers(read(town)) == BY_HAND
    again = replay(town.session, at(12), by=town.operator, zone=CITY_ZONE)
    assert len(again) == 8, "F and G had ended by noon"
    assert [(row.id, row.stage, row.clock) for row in again] == [
        (row.id, row.stage, row.clock) for row in past
    ]


def test_batches_carry_on_where_the_last_one_ended(town, day):  # noqa: F811
    assert [forget(town, limit=3), forget(town, limit=3), forget(town, limit=3)] == [3, 2, 0]


def test_what_is_open_young_or_appealed_is_left_alone(town, told):
    assert forget(town, before=NOW) == 0
    town.move(told, "appeal", town.resident, note="不服")
    assert forget(town) == 0
    town.move(told, "dismiss", town.officer, note="已核实")
    assert forget(town) == 1


@pytest.mark.parametrize(
    "change",
    [
        "note = '别的'",
        "actor_name = '别人'",
        "at = now()",
        "to_stage = 'closed'",
        "details = details || '{\"more\": 1}'",
        "member_id = 3",
        f"note = '{MARK} '",
    ],
)
def test_a_story_may_lose_words_and_gain_none(town, told, change):
    with pytest.raises(ProgrammingError, match="append-only"), town.session.begin_nested():
        town.session.execute(sa.text(f"UPDATE incident_move SET {change} WHERE move = 'supervise'"))
    with pytest.raises(ProgrammingError, match="append-only"), town.session.begin_nested():
        town.session.execute(sa.text("DELETE FROM incident_move"))
