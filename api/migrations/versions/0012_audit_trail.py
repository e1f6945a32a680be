"""The trail tells purpose, face and origin of a read, and is sealed in batches that follow each other.

Revision: 0012, after 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("purpose", "face", "origin"):
        op.add_column("audit_entry", sa.Column(column, sa.Text(), nullable=True))
    op.create_index("ix_audit_entry_subject", "audit_entry", ["subject_kind", "subject_id"])
    op.create_table(
        "audit_seal",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("from_id", sa.Integer(), nullable=False),
        sa.Column("to_id", sa.Integer(), nullable=False),
        sa.Column("ids", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("to_id >= from_id", name=op.f("ck_audit_seal_ends_after_start")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_seal")),
        sa.UniqueConstraint("from_id", name=op.f("uq_audit_seal_from_id")),
        info={"open": True},
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_seal"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("audit_seal")
    op.drop_index("ix_audit_entry_subject", "audit_entry")
    for column in ("purpose", "face", "origin"):
        op.drop_column("audit_entry", column)
