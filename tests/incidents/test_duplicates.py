"""Reports of one thing: found by kind, space and time, joined under one clock, taken apart again."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from gis.access import Principal
from gis.errors import Conflict, Invalid, NotFound
from incidents import queries
from incidents.categories import Category
from incidents.duplicates import alike
from incidents.incident import Incident, IncidentMove
from incidents.notices import Notice
from incidents.queries import Filter
from incidents.tracking import track
from tests.incidents.conftest import HERE
from tests.toy_city import NOW

METRE = 1 / 110_760
"""Degrees of latitude in a metre at 23 N."""
LATER = NOW + timedelta(minutes=20)


@pytest.fixture
def first(town):
    """A report of the member: category 9901 reaches 30 m and 72 hours by default."""
    return town.report(town.member)


def near(town, key, metres, *, by=None, **changes):
    """One more report, so many metres north of the first."""
    more = {"now": LATER, "lat": HERE[1] + metres * METRE, **changes}
    return town.report(by or town.resident, key, **more)


def listed(town):
    return [
        row.id for row in queries.list_incidents(town.session, Filter(), by=town.operator, now=LATER).rows
    ]


def test_near_in_space_and_time_and_of_one_kind_is_alike(town, first):
    found = alike(town.session, "9901", HERE[0], HERE[1] + 20 * METRE, LATER)
    assert [(one.id, round(one.metres)) for one in found] == [(first.id, 20)]
    assert not alike(town.session, "9901", HERE[0], HERE[1] + 31 * METRE, LATER), "31 m are too far"
    assert not alike(town.session, "9901", *HERE, NOW + timedelta(hours=73)), "73 hours are too long"
    assert not alike(town.session, "9902", *HERE, LATER), "a brawl is no rubbish"


def test_how_near_is_the_categorys_data(town, first):
    town.session.execute(sa.update(Category).values(same_within_m=10, same_within_hours=1))
    assert alike(town.session, "9901", HERE[0], HERE[1] + 9 * METRE, NOW + timedelta(minutes=59))
    assert not alike(town.session, "9901", HERE[0], HERE[1] + 11 * METRE, LATER)
    assert not alike(town.session, "9901", *HERE, NOW + timedelta(minutes=61))
    town.session.execute(sa.update(Category).values(same_within_m=0))
    assert not alike(town.session, "9901", *HERE, LATER), "0 m: never the same, be it at one point"


@pytest.mark.parametrize(
    ("told", "same"),
    [
        ({}, True),
        ({"unit": "2"}, True),
        ({"unit": "2", "floor": 11, "room": "1102"}, True),
        ({"unit": "1"}, False),
        ({"unit": "2", "floor": 12}, False),
        ({"unit": "2", "floor": 11, "room": "1101"}, False),
    ],
)
def test_another_door_is_another_thing(town, told, same):
    town.report(town.member, unit="2", floor=11, room="1102")
    assert bool(alike(town.session, "9901", *HERE, LATER, **told)) is same


def test_a_report_that_joins_has_no_clock_and_no_handler_of_its_own(town, first):
    due_at = town.case(first).due_at
    second = near(town, "k2", 12)
    joined = town.move(second, "join", town.operator, case_id=first.id, now=LATER)
    assert (joined.stage, joined.joined_to, joined.handler_id) == ("joined", first.id, None)
    lead = town.case(first)
    assert (lead.reports, lead.due_at, lead.handler_id) == (2, due_at, town.member.member_id)
    assert listed(town) == [first.id]
    told = town.session.execute(
        sa.select(Notice.kind, Notice.account_id, Notice.body).where(Notice.kind == "joined")
    )
    assert [tuple(row) for row in told] == [("joined", town.resident.account_id, {"joined_to": lead.number})]
    story = town.session.scalars(
        sa.select(IncidentMove).where(IncidentMove.incident_id == first.id).order_by(IncidentMove.id)
    ).all()
    assert (story[-1].move, story[-1].details["report"]) == ("take_in", second.id)
    assert story[-1].version == lead.version


def test_taking_apart_gives_everything_back(town, first):
    second = near(town, "k2", 12)
    before = town.case(second)
    was = (before.stage, before.handler_id, before.due_at)
    town.move(second, "join", town.operator, case_id=first.id, now=LATER)
    with pytest.raises(Invalid):
        town.move(second, "split", town.operator, now=LATER)
    apart = town.move(second, "split", town.operator, note="是两处", now=LATER + timedelta(minutes=30))
    assert (apart.stage, apart.handler_id) == was[:2]
    assert apart.due_at == was[2] + timedelta(minutes=30), "the clock stood while it was joined"
    assert (apart.joined_to, town.case(first).reports) == (None, 1)
    assert sorted(listed(town)) == [first.id, second.id]


def test_a_reporter_may_say_so_while_reporting(town, first):
    second = near(town, "k2", 12, same_as=first.id)
    assert (second.stage, second.joined_to) == ("joined", town.case(first).number)
    again = near(town, "k2", 12, same_as=first.id)
    assert (again.id, again.created, town.case(first).reports) == (second.id, False, 2)
    assert (again.stage, again.joined_to) == (second.stage, second.joined_to)
    apart = town.move(second, "split", town.operator, note="不是", now=LATER)
    assert apart.stage == "reported" and apart.due_at is not None, "it begins where a report begins"


def test_what_is_not_alike_stands_on_its_own_whatever_is_said(town, first):
    assert near(town, "far", 40, same_as=first.id).joined_to is None
    assert near(town, "nobody", 5, same_as=999_999).joined_to is None
    town.walk(first, ("hand_back", town.member), ("void", town.operator))
    assert near(town, "ended", 5, same_as=first.id).joined_to is None


def test_only_the_later_joins_a_living_earlier_one_and_a_lead_joins_nobody(town, first):
    second, third = near(town, "k2", 5), near(town, "k3", 8, now=LATER + timedelta(minutes=5))
    for case, other in ((first, second), (first, first)):
        with pytest.raises(Conflict):
            town.move(case, "join", town.operator, case_id=other.id, now=LATER)
    with pytest.raises(Invalid):
        town.move(second, "join", town.operator, now=LATER)
    with pytest.raises(NotFound):
        town.move(second, "join", town.operator, case_id=999_999, now=LATER)
    town.move(third, "join", town.operator, case_id=second.id, now=LATER)
    with pytest.raises(Conflict) as refusal:
        town.move(second, "join", town.operator, case_id=first.id, now=LATER)
    assert "并入" in refusal.value.message_zh


def finished(town, case):
    town.walk(case, ("accept", town.member), ("finish", town.member), ("verify", town.leader))


def test_every_reporter_is_answered_with_the_one_end(town, first):
    """Three residents add to the member's report; a desk officer closes it: four answers, one a reporter."""
    residents = [Principal(60 + n, f"r{n}", "居民", "resident") for n in range(3)]
    more = [near(town, f"k{n}", n, by=who, same_as=first.id) for n, who in enumerate(residents)]
    finished(town, first)
    town.move(first, "close", town.officer, note="已修好", now=LATER)
    for report in more:
        case = town.case(report)
        assert (case.stage, case.closed_at, case.answered_at) == ("closed", LATER, LATER)
        assert track(town.session, case.tracking_code).reply == "已修好"
    answers = town.session.execute(
        sa.select(Notice.account_id, Notice.body["reply"].astext).where(Notice.kind == "answered")
    ).all()
    assert sorted(map(tuple, answers)) == [(n, "已修好") for n in (1, 60, 61, 62)]


def test_a_reopened_case_takes_its_reports_along_and_a_report_may_leave(town, first):
    second = near(town, "k2", 5, same_as=first.id)
    finished(town, first)
    town.move(first, "close", town.officer, now=LATER)
    town.move(first, "reopen", town.officer, note="又漏了", now=LATER)
    again = town.case(second)
    assert (again.stage, again.answered_at, again.joined_to) == ("joined", None, first.id)
    town.walk(first, ("dispatch", town.operator))
    finished(town, first)
    town.move(first, "close", town.officer, now=LATER)
    town.move(second, "reopen", town.resident, note="我家没修", now=LATER)
    assert (town.case(second).stage, town.case(second).joined_to) == ("registered", None)
    assert (town.case(first).stage, town.case(first).reports) == ("closed", 1)


def test_the_panel_offers_what_is_alike_with_its_reason(town, first):
    second = near(town, "k2", 12)
    offered = queries.get_incident(town.session, second.id, by=town.operator, now=LATER).alike
    assert [(one.id, round(one.metres), one.reports) for one in offered] == [(first.id, 12, 1)]
    assert queries.get_incident(town.session, second.id, by=town.resident, now=LATER).alike == []
    town.move(second, "join", town.operator, case_id=first.id, now=LATER)
    lead = queries.get_incident(town.session, first.id, by=town.operator, now=LATER)
    assert [(one.id, one.stage, round(one.metres)) for one in lead.joined] == [(second.id, "joined", 12)]
    assert lead.alike == []


def test_one_thing_counts_once(town, first):
    for n in range(4):
        near(town, f"k{n}", n, same_as=first.id)
    figures = queries.counters(town.session, by=town.operator, now=LATER, zone=LATER.tzinfo)
    assert (figures.new_today, figures.handling) == (1, 1)
    assert town.session.scalar(sa.select(sa.func.count()).select_from(Incident)) == 5
