"""The reporter's page: what it tells without signing in, what it never tells, and the rating."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from dash_app.app import compose
from dash_app.pages.tracking_page import qr_svg
from dash_app.panels.incident import incident_panel
from dash_app.texts import Words
from dash_app.view_state import ViewState
from gis.errors import Conflict, Invalid, NotFound
from gis.settings import Settings
from incidents import second_looks, tracking
from incidents.incident import Incident
from incidents.queries import get_incident
from incidents.tracking import Rating
from tests.dash_app.test_app import Client
from tests.toy_city import NOW


@pytest.fixture(scope="module")
def app(office):
    return compose(office.desk.database, Settings(public_url="https://city.example/"), clock=lambda: NOW)


@pytest.fixture
def code(office):
    """Tracking codes by the name of the case; ratings are taken back afterwards."""
    with office.desk.database.system_work() as session:
        rows = session.execute(sa.select(Incident.id, Incident.tracking_code)).all()
    codes = {row.id: row.tracking_code for row in rows}
    yield lambda name: codes[office.toy.cases[name]]
    with office.desk.database.system_work() as session:
        session.execute(sa.delete(Rating))


@pytest.mark.parametrize(
    ("language", "said"),
    [("zh", ["已结案", "上报", "派遣", "结案", "暴露垃圾"]), ("en", ["Closed", "Report", "Dispatch"])],
)
def test_anybody_with_the_code_sees_what_became_of_it(app, code, language, said):
    answer = Client(app).get(f"/r/{code('closed')}?lang={language}")
    assert answer.status_code == 200
    assert [word for word in said if word not in answer.text] == []
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert answer.headers["cache-control"] == "no-store"
    assert "<script" not in answer.text


def test_nothing_personal_is_on_it(app, code, office):
    with office.desk.database.system_work() as session:
        case = session.get(Incident, office.toy.cases["closed"])
        people = session.scalars(sa.text("SELECT name FROM member UNION SELECT display_name FROM account"))
        private = [*people, case.description, case.place, case.on_behalf]
    page = Client(app).get(f"/r/{code('closed')}").text
    assert len(private) > 8
    assert [text for text in private if text and text in page] == []


def test_a_rating_is_kept_shown_and_may_be_changed(app, code, office):
    reporter, page = Client(app), f"/r/{code('closed')}"
    for score, comment in ((5, "很快"), (1, "又堆起来了 <b>")):
        answer = reporter.request("POST", page, data={"score": score, "comment": comment})
        assert (answer.status_code, answer.headers["location"]) == (303, f"{page}?lang=zh")
    shown = reporter.get(page).text
    assert "评价 1 / 5" in shown and "可以重开处理" in shown
    assert "又堆起来了 &lt;b&gt;" in shown
    with office.desk.database.system_work() as session:
        officer = office.toy.people["officer"]
        detail = get_incident(session, office.toy.cases["closed"], by=officer, now=NOW)
    assert (detail.rating.score, detail.rating.offers_reopen) == (1, True)
    assert "reopen" in detail.moves


def test_a_poor_rating_offers_to_open_the_case_again_once(app, code, office):
    reporter, page = Client(app), f"/r/{code('closed')}"
    again = {"data": {"reason": "又堆起来了"}}
    assert reporter.request("POST", page + "/reopen", **again).status_code == 409, "not rated yet"
    reporter.request("POST", page, data={"score": 4})
    assert "/reopen" not in reporter.get(page).text
    reporter.request("POST", page, data={"score": 2})
    assert f"{page}/reopen" in reporter.get(page).text
    assert reporter.request("POST", page + "/reopen", data={"reason": ""}).status_code == 422
    with office.desk.database.system_work() as session, session.begin_nested() as undone:
        case = second_looks.take_up_again(
            session, code("closed"), "又堆起来了", now=NOW, zone=office.desk.zone
        )
        assert (case.stage, case.handler_id) == ("registered", None)
        assert not second_looks.is_offered(session, code("closed"), now=NOW)
        told = session.execute(sa.text("SELECT note, role FROM incident_move ORDER BY id DESC LIMIT 1")).one()
        assert tuple(told) == ("又堆起来了", "resident")
        with pytest.raises(Conflict):
            second_looks.take_up_again(session, code("closed"), "再来", now=NOW, zone=office.desk.zone)
        undone.rollback()


@pytest.mark.parametrize(
    "form", [{}, {"score": "six"}, {"score": "0"}, {"score": "6"}, {"score": "3", "comment": "长" * 501},
             {"score": "3", "comment": "x" * 9000}],
)  # fmt: skip
def test_a_rating_that_is_none_is_refused(app, code, form):
    answer = Client(app).request("POST", f"/r/{code('closed')}", data=form)
    assert answer.status_code == 422
    assert Client(app).get(f"/r/{code('closed')}").text.count('name="score"') == 5


def test_an_open_case_cannot_be_rated_yet(app, code, office):
    page = f"/r/{code('handling')}"
    assert 'name="score"' not in Client(app).get(page).text
    assert Client(app).request("POST", page, data={"score": "3"}).status_code == 409
    with office.desk.database.system_work() as session, pytest.raises(Conflict):
        tracking.rate(session, code("handling"), 3, None, now=NOW)
    with office.desk.database.system_work() as session, pytest.raises(Invalid):
        tracking.rate(session, code("closed"), 6, None, now=NOW)


@pytest.mark.parametrize("wrong", ["ffffffffffffffff", "%00", "a" * 41, "' OR 1=1"])
def test_a_code_that_is_none_shows_nothing(app, office, wrong):
    assert Client(app).get(f"/r/{wrong}", headers={"accept": "text/html"}).status_code == 404
    with office.desk.database.system_work() as session, pytest.raises(NotFound):
        tracking.track(session, wrong)


def test_the_qr_code_holds_the_public_address(app, code):
    answer = Client(app).get(f"/r/{code('closed')}/qr.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.content == qr_svg(f"https://city.example/r/{code('closed')}")


def test_the_panel_of_the_case_shows_the_rating_and_the_code(app, code, office):
    with office.desk.database.system_work() as session:
        tracking.rate(session, code("closed"), 2, "慢", now=NOW)
    with office.desk.database.system_work() as session:
        officer = office.toy.people["officer"]
        detail = get_incident(session, office.toy.cases["closed"], by=officer, now=NOW)
    panel = incident_panel(
        Words("en"), detail, ViewState(), candidates=[], departments=[], stretches=[], now=NOW,
        zone=office.desk.zone,
    )  # fmt: skip
    assert "Rated 2 / 5" in panel and "it can be reopened" in panel
    assert f'src="/r/{code("closed")}/qr.svg"' in panel
