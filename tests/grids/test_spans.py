"""Interval arithmetic against minute-by-minute sampling."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from grids.spans import Spans

DAY = datetime(2026, 11, 23, tzinfo=UTC)
MINUTES = 120


def minute(n: int) -> datetime:
    return DAY + timedelta(minutes=n)


interval = st.tuples(st.integers(0, MINUTES), st.integers(0, MINUTES)).map(
    lambda p: (minute(p[0]), minute(p[1]))
)
some_spans = st.lists(interval, max_size=8).map(Spans.of)


def sampled(spans: Spans) -> set[int]:
    """The minutes of which some instant lies in `spans`; whole minutes are all that the strategies make."""
    return {n for n in range(MINUTES) if minute(n) in spans}


@given(st.lists(interval, max_size=8))
def test_a_union_of_any_intervals_holds_exactly_their_minutes(intervals):
    expected = {n for n in range(MINUTES) if any(start <= minute(n) < end for start, end in intervals)}
    assert sampled(Spans.of(intervals)) == expected


@given(some_spans, some_spans)
def test_set_operations_agree_with_sets_of_minutes(a, b):
    assert sampled(a | b) == sampled(a) | sampled(b)
    assert sampled(a & b) == sampled(a) & sampled(b)
    assert sampled(a - b) == sampled(a) - sampled(b)
    assert (a - b).length == timedelta(minutes=len(sampled(a) - sampled(b)))


@given(some_spans, some_spans)
def test_results_are_sorted_disjoint_and_not_touching(a, b):
    for spans in (a | b, a & b, a - b):
        edges = [edge for pair in spans for edge in pair]
        assert edges == sorted(edges) and len(set(edges)) == len(edges)


def test_a_handover_at_noon_has_one_holder_and_no_gap():
    morning, afternoon = Spans.of([(minute(0), minute(60))]), Spans.of([(minute(60), minute(120))])
    assert minute(60) not in morning and minute(60) in afternoon
    assert (morning | afternoon).intervals == ((minute(0), minute(120)),)
