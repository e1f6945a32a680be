"""What is written down for a leaf that edges touch, and how it is read for one point.

A page lists the polygons that may cover a point of the leaf (its candidates, lowest first) and the edges that
touch it. Which candidates cover the leaf's reference point is known; each edge that the way from there to
the point crosses takes its candidates' cover away, or gives it. What is left at the end covers the point, and
so does every candidate on whose edge the point lies. The lowest one is the answer. Nothing is assumed of
the layer: gaps, overlaps, T-junctions and holes are all just candidates that do or do not cover.

Pages follow one another on one tape of 32-bit words, so that a look-up meets one stretch of memory:

    edges                count
    cover                more << 19 | covering << 4 | candidates, count
    candidates           a polygon's position each
    edges, 6 words each  ax, ay, bx, by | bounded << 1 | q lies on the left | vertex a

`covering` and `bounded` are bit sets over the page's candidates. A leaf with more candidates than fit has
several pages in a row, lowest candidates first; `more` says that another one follows. The coordinates are
float32 in leaves around the reference point: enough to decide all but about one point in a million, and
what they leave in doubt is decided by the vertices themselves.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from gis.partition_index.predicates import (
    in_box,
    orientation,
    side_of_reference,
    side_seen_from_reference,
)

HEAD, EDGE = 2, 6
CANDIDATES_A_PAGE = 15
ALL = (1 << CANDIDATES_A_PAGE) - 1
MORE = 1 << 19
MERGED_AMONG = 64
"""An edge shared by two polygons is written once if its twin is among the page's last ones."""

_ROUNDING, _UNDERFLOW = 2.0**-22, 1e-40
"""Float32 coordinates are off by 2^-24 of themselves or by less than 1e-45; this allows for twice that."""


@njit
def flips(tape, page, px, py):
    """The candidates whose cover differs between the reference point and p, and whether that is certain.

    `px`, `py` are in leaves around the reference point, so each determinant is a sum of products of two
    coordinates. There is no branch in the loop: a processor that guesses wrong loses more time than the
    sums take.
    """
    shapes = tape.view(np.float32)
    first = page + HEAD + (tape[page + 1] & CANDIDATES_A_PAGE)
    changed, certain = 0, True
    for at in range(first, first + EDGE * tape[page], EDGE):
        ax, ay = np.float64(shapes[at]), np.float64(shapes[at + 1])
        bx, by = np.float64(shapes[at + 2]), np.float64(shapes[at + 3])
        bounded = tape[at + 4]
        pa, ap, pb, bp, ab, ba = px * ay, py * ax, px * by, py * bx, ax * by, ay * bx
        turn_a, turn_b = pa - ap, pb - bp
        turn_p = ab - ba + turn_a - turn_b
        doubt_a = _ROUNDING * (abs(pa) + abs(ap)) + _UNDERFLOW
        doubt_b = _ROUNDING * (abs(pb) + abs(bp)) + _UNDERFLOW
        doubt_p = _ROUNDING * (abs(ab) + abs(ba)) + doubt_a + doubt_b
        certain &= (abs(turn_a) > doubt_a) & (abs(turn_b) > doubt_b) & (abs(turn_p) > doubt_p)
        crossed = ((turn_p > 0.0) != (bounded & 1)) & ((turn_a > 0.0) != (turn_b > 0.0))
        changed ^= -int(crossed) & bounded >> 1
    return changed, certain


@njit
def exact_flips(tape, page, xy, px, py, qx, qy):
    """The candidates whose cover differs between q and p, and those on whose edge p lies."""
    first = page + HEAD + (tape[page + 1] & CANDIDATES_A_PAGE)
    changed, touched = 0, 0
    for at in range(first, first + EDGE * tape[page], EDGE):
        bounded, i = tape[at + 4], tape[at + 5]
        ax, ay, bx, by = xy[i, 0], xy[i, 1], xy[i + 1, 0], xy[i + 1, 1]
        side = orientation(ax, ay, bx, by, px, py)
        if side == 0:
            if in_box(ax, ay, bx, by, px, py):
                touched |= bounded >> 1
        elif (side > 0) != (bounded & 1) and (
            side_seen_from_reference(qx, qy, px, py, ax, ay)
            != side_seen_from_reference(qx, qy, px, py, bx, by)
        ):
            changed ^= bounded >> 1
    return changed, touched


@njit
def lowest_candidate(tape, page, covering):
    """The polygon of the lowest bit of a set of candidates."""
    at = page + HEAD
    while not covering & 1:
        covering >>= 1
        at += 1
    return tape[at]


@njit
def next_page(tape, page):
    """The page that follows on the tape."""
    return page + HEAD + (tape[page + 1] & CANDIDATES_A_PAGE) + EDGE * tape[page]


@njit
def write_pages(tape, used, xy, part, polygon, edges, cover, qx, qy, per_x, per_y):
    """Write the pages of a leaf behind `used` words; returns the tape (perhaps a longer one) and its use.

    `edges` touch the leaf, `cover` is the cover of its reference point q; `per_x`, `per_y` are leaves per
    unit.
    """
    cover = cover[1 : cover[0] + 1]
    candidates = _candidates(part, edges, cover)
    for start in range(0, len(candidates), CANDIDATES_A_PAGE):
        shown = candidates[start : start + CANDIDATES_A_PAGE]
        tape = _with_room(tape, used, HEAD + len(shown) + EDGE * len(edges))
        shapes = tape.view(np.float32)
        covering = 0
        for covered in cover:
            covering |= _bit(shown, covered)
        first = used + HEAD + len(shown)
        end = first
        for i in edges:
            bit = _bit(shown, part[i])
            if not bit or _merge(tape, max(first, end - EDGE * MERGED_AMONG), end, xy, i, bit):
                continue
            ax, ay, bx, by = xy[i, 0], xy[i, 1], xy[i + 1, 0], xy[i + 1, 1]
            shapes[end], shapes[end + 1] = (ax - qx) * per_x, (ay - qy) * per_y
            shapes[end + 2], shapes[end + 3] = (bx - qx) * per_x, (by - qy) * per_y
            tape[end + 4] = bit << 1 | int(side_of_reference(ax, ay, bx, by, qx, qy) > 0)
            tape[end + 5] = i
            end += EDGE
        more = MORE if start + CANDIDATES_A_PAGE < len(candidates) else 0
        tape[used] = (end - first) // EDGE
        tape[used + 1] = more | covering << 4 | len(shown)
        for k in range(len(shown)):
            tape[used + HEAD + k] = polygon[shown[k]]
        used = end
    return tape, used


@njit
def _candidates(part, edges, cover):
    """The parts that bound or cover something of the leaf, ascending, each once."""
    found = np.empty(len(edges) + len(cover), np.int32)
    size = 0
    for k in range(len(found)):
        new = part[edges[k]] if k < len(edges) else cover[k - len(edges)]
        at = size
        while at > 0 and found[at - 1] > new:
            at -= 1
        if at > 0 and found[at - 1] == new:
            continue
        for j in range(size, at, -1):
            found[j] = found[j - 1]
        found[at] = new
        size += 1
    return found[:size]


@njit
def _bit(shown, wanted):
    """The bit of a part among the candidates of a page, 0 when it is not there."""
    for k in range(len(shown)):
        if shown[k] == wanted:
            return 1 << k
    return 0


@njit
def _merge(tape, first, end, xy, i, bit):
    """Give an edge's candidate to its twin, if another polygon has written the same edge already."""
    for at in range(first, end, EDGE):
        j = tape[at + 5]
        if not tape[at + 4] >> 1 & bit and (_same(xy, i, i + 1, j, j + 1) or _same(xy, i, i + 1, j + 1, j)):
            tape[at + 4] |= bit << 1
            return True
    return False


@njit
def _same(xy, a, b, c, d):
    """Whether vertices a and b lie where c and d lie."""
    return xy[a, 0] == xy[c, 0] and xy[a, 1] == xy[c, 1] and xy[b, 0] == xy[d, 0] and xy[b, 1] == xy[d, 1]


@njit
def _with_room(tape, used, wanted):
    if used + wanted <= len(tape):
        return tape
    longer = np.empty(2 * len(tape) + wanted, np.int32)
    for word in range(used):
        longer[word] = tape[word]
    return longer
