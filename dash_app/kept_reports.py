"""Reports that took long to count, kept for some minutes: over a whole city each of them takes seconds.

The page, its map and its weeks ask for the same numbers, and so does everybody who chooses another indicator
or opens a list. What is quick to count is counted anew each time, so a small city is never a minute old. A
kept report stays whole, with the moment it was counted at: the cases behind its numbers are asked of that
moment too.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

KEPT_FOR = timedelta(minutes=5)
WORTH_KEEPING_S = 1.0
"""Seconds of counting from which on a report is kept."""
MOST = 32

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Counted(Generic[T]):
    """What was counted, and the moment taken as now."""

    what: T
    at: datetime


class KeptReports:
    """The reports of one server process. `key` names everything a report depends on but the moment, the
    person's rights among it."""

    def __init__(self, worth_keeping_s: float = WORTH_KEEPING_S) -> None:
        self._worth_keeping_s = worth_keeping_s
        self._kept: OrderedDict[Hashable, Counted[Any]] = OrderedDict()
        self._counting: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def counted(self, key: Hashable, now: datetime, count: Callable[[], T]) -> Counted[T]:
        """The kept report of that key, else a new one; two who ask at once wait for one counting."""
        with self._lock:
            turn = self._counting.setdefault(key, threading.Lock())
        with turn:
            found = self._kept.get(key)
            if found is None or not timedelta(0) <= now - found.at < KEPT_FOR:
                began = time.perf_counter()
                found = Counted(count(), now)
                self._keep(key, found, time.perf_counter() - began)
        return found

    def _keep(self, key: Hashable, found: Counted[Any], seconds: float) -> None:
        with self._lock:
            self._counting.pop(key, None)
            self._kept.pop(key, None)
            if seconds >= self._worth_keeping_s:
                self._kept[key] = found
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
