"""Spans of time: sets of half-open intervals, and the arithmetic that finds holes in them exactly.

A `Spans` is a sorted tuple of disjoint, non-touching `(start, end)` pairs, start included and end not, so
that a handover at noon has exactly one holder and no gap. All moments carry an offset and are compared as
instants; nothing is sampled and nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

Interval = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Spans:
    """A set of instants. Make one with `Spans.of`; the operators are those of sets."""

    intervals: tuple[Interval, ...] = ()

    @classmethod
    def of(cls, intervals: Iterable[Interval]) -> Spans:
        """The union of any intervals, in any order; empty and backward ones count for nothing."""
        merged: list[Interval] = []
        for start, end in sorted(interval for interval in intervals if interval[0] < interval[1]):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], end))
            else:
                merged.append((start, end))
        return cls(tuple(merged))

    @classmethod
    def union(cls, many: Iterable[Spans]) -> Spans:
        return cls.of(interval for spans in many for interval in spans)

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __iter__(self) -> Iterator[Interval]:
        return iter(self.intervals)

    def __contains__(self, moment: datetime) -> bool:
        return any(start <= moment < end for start, end in self.intervals)

    def __or__(self, other: Spans) -> Spans:
        return Spans.of((*self.intervals, *other.intervals))

    def __and__(self, other: Spans) -> Spans:
        return Spans.of(
            (max(a_start, b_start), min(a_end, b_end))
            for a_start, a_end in self.intervals
            for b_start, b_end in other.intervals
        )

    def __sub__(self, other: Spans) -> Spans:
        left = list(self.intervals)
        for gone_start, gone_end in other.intervals:
            left = [
                piece
                for start, end in left
                for piece in ((start, min(end, gone_start)), (max(start, gone_end), end))
                if piece[0] < piece[1]
            ]
        return Spans(tuple(sorted(left)))

    @property
    def length(self) -> timedelta:
        return sum((end - start for start, end in self.intervals), timedelta())


NOTHING = Spans()
