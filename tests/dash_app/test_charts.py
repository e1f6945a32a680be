"""Figures as SVG: what stands where, to scale."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dash_app.charts import clock_bar, household_band, time_chart
from dash_app.texts import Words
from incidents.deadlines import Span
from incidents.queries import TimeBar

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, 14, 32, tzinfo=ZONE)
MIDNIGHT = NOW.replace(hour=0, minute=0)
ZH = Words("zh")


def at(hour, minute=0):
    return NOW.replace(hour=hour, minute=minute)


def bar(**bins):
    closed, still_open = [0] * 48, [0] * 48
    for name, (n_closed, n_open) in bins.items():
        closed[int(name[1:])], still_open[int(name[1:])] = n_closed, n_open
    deadlines = [(7, at(16, 48), "in_time"), (8, at(15), "due_soon")]
    return TimeBar(MIDNIGHT, timedelta(minutes=30), closed, still_open, deadlines)


def test_now_stands_where_it_is_in_the_day():
    """14:32 is 872 of 1440 minutes: 60.56 %."""
    chart = time_chart(ZH, bar(), now=NOW, zone=ZONE)
    assert re.search(r'<svg class="now-mark" x="60\.56%"', chart)
    assert ">14:32</text>" in chart


def test_a_bar_is_as_high_as_its_cases_and_says_how_many():
    chart = time_chart(ZH, bar(b19=(3, 1)), now=NOW, zone=ZONE)
    heights = {
        name: float(height)
        for name, height in re.findall(r'<rect class="(open|closed)"[^>]* height="([\d.]+)"', chart)
    }
    assert heights["closed"] == pytest.approx(3 * heights["open"])
    assert "<title>09:30–10:00：已结案 3 件，在办 1 件</title>" in chart


def test_deadlines_ahead_are_diamonds_one_can_choose():
    chart = time_chart(ZH, bar(), now=NOW, zone=ZONE)
    assert re.findall(r'x="([\d.]+)%"[^>]*><path class="due c-(\w+)" data-incident="(\d+)"', chart) == [
        ("70.00", "in_time", "7"),  # 16:48 is 1008 of 1440 minutes
        ("62.50", "due_soon", "8"),
    ]


def test_the_clock_bar_is_to_scale():
    """11:18 to 16:48 with lunch between: 42 minutes, 90 not counted, 198 to go of which 62 are used."""
    spans = [
        Span(at(11, 18), at(12), True),
        Span(at(12), at(13, 30), False),
        Span(at(13, 30), at(16, 48), True),
    ]
    drawn = clock_bar(ZH, spans, clock="in_time", now=NOW, due_at=at(16, 48), zone=ZONE)
    widths = [
        (name, float(width))
        for name, width in re.findall(r'<rect class="(\w+)"[^>]* width="([\d.]+)"', drawn)
    ]
    minute = (394 - 28) / 330
    expected = [("counted", 42), ("pause", 90), ("counted", 62), ("left", 136)]
    assert [name for name, _ in widths] == [name for name, _ in expected]
    for (_, width), (_, minutes) in zip(widths, expected, strict=True):
        assert width == pytest.approx(minutes * minute, abs=0.11)
    assert "已用 1 时 44 分" in drawn and "剩 2 时 16 分" in drawn


def test_an_overdue_clock_says_by_how_much():
    spans = [Span(at(9), at(13, 45), True), Span(at(13, 45), NOW, True)]
    drawn = clock_bar(ZH, spans, clock="overdue", now=NOW, due_at=at(13, 45), zone=ZONE)
    assert "超 47 分" in drawn and '<rect class="left"' not in drawn


def test_a_clock_that_never_ran_draws_nothing():
    assert clock_bar(ZH, [], clock="in_time", now=NOW, due_at=NOW, zone=ZONE) == ""


@pytest.mark.parametrize(
    ("households", "x"), [(300, 58.7), (400, 88.0), (500, 117.3), (0, 0.0), (9000, 176.0)]
)
def test_households_stand_on_their_band(households, x):
    """The lane runs from 100 to 700 households over 176 pixels; outside it the mark stops at its end."""
    assert f'd="M{x} 4v18"' in household_band(households, 300, 500)
