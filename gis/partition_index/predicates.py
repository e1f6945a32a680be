"""Which side of a line: always the exact answer, almost always at the price of seven floating-point steps.

`orientation` first computes the determinant in plain float64. Its rounding error is below
(3 + 16 e) e (|left| + |right|) with e = 2^-53 (Shewchuk 1997, the A bound of orient2d); beyond that bound the
sign is certain. Within it the determinant is computed again as an expansion: a sum of floats that equals it
exactly, whose last component carries the sign. Neither overflows or underflows for coordinates that are 0 or
between `SMALLEST` and `LARGEST` in size, because every intermediate is then a multiple of 2^-902.

A reference point never lies on an edge or in line with a vertex: it stands for the point moved by
(d, d^2) with d smaller than anything. A determinant of 0 is then decided by the first derivative that is not.
"""

from __future__ import annotations

import numpy as np
from numba import njit

SMALLEST, LARGEST = 1e-120, 1e120

_EPSILON = 2.0**-53
_FILTER = (3.0 + 16.0 * _EPSILON) * _EPSILON
_SPLITTER = 2.0**27 + 1.0


@njit
def turn(ax, ay, bx, by, px, py):
    """Twice the area of the triangle a, b, p, positive when p lies left of a to b; and its largest error."""
    left = (ax - px) * (by - py)
    right = (ay - py) * (bx - px)
    return left - right, _FILTER * (abs(left) + abs(right))


@njit
def orientation(ax, ay, bx, by, px, py):
    """1 when p lies left of the line from a to b, -1 right of it, 0 on it."""
    area, error = turn(ax, ay, bx, by, px, py)
    if area > error:
        return 1
    if area < -error:
        return -1
    if error == 0.0:
        return 0
    return _exact_orientation(ax, ay, bx, by, px, py)


@njit
def side_of_reference(ax, ay, bx, by, qx, qy):
    """`orientation` of a reference point: 0 only where a and b are the same point."""
    side = orientation(ax, ay, bx, by, qx, qy)
    if side == 0:
        side = _sign(ay - by)
    if side == 0:
        side = _sign(bx - ax)
    return side


@njit
def side_seen_from_reference(qx, qy, px, py, ax, ay):
    """`orientation` of a vertex a, seen along the line from the reference q to p: 0 only where a is p."""
    side = orientation(qx, qy, px, py, ax, ay)
    if side == 0:
        side = _sign(py - ay)
    if side == 0:
        side = _sign(ax - px)
    return side


@njit
def in_box(ax, ay, bx, by, px, py):
    """Whether p lies in the box of a and b; on their line that means on the edge between them."""
    return min(ax, bx) <= px <= max(ax, bx) and min(ay, by) <= py <= max(ay, by)


@njit
def _sign(value):
    return int(value > 0.0) - int(value < 0.0)


@njit
def _exact_orientation(ax, ay, bx, by, px, py):
    """The sign of ax by - ax py - px by - ay bx + ay px + py bx, summed without rounding."""
    expansion = np.zeros(12)
    size = 0
    for x, y in ((ax, by), (-ax, py), (-px, by), (-ay, bx), (ay, px), (py, bx)):
        product, rest = _two_product(x, y)
        size = _grow(expansion, size, rest)
        size = _grow(expansion, size, product)
    for i in range(size - 1, -1, -1):
        if expansion[i] != 0.0:
            return _sign(expansion[i])
    return 0


@njit
def _grow(expansion, size, value):
    """Add a float to an expansion whose components do not overlap and grow in size; it stays one."""
    for i in range(size):
        value, expansion[i] = _two_sum(value, expansion[i])
    expansion[size] = value
    return size + 1


@njit
def _two_sum(a, b):
    """a + b as its rounded value and what the rounding left out (Knuth)."""
    total = a + b
    b_part = total - a
    a_part = total - b_part
    return total, (a - a_part) + (b - b_part)


@njit
def _two_product(a, b):
    """a * b as its rounded value and what the rounding left out (Dekker, with Veltkamp's split)."""
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


@njit
def _split(a):
    """A float as two halves of at most 26 bits each."""
    shifted = _SPLITTER * a
    high = shifted - (shifted - a)
    return high, a - high
