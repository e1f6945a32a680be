"""The page of who looked: alerts, each look with its filters, the trail, and for whom it is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from api.audit_check import check_trail
from api.auth import add_account
from dash_app.desk import Desk
from dash_app.pages.audit_page import audit_page
from dash_app.panels.rail import rail
from dash_app.texts import Words
from dash_app.view_state import ViewState
from gis import audit_chain
from gis.access import Principal
from gis.database import Database
from gis.errors import Denied
from layers.household_reading import From, households_of, open_resident
from layers.households import Resident
from tests import toy_desk
from tests.conftest import clone, drop
from tests.dash_app.conftest import Office
from tests.settled import settled
from tests.toy_city import NOW, SOUTH_WEST
from tests.toy_desk import ZONE

HERE = From("phone", "10.0.0.7")


@pytest.fixture(scope="module")
def watched(cluster, template) -> Iterator[Office]:
    """The toy desk after a day of looks: the member saw a list and opened a person, a stranger was refused,
    and somebody looked at 23:30."""
    name = f"watched_{os.getpid()}"
    database = Database(clone(cluster, template, name))
    with database.system_work() as session:
        toy = toy_desk.build(session, NOW)
        far = settled(
            add_account(session, "stranger", toy_desk.PASSWORD, role="member", now=NOW, territory=SOUTH_WEST)
        )
        stranger = Principal(far.id, "stranger", "", "member", SOUTH_WEST)
        resident = session.scalars(sa.select(Resident.id).where(Resident.name == "张明明")).one()
    member, officer = toy.people["member"], toy.people["officer"]
    late = NOW.replace(hour=23, minute=30) - timedelta(days=1)
    for by, at in ((member, NOW - timedelta(hours=2)), (stranger, NOW - timedelta(hours=1)), (officer, late)):
        with database.unit_of_work(by) as session:
            households_of(session, toy.city.building, by=by, now=at, where=HERE)
    with database.unit_of_work(member) as session:
        open_resident(session, resident, "care", by=member, now=NOW - timedelta(hours=1), where=HERE)
    yield Office(Desk(database, ZONE, lambda: NOW), toy)
    database.dispose()
    drop(cluster, name)


def rows(page: str) -> list[str]:
    """The text of each line of the table of looks."""
    body = re.search(r"<tbody>(.*?)</tbody>", page, re.S)
    found = re.findall(r"<tr>(.*?)</tr>", body[1], re.S) if body else []
    return [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in found]


def test_each_look_says_who_where_and_why_and_names_no_resident(watched):
    with watched.at():
        page = audit_page(watched.desk, "")
    assert rows(page) == [
        "09:00 王小明 member 看姓名电话 银杏苑 3 栋 2 单元 301 安澜 001 关怀服务 手机 · 10.0.0.7",
        "09:00 stranger 被拒绝 银杏苑 3 栋 安澜 001 手机 · 10.0.0.7",
        "08:00 王小明 member 看名单（脱敏） 银杏苑 3 栋 安澜 001 手机 · 10.0.0.7",
        "昨日 23:30 周岩 officer 看名单（脱敏） 银杏苑 3 栋 安澜 001 手机 · 10.0.0.7",
    ]
    assert "张明明" not in page and "李四" not in page


def test_looks_that_differ_in_nothing_but_time_are_one_line(watched):
    officer = watched.toy.people["officer"]
    with watched.desk.database.unit_of_work(officer) as session:
        for minutes in (1, 3, 5):
            at = NOW - timedelta(days=40, minutes=minutes)
            households_of(session, watched.toy.city.building, by=officer, now=at, where=HERE)
    with watched.at(language="en"):
        last = rows(audit_page(watched.desk, "days=90&who=officer"))[-1]
    assert last.startswith("14 Oct 09:55 – 14 Oct 09:59 周岩 officer saw the list, masked 3 times")


def test_what_stands_out_comes_first_and_leads_to_its_looks(watched):
    with watched.at(language="en"):
        page = audit_page(watched.desk, "")
    assert page.index("outside their duty") < page.index("Each look</h2>")
    assert "1 between 22:00 and 6:00" in page and "1 refused" in page
    link = re.search(r'href="(/audit\?[^"]*who=stranger[^"]*)"', page)
    assert link
    with watched.at():
        chosen = audit_page(watched.desk, link[1].partition("?")[2].replace("&amp;", "&"))
    assert [row.split()[1] for row in rows(chosen)] == ["stranger"]


@pytest.mark.parametrize(
    ("query", "who"),
    [
        ("who=周", ["周岩"]),
        ("who=member", ["王小明", "王小明"]),
        ("place=3 栋&action=unmask_resident", ["王小明"]),
        ("action=read_refused", ["stranger"]),
        ("days=1&who=周岩", ["周岩"]),
        ("place=%25", []),
        ("who=' OR 1=1 --", []),
    ],
)
def test_a_search_finds_by_person_place_and_act(watched, query, who):
    with watched.at():
        page = audit_page(watched.desk, query)
    names = {"stranger", "王小明", "周岩"}
    assert [next(n for n in row.split() if n in names) for row in rows(page)] == who
    assert bool(who) or "没有符合条件的记录" in page


def test_nonsense_in_the_address_is_the_plain_page(watched):
    with watched.at():
        assert rows(audit_page(watched.desk, "days=8&action=drop")) == rows(audit_page(watched.desk, ""))


def test_another_ground_sees_nothing(watched):
    elsewhere = Principal(98, "d", "外区", "district_officer", "990199")
    watched.toy.people["elsewhere"] = elsewhere
    with watched.at("elsewhere"):
        page = audit_page(watched.desk, "")
    assert rows(page) == [] and "这段时间没有人查看" in page and "没有异常" in page
    with watched.at("elsewhere", "en"):
        empty = audit_page(watched.desk, "")
    assert "Nobody looked in this time" in empty and "No exports on your ground" in empty


def test_the_trail_tells_its_seal_its_last_check_and_a_fault(watched):
    with watched.at("officer", "en"):
        before = audit_page(watched.desk, "")
    assert "Never checked" in before and "the worker seals every minute" in before
    with watched.desk.database.system_work() as session:
        sealed = audit_chain.seal(session, NOW)
    admin = watched.toy.people["admin"]
    check_trail(watched.desk.database, admin, NOW)
    with watched.at("admin", "en"):
        page = audit_page(watched.desk, "")
    assert sealed and sealed.hash in page and f"intact, {sealed.entries} entries" in page
    assert 'data-act="POST"' in page
    with watched.desk.database.system_work() as session:
        session.execute(sa.text("ALTER TABLE audit_entry DISABLE TRIGGER append_only"))
        session.execute(sa.text("UPDATE audit_entry SET username = 'li' WHERE username = 'stranger'"))
        changed = session.execute(sa.text("SELECT id FROM audit_entry WHERE username = 'li'")).scalar_one()
    assert check_trail(watched.desk.database, admin, NOW).entry_id == changed
    with watched.at("officer", "en"):
        page = audit_page(watched.desk, "")
    assert f"The trail was touched: entry {changed} was changed" in page
    assert 'data-act="POST"' not in page, "who does not check the whole city's trail has no button"


def test_it_is_for_supervisors(watched):
    for who in ("member", "community", "inspector", "resident"):
        with watched.at(who), pytest.raises(Denied):
            audit_page(watched.desk, "")
    with pytest.raises(Denied):
        check_trail(watched.desk.database, watched.toy.people["officer"], NOW)
    people = watched.toy.people
    shown = {
        who: 'href="/audit"' in rail(Words("zh"), people[who], ViewState(), theme="light", overdue=0)
        for who in ("officer", "community")
    }
    assert shown == {"officer": True, "community": False}
