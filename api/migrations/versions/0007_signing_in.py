"""Signing in: locks, passwords that end, second factors, dated grants, undertakings, tries counted.

Revision: 0007, after 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _account()
    _account_grant()
    _access_token()
    op.create_table(
        "recovery_code",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_recovery_code_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_recovery_code")),
    )
    op.create_index(op.f("ix_recovery_code_account_id"), "recovery_code", ["account_id"])
    op.create_table(
        "undertaking_signature",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text_sha256", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("territory", CODE, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_undertaking_signature_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_undertaking_signature")),
    )
    op.create_index(op.f("ix_undertaking_signature_account_id"), "undertaking_signature", ["account_id"])
    op.create_index(op.f("ix_undertaking_signature_territory"), "undertaking_signature", ["territory"])
    # Lost with a crash, and no harm done; so a flood of tries writes no log.
    op.create_table(
        "sign_in_try",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("free_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_sign_in_try")),
        prefixes=["UNLOGGED"],
    )
    op.create_index(op.f("ix_sign_in_try_free_at"), "sign_in_try", ["free_at"])


def _account() -> None:
    for column in (
        sa.Column("locked_at", MOMENT, nullable=True),
        sa.Column("lock_reason", sa.Text(), nullable=True),
        sa.Column("password_set_at", MOMENT, nullable=True),
        sa.Column("password_ends_at", MOMENT, nullable=True),
        sa.Column("must_change_password", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("undertaking_version", sa.Integer(), nullable=True),
        sa.Column("second_factor", sa.Text(), server_default="off", nullable=False),
        sa.Column("totp_secret", sa.Text(), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=True),
        sa.Column("oidc_subject", sa.Text(), nullable=True),
    ):
        op.add_column("account", column)
    op.create_unique_constraint(op.f("uq_account_oidc_subject"), "account", ["oidc_subject"])
    op.create_check_constraint(
        op.f("ck_account_second_factor_known"), "account", "second_factor IN ('off', 'due', 'on')"
    )
    op.create_index(op.f("ix_account_member_id"), "account", ["member_id"])


def _account_grant() -> None:
    op.create_table(
        "account_grant",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("territory", CODE, nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("granted_at", MOMENT, nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_account_grant_ends_after_start")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_grant_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_grant")),
    )
    op.create_index(op.f("ix_account_grant_account_id"), "account_grant", ["account_id"])
    op.create_index(op.f("ix_account_grant_territory"), "account_grant", ["territory"])


def _access_token() -> None:
    for column in (
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("grant_id", sa.Integer(), nullable=True),
        sa.Column("code_due", sa.Boolean(), server_default="false", nullable=False),
    ):
        op.add_column("access_token", column)
    op.create_unique_constraint(op.f("uq_access_token_id"), "access_token", ["id"])
    op.create_foreign_key(
        op.f("fk_access_token_grant_id"), "access_token", "account_grant", ["grant_id"], ["id"]
    )


def downgrade() -> None:
    op.drop_constraint("fk_access_token_grant_id", "access_token")
    for column in ("code_due", "grant_id", "agent", "address", "id"):
        op.drop_column("access_token", column)
    for table in ("sign_in_try", "undertaking_signature", "recovery_code", "account_grant"):
        op.drop_table(table)
    op.drop_index("ix_account_member_id", "account")
    op.drop_constraint("ck_account_second_factor_known", "account")
    for column in (
        "oidc_subject", "totp_step", "totp_secret", "second_factor", "undertaking_version",
        "must_change_password", "password_ends_at", "password_set_at", "lock_reason", "locked_at",
    ):  # fmt: skip
        op.drop_column("account", column)
