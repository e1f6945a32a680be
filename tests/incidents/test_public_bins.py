"""Public numbers: an attacker who adds, subtracts and knows the rule isolates nobody.

The strongest claim is checked by brute force: for small k every pair (cases, in time) is a world, and of what
is published the worlds that fit are listed. Because a bin's words depend on that bin alone, and bins share no
case, the worlds of many bins are the product of those of each; the tests of whole cities check that this is
so for what really stands in the table, by solving for the least and most each hidden number may be.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from sqlalchemy.exc import ProgrammingError

from incidents.anonymising import anonymise_some
from incidents.calendar import CITY_ZONE
from incidents.public_bins import (
    FEW,
    MOST,
    ROUNDED_TO,
    TOLD,
    PublicBin,
    PublicMonth,
    Shown,
    publish_due,
    shown,
)
from tests.toy_city import NOW, SUBDISTRICT

K = 10


def worlds(k: int, step: int, most: int) -> dict[Shown, list[tuple[int, int]]]:
    """What is shown -> every (in time, not in time) that shows so."""
    found = defaultdict(list)
    for cases in range(most + 1):
        for in_time in range(cases + 1):
            found[shown(cases, in_time, k=k, step=step)].append((in_time, cases - in_time))
    return found


@pytest.mark.parametrize(("k", "step"), [(3, 1), (3, 2), (5, 5), (7, 5), (10, 5), (10, 1), (12, 10)])
def test_whatever_is_shown_a_part_under_k_may_be_anything_under_k(k, step):
    """For the whole, the part in time and the part not in time: if one of them may be under k, then it may
    be each number from 0 to k - 1."""
    small = set(range(k))
    for said, fits in worlds(k, step, 6 * k).items():
        if said.shown is not None and said.shown > 5 * k:
            continue  # the edge of the worlds that were listed
        for part in (lambda w: w[0], lambda w: w[1], lambda w: w[0] + w[1]):
            possible = {part(world) for world in fits} & small
            assert possible in (set(), small), (said, sorted(possible))


@pytest.mark.parametrize(
    ("cases", "in_time", "said"),
    [
        (0, 0, Shown()),
        (9, 9, Shown()),
        (10, 10, Shown(10)),
        (19, 19, Shown(15)),  # 19 of 19 in time: to say so would tell that nobody was late
        (20, 10, Shown(20, 10, TOLD)),
        (24, 13, Shown(20, 10, TOLD)),
        (24, 15, Shown(20, None, MOST)),
        (24, 9, Shown(20, None, FEW)),
        (107, 53, Shown(105, 50, TOLD)),
    ],
)
def test_what_is_said_of_a_bin(cases, in_time, said):
    assert shown(cases, in_time, k=K) == said


def test_nothing_is_shown_above_the_truth():
    """A part is never rounded above the whole."""
    for cases in range(200):
        for in_time in range(cases + 1):
            said = shown(cases, in_time, k=K)
            assert (said.shown or 0) <= cases and (said.in_time or 0) <= in_time
            assert said.in_time is None or said.in_time <= said.shown


# ---- a whole city ----------------------------------------------------------------------------------

MONTH = date(2026, 8, 1)
AUGUST = datetime(2026, 8, 1, 9, tzinfo=NOW.tzinfo)
COMMUNITIES = (SUBDISTRICT + "001", SUBDISTRICT + "002")


def report_many(town, counts: dict[tuple[str, str], int], at: datetime = AUGUST) -> None:
    """So many cases of a main class in a community, straight into the table: what is counted is counted."""
    town.session.execute(
        sa.text("UPDATE category SET group_code = right(code, 2), group_zh = code, group_en = code")
    )
    case = town.report(town.member, "pattern", now=at)
    columns = [
        row[0]
        for row in town.session.execute(
            sa.text("SELECT column_name FROM information_schema.columns WHERE table_name = 'incident'"
                    " AND column_name NOT IN ('id', 'number', 'tracking_code', 'report_key', 'territory',"
                    " 'category', 'reported_at')")
        )
    ]  # fmt: skip
    listed = ", ".join(columns)
    for (community, group), n in counts.items():
        town.session.execute(
            sa.text(
                "INSERT INTO incident"
                f" (number, tracking_code, report_key, territory, category, reported_at, {listed})"
                f" SELECT :tag || s, :tag || s, :tag || s, :territory, '99' || :group, :at, {listed}"
                " FROM incident, generate_series(1, :n) AS s WHERE id = :id"
            ),
            {"tag": f"{community}{group}{at:%m%d}-", "territory": community + "001", "group": group, "at": at,
             "n": n, "id": case.id},
        )  # fmt: skip
    town.session.execute(sa.text("UPDATE incident SET stage = 'void' WHERE id = :id"), {"id": case.id})


def published(town, month: date = MONTH) -> dict[tuple[str, str], PublicBin]:
    rows = town.session.scalars(sa.select(PublicBin).filter_by(month=month))
    return {(row.community_code, row.group_code): row for row in rows}


def publish(town, now: datetime = NOW) -> list[date]:
    return publish_due(town.session, now, k=K, zone=CITY_ZONE)


def test_only_months_that_are_over_and_settled_are_published_and_each_once(town):
    report_many(town, {(COMMUNITIES[0], "01"): 30})
    assert publish(town, datetime(2026, 9, 15, 23, 59, tzinfo=CITY_ZONE)) == []
    assert publish(town, datetime(2026, 9, 16, tzinfo=CITY_ZONE)) == [MONTH]
    assert publish(town) == [date(2026, 9, 1), date(2026, 10, 1)]
    assert publish(town) == []


def test_a_published_month_never_changes_whatever_becomes_of_its_cases(town):
    report_many(town, {(COMMUNITIES[0], "01"): 30, (COMMUNITIES[1], "02"): 4})
    publish(town)
    was = {key: (row.shown, row.in_time, row.share) for key, row in published(town).items()}
    town.session.execute(
        sa.text("UPDATE incident SET stage = 'closed', closed_at = reported_at, category = '9903'")
    )
    anonymise_some(town.session, NOW, NOW, limit=500)
    report_many_later = sa.text("UPDATE incident SET territory = :there")
    town.session.execute(report_many_later, {"there": COMMUNITIES[1] + "001"})
    publish(town)
    town.session.expire_all()
    assert {key: (row.shown, row.in_time, row.share) for key, row in published(town).items()} == was
    for statement in (
        "UPDATE public_bin SET shown = 50",
        "DELETE FROM public_bin",
        "DELETE FROM public_month",
    ):
        with pytest.raises(ProgrammingError, match="append-only"), town.session.begin_nested():
            town.session.execute(sa.text(statement))


def test_an_empty_bin_and_a_small_one_look_alike_and_every_bin_is_there(town):
    report_many(town, {(COMMUNITIES[0], "01"): 9, (COMMUNITIES[1], "01"): 10})
    publish(town)
    found = published(town)
    assert set(found) == {(c, g) for c in COMMUNITIES for g in ("01", "02", "03", "04")}
    assert {key for key, row in found.items() if row.shown is not None} == {(COMMUNITIES[1], "01")}
    assert town.session.get_one(PublicMonth, MONTH).hidden_below == K


def test_void_rejected_and_joined_reports_are_no_cases(town):
    report_many(town, {(COMMUNITIES[0], "01"): 13})
    town.session.execute(sa.text("UPDATE incident SET stage = 'rejected' WHERE number LIKE '%-1'"))
    town.session.execute(
        sa.text("UPDATE incident SET joined_to = (SELECT min(id) FROM incident) WHERE number LIKE '%-2'")
    )
    publish(town)
    assert published(town)[COMMUNITIES[0], "01"].shown == 10, "eleven"


def attack(bins: list[PublicBin]) -> dict[tuple[str, str], tuple[float, float]]:
    """Least and most that each hidden number may be, by linear programming over everything published.

    An unknown for each bin's cases in time and not in time; every published word is a pair of bounds. A
    second way, by rank: no combination of the published equations is a hidden number alone.
    """
    index = {(one.community_code, one.group_code): n for n, one in enumerate(bins)}
    rows, bounds = [], []
    width = 2 * len(bins)

    def say(which: tuple[int, ...], low: float, high: float) -> None:
        row = np.zeros(width)
        row[list(which)] = 1
        rows.append(row)
        bounds.append((low, high))

    for one in bins:
        n = index[one.community_code, one.group_code]
        both = (2 * n, 2 * n + 1)
        say(both, *((0, K - 1) if one.shown is None else (one.shown, one.shown + ROUNDED_TO - 1)))
        if one.share == TOLD:
            say((2 * n,), one.in_time, one.in_time + ROUNDED_TO - 1)
            say((2 * n + 1,), K, np.inf)
        elif one.share in (MOST, FEW):
            say((2 * n + (one.share == MOST),), 0, K - 1)
    matrix = np.array(rows)
    upper = np.vstack([matrix[[np.isfinite(high) for _, high in bounds]], -matrix])
    limits = [high for _, high in bounds if np.isfinite(high)] + [-low for low, _ in bounds]
    found = {}
    shown_rows = [row for row, one in zip(matrix, bounds, strict=True) if one[0] > 0]
    for one in bins:
        if one.shown is not None:
            continue
        n = index[one.community_code, one.group_code]
        wanted = np.zeros(width)
        wanted[[2 * n, 2 * n + 1]] = 1
        if shown_rows:
            known = np.array(shown_rows)
            assert np.linalg.matrix_rank(np.vstack([known, wanted])) > np.linalg.matrix_rank(known)
        ends = [
            linprog(sign * wanted, A_ub=upper, b_ub=limits, bounds=(0, None), method="highs").fun
            for sign in (1, -1)
        ]
        found[one.community_code, one.group_code] = (ends[0], -ends[1])
    return found


CITIES = st.lists(st.integers(0, 40), min_size=8, max_size=8)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CITIES, CITIES)
def test_no_combination_of_what_is_published_narrows_a_hidden_number(town, first, second):
    """Random cities over two months: everything published of both is thrown together."""
    keys = [(c, g) for c in COMMUNITIES for g in ("01", "02", "03", "04")]
    with town.session.begin_nested() as trial:
        later = AUGUST + timedelta(days=31)
        report_many(town, dict(zip(keys, first, strict=True)))
        town.session.execute(sa.text("UPDATE incident SET report_key = report_key || ' earlier'"))
        report_many(town, dict(zip(keys, second, strict=True)), later)
        publish(town)
        for month, counts in ((MONTH, first), (date(2026, 9, 1), second)):
            found = published(town, month)
            hidden = attack(list(found.values()))
            assert set(hidden) == {key for key, n in zip(keys, counts, strict=True) if n < K}
            assert all(ends == (0, K - 1) for ends in hidden.values())
        town.session.expire_all()
        trial.rollback()
