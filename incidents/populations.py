"""What indicators count: populations of judged rows, written over the story and the clocks of the cases.

Each population is a SELECT that is evaluated for one window `w` (starts_at, as_of). A row has the case
(`incident_id`), the moment at which it is judged (`at`, within the window), the person who had it then
(`member_id`, where somebody did) and the flags its indicators ask for. Everything is told as it was known at
`as_of`, the end of the window: last month's figures do not change when a case is reopened today. `step_here`
and `clock_here` are the steps and clocks of the cases that are asked about (`incidents.evaluation`).

An obligation is judged once: when it was met, or at its limit if it was not. So weeks add up to their month,
and nothing overdue leaves the denominator by never being done.
"""

from __future__ import annotations

from dataclasses import dataclass

from incidents.incident import ENDED

PUBLIC_CHANNELS = ("resident", "hotline", "wechat")
"""Channels by which people who are not of the grid force report."""
LOCAL = "local"
"""The `standard` of a category that a community added: not among the patrol's own."""


@dataclass(frozen=True, slots=True)
class Population:
    """One kind of row to count. `when` says in words at which moment a row is judged."""

    sql: str
    when: tuple[str, str]
    personal: bool = False
    """Whether each row has one person who can answer for it."""


_HAD_IT = """(SELECT n.member_id FROM story_step AS n
      WHERE n.incident_id = {case} AND n.move IN ('dispatch', 'reassign') AND n.at <= {at}
      ORDER BY n.version DESC LIMIT 1)"""
"""Who had a case at a moment: the person named last. The hand-over to them counts from its own moment."""

_WITHIN = "{at} >= w.starts_at AND {at} < w.as_of"


def _last_of(moves: tuple[str, ...], first: str, flag: str, second: str, but: str = "") -> str:
    """Moves `first` in the window; `flag` where the next of `moves` on the same case is `second`.

    A row whose next one is `but` is as if it had never been.
    """
    without = f"AND f.next IS DISTINCT FROM '{but}'" if but else ""
    return f"""
    SELECT f.incident_id, f.at, {_HAD_IT.format(case="f.incident_id", at="f.at")} AS member_id,
           f.next IS NOT DISTINCT FROM '{second}' AS {flag}
    FROM (SELECT m.incident_id, m.at, m.move, lead(m.move) OVER (PARTITION BY m.incident_id
                                                                 ORDER BY m.version, m.id) AS next
          FROM step_here AS m
          WHERE m.move IN {moves} AND m.from_stage <> 'joined' AND {_WITHIN.format(at="m.at")}) AS f
    WHERE f.move = '{first}' {without}
    """


def _changed_to(stage: str, over: str = "") -> str:
    """Whether a case stands at a stage after all its moves: it came there more often than it left.

    `over` makes it a window of the moves instead of their group.
    """
    return (
        f"count(*) FILTER (WHERE m.to_stage = '{stage}' AND m.from_stage IS DISTINCT FROM '{stage}') {over}"
        f" > count(*) FILTER (WHERE m.from_stage = '{stage}' AND m.to_stage <> '{stage}') {over}"
    )


_ENDED_NOW = (
    f"count(*) FILTER (WHERE m.to_stage IN {ENDED} AND m.from_stage NOT IN {ENDED})"
    f" > count(*) FILTER (WHERE m.from_stage IN {ENDED} AND m.to_stage NOT IN {ENDED})"
)

_REPORTS = f"""
    SELECT r.id AS incident_id, r.reported_at AS at, NULL::int AS member_id,
           r.channel IN {PUBLIC_CHANNELS} AS public,
           f.decided, f.registered AND NOT f.void AS valid, f.ended, f.closed
    FROM incident AS r JOIN (
        SELECT m.incident_id,
               bool_or(m.to_stage IN ('registered', 'joined', 'rejected')) AS decided,
               bool_or(m.to_stage IN ('registered', 'joined')) AS registered,
               {_changed_to("void")} AS void, {_changed_to("closed")} AS closed, {_ENDED_NOW} AS ended
        FROM step_here AS m WHERE {_WITHIN.format(at="m.at")} GROUP BY m.incident_id
    ) AS f ON f.incident_id = r.id
    WHERE {_WITHIN.format(at="r.reported_at")}
"""

_REGISTRATIONS = f"""
    SELECT f.incident_id, f.at, NULL::int AS member_id, r.channel IN {PUBLIC_CHANNELS} AS public,
           coalesce(k.standard, '{LOCAL}') <> '{LOCAL}' AS patrolled, f.void
    FROM (SELECT m.*, {_changed_to("void", "OVER (PARTITION BY m.incident_id)")} AS void
          FROM step_here AS m
          WHERE m.move IN ('register', 'confirm', 'reopen', 'void') AND {_WITHIN.format(at="m.at")}) AS f
    JOIN incident AS r ON r.id = f.incident_id JOIN category AS k ON k.code = r.category
    WHERE f.move IN ('register', 'confirm', 'reopen') AND f.to_stage = 'registered'
      AND f.from_stage IN ('reported', 'rejected')
"""
"""Registered and made void are read in one walk: joined, they were paired case by case."""


def _obligations(clocks: tuple[str, ...], met_by: tuple[str, ...], *, at_once: str = "") -> str:
    """Clocks whose verdict fell in the window: `in_time` or not, and whether they were `done` by its end.

    A clock stopped by anything but `met_by` before its limit has lapsed. One that stood still when its limit
    would have come is not judged: a parked case is not overdue. A case made void owes nothing. `at_once`
    names a move that, made with the report itself, met the obligation before a clock could start.
    """
    judged = "least(c.due_at, c.stopped_at)"
    together = f"""
      UNION ALL
      SELECT m.incident_id, m.at, m.at, true, true FROM step_here AS m
      WHERE m.move = '{at_once}' AND m.version = 1 AND m.role <> 'system' AND {_WITHIN.format(at="m.at")}
    """
    imported = f"""
      UNION ALL
      SELECT r.id, least(r.due_at, r.closed_at), r.reported_at, coalesce(r.closed_at <= r.due_at, false),
             coalesce(r.closed_at < w.as_of, false)
      FROM incident AS r
      WHERE r.channel = 'import' AND r.due_at IS NOT NULL
        AND {_WITHIN.format(at="least(r.due_at, r.closed_at)")}
        AND NOT EXISTS (SELECT 1 FROM clock_span AS c WHERE c.incident_id = r.id)
    """
    return f"""
    SELECT o.incident_id, o.at, {_HAD_IT.format(case="o.incident_id", at="o.at")} AS member_id, o.started_at,
           o.in_time, o.done
    FROM (
      SELECT c.incident_id, {judged} AS at, c.started_at,
             coalesce(c.stopped_at <= c.due_at, false) AS in_time,
             coalesce(c.stopped_at < w.as_of AND c.stopped_by IN {_listed(met_by)}, false) AS done
      FROM clock_here AS c
      WHERE c.clock IN {_listed(clocks)} AND {_WITHIN.format(at=judged)}
        AND (c.stopped_by IN {_listed(met_by)} OR c.due_at < coalesce(c.stopped_at, 'infinity'))
        AND NOT (c.stopped_at IS NULL AND c.pauses <> '[]' AND c.pauses -> -1 -> 1 = 'null'
                 AND (c.pauses -> -1 ->> 0)::timestamptz <= c.due_at)
      {together if at_once else ""}{imported if "handle" in clocks else ""}
    ) AS o
    WHERE NOT EXISTS (
        SELECT 1 FROM story_step AS v
        WHERE v.move = 'void' AND v.incident_id = o.incident_id AND v.at < w.as_of AND NOT EXISTS (
            SELECT 1 FROM story_step AS n WHERE n.incident_id = v.incident_id AND n.move = 'reopen'
              AND n.version > v.version AND n.at < w.as_of))
    """


def _listed(names: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{name}'" for name in names) + ")"


_HANDLING = _obligations(("handle", "level"), ("finish",))

_CLOSING = f"""
    SELECT h.incident_id, h.at, h.member_id, h.in_time, coalesce(c.closed_at >= h.started_at, false) AS closed
    FROM ({_HANDLING}) AS h LEFT JOIN (
        SELECT m.incident_id, max(m.at) AS closed_at FROM step_here AS m
        WHERE m.move IN ('close', 'reopen') AND {_WITHIN.format(at="m.at")} GROUP BY m.incident_id
        HAVING max(m.version) FILTER (WHERE m.move = 'close')
               > coalesce(max(m.version) FILTER (WHERE m.move = 'reopen'), 0)
    ) AS c ON c.incident_id = h.incident_id
"""

_RATINGS = f"""
    SELECT s.incident_id, s.at, {_HAD_IT.format(case="s.incident_id", at="s.at")} AS member_id, s.score
    FROM rating AS s WHERE {_WITHIN.format(at="s.at")}
"""

_MET_OR_LIMIT = ("完成时；未完成的在到期时", "when it was done, else at its limit")

POPULATIONS = {
    "reports": Population(_REPORTS, ("上报时", "when it was reported")),
    "registrations": Population(_REGISTRATIONS, ("立案时", "when it was registered")),
    "confirming": Population(
        _obligations(("record",), ("register", "confirm", "reject", "join")), _MET_OR_LIMIT
    ),
    "registering": Population(
        _obligations(("record",), ("register", "confirm"), at_once="register"), _MET_OR_LIMIT
    ),
    "dispatching": Population(_obligations(("dispatch",), ("dispatch",), at_once="dispatch"), _MET_OR_LIMIT),
    "handling": Population(_HANDLING, _MET_OR_LIMIT, personal=True),
    "verifying": Population(_obligations(("verify",), ("verify", "rework")), _MET_OR_LIMIT),
    "closing": Population(_CLOSING, _MET_OR_LIMIT, personal=True),
    "dispatches": Population(
        _last_of(("dispatch", "hand_back", "undo"), "dispatch", "handed_back", "hand_back", but="undo"),
        ("派遣时", "when it was dispatched"),
        personal=True,
    ),
    "finishes": Population(
        _last_of(("finish", "rework"), "finish", "reworked", "rework"),
        ("处置完成时", "when the work was finished"),
        personal=True,
    ),
    "closings": Population(
        _last_of(("close", "reopen"), "close", "reopened", "reopen"),
        ("结案时", "when it was closed"),
        personal=True,
    ),
    "ratings": Population(_RATINGS, ("评价时", "when it was rated"), personal=True),
}
"""Population -> its rows. What the desk or a checker owes has no person: the handler does not owe it."""
