"""Reminders: once before and once after the deadline, whoever sweeps, however often."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import sqlalchemy as sa

from incidents.clocks import tell_at, to_tell
from incidents.notices import Notice
from incidents.reminders import remind, remind_of_reviews
from tests.toy_city import NOW

# Four working hours from 10:00: due at 15:30, due soon within the last hour of counted time.
SOON = NOW.replace(hour=14, minute=45)
LATE = NOW.replace(hour=15, minute=30)


def told(session, *kinds):
    rows = session.execute(sa.select(Notice.kind, Notice.member_id).where(Notice.kind.in_(kinds)))
    return sorted(tuple(row) for row in rows)


def test_who_has_the_case_hears_once_before_and_once_after_the_deadline(town):
    case = town.case(town.report(town.member))
    assert (case.due_soon_at, case.due_at) == (NOW.replace(hour=14, minute=30), LATE)
    rounds = [remind(town.session, now) for now in (NOW, SOON, SOON, LATE, LATE + timedelta(days=3))]
    assert rounds == [0, 1, 0, 1, 0]
    member = town.city.members["990101001001002"]
    assert told(town.session, "due_soon", "overdue") == [("due_soon", member), ("overdue", member)]


def test_what_was_told_is_not_looked_at_again(town):
    """A city with thousands of overdue cases sweeps no slower: nothing of them is left to be read."""

    def left(now):
        waiting = f"SELECT count(*) FROM case_clock WHERE {to_tell()} AND {tell_at()} <= :now"
        return town.session.execute(sa.text(waiting), {"now": now}).scalar_one()

    case = town.report(town.member)
    town.report(town.member, "k2")
    assert left(LATE) == 2
    remind(town.session, LATE)
    assert left(LATE + timedelta(days=9)) == 0
    town.move(case, "extend", town.member, now=LATE, note="等配件", amount=4)
    town.move(case, "grant", town.officer, now=LATE)
    assert left(LATE + timedelta(days=9)) == 1, "another deadline"
    town.move(case, "pause", town.officer, now=LATE, note="等天晴")
    assert left(LATE + timedelta(days=9)) == 0, "it stands"


def test_a_clock_found_late_is_only_told_to_be_overdue(town):
    town.report(town.member)
    assert remind(town.session, LATE + timedelta(days=1)) == 1
    assert [kind for kind, _ in told(town.session, "due_soon", "overdue")] == ["overdue"]


def test_an_extended_deadline_is_told_of_again_and_a_paused_or_ended_one_not(town):
    case = town.report(town.member)
    remind(town.session, LATE)
    town.move(case, "extend", town.member, now=LATE, note="等配件", amount=4)
    town.move(case, "grant", town.officer, now=LATE, amount=4)
    again = town.case(case).due_at
    assert remind(town.session, LATE) == 0
    assert remind(town.session, again) == 1
    paused = town.report(town.member, "k2", now=LATE)
    town.move(paused, "pause", town.officer, now=LATE, note="等天晴")
    done = town.report(town.member, "k3", now=LATE)
    town.move(done, "void", town.officer, now=LATE, note="误报")
    assert remind(town.session, again + timedelta(days=9)) == 0


def test_of_a_case_nobody_has_the_desk_hears(town):
    case = town.report(town.member)
    town.move(case, "hand_back", town.member, note="不归我管")
    due = town.case(case).due_at
    assert due is not None
    assert remind(town.session, due) == 1
    assert told(town.session, "overdue") == [("overdue", None)]


def test_two_sweeps_at_once_tell_each_clock_once(database, settle):
    """Small rounds by four threads over sixty clocks: the locks share the work, the key holds the rest."""
    with database.system_work() as session:
        town = settle(session)
        cases = [town.report(town.member, f"k{n}").id for n in range(60)]

    given = Counter()

    def sweep(name: int) -> None:
        idle = 0
        while idle < 3:
            with database.system_work() as session:
                found = remind(session, LATE, limit=7)
            given[name] += found
            idle = idle + 1 if not found else 0

    threads = [threading.Thread(target=sweep, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.system_work() as session:
        noted = session.scalars(sa.select(Notice.incident_id).where(Notice.kind == "overdue")).all()
    assert sorted(noted) == sorted(cases)
    assert sum(given.values()) == len(cases)


def test_the_desk_hears_of_a_parked_point_on_its_day_of_review_and_once(town):
    case = town.report(town.member)
    town.move(case, "park", town.operator, note="等开发商", review_on=NOW.date() + timedelta(days=7))

    def told_on(days: int) -> int:
        return remind_of_reviews(town.session, NOW + timedelta(days=days))

    assert [told_on(days) for days in (6, 7, 7, 8)] == [0, 1, 0, 0]
    notice = town.session.scalars(sa.select(Notice).where(Notice.kind == "review_due")).one()
    assert (notice.incident_id, notice.member_id, notice.account_id) == (case.id, None, None)
    town.move(case, "resume", town.operator, now=NOW + timedelta(days=8))
    town.move(
        case, "park", town.operator, note="再等", review_on=NOW.date() + timedelta(days=9),
        now=NOW + timedelta(days=8),
    )  # fmt: skip
    assert [told_on(days) for days in (8, 9, 10)] == [0, 1, 0], "another day is another reminder"
