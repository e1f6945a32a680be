"""Keeping and forgetting: how long what is kept, corrections with their history, the trail's own cut.

What was append-only stays so, with one door each: a row of a story may only lose what is personal, an entry
of the trail may only go where a cut that stands in the trail itself says so, and a person who was erased is
not brought back by the next file.

Revision: 0015, after 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")
MOMENT = sa.DateTime(timezone=True)
MARK = "已匿名 anonymised"
DAYS = {
    "cases": 1095,
    "photos": 730,
    "notices": 365,
    "tries": 1,
    "sessions": 180,
    "trail": 3650,
    "exports": 1825,
    "departed": 1095,
    "contacts": 365,
    "corrections": 1095,
}

TRIGGERS = f"""
CREATE FUNCTION refuse_change_but_forgetting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    erasable CONSTANT text[] := '{{note,reason,actor_name,decided_by,account_id,lon,lat,details}}';
    was jsonb := to_jsonb(OLD);
    is_now jsonb;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        is_now := to_jsonb(NEW);
        IF was - erasable = is_now - erasable
           AND coalesce(was -> 'details' @> (is_now -> 'details'), true)
           AND NOT EXISTS (
               SELECT FROM jsonb_each(is_now) AS n
               WHERE n.key = ANY(erasable) AND n.key <> 'details' AND n.value <> 'null'
                 AND n.value <> was -> n.key AND n.value <> to_jsonb('{MARK}'::text)) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
DROP TRIGGER append_only ON incident_move;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON incident_move
    FOR EACH ROW EXECUTE FUNCTION refuse_change_but_forgetting();
DROP TRIGGER append_only ON dispatch_override;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON dispatch_override
    FOR EACH ROW EXECUTE FUNCTION refuse_change_but_forgetting();

CREATE FUNCTION refuse_change_but_cut() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT FROM audit_entry AS c WHERE c.action = 'trail.cut' AND c.account_id IS NULL
          AND c.id > OLD.id AND (c.details ->> 'through')::int > OLD.id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
DROP TRIGGER append_only ON audit_entry;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change_but_cut();

CREATE FUNCTION keep_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.name := OLD.name; NEW.gender := OLD.gender; NEW.birth_year := OLD.birth_year;
    NEW.phone := OLD.phone; NEW.tags := OLD.tags; NEW.erased_at := OLD.erased_at;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_erased BEFORE UPDATE ON resident
    FOR EACH ROW WHEN (OLD.erased_at IS NOT NULL) EXECUTE FUNCTION keep_erased();

CREATE TRIGGER append_only BEFORE UPDATE ON resident_correction
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""

BEFORE = """
DROP TRIGGER keep_erased ON resident;
DROP FUNCTION keep_erased();
DROP TRIGGER append_only ON audit_entry;
DROP TRIGGER append_only ON dispatch_override;
DROP TRIGGER append_only ON incident_move;
DROP FUNCTION refuse_change_but_cut();
DROP FUNCTION refuse_change_but_forgetting();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON dispatch_override
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON incident_move
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    rules = op.create_table(
        "retention_rule",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("last_run_at", MOMENT, nullable=True),
        sa.Column("last_rows", sa.Integer(), nullable=True),
        sa.CheckConstraint("days > 0", name=op.f("ck_retention_rule_days_positive")),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_retention_rule")),
        info={"open": True},
    )
    op.bulk_insert(rules, [{"kind": kind, "days": days} for kind, days in DAYS.items()])
    op.add_column("incident", sa.Column("anonymised_at", MOMENT, nullable=True))
    op.add_column("member", sa.Column("anonymised_at", MOMENT, nullable=True))
    op.add_column("resident", sa.Column("erased_at", MOMENT, nullable=True))
    op.create_index(
        "ix_audit_entry_cut", "audit_entry", ["id"], postgresql_where=sa.text("action = 'trail.cut'")
    )
    op.create_table(
        "resident_correction",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("resident_id", sa.Integer(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.Column("territory", CODE, nullable=False),
        sa.ForeignKeyConstraint(
            ["resident_id"],
            ["resident.id"],
            name=op.f("fk_resident_correction_resident_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resident_correction")),
    )
    op.create_index(op.f("ix_resident_correction_resident_id"), "resident_correction", ["resident_id"])
    op.create_index(op.f("ix_resident_correction_territory"), "resident_correction", ["territory"])
    op.execute(TRIGGERS)


def downgrade() -> None:
    op.execute(BEFORE)
    op.drop_table("resident_correction")
    op.drop_index("ix_audit_entry_cut", "audit_entry")
    op.drop_column("resident", "erased_at")
    op.drop_column("member", "anonymised_at")
    op.drop_column("incident", "anonymised_at")
    op.drop_table("retention_rule")
