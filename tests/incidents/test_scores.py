"""Scores against sums done by hand, and two faults of an open implementation that must not come back."""

from __future__ import annotations

import pytest

from incidents.indicators import INDICATORS, Ratio
from incidents.scores import REGISTERED, SCORES, caseload_points, grade


def test_the_head_of_shift_is_scored_by_three_different_rates():
    """80 % x 25 + 90 % x 40 + 60 % x 35 = 20 + 36 + 21 = 77.

    An implementation took the closing rate twice and the registering rate never: 60 x 25 + ... = 72.
    """
    numbers = {
        "registered_on_time": Ratio(8, 10),
        "accurate_registration": Ratio(9, 10),
        "closed_on_time": Ratio(6, 10),
    }
    assert SCORES["shift_head"].of(numbers) == 77.0


def test_a_department_is_scored_by_its_cases_not_by_its_rework():
    """120 registered -> 7.5 of 10; 90 % x 30 + 80 % x 30 + (100 - 10) % x 30 = 78; together 85.5 of 100.

    An implementation looked the points up with the number of reworks: 12 -> 10 of 10, 88.
    """
    numbers = {
        REGISTERED: Ratio(118, 120),
        "closed": Ratio(108, 120),
        "handled_on_time": Ratio(96, 120),
        "rework": Ratio(12, 120),
    }
    assert SCORES["department"].of(numbers) == 85.5


def test_what_had_nothing_to_do_is_not_scored_as_if_it_had_failed():
    assert all(score.of({}) is None for score in SCORES.values())
    assert SCORES["department"].of({REGISTERED: Ratio(0, 0)}) is None
    assert grade(None) is None


def test_the_weight_of_a_part_without_cases_falls_to_the_others():
    """Only two of an inspector's four parts: (50 % x 40 + 100 % x 20) / 60 = 66.7."""
    numbers = {"valid_reports": Ratio(1, 2), "verified_on_time": Ratio(3, 3)}
    assert SCORES["inspector"].of(numbers) == 66.7


@pytest.mark.parametrize(
    ("cases", "points"), [(0, 10), (50, 10), (51, 9), (100, 9), (101, 7.5), (1000, 4), (1001, 0)]
)
def test_points_for_the_number_of_cases(cases, points):
    assert caseload_points(cases) == points


@pytest.mark.parametrize(
    ("score", "letter"), [(100, "A"), (90, "A"), (89.9, "B"), (75, "B"), (60, "C"), (40, "D"), (0, "E")]
)
def test_grades_begin_at_their_bounds(score, letter):
    assert grade(score) == letter


def test_scores_stand_on_indicators_that_exist():
    assert {part.indicator for score in SCORES.values() for part in score.parts} <= set(INDICATORS)
    assert REGISTERED in INDICATORS
