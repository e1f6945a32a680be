"""Indexes that nothing asks, or that another index answers as well: each was written with every report and move.

Revision: 0018, after 0016
"""

from alembic import op

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None

UNASKED = (
    ("incident", "reported_by"),  # uq_incident_reported_by_report_key begins with it
    ("incident_move", "incident_id"),  # uq_incident_move_incident_id_version_move begins with it
    ("incident_move", "territory"),  # what belongs to a case is found by the case
    ("case_clock", "territory"),
    ("notice", "territory"),
    ("notice", "member_id"),
)


def upgrade() -> None:
    for table, column in UNASKED:
        op.drop_index(op.f(f"ix_{table}_{column}"), table)


def downgrade() -> None:
    for table, column in UNASKED:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
