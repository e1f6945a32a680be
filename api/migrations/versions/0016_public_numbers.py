"""What the public is shown: one frozen number a community, main class and month; and a person by telephone.

Revision: 0016, after 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0017"
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")


def upgrade() -> None:
    op.create_table(
        "public_month",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("hidden_below", sa.Integer(), nullable=False),
        sa.Column("rounded_to", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("extract(day FROM month) = 1", name=op.f("ck_public_month_is_a_month")),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_public_month")),
        info={"open": True},
    )
    op.create_table(
        "public_bin",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("community_code", CODE, nullable=False),
        sa.Column("group_code", sa.Text(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=True),
        sa.Column("in_time", sa.Integer(), nullable=True),
        sa.Column("share", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "share IS NULL OR share IN ('told', 'most', 'few')", name=op.f("ck_public_bin_share_known")
        ),
        sa.CheckConstraint(
            "shown IS NOT NULL OR (share IS NULL AND in_time IS NULL)",
            name=op.f("ck_public_bin_hidden_is_hidden"),
        ),
        sa.ForeignKeyConstraint(["month"], ["public_month.month"], name=op.f("fk_public_bin_month")),
        sa.PrimaryKeyConstraint("month", "community_code", "group_code", name=op.f("pk_public_bin")),
        info={"open": True},
    )
    for table in ("public_month", "public_bin"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    op.create_index("ix_resident_phone", "resident", ["phone"])


def downgrade() -> None:
    op.drop_index("ix_resident_phone", "resident")
    op.drop_table("public_bin")
    op.drop_table("public_month")
