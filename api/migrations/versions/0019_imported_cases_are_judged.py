"""The moment an imported case is judged at, which has no clock, is found by an index.

Revision: 0019, after 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_incident_import_judged",
        "incident",
        [sa.text("LEAST(due_at, closed_at)")],
        postgresql_where=sa.text("channel = 'import'"),
    )


def downgrade() -> None:
    op.drop_index("ix_incident_import_judged", "incident")
