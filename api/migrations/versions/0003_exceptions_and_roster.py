"""Exceptions of the ground, weekly shifts, leave, overridden dispatches, and the decision kept with its case.

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")
MOMENT = sa.DateTime(timezone=True)

# The owner map also holds exceptions, footprints that lie across a border, and what cuts a cell off.
STAMPS = """
CREATE TRIGGER touch_owner_map AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON exception
    FOR EACH STATEMENT EXECUTE FUNCTION touch_owner_map();
-- Of buildings it holds only those across a border: the ledger changes daily, and the picture of a city takes
-- seconds to make. Of many rows at once it is not asked which.
CREATE FUNCTION touch_owner_map_if_across() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) > 500 FROM changed) OR EXISTS (
        SELECT 1 FROM changed AS b JOIN cell AS c ON c.geom && b.geom AND c.code <> b.cell_code
            AND c.kind IN ('social', 'special') AND ST_Intersects(c.geom, b.geom)
    ) THEN
        UPDATE owner_map_stamp SET stamp = gen_random_uuid();
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER touch_owner_map_new AFTER INSERT ON building REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION touch_owner_map_if_across();
CREATE TRIGGER touch_owner_map_then AFTER UPDATE ON building REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION touch_owner_map_if_across();
CREATE TRIGGER touch_owner_map_now AFTER UPDATE ON building REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION touch_owner_map_if_across();
CREATE TRIGGER touch_owner_map_gone AFTER DELETE ON building REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION touch_owner_map_if_across();
CREATE TRIGGER touch_owner_map_all AFTER TRUNCATE ON building
    FOR EACH STATEMENT EXECUTE FUNCTION touch_owner_map();
CREATE TRIGGER touch_owner_map AFTER INSERT OR UPDATE OF geom OR DELETE OR TRUNCATE ON water
    FOR EACH STATEMENT EXECUTE FUNCTION touch_owner_map();
CREATE TRIGGER touch_owner_map AFTER INSERT OR UPDATE OF geom, kind OR DELETE OR TRUNCATE ON land
    FOR EACH STATEMENT EXECUTE FUNCTION touch_owner_map();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON dispatch_override
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    _exception()
    _shift()
    _leave()
    _dispatch_override()
    op.add_column(
        "incident",
        sa.Column("decision", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
    )
    op.execute(STAMPS)


def _exception() -> None:
    op.create_geospatial_table(
        "exception",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("cell_code", CODE, nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("buffer_m", sa.Double(), server_default="0", nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("source_code", sa.Text(), nullable=True),
        sa.Column(
            "geom",
            Geometry(geometry_type="GEOMETRY", srid=4490, dimension=2, spatial_index=False, nullable=False),
            nullable=False,
        ),
        sa.Column("territory", CODE, nullable=False),
        sa.CheckConstraint(
            "ends_at IS NULL OR ends_at > starts_at", name=op.f("ck_exception_ends_after_start")
        ),
        sa.CheckConstraint(
            "GeometryType(geom) IN ('POLYGON', 'MULTIPOLYGON')"
            " OR (GeometryType(geom) IN ('LINESTRING', 'MULTILINESTRING') AND buffer_m > 0)",
            name=op.f("ck_exception_line_needs_buffer"),
        ),
        sa.CheckConstraint("buffer_m >= 0 AND buffer_m <= 200", name=op.f("ck_exception_buffer_reasonable")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exception")),
    )
    op.create_geospatial_index("idx_exception_geom", "exception", ["geom"], postgresql_using="gist")
    for column in ("cell_code", "source_code", "territory"):
        op.create_index(op.f(f"ix_exception_{column}"), "exception", [column])


def _shift() -> None:
    op.create_table(
        "shift",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("duty_id", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time(), nullable=False),
        sa.Column("territory", CODE, nullable=False),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_shift_weekday_known")),
        sa.ForeignKeyConstraint(["duty_id"], ["duty.id"], name=op.f("fk_shift_duty_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift")),
    )
    for column in ("duty_id", "territory"):
        op.create_index(op.f(f"ix_shift_{column}"), "shift", [column])


def _leave() -> None:
    op.create_table(
        "leave",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="leave", nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("stand_in_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), server_default="asked", nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("territory", CODE, nullable=False),
        sa.CheckConstraint(
            "kind IN ('leave', 'sick', 'training', 'other')", name=op.f("ck_leave_kind_known")
        ),
        sa.CheckConstraint(
            "status IN ('asked', 'approved', 'refused', 'withdrawn')", name=op.f("ck_leave_status_known")
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_leave_ends_after_start")),
        sa.CheckConstraint("stand_in_id <> member_id", name=op.f("ck_leave_stand_in_is_another")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_leave_member_id")),
        sa.ForeignKeyConstraint(["stand_in_id"], ["member.id"], name=op.f("fk_leave_stand_in_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leave")),
    )
    op.create_index("ix_leave_member_span", "leave", ["member_id", "ends_at"])
    for column in ("stand_in_id", "territory"):
        op.create_index(op.f(f"ix_leave_{column}"), "leave", [column])


def _dispatch_override() -> None:
    op.create_table(
        "dispatch_override",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("proposed_id", sa.Integer(), nullable=True),
        sa.Column("chosen_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("territory", CODE, nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.id"],
            name=op.f("fk_dispatch_override_incident_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch_override")),
    )
    for column in ("incident_id", "territory"):
        op.create_index(op.f(f"ix_dispatch_override_{column}"), "dispatch_override", [column])


def downgrade() -> None:
    for table in ("exception", "water", "land"):
        op.execute(f"DROP TRIGGER touch_owner_map ON {table}")
    op.execute("DROP FUNCTION touch_owner_map_if_across CASCADE")
    op.execute("DROP TRIGGER touch_owner_map_all ON building")
    op.drop_column("incident", "decision")
    for table in ("dispatch_override", "leave", "shift", "exception"):
        op.drop_table(table)
