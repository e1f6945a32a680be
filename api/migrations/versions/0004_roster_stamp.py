"""The roster's stamp: any change of duties, shifts, leave or people gives it a value it never had.

Revision: 0004, after 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STAMP = """
CREATE TABLE roster_stamp (one boolean PRIMARY KEY DEFAULT true CHECK (one), stamp uuid NOT NULL);
INSERT INTO roster_stamp (stamp) VALUES (gen_random_uuid());
CREATE FUNCTION touch_roster() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE roster_stamp SET stamp = gen_random_uuid();
    RETURN NULL;
END $$;
CREATE TRIGGER touch_roster AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON duty
    FOR EACH STATEMENT EXECUTE FUNCTION touch_roster();
CREATE TRIGGER touch_roster AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON shift
    FOR EACH STATEMENT EXECUTE FUNCTION touch_roster();
CREATE TRIGGER touch_roster AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON leave
    FOR EACH STATEMENT EXECUTE FUNCTION touch_roster();
CREATE TRIGGER touch_roster AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON member
    FOR EACH STATEMENT EXECUTE FUNCTION touch_roster();
"""


def upgrade() -> None:
    op.execute(STAMP)


def downgrade() -> None:
    for table in ("duty", "shift", "leave", "member"):
        op.execute(f"DROP TRIGGER touch_roster ON {table}")
    op.execute("DROP FUNCTION touch_roster")
    op.drop_table("roster_stamp")
