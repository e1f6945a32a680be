"""Views that look beyond the row policies, for counting: what policies ask row by row costs a report seconds.

They hold no words, no names and no places: when a case moved from which stage to which, and when its clocks
ran. A row says nothing without its case, and whoever reads them joins `incident`, which is under its policy
(`incidents.populations`, `incidents.replay`).
"""

from __future__ import annotations

from gis.database import APP_ROLE

VIEWS = (
    """
    CREATE OR REPLACE VIEW story_step AS
    SELECT id, incident_id, version, move, from_stage, to_stage, at, member_id, role FROM incident_move
    """,
    """
    CREATE OR REPLACE VIEW clock_span AS
    SELECT id, incident_id, subtask_id, clock, kind, value, extended, started_at, due_at, due_soon_at, pauses,
           stopped_at, stopped_by FROM case_clock
    """,
    f"GRANT SELECT ON story_step, clock_span TO {APP_ROLE}",
)
"""Written after every upgrade, with the rights of the tables' owner."""
