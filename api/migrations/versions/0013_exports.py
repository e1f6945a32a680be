"""Exports are asked for, decided on, and their files registered by hash and by the number in their mark.

Revision: 0013, after 0012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "export_request",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("what", JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("open_until", MOMENT, nullable=True),
        sa.Column("territory", CODE, nullable=False),
        sa.CheckConstraint(
            "status IN ('asked', 'approved', 'refused')", name=op.f("ck_export_request_status_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_request")),
    )
    op.create_index(op.f("ix_export_request_account_id"), "export_request", ["account_id"])
    op.create_index(op.f("ix_export_request_territory"), "export_request", ["territory"])
    op.create_table(
        "export_file",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("territory", CODE, nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["export_request.id"], name=op.f("fk_export_file_request_id")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_export_file")),
    )
    op.create_index(op.f("ix_export_file_request_id"), "export_file", ["request_id"])
    op.create_index(op.f("ix_export_file_sha256"), "export_file", ["sha256"])
    op.create_index(op.f("ix_export_file_territory"), "export_file", ["territory"])


def downgrade() -> None:
    op.drop_table("export_file")
    op.drop_table("export_request")
