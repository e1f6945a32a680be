"""Rules of time: rule sets and their lines, the clocks of a case, what the further moves leave behind.

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from api.migrations.one_way import one_way

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TRIGGERS = """
CREATE TRIGGER touch_rules AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON rule_set
    FOR EACH STATEMENT EXECUTE FUNCTION touch_rules();
CREATE TRIGGER touch_rules AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON clock_rule
    FOR EACH STATEMENT EXECUTE FUNCTION touch_rules();
"""


def upgrade() -> None:
    op.create_table(
        "rule_set",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("office_hours", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_rule_set")),
        info={"open": True},
    )
    op.create_index(
        "uq_rule_set_active", "rule_set", ["active"], unique=True, postgresql_where=sa.text("active")
    )
    op.create_table(
        "clock_rule",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("rule_set", sa.Text(), nullable=False),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(collation="C"), nullable=True),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("grade", sa.SmallInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Numeric(), nullable=False),
        sa.CheckConstraint(
            "clock IN ('record', 'dispatch', 'handle', 'level', 'verify')",
            name=op.f("ck_clock_rule_clock_known"),
        ),
        sa.CheckConstraint(
            "level IN ('community', 'subdistrict', 'district', 'city')",
            name=op.f("ck_clock_rule_level_known"),
        ),
        sa.CheckConstraint("grade IN (1, 2, 3, 4)", name=op.f("ck_clock_rule_grade_known")),
        sa.CheckConstraint(
            "kind IN ('urgent_hours', 'working_hours', 'working_days', 'calendar_days')",
            name=op.f("ck_clock_rule_kind_known"),
        ),
        sa.CheckConstraint("value > 0", name=op.f("ck_clock_rule_value_positive")),
        sa.ForeignKeyConstraint(
            ["rule_set"], ["rule_set.code"], name=op.f("fk_clock_rule_rule_set"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_rule")),
        sa.UniqueConstraint(
            "rule_set",
            "clock",
            "category",
            "level",
            "channel",
            "grade",
            name=op.f("uq_clock_rule_rule_set_clock_category_level_channel_grade"),
            postgresql_nulls_not_distinct=True,
        ),
        info={"open": True},
    )
    op.create_table(
        "case_clock",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Numeric(), nullable=False),
        sa.Column("extended", sa.Numeric(), server_default="0", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pauses", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_soon_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words_zh", sa.Text(), nullable=False),
        sa.Column("words_en", sa.Text(), nullable=False),
        sa.Column("provisional", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_by", sa.Text(), nullable=True),
        sa.Column("territory", sa.Text(collation="C"), nullable=False),
        sa.CheckConstraint(
            "clock IN ('record', 'dispatch', 'handle', 'level', 'verify')",
            name=op.f("ck_case_clock_clock_known"),
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_case_clock_incident_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_clock")),
    )
    op.create_index(op.f("ix_case_clock_incident_id"), "case_clock", ["incident_id"], unique=False)
    op.create_index(op.f("ix_case_clock_territory"), "case_clock", ["territory"], unique=False)
    op.create_index(
        "ix_case_clock_due",
        "case_clock",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("stopped_at IS NULL"),
    )
    op.create_index(
        "uq_case_clock_running",
        "case_clock",
        ["incident_id"],
        unique=True,
        postgresql_where=sa.text("stopped_at IS NULL"),
    )
    op.add_column("incident", sa.Column("level", sa.Text(), server_default="community", nullable=False))
    op.add_column("incident", sa.Column("grade", sa.SmallInteger(), server_default="3", nullable=False))
    op.add_column("incident", sa.Column("supervised_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("incident", sa.Column("review_on", sa.Date(), nullable=True))
    op.add_column("incident", sa.Column("extension_asked", sa.Numeric(), nullable=True))
    op.add_column("incident", sa.Column("appealed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_incident_level_known"),
        "incident",
        "level IN ('community', 'subdistrict', 'district', 'city')",
    )
    op.create_check_constraint(op.f("ck_incident_grade_known"), "incident", "grade IN (1, 2, 3, 4)")
    op.add_column("incident_move", sa.Column("lon", sa.Double(), nullable=True))
    op.add_column("incident_move", sa.Column("lat", sa.Double(), nullable=True))
    op.add_column(
        "incident_move",
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
    )
    op.execute(TRIGGERS)


def downgrade() -> None:
    raise one_way(revision)
