"""A clock knows of which deadline the sweeps have told and asked: they read only what is still to be done.

Revision: 0017, after 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")
MOMENT = sa.DateTime(timezone=True)
MARKS = ("soon_told_of", "late_told_of", "climb_asked_of")
RUNS = "stopped_at IS NULL AND (pauses -> -1 -> 1) IS DISTINCT FROM 'null'::jsonb"


def upgrade() -> None:
    for mark in MARKS:
        op.add_column("case_clock", sa.Column(mark, MOMENT, nullable=True))
    for mark, kind in (("soon_told_of", "due_soon"), ("late_told_of", "overdue")):
        op.execute(
            f"UPDATE case_clock AS c SET {mark} = c.due_at FROM reminder AS r"
            f" WHERE r.clock_id = c.id AND r.due_at = c.due_at AND r.kind = '{kind}'"
        )
    op.drop_table("reminder")
    op.drop_index("ix_case_clock_due_soon", "case_clock")
    op.drop_index("ix_case_clock_due", "case_clock")
    op.create_index(
        "ix_case_clock_to_tell",
        "case_clock",
        [sa.text("(CASE WHEN soon_told_of IS DISTINCT FROM due_at THEN due_soon_at ELSE due_at END)")],
        postgresql_where=sa.text(f"{RUNS} AND late_told_of IS DISTINCT FROM due_at"),
    )
    op.create_index(
        "ix_case_clock_to_climb",
        "case_clock",
        ["due_at", "incident_id"],
        postgresql_where=sa.text(
            f"{RUNS} AND climb_asked_of IS DISTINCT FROM due_at AND clock IN ('handle', 'level')"
        ),
    )


def downgrade() -> None:
    op.drop_index("ix_case_clock_to_climb", "case_clock")
    op.drop_index("ix_case_clock_to_tell", "case_clock")
    running = sa.text("stopped_at IS NULL")
    op.create_index("ix_case_clock_due", "case_clock", ["due_at"], postgresql_where=running)
    op.create_index("ix_case_clock_due_soon", "case_clock", ["due_soon_at"], postgresql_where=running)
    op.create_table(
        "reminder",
        sa.Column("clock_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("territory", CODE, nullable=False),
        sa.CheckConstraint("kind IN ('due_soon', 'overdue')", name=op.f("ck_reminder_kind_known")),
        sa.ForeignKeyConstraint(
            ["clock_id"], ["case_clock.id"], name=op.f("fk_reminder_clock_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("clock_id", "kind", "due_at", name=op.f("pk_reminder")),
    )
    op.create_index(op.f("ix_reminder_territory"), "reminder", ["territory"])
    for mark, kind in (("soon_told_of", "due_soon"), ("late_told_of", "overdue")):
        op.execute(
            "INSERT INTO reminder (clock_id, kind, due_at, at, territory)"
            f" SELECT id, '{kind}', due_at, due_at, territory FROM case_clock WHERE {mark} = due_at"
        )
    for mark in reversed(MARKS):
        op.drop_column("case_clock", mark)
