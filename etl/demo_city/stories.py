"""The story of one case, told move by move: stages by the legal table, clocks by the rules of time.

What the workflow does with a living case in the database, `Story` does in memory for the demo city's past:
the same table says where a move leads, the same rules say which clock runs and when it is due.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from incidents.calendar import Calendar
from incidents.clocks import STARTED, clock_wanted
from incidents.deadlines import Deadline, Pauses, deadline
from incidents.incident import AT_ONCE, ENDED, LEVELS, ORDINARY
from incidents.lifecycle import BEFORE, MOVES, SAME
from incidents.reporting import OUTSIDE_CHANNELS
from incidents.rules import Limit, Rulebook, Traits


class Actor(NamedTuple):
    """Somebody who moves a case. `member` is None for the desk, residents and machines."""

    name: str
    role: str
    member: int | None = None


class Kind(NamedTuple):
    """What of a category a story needs."""

    code: str
    default_role: str
    department: str | None
    needs_confirm: bool
    urgent: bool
    limit: Limit
    icon: str = ""

    @property
    def grade(self) -> int:
        return AT_ONCE if self.urgent else ORDINARY


class TimeRules:
    """The city's rules of time, with the answer for each kind of case remembered."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._kept: dict[tuple[str, str, str], tuple[str, Limit] | None] = {}

    @property
    def calendar(self) -> Calendar:
        return self._book.calendar

    def clock_at(self, stage: str, kind: Kind, channel: str) -> tuple[str, Limit] | None:
        """Which clock runs at a stage, and its limit; None where none does."""
        key = (stage, kind.code, channel)
        if key not in self._kept:
            traits = Traits(kind.code, LEVELS[0], channel, kind.grade)
            self._kept[key] = clock_wanted(stage, traits, kind.limit, self._book)
        return self._kept[key]

    def due(self, start: datetime, clock: str, limit: Limit, pauses: Pauses = ()) -> Deadline:
        """The deadline of a clock started at `start`."""
        return deadline(start, limit.kind, limit.value, self.calendar, pauses=pauses, started=STARTED[clock])


@dataclass(slots=True)
class MoveRow:
    """One row of `incident_move`."""

    move: str
    from_stage: str | None
    to_stage: str
    at: datetime
    by: Actor
    member: int | None
    note: str | None
    version: int


@dataclass(slots=True)
class ClockRow:
    """One row of `case_clock`."""

    clock: str
    limit: Limit
    started_at: datetime
    pauses: list[list[str | None]]
    found: Deadline
    stopped_at: datetime | None = None
    stopped_by: str | None = None


@dataclass(slots=True)
class Story:
    """One case. Call `begin`, then `tell` once for each further move, in order of time."""

    kind: Kind
    channel: str
    rules: TimeRules
    stage: str | None = None
    version: int = 0
    handler: int | None = None
    moves: list[MoveRow] = field(default_factory=list)
    clocks: list[ClockRow] = field(default_factory=list)
    at: dict[str, datetime] = field(default_factory=dict)
    """When the last move of each name was made."""
    paused_at: datetime | None = None
    supervised_at: datetime | None = None
    review_on: date | None = None
    _before: str = "registered"

    @property
    def running(self) -> ClockRow | None:
        return next((clock for clock in reversed(self.clocks) if clock.stopped_at is None), None)

    @property
    def shown_clock(self) -> ClockRow | None:
        """The clock a queue shows: the one that runs, or of an ended case its last handling clock."""
        if self.stage in ENDED:
            return next((clock for clock in reversed(self.clocks) if clock.clock == "handle"), None)
        return self.running

    @property
    def waits(self) -> bool:
        """Whether the report has to be confirmed before anything is done about it (decision 11)."""
        return self.channel in OUTSIDE_CHANNELS and self.kind.needs_confirm

    def begin(self, at: datetime, by: Actor, to: int | None) -> None:
        """The report; where it need not wait it is registered and dispatched to `to` in the same breath."""
        self.version = 1
        self._move("report", at, by)
        if not self.waits:
            self._move("register", at, by)
            self._move("dispatch", at, by, to=to)
        self._follow("report", at)

    def tell(
        self, name: str, at: datetime, by: Actor, *, note: str | None = None, to: int | None = None
    ) -> None:
        """Make a move. `to` is the member a dispatch hands the case to."""
        assert by.role in MOVES[name].roles, f"{by.role} may not {name}"
        self.version += 1
        self._move(name, at, by, note=note, to=to)
        if name in ("pause", "park"):
            self._hold(at)
        else:
            self._follow(name, at)

    def _move(
        self, name: str, at: datetime, by: Actor, *, note: str | None = None, to: int | None = None
    ) -> None:
        """Write a move down, as far as it concerns stage and people."""
        move = MOVES[name]
        assert self.stage in (move.from_stages or (None,)), f"{name} is not open at {self.stage}"
        before, self.stage = self.stage, self._arrival(name)
        if name == "dispatch":
            self.handler = to
        elif name == "hand_back":
            self.handler = None
        elif name == "supervise":
            self.supervised_at = at
        self.moves.append(
            MoveRow(name, before, self.stage, at, by, to if name == "dispatch" else None, note, self.version)
        )
        self.at[name] = at

    def _arrival(self, name: str) -> str:
        to = MOVES[name].to_stage
        if name == "park":
            self._before = self.stage or "registered"
        return {SAME: self.stage or "", BEFORE: self._before}.get(to, to)

    def _follow(self, name: str, at: datetime) -> None:
        """Stop the clock that has done its work, start the one of the new stage."""
        assert self.stage is not None
        wanted = self.rules.clock_at(self.stage, self.kind, self.channel)
        running = self.running
        if running and wanted and running.clock == wanted[0]:
            return
        if running:
            running.stopped_at, running.stopped_by = at, name
        if name == "rework":
            self._take_up_again(at)
        elif wanted:
            self._start(wanted[0], wanted[1], at)

    def _start(self, clock: str, limit: Limit, at: datetime) -> None:
        self.clocks.append(ClockRow(clock, limit, at, [], self.rules.due(at, clock, limit)))

    def _hold(self, at: datetime) -> None:
        self.paused_at = at
        if self.running:
            self.running.pauses.append([at.isoformat(), None])

    def _take_up_again(self, at: datetime) -> None:
        """The handling clock goes on with what was left when the work was said to be done."""
        clock = next(clock for clock in reversed(self.clocks) if clock.clock == "handle")
        assert clock.stopped_at is not None
        clock.pauses.append([clock.stopped_at.isoformat(), at.isoformat()])
        clock.found = self.rules.due(clock.started_at, "handle", clock.limit, [(clock.stopped_at, at)])
        clock.stopped_at = clock.stopped_by = None
        self.clocks.remove(clock)
        self.clocks.append(clock)
