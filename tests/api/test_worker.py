"""The worker: killed in the middle it loses nothing; inside it tells once, outside at least once."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import threading
import time as clock_time
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from api.senders import KEY, SIGNATURE, senders_of
from api.worker import Worker
from gis.settings import Settings
from incidents.contacts import add_contact, remove_contact
from incidents.deliveries import CLAIM, GIVE_UP_AFTER, LONGEST_WAIT, Delivery, Quiet, claim, plan, wait_after
from incidents.incident import Incident
from incidents.notice_kinds import BLANKS, notice_kinds
from incidents.notices import Notice
from incidents.rules import RuleSet
from tests.incidents.conftest import Town
from tests.outside import hanging, mail_server, program
from tests.toy_city import NORTH_EAST, NOW, build

SECRET = "a secret of the test"
PATIENCE_S = 600


@pytest.fixture
def town(database):
    """The toy city, committed; its verbs are called in units of work of the test's own."""
    with database.system_work() as session:
        return Town(session, build(session))


def work(database, settings: Settings, now: datetime) -> None:
    """One round of a worker at a moment."""
    worker = Worker(database, settings, senders_of(settings, lambda: now), lambda: now)
    for step in (worker.keep_deadlines, worker.deliver):
        step(threading.Event())


def report_and(database, town, *moves: tuple[str, object], key: str = "k1") -> int:
    with database.system_work() as session:
        town.session = session
        case = town.report(town.resident, key)
        town.walk(case, *moves)
        return case.id


def deliveries_of(database):
    with database.system_work() as session:
        return session.scalars(sa.select(Delivery).order_by(Delivery.id)).all()


# ---- by e-mail, webhook and text message -----------------------------------------------------------


def test_a_reporter_is_answered_by_mail_in_their_language(database, town):
    with database.system_work() as session:
        add_contact(session, "email", "sun@example.org", language="en", account_id=town.resident.account_id)
    case = report_and(
        database, town, ("accept", town.member), ("finish", town.member), ("verify", town.leader),
        ("close", town.officer),
    )  # fmt: skip
    with mail_server() as mail:
        settings = Settings(
            smtp_host="127.0.0.1", smtp_port=mail.port, smtp_from="city@city.example",
            public_url="https://city.example/",
        )  # fmt: skip
        work(database, settings, NOW)
        work(database, settings, NOW)
    with database.system_work() as session:
        code = session.scalar(sa.select(Incident.tracking_code).where(Incident.id == case))
    ((to, letter),) = mail.letters
    (sent,) = deliveries_of(database)
    assert to == "sun@example.org"
    assert letter["Subject"] == "What became of your report 2026-1123-0001"
    assert letter["Message-ID"] == f"<{sent.key}@city.example>"
    assert letter.get_content().strip() == (
        f"Closed. 因故 See its story and rate it: https://city.example/r/{code}"
    )
    assert sent.sent_at == NOW and sent.attempts == 1


def test_a_webhook_is_signed_and_tried_again_under_the_same_key(database, town):
    settings = Settings(webhook_secret=SECRET)
    with program() as receiver:
        receiver.answers += [500, 503]
        with database.system_work() as session:
            add_contact(session, "webhook", receiver.url, territory=NORTH_EAST[:9])
        report_and(database, town)
        for seconds in (0, 29, 30, 31, 91):
            work(database, settings, NOW + timedelta(seconds=seconds))
    assert len(receiver.requests) == 3, "at once, after 30 s, after 60 s more"
    (sent,) = deliveries_of(database)
    for headers, body in receiver.requests:
        moment, mark = (part.partition("=")[2] for part in headers[SIGNATURE].split(","))
        expected = hmac.new(SECRET.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        assert mark == expected
        assert headers[KEY] == json.loads(body)["key"] == str(sent.key)
    assert json.loads(body)["kind"] == "task_arrived"
    assert (sent.attempts, sent.next_at, sent.failure) == (3, None, None)


def test_a_webhook_that_hangs_holds_up_neither_deadlines_nor_other_deliveries(database, town, monkeypatch):
    """One receiver takes the connection and never answers: the sender gives up after its patience, and what
    goes elsewhere arrives meanwhile."""
    monkeypatch.setattr("api.senders.TIMEOUT_S", 0.5)
    settings = Settings(webhook_secret=SECRET)
    with program() as receiver, hanging() as hole:
        with database.system_work() as session:
            add_contact(session, "webhook", hole)
            add_contact(session, "webhook", receiver.url)
        report_and(database, town)
        work(database, settings, NOW)
    assert len(receiver.requests) == 1
    sent, hung = sorted(deliveries_of(database), key=lambda delivery: delivery.sent_at is None)
    assert (hung.sent_at, hung.failure, hung.next_at) == (None, "ReadTimeout", NOW + timedelta(seconds=30))
    assert sent.sent_at == NOW


def test_a_mail_server_that_is_down_for_an_hour_loses_nothing(database, town):
    with mail_server() as mail:
        settings = Settings(smtp_host="127.0.0.1", smtp_port=mail.port, smtp_from="city@city.example")
        with database.system_work() as session:
            member = town.city.members[NORTH_EAST]
            add_contact(session, "email", "wang@example.org", member_id=member)
        report_and(database, town)
        mail.refuses = True
        for minute in range(0, 60, 5):
            work(database, settings, NOW + timedelta(minutes=minute))
        (waiting,) = deliveries_of(database)
        assert (waiting.failure, mail.letters) == ("SMTP 451", [])
        mail.refuses = False
        work(database, settings, NOW + timedelta(hours=2))
    assert [to for to, _ in mail.letters] == ["wang@example.org"]


def test_what_never_arrives_is_given_up_with_its_reason(database, town):
    settings = Settings(webhook_secret=SECRET)
    with database.system_work() as session:
        add_contact(session, "webhook", "http://127.0.0.1:9/nobody")
    report_and(database, town)
    now = NOW
    while now < NOW + GIVE_UP_AFTER + 2 * LONGEST_WAIT:
        work(database, settings, now)
        now += LONGEST_WAIT
    given_up = deliveries_of(database)[0]
    assert (given_up.sent_at, given_up.next_at, given_up.failure) == (None, None, "ConnectError")


def test_text_messages_are_recorded_without_being_sent(database, town, tmp_path):
    with database.system_work() as session:
        add_contact(session, "sms", "000 0000 0001", member_id=town.city.members[NORTH_EAST])
    report_and(database, town)
    work(database, Settings(sms="recorded", home=tmp_path), NOW)
    (line,) = (tmp_path / "sms.jsonl").read_text("utf-8").splitlines()
    told = json.loads(line)
    assert told["number"] == "000 0000 0001"
    assert told["text"].startswith("新任务 2026-1123-0001 ")


def test_by_night_only_what_is_urgent_is_told(database, town):
    night = NOW.replace(hour=23)
    quiet = Quiet(time(22), time(7), ZoneInfo("Asia/Shanghai"))
    with database.system_work() as session:
        member = town.city.members[NORTH_EAST]
        add_contact(session, "sms", "000 0000 0001", member_id=member)
        add_contact(session, "sms", "000 0000 0006", account_id=town.resident.account_id)
    report_and(database, town, ("hand_back", town.member), ("void", town.officer))
    with database.system_work() as session:
        plan(session, night, quiet, ["sms"])
        rows = session.execute(
            sa.select(Notice.kind, Delivery.next_at).join(Delivery, Delivery.notice_id == Notice.id)
        ).all()
    assert {kind: at for kind, at in rows} == {
        "task_arrived": night,
        "task_taken": NOW.replace(day=24, hour=7),
        "answered": NOW.replace(day=24, hour=7),
    }


def test_a_contact_that_is_removed_hears_no_more(database, town):
    with database.system_work() as session:
        add_contact(session, "webhook", "http://127.0.0.1:9/nobody")
        add_contact(session, "webhook", "http://127.0.0.1:9/nobody")
    report_and(database, town)
    work(database, Settings(webhook_secret=SECRET), NOW)
    assert len(deliveries_of(database)) == 1, "the same address twice is one contact"
    with database.system_work() as session:
        remove_contact(session, 1)
    assert deliveries_of(database) == []


def test_addresses_are_printed_nowhere(database, town, capfd):
    with database.system_work() as session:
        add_contact(session, "webhook", "http://127.0.0.1:9/very-private")
    report_and(database, town)
    work(database, Settings(webhook_secret=SECRET), NOW)
    with database.system_work() as session:
        (claimed,) = claim(session, NOW + timedelta(hours=1), ["webhook"])
    written = "".join(capfd.readouterr()) + repr(claimed)
    assert "not delivered" in written
    assert "very-private" not in written


# ---- pure rules ------------------------------------------------------------------------------------

MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 30), timezones=st.just(UTC))


@given(MOMENTS, st.times(), st.times())
def test_quiet_hours_end_within_a_day_and_never_in_the_quiet(now, begins, ends):
    quiet = Quiet(begins, ends, ZoneInfo("Asia/Shanghai"))
    over = quiet.over(now)
    assert now <= over < now + timedelta(days=1)
    assert quiet.over(over) == over
    assert over == now or over.astimezone(quiet.zone).time() == ends


def test_waits_grow_to_an_hour_and_claims_outlast_a_sender():
    waits = [wait_after(n) for n in range(1, 400)]
    assert waits == sorted(waits)
    assert (waits[0], waits[1], waits[-1]) == (timedelta(seconds=30), timedelta(minutes=1), LONGEST_WAIT)
    assert timedelta(seconds=60) < CLAIM


@pytest.mark.parametrize("kind", notice_kinds().values(), ids=lambda kind: kind.name)
def test_the_words_of_every_kind_fill_their_blanks(kind):
    filled = dict.fromkeys(BLANKS, "·")
    for language in ("zh", "en"):
        assert kind.subject[language].format_map(filled).strip()
        assert kind.text[language].format_map(filled).strip()
    assert set(kind.senders) <= {"email", "sms", "webhook"}


# ---- real processes, killed ------------------------------------------------------------------------


def start_worker(database) -> subprocess.Popen[bytes]:
    code = "import sys; sys.argv = ['citygrid', 'worker']; from api.cli import main; main()"
    environment = os.environ | {
        "CITYGRID_DATABASE_URL": database.url,
        "CITYGRID_WEBHOOK_SECRET": SECRET,
        "CITYGRID_LANGUAGE": "en",
    }
    return subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL)


def wait_until(fact) -> None:
    ends = clock_time.monotonic() + PATIENCE_S
    while not fact():
        assert clock_time.monotonic() < ends, "it never came to be"
        clock_time.sleep(0.02)


@pytest.mark.parametrize("due", [160, pytest.param(1000, marks=pytest.mark.soak)])
def test_two_workers_one_killed_in_the_middle(database, town, due):
    """So many cases due at once: each climbs once, is told once inside, and each delivery arrives."""
    with database.system_work() as session:
        session.execute(sa.update(RuleSet).values(active=False))
        session.execute(sa.update(RuleSet).where(RuleSet.code == "wuzhou").values(active=True))
        town.session = session
        cases = {town.report(town.member, f"k{n}").id for n in range(due)}

    def count(sql: str) -> int:
        with database.system_engine.connect() as connection:
            return connection.exec_driver_sql(sql).scalar_one()

    def climbed() -> int:
        return count("SELECT count(*) FROM incident_move WHERE move = 'escalate'")

    def waiting() -> int:
        return count(
            "SELECT (SELECT count(*) FROM delivery WHERE next_at IS NOT NULL)"
            " + (SELECT count(*) FROM notice WHERE planned_at IS NULL)"
        )

    workers = []
    with program() as receiver:
        with database.system_work() as session:
            add_contact(session, "webhook", receiver.url)
        try:
            workers += [start_worker(database), start_worker(database)]
            wait_until(lambda: climbed() > 0)
            workers[0].kill()
            workers[0].wait()
            assert climbed() < len(cases), "it was killed too late to prove anything"
            with (
                database.system_engine.begin() as connection
            ):  # as if the time of the dead worker's claims were over
                connection.exec_driver_sql("UPDATE delivery SET next_at = now() WHERE next_at > now()")
            wait_until(lambda: climbed() >= len(cases))
            wait_until(lambda: waiting() == 0)
            workers[1].send_signal(signal.SIGTERM)
            assert workers[1].wait(60) == 0
        finally:
            for worker in workers:
                if worker.poll() is None:
                    worker.kill()
                    worker.wait()
    with database.system_work() as session:
        told = Counter(tuple(row) for row in session.execute(sa.select(Notice.incident_id, Notice.kind)))
        keys = {str(key) for key in session.scalars(sa.select(Delivery.key))}
    assert climbed() == len(cases)
    assert {told[case, "overdue"] for case in cases} == {1}
    assert set(told.values()) == {1}
    assert {headers[KEY] for headers, _ in receiver.requests} == keys
    assert len(keys) >= 2 * len(cases), "the task's arrival and its being overdue, of each case"
