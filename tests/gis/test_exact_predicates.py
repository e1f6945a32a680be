"""The predicates under the partition index against exact rational arithmetic."""

import math
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from gis.partition_index.predicates import (
    LARGEST,
    SMALLEST,
    orientation,
    side_of_reference,
    side_seen_from_reference,
)

anywhere = st.floats(-LARGEST, LARGEST).filter(lambda v: v == 0 or abs(v) >= SMALLEST)
degrees = st.floats(112, 114)
few = st.integers(-3, 3).map(float)


def places(numbers):
    return st.tuples(numbers, numbers)


def exact_orientation(a, b, p):
    (ax, ay), (bx, by), (px, py) = ([Fraction(v) for v in place] for place in (a, b, p))
    area = (ax - px) * (by - py) - (ay - py) * (bx - px)
    return (area > 0) - (area < 0)


@given(places(anywhere), places(anywhere), places(anywhere))
@example((1e120, -1e120), (-1e120, 1e120), (1e-120, -1e-120))
@example((0.5, 0.5), (12.0, 12.0), (24.0, math.nextafter(24.0, 25.0)))
def test_the_side_of_a_line_is_exact_whatever_the_sizes(a, b, p):
    assert orientation(*a, *b, *p) == exact_orientation(a, b, p)


@given(places(degrees), places(degrees), st.floats(0, 1), st.integers(-2, 2), st.integers(-2, 2))
def test_the_side_is_exact_within_a_step_or_two_of_the_line(a, b, share, steps_x, steps_y):
    x, y = (c + share * (d - c) for c, d in zip(a, b, strict=True))
    p = x + steps_x * math.ulp(x), y + steps_y * math.ulp(y)
    assert orientation(*a, *b, *p) == exact_orientation(a, b, p)


def moved(place):
    """A reference point stands for the place moved by (d, d^2); d = 10^-9 is small enough for `few`."""
    d = Fraction(1, 10**9)
    return Fraction(place[0]) + d, Fraction(place[1]) + d * d


@given(places(few), places(few), places(few))
def test_a_reference_point_is_on_the_side_its_infinitesimal_step_takes_it_to(a, b, q):
    assert side_of_reference(*a, *b, *q) == exact_orientation(a, b, moved(q))
    assert side_of_reference(*a, *b, *q) != 0 or a == b


@given(places(few), places(few), places(few))
def test_no_vertex_is_in_line_with_a_reference_point(q, p, a):
    assert side_seen_from_reference(*q, *p, *a) == exact_orientation(moved(q), p, a)
    assert side_seen_from_reference(*q, *p, *a) != 0 or a == p
