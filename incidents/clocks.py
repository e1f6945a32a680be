"""The clocks of a case: which one runs at which stage, and how it is started, paused, extended and stopped.

Every clock a case ever had is a row, so a finished handling clock is still there to be judged when the case
has long been closed. Of the case's own at most one runs, besides one for each open piece of work of another
force (`incidents.subtasks`). The case carries a copy of its own (`due_at` and its kin) for the map and the
queue; once the case has ended it carries its last handling clock.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gis.database import Base, territory_column
from gis.errors import Invalid
from incidents.calendar import Calendar
from incidents.deadlines import Deadline, deadline
from incidents.incident import ENDED, JOINED, Incident
from incidents.rules import CLOCKS, Limit, Rulebook, Traits

STAGE_CLOCKS = {
    "reported": "record",
    "registered": "dispatch",
    "dispatched": "handle",
    "handling": "handle",
    "handled": "verify",
}
"""Which clock runs at a stage; on the ladder the level's own clock stands in for dispatch and handle."""

MAX_EXTENSION = 4
"""An extension is at most so many times the limit itself."""

CASE_CLOCKS = (*CLOCKS, "subtask")
"""Every kind of clock a case may have: those of its stages, and one for each piece of work."""

STARTED = {
    "record": ("上报", "Reported"),
    "dispatch": ("立案", "Registered"),
    "handle": ("派遣", "Dispatched"),
    "level": ("到达本级", "Arrived at this level"),
    "verify": ("处置完成", "Finished"),
    "subtask": ("交办", "Asked"),
}
"""What happened when a clock was started, for its sum in words."""

_MOMENT = DateTime(timezone=True)

_RUNS = "{c}stopped_at IS NULL AND ({c}pauses -> -1 -> 1) IS DISTINCT FROM 'null'::jsonb"


def tell_at(alias: str = "") -> str:
    """When the next reminder of a clock is due: as its deadline comes near, and once that was told, at it.

    Broken into lines as PostgreSQL writes it, by which models and database are compared.
    """
    c = alias and f"{alias}."
    return f"""(
CASE
    WHEN {c}soon_told_of IS DISTINCT FROM {c}due_at THEN {c}due_soon_at
    ELSE {c}due_at
END)"""


def to_tell(alias: str = "") -> str:
    """Whether a clock runs and a reminder of its deadline is still to come."""
    c = alias and f"{alias}."
    return f"{_RUNS.format(c=c)} AND {c}late_told_of IS DISTINCT FROM {c}due_at"


def to_climb(alias: str = "") -> str:
    """Whether a clock runs at whose end the ladder is still to be asked."""
    c = alias and f"{alias}."
    asked = f"{c}climb_asked_of IS DISTINCT FROM {c}due_at"
    return f"{_RUNS.format(c=c)} AND {asked} AND {c}clock IN ('handle', 'level')"


class CaseClock(Base):
    """One clock of one case, running or stopped."""

    __tablename__ = "case_clock"
    __table_args__ = (
        CheckConstraint(f"clock IN {CASE_CLOCKS}", name="clock_known"),
        Index("ix_case_clock_judged", text("LEAST(due_at, stopped_at)")),
        Index("ix_case_clock_to_tell", text(tell_at()), postgresql_where=text(to_tell())),
        Index("ix_case_clock_to_climb", "due_at", "incident_id", postgresql_where=text(to_climb())),
        Index(
            "uq_case_clock_running",
            "incident_id",
            "subtask_id",
            unique=True,
            postgresql_where=text("stopped_at IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    subtask_id: Mapped[int | None] = mapped_column(ForeignKey("subtask.id", ondelete="CASCADE"))
    """Set on the clock of a piece of work; the clocks of the case itself have none."""
    clock: Mapped[str]
    level: Mapped[str]
    kind: Mapped[str]
    value: Mapped[Decimal]
    extended: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default="0")
    """Units granted on top of `value`."""
    started_at: Mapped[datetime] = mapped_column(_MOMENT)
    pauses: Mapped[list[list[str | None]]] = mapped_column(JSONB, default=list, server_default="[]")
    """Pairs of ISO moments; the last one's end is null while the clock stands."""
    due_at: Mapped[datetime] = mapped_column(_MOMENT)
    due_soon_at: Mapped[datetime] = mapped_column(_MOMENT)
    words_zh: Mapped[str]
    words_en: Mapped[str]
    provisional: Mapped[bool] = mapped_column(default=False, server_default="false")
    """It runs through a year whose calendar was not published when it was computed."""
    stopped_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    stopped_by: Mapped[str | None]
    """The move that stopped it."""
    soon_told_of: Mapped[datetime | None] = mapped_column(_MOMENT)
    late_told_of: Mapped[datetime | None] = mapped_column(_MOMENT)
    """The deadline whose nearness, and whose passing, was told (`incidents.reminders`): one that has moved
    since is another one, and is told of again."""
    climb_asked_of: Mapped[datetime | None] = mapped_column(_MOMENT)
    """The deadline at whose passing the ladder knew no next level (`incidents.ladder`)."""
    territory: Mapped[str] = territory_column(index=False)

    @property
    def held(self) -> bool:
        """Whether it stands still."""
        return bool(self.pauses) and self.pauses[-1][1] is None

    def closed_pauses(self) -> list[tuple[datetime, datetime]]:
        """The pauses that are over, as moments."""
        return [
            (datetime.fromisoformat(begins), datetime.fromisoformat(ends))
            for begins, ends in self.pauses
            if begins and ends
        ]

    def recompute(self, calendar: Calendar) -> None:
        """Work the deadline out again from what the clock was told."""
        self.show(
            deadline(
                self.started_at,
                self.kind,
                float(self.value),
                calendar,
                extended=float(self.extended),
                pauses=self.closed_pauses(),
                started=STARTED[self.clock],
            )
        )

    def show(self, found: Deadline) -> None:
        self.due_at, self.due_soon_at = found.due_at, found.due_soon_at
        self.words_zh, self.words_en = found.words_zh, found.words_en
        self.provisional = found.provisional


def clock_wanted(stage: str, case: Traits, own: Limit, rules: Rulebook) -> tuple[str, Limit] | None:
    """Which clock runs at a stage and with what limit; `own` is the category's handling limit."""
    name = STAGE_CLOCKS.get(stage)
    if name is None:
        return None
    if name in ("dispatch", "handle") and (ladder := rules.limit("level", case)):
        return "level", ladder
    limit = rules.limit(name, case) or (own if name == "handle" else None)
    return (name, limit) if limit else None


def new_clock(
    name: str,
    limit: Limit,
    rules: Rulebook,
    now: datetime,
    *,
    incident_id: int,
    level: str,
    territory: str,
    subtask_id: int | None = None,
) -> CaseClock:
    """A clock that begins to run now."""
    row = CaseClock(
        incident_id=incident_id,
        subtask_id=subtask_id,
        clock=name,
        level=level,
        kind=limit.kind,
        value=Decimal(str(limit.value)),
        extended=Decimal(0),
        started_at=now,
        pauses=[],
        territory=territory,
    )
    row.show(deadline(now, limit.kind, limit.value, rules.calendar, started=STARTED[name]))
    return row


class CaseClocks:
    """All clocks of one case, during one move. The caller has locked the case."""

    def __init__(
        self, case: Incident, rows: list[CaseClock], own: Limit, rules: Rulebook, now: datetime
    ) -> None:
        self._case, self._own, self._now = case, own, now
        self.rules = rules
        self.rows = rows
        """Oldest first; those that are started are added at the end."""
        if not self.own_rows:
            self._adopt()

    @property
    def own_rows(self) -> list[CaseClock]:
        """The clocks of the case itself."""
        return [row for row in self.rows if row.subtask_id is None]

    @property
    def running(self) -> CaseClock | None:
        """The case's own clock that runs."""
        return next((row for row in self.own_rows if row.stopped_at is None), None)

    def follow(self, move: str) -> None:
        """After a move: stop the clock that has done its work, start the one of the new stage."""
        case = self._case
        traits = Traits(case.category, case.level, case.channel, case.grade)
        wanted = clock_wanted(case.stage, traits, self._own, self.rules)
        running = self.running
        if case.stage in ("parked", JOINED) or (
            running and wanted and (running.clock, running.level) == (wanted[0], case.level)
        ):
            self.mirror()
            return
        self.stop(move)
        if wanted:
            self._start(*wanted)
        self.mirror()

    def stop(self, move: str) -> None:
        """Stop the running clock, if there is one; a pause ends with it."""
        row = self.running
        if row is None:
            return
        if row.held:
            self.release()
        row.stopped_at, row.stopped_by = self._now, move
        self._case.extension_asked = None

    def hold(self) -> None:
        """Let every clock that runs stand."""
        self._case.paused_at = self._now
        for row in self.rows:
            if row.stopped_at is None and not row.held:
                row.pauses = [*row.pauses, [self._now.isoformat(), None]]

    def release(self) -> None:
        """Let every clock that stands go on with what was left of it."""
        self._case.paused_at = None
        for row in self.rows:
            if row.stopped_at is None and row.held:
                row.pauses = [*row.pauses[:-1], [row.pauses[-1][0], self._now.isoformat()]]
                row.recompute(self.rules.calendar)

    def stop_subtask(self, subtask_id: int, move: str) -> None:
        """End the clock of a piece of work."""
        for row in self.rows:
            if row.subtask_id == subtask_id and row.stopped_at is None:
                if row.held:
                    row.pauses = [*row.pauses[:-1], [row.pauses[-1][0], self._now.isoformat()]]
                row.stopped_at, row.stopped_by = self._now, move

    @property
    def own_limit(self) -> Limit:
        """The handling limit of the category."""
        return self._own

    @property
    def limit(self) -> Limit:
        """The limit of the running clock, else the category's own."""
        row = self.running
        return Limit(row.kind, float(row.value)) if row else self._own

    def extend(self, units: float) -> None:
        """Grant the running clock more of its own kind of time. Raises Invalid for too much or too little."""
        row = self.running
        if row is not None:
            row.extended += self.units(units)
            row.recompute(self.rules.calendar)

    def units(self, wanted: float) -> Decimal:
        """An extension as the clock takes it."""
        most = MAX_EXTENSION * self.limit.value
        if not 0 < wanted <= most:
            raise Invalid(
                en=f"An extension by {wanted:g} is not possible.",
                zh=f"不能延期 {wanted:g}。",
                remedy_en=f"Give a number above 0 and at most {most:g}.",
                remedy_zh=f"请填大于 0、不超过 {most:g} 的数。",
            )
        return Decimal(str(wanted))

    def recompute(self) -> None:
        """Work the running clocks out again, by the calendar as it is known now."""
        for row in self.rows:
            if row.stopped_at is None:
                row.recompute(self.rules.calendar)

    def take_up_again(self, *, forget: bool = False) -> None:
        """Let the last clock of this stage go on with what was left when it stopped.

        The time since then is a pause to it; with `forget` it was never stopped at all.
        """
        names = {STAGE_CLOCKS.get(self._case.stage), "level"}
        row = next((row for row in reversed(self.own_rows) if row.stopped_at and row.clock in names), None)
        if row is None or row.stopped_at is None:
            return
        if not forget:
            row.pauses = [*row.pauses, [row.stopped_at.isoformat(), self._now.isoformat()]]
        row.stopped_at = row.stopped_by = None
        row.recompute(self.rules.calendar)

    def move_to(self, territory: str) -> None:
        """The clocks lie where the case lies, and its ladder may know a next level."""
        for row in self.rows:
            row.territory, row.climb_asked_of = territory, None

    def mirror(self) -> None:
        """Copy to the case what the map and the queue show of its clock."""
        case, row = self._case, self.running
        if row is None and case.stage in ENDED:
            row = next((row for row in reversed(self.own_rows) if row.clock in ("handle", "level")), None)
        case.due_at = row.due_at if row else None
        case.due_soon_at = row.due_soon_at if row else None
        case.limit_words_zh = row.words_zh if row else None
        case.limit_words_en = row.words_en if row else None

    def _start(self, name: str, limit: Limit) -> None:
        case = self._case
        row = new_clock(
            name,
            limit,
            self.rules,
            self._now,
            incident_id=case.id,
            level=case.level,
            territory=case.territory,
        )
        self.rows.append(row)

    def _adopt(self) -> None:
        """A case loaded from a file brings a deadline and no clock: make the clock it would have had."""
        case = self._case
        if case.due_at is None or case.stage in ENDED:
            return
        row = CaseClock(
            incident_id=case.id,
            clock=STAGE_CLOCKS.get(case.stage, "handle"),
            level=case.level,
            kind=self._own.kind,
            value=Decimal(str(self._own.value)),
            extended=Decimal(0),
            started_at=case.dispatched_at or case.reported_at,
            pauses=[[case.paused_at.isoformat(), None]] if case.paused_at else [],
            due_at=case.due_at,
            due_soon_at=case.due_soon_at or case.due_at,
            words_zh=case.limit_words_zh or "",
            words_en=case.limit_words_en or "",
            provisional=False,
            territory=case.territory,
        )
        self.rows.append(row)
