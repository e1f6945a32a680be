"""What is told outside and by the clock: reminders, contacts, deliveries; the reporter's rating.

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("notice", sa.Column("account_id", sa.Integer(), nullable=True))
    op.add_column("notice", sa.Column("planned_at", MOMENT, nullable=True))
    op.create_index("ix_notice_unplanned", "notice", ["id"], postgresql_where=sa.text("planned_at IS NULL"))
    op.create_index(
        "ix_case_clock_due_soon",
        "case_clock",
        ["due_soon_at"],
        postgresql_where=sa.text("stopped_at IS NULL"),
    )
    _reminder()
    _contact()
    _delivery()
    _rating()


def _reminder() -> None:
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


def _contact() -> None:
    op.create_table(
        "contact",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("territory", CODE, nullable=False),
        sa.CheckConstraint("sender IN ('email', 'sms', 'webhook')", name=op.f("ck_contact_sender_known")),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("ck_contact_language_known")),
        sa.CheckConstraint(
            "member_id IS NULL OR account_id IS NULL", name=op.f("ck_contact_of_one_or_nobody")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint(
            "sender",
            "address",
            "member_id",
            "account_id",
            "territory",
            name=op.f("uq_contact_sender_address_member_id_account_id_territory"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_contact_territory"), "contact", ["territory"])


def _delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("planned_at", MOMENT, nullable=False),
        sa.Column("next_at", MOMENT, nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("territory", CODE, nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name=op.f("fk_delivery_notice_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_delivery_contact_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("notice_id", "contact_id", name=op.f("uq_delivery_notice_id_contact_id")),
    )
    op.create_index(
        "ix_delivery_waiting", "delivery", ["next_at"], postgresql_where=sa.text("next_at IS NOT NULL")
    )
    op.create_index(op.f("ix_delivery_territory"), "delivery", ["territory"])


def _rating() -> None:
    op.create_table(
        "rating",
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("territory", CODE, nullable=False),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name=op.f("ck_rating_score_known")),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_rating_incident_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_rating")),
    )
    op.create_index(op.f("ix_rating_territory"), "rating", ["territory"])


def downgrade() -> None:
    for table in ("rating", "delivery", "contact", "reminder"):
        op.drop_table(table)
    op.drop_index("ix_case_clock_due_soon", "case_clock")
    op.drop_index("ix_notice_unplanned", "notice")
    op.drop_column("notice", "planned_at")
    op.drop_column("notice", "account_id")
