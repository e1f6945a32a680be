"""Words of a deadline, as the design writes them (design.md, sections 6 and 8)."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dash_app.clock_words import due_words, left_words, moment_words, span_words

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, 14, 32, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("minutes", "zh", "en"),
    [
        (0, "0 分", "0 min"),
        (38, "38 分", "38 min"),
        (59.99, "59 分", "59 min"),
        (60, "1 时 00 分", "1 h 00 min"),
        (136, "2 时 16 分", "2 h 16 min"),
        (1439, "23 时 59 分", "23 h 59 min"),
        (1440, "1 天", "1 day"),
        (3 * 1440 + 100, "3 天", "3 days"),
        (-5, "0 分", "0 min"),
    ],
)
def test_a_span_shows_its_largest_fitting_units(minutes, zh, en):
    assert span_words(timedelta(minutes=minutes), "zh") == zh
    assert span_words(timedelta(minutes=minutes), "en") == en


@pytest.mark.parametrize(
    ("clock", "due_in", "zh", "en"),
    [
        ("in_time", 136, "剩 2 时 16 分", "2 h 16 min"),
        ("due_soon", 38, "剩 38 分", "38 min"),
        ("due_soon", 0.9, "剩不到 1 分", "under 1 min"),
        ("overdue", -0.9, "刚超期", "just over"),
        ("overdue", -47, "超 47 分", "47 min over"),
        ("paused", 38, "已暂停", "paused"),
        ("closed", -47, "已结案", "closed"),
        ("in_time", None, "无时限", "no limit"),
    ],
)
def test_a_pill_says_what_is_left(clock, due_in, zh, en):
    due_at = None if due_in is None else NOW + timedelta(minutes=due_in)
    assert left_words(clock, due_at, NOW, "zh") == zh
    assert left_words(clock, due_at, NOW, "en") == en


def test_moments_name_the_day_only_where_it_is_not_today():
    assert moment_words(NOW.replace(hour=9), NOW, ZONE, "zh") == "09:32"
    assert moment_words(NOW - timedelta(days=1), NOW, ZONE, "zh") == "昨日 14:32"
    assert moment_words(NOW - timedelta(days=20), NOW, ZONE, "en") == "3 Nov 14:32"


def test_a_moment_is_told_on_the_citys_clock():
    utc = datetime(2026, 11, 23, 16, 30, tzinfo=ZoneInfo("UTC"))  # half past midnight on the 24th
    assert due_words(utc, NOW, ZONE, "zh") == "明日 00:30 到期"


def test_a_deadline_that_is_over_is_told_as_over():
    assert due_words(NOW - timedelta(minutes=47), NOW, ZONE, "zh") == "今日 13:45 已到期"
    assert due_words(NOW - timedelta(minutes=47), NOW, ZONE, "en") == "was due today 13:45"
