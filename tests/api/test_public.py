"""The public numbers by HTTP: for everybody, and nothing but what was published."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime

import pytest
import sqlalchemy as sa

from api.worker import Worker
from gis.settings import Settings
from incidents.public_bins import PublicMonth, publish_due
from tests.served_city import report_body

PATHS = ("/api/v1/public/months", "/api/v1/public/months/2026-10")


@pytest.fixture
def public(api) -> Iterator:
    """Twelve cases of one class in the north in October, four of another in the south; then published."""
    zone = Settings().zone
    api.now = datetime(2026, 10, 5, 10, tzinfo=zone)
    for n in range(12):
        api.post("member", "/incidents", **report_body(report_key=f"n{n}"))
    for n in range(4):
        body = report_body(report_key=f"s{n}", lon=113.0985, lat=22.9985, category="9902")
        api.post("south", "/incidents", **body)
    with api.database.system_work() as session:
        session.execute(
            sa.text("UPDATE incident SET joined_to = NULL, stage = 'closed', closed_at = reported_at")
        )
        session.execute(sa.text("UPDATE category SET group_code = code"))
        api.now = datetime(2026, 11, 23, 10, tzinfo=zone)
        publish_due(session, api.now, k=10, zone=zone)
    yield api
    with api.database.system_engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE public_month CASCADE")
        connection.exec_driver_sql("UPDATE category SET group_code = '01'")


def test_anybody_reads_the_published_bins_and_no_total(public):
    stranger = public.anonymous()
    listed = stranger.get(PATHS[0])
    assert listed.headers["cache-control"] == "public, max-age=3600"
    assert [one["month"] for one in listed.json()["months"]] == ["2026-10-01"]
    answer = stranger.get(PATHS[1])
    assert "immutable" in answer.headers["cache-control"]
    told = answer.json()
    assert set(told) == {"month", "hidden_below", "rounded_to", "published_at", "bins"}
    visible = [one for one in told["bins"] if one["shown"] is not None]
    assert [(one["community_code"], one["group_code"], one["shown"]) for one in visible] == [
        ("990101001001", "9901", 10)
    ]
    assert len(told["bins"]) == 8, "two communities, four classes; the small and the empty look alike"
    small, empty = (
        [one for one in told["bins"] if one["group_code"] == group and one["community_code"].endswith("002")]
        for group in ("9902", "9903")
    )
    assert small[0] | {"group_code": ""} == empty[0] | {"group_code": ""}


@pytest.mark.parametrize("month", ["2026-11", "2026-09", "1999-01", "2026-13", "2026-1", "x", "2026-10-01"])
def test_there_is_no_other_month(public, month):
    answer = public.anonymous().get(f"/api/v1/public/months/{month}")
    assert answer.status_code in (404, 422) and "shown" not in answer.text


def test_asking_again_and_again_shows_no_single_case(public):
    """A case of the open month, and a late change of a published one, are seen by nobody."""
    stranger = public.anonymous()
    before = [stranger.get(path).text for path in PATHS]
    public.post("member", "/incidents", **report_body(report_key="new"))
    with public.database.system_work() as session:
        session.execute(sa.text("UPDATE incident SET stage = 'void' WHERE reported_at < '2026-11-01'"))
    assert [stranger.get(path).text for path in PATHS] == before


@pytest.mark.parametrize("query", ["?territory=990101001001", "?group=9902", "?k=1", "?hidden_below=0"])
def test_no_question_narrows_the_answer(public, query):
    stranger = public.anonymous()
    assert stranger.get(PATHS[1] + query).text == stranger.get(PATHS[1]).text


@pytest.mark.parametrize("path", ["/api/v1/incidents", "/api/v1/indicators", "/tiles/map/12/3334/1777.pbf"])
def test_a_stranger_reads_nothing_else(public, path):
    assert public.anonymous().get(path).status_code in (401, 404)


def test_with_nobody_bound_the_database_shows_bins_and_not_one_case(public):
    with public.database.unbound_work() as session:
        assert session.execute(sa.text("SELECT count(*) FROM public_bin")).scalar_one() == 8
        assert session.execute(sa.text("SELECT count(*) FROM incident")).scalar_one() == 0
    for statement in (
        "INSERT INTO public_month SELECT '2026-01-01', 1, 1, now()",
        "UPDATE public_bin SET shown = 1",
        "DELETE FROM public_bin",
        "SELECT 1 FROM resident",
    ):
        with pytest.raises(sa.exc.ProgrammingError), public.database.unbound_work() as session:
            session.execute(sa.text(statement))


def test_the_worker_publishes_only_where_the_city_wants_it(database, tmp_path):
    from tests.incidents.conftest import Town
    from tests.toy_city import NOW, build

    with database.system_work() as session:
        town = Town(session, build(session))
        town.report(town.member, now=datetime(2026, 9, 3, 10, tzinfo=NOW.tzinfo))
    for wanted, months in ((False, 0), (True, 2)):
        worker = Worker(database, Settings(home=tmp_path, public_map=wanted), {}, lambda: NOW)
        worker.publish(threading.Event())
        with database.system_work() as session:
            assert len(session.scalars(sa.select(PublicMonth)).all()) == months
