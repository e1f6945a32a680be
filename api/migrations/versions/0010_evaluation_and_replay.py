"""Indexes by which evaluation finds what was judged in a window, and replay what was open at a minute.

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Each takes the place of a narrower one, so a move costs no more to write; only the clocks' is new.
    op.drop_index("ix_incident_move_at", "incident_move")
    op.create_index("ix_incident_move_move_at", "incident_move", ["move", "at"])
    op.drop_index("ix_incident_closed_at", "incident")
    op.create_index("ix_incident_lifetime", "incident", ["closed_at", "reported_at"])
    op.create_index("ix_case_clock_judged", "case_clock", [sa.text("LEAST(due_at, stopped_at)")])


def downgrade() -> None:
    op.drop_index("ix_case_clock_judged", "case_clock")
    op.drop_index("ix_incident_lifetime", "incident")
    op.create_index("ix_incident_closed_at", "incident", ["closed_at"])
    op.drop_index("ix_incident_move_move_at", "incident_move")
    op.create_index("ix_incident_move_at", "incident_move", ["at"])
