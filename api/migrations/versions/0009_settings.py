"""Settings that people change: dated rules, rule sets by ground, words of notices, questions, the history.

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from api.migrations.one_way import one_way

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSONB = postgresql.JSONB(astext_type=sa.Text())
KEY = ["rule_set", "clock", "category", "level", "channel", "grade"]

TOUCH = """
CREATE TRIGGER touch_rules AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON rule_choice
    FOR EACH STATEMENT EXECUTE FUNCTION touch_rules();
"""


def upgrade() -> None:
    _dated_rules()
    op.add_column("category", sa.Column("questions", JSONB, server_default="[]", nullable=False))
    op.add_column("incident", sa.Column("answers", JSONB, server_default="{}", nullable=False))
    op.create_index(
        "ix_incident_appealed", "incident", ["territory"], postgresql_where=sa.text("appealed_at IS NOT NULL")
    )
    op.create_table(
        "notice_wording",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("senders", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("subject_zh", sa.Text(), nullable=False),
        sa.Column("subject_en", sa.Text(), nullable=False),
        sa.Column("text_zh", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_notice_wording")),
        info={"open": True},
    )
    op.create_table(
        "setting_change",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("before", JSONB, nullable=True),
        sa.Column("after", JSONB, nullable=True),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setting_change")),
        info={"open": True},
    )
    op.create_index(op.f("ix_setting_change_at"), "setting_change", ["at"])


def _dated_rules() -> None:
    """A line of a rule set has versions, and a ground may live by a set of its own for a while."""
    op.add_column("clock_rule", sa.Column("valid_from", MOMENT, nullable=True))
    op.add_column("clock_rule", sa.Column("valid_until", MOMENT, nullable=True))
    op.drop_constraint(op.f("uq_clock_rule_rule_set_clock_category_level_channel_grade"), "clock_rule")
    op.create_index(
        "uq_clock_rule_now",
        "clock_rule",
        KEY,
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("valid_until IS NULL"),
    )
    op.create_table(
        "rule_choice",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("ground", sa.Text(collation="C"), nullable=False),
        sa.Column("rule_set", sa.Text(), nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_until", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["rule_set"], ["rule_set.code"], name=op.f("fk_rule_choice_rule_set")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_choice")),
        info={"open": True},
    )
    op.create_index(
        "uq_rule_choice_now",
        "rule_choice",
        ["ground"],
        unique=True,
        postgresql_where=sa.text("valid_until IS NULL"),
    )
    op.execute(TOUCH)


def downgrade() -> None:
    raise one_way(revision)
