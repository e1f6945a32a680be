"""The first house: every table, the case numbers, the owner map's stamp, append-only stories, search.

Revision: 0001, the first
"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

from api.migrations.one_way import nothing_before

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


FUNCTIONS = """
CREATE TABLE case_day (day date PRIMARY KEY, first bigint NOT NULL);
CREATE SEQUENCE case_number_seq;

-- The next number of a day, 2026-1123-0001 onwards, without a lock that reports of the day would queue for.
-- The day's first caller notes where the sequence stood, past any numbers that were loaded for that day.
CREATE FUNCTION next_case_number(wanted date) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    start bigint;
    nth text;
    stem text := to_char(wanted, 'YYYY-MMDD-');
BEGIN
    SELECT first INTO start FROM case_day WHERE day = wanted;
    IF NOT FOUND THEN
        INSERT INTO case_day
        SELECT wanted, nextval('case_number_seq') - coalesce(max(substr(number, 11)::bigint), 0)
        FROM incident WHERE number >= stem AND number < stem || '~'
        ON CONFLICT (day) DO UPDATE SET first = case_day.first
        RETURNING first INTO start;
    END IF;
    nth := (nextval('case_number_seq') - start)::text;
    RETURN stem || lpad(nth, greatest(4, length(nth)), '0');
END $$;

-- Any change of the ground gives the stamp a value it never had: `grids.owner_map` reloads on a new stamp.
CREATE TABLE owner_map_stamp (one boolean PRIMARY KEY DEFAULT true CHECK (one), stamp uuid NOT NULL);
INSERT INTO owner_map_stamp (stamp) VALUES (gen_random_uuid());
CREATE FUNCTION touch_owner_map() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE owner_map_stamp SET stamp = gen_random_uuid();
    RETURN NULL;
END $$;
CREATE TRIGGER touch_owner_map AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON cell
    FOR EACH STATEMENT EXECUTE FUNCTION touch_owner_map();
CREATE TRIGGER touch_owner_map AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON area
    FOR EACH STATEMENT EXECUTE FUNCTION touch_owner_map();
CREATE TRIGGER touch_owner_map AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON generation
    FOR EACH STATEMENT EXECUTE FUNCTION touch_owner_map();

-- The same for the map's tiles, table by table: a browser's copy is good while `layers.map_tiles` finds the
-- stamps it was made under.
CREATE TABLE map_stamp (table_name text PRIMARY KEY, stamp uuid NOT NULL DEFAULT gen_random_uuid());
CREATE FUNCTION touch_map() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE map_stamp SET stamp = gen_random_uuid() WHERE table_name = TG_TABLE_NAME;
    RETURN NULL;
END $$;
DO $$
DECLARE
    drawn text;
BEGIN
    FOREACH drawn IN ARRAY ARRAY['area', 'cell', 'generation', 'estate', 'building', 'shop', 'component',
                                 'road', 'land', 'water'] LOOP
        INSERT INTO map_stamp (table_name) VALUES (drawn);
        EXECUTE format('CREATE TRIGGER touch_map AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION touch_map()', drawn);
    END LOOP;
END $$;

-- Likewise for the rules of time: `incidents.calendar` reads the calendar again on a new stamp.
CREATE TABLE rules_stamp (one boolean PRIMARY KEY DEFAULT true CHECK (one), stamp uuid NOT NULL);
INSERT INTO rules_stamp (stamp) VALUES (gen_random_uuid());
CREATE FUNCTION touch_rules() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE rules_stamp SET stamp = gen_random_uuid();
    RETURN NULL;
END $$;
CREATE TRIGGER touch_rules AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON calendar_day
    FOR EACH STATEMENT EXECUTE FUNCTION touch_rules();

-- The story and the trail only grow, whoever asks.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON incident_move
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""

SEARCH_INDEXES = """
CREATE INDEX ix_estate_name_trgm ON estate USING gin (name gin_trgm_ops);
CREATE INDEX ix_building_name_trgm ON building USING gin (name gin_trgm_ops);
CREATE INDEX ix_building_address_trgm ON building USING gin (address gin_trgm_ops);
CREATE INDEX ix_shop_name_trgm ON shop USING gin (name gin_trgm_ops);
CREATE INDEX ix_road_name_trgm ON road USING gin (name gin_trgm_ops);
CREATE INDEX ix_incident_title_trgm ON incident USING gin (title gin_trgm_ops);
"""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_geospatial_table(
        "area",
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.Column("parent_code", sa.Text(collation="C"), nullable=True),
        sa.Column("source_code", sa.Text(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("territory", sa.Text(collation="C"), nullable=False),
        sa.CheckConstraint(
            "(level = 'city' AND code ~ '^[0-9]{4}$') OR (level = 'district' AND code ~ '^[0-9]{6}$') OR (level = 'subdistrict' AND code ~ '^[0-9]{9}$') OR (level = 'community' AND code ~ '^[0-9]{12}$')",
            name=op.f("ck_area_code_fits_level"),
        ),
        sa.CheckConstraint(
            "parent_code IS NULL OR starts_with(code, parent_code)", name=op.f("ck_area_code_extends_parent")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_area")),
    )
    op.create_geospatial_index(
        "idx_area_geom", "area", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_area_parent_code"), "area", ["parent_code"], unique=False)
    op.create_index(op.f("ix_area_source_code"), "area", ["source_code"], unique=False)
    op.create_index(op.f("ix_area_territory"), "area", ["territory"], unique=False)
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("territory", sa.Text(collation="C"), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_account_id"), "audit_entry", ["account_id"], unique=False)
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"], unique=False)
    op.create_index(op.f("ix_audit_entry_territory"), "audit_entry", ["territory"], unique=False)
    op.create_table(
        "calendar_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("is_workday", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_day")),
        info={"open": True},
    )
    op.create_table(
        "category",
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("group_code", sa.Text(), nullable=False),
        sa.Column("group_zh", sa.Text(), nullable=False),
        sa.Column("group_en", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("icon", sa.Text(), nullable=False),
        sa.Column("default_role", sa.Text(), nullable=False),
        sa.Column("department_code", sa.Text(), nullable=True),
        sa.Column("needs_confirm", sa.Boolean(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("limit_kind", sa.Text(), nullable=False),
        sa.Column("limit_value", sa.Numeric(), nullable=False),
        sa.Column("standard", sa.Text(), nullable=True),
        sa.Column("sort", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_category")),
        info={"open": True},
    )
    op.create_geospatial_table(
        "component",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(collation="C"), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("department_code", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="good", nullable=False),
        sa.Column("cell_code", sa.Text(collation="C"), nullable=True),
        sa.Column("source_code", sa.Text(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("territory", sa.Text(collation="C"), nullable=False),
        sa.CheckConstraint(
            "state IN ('good', 'damaged', 'missing', 'occupied')", name=op.f("ck_component_state_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_component")),
    )
    op.create_geospatial_index(
        "idx_component_geom", "component", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_component_cell_code"), "component", ["cell_code"], unique=False)
    op.create_index(op.f("ix_component_code"), "component", ["code"], unique=False)
    op.create_index(op.f("ix_component_kind"), "component", ["kind"], unique=False)
    op.create_index(op.f("ix_component_source_code"), "component", ["source_code"], unique=False)
    op.create_index(op.f("ix_component_territory"), "component", ["territory"], unique=False)
    op.create_table(
        "department",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_department")),
        info={"open": True},
    )
    op.create_geospatial_table(
        "estate",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_code", sa.Text(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("territory", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_estate")),
    )
    op.create_geospatial_index(
        "idx_estate_geom", "estate", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_estate_source_code"), "estate", ["source_code"], unique=False)
    op.create_index(op.f("ix_estate_territory"), "estate", ["territory"], unique=False)
    op.create_table(
        "generation",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="loaded", nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('loaded', 'active', 'retired')", name=op.f("ck_generation_status_known")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_generation")),
        info={"open": True},
    )
    op.create_index(
        "uq_generation_active",
        "generation",
        ["status"],
        unique=True,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_geospatial_table(
        "land",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("source_code", sa.Text(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_land")),
    )
    op.create_geospatial_index(
        "idx_land_geom", "land", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_land_kind"), "land", ["kind"], unique=False)
    op.create_index(op.f("ix_land_source_code"), "land", ["source_code"], unique=False)
    op.create_table(
        "member",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("on_duty", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("source_code", sa.Text(), nullable=True),
        sa.Column("territory", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
    )
    op.create_index(op.f("ix_member_source_code"), "member", ["source_code"], unique=False)
    op.create_index(op.f("ix_member_territory"), "member", ["territory"], unique=False)
    op.create_geospatial_table(
        "road",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("width_m", sa.Double(), nullable=True),
        sa.Column("bridge", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("source_code", sa.Text(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="MULTILINESTRING",
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.CheckConstraint(
            "class IN ('expressway', 'arterial', 'secondary', 'local', 'lane')",
            name=op.f("ck_road_class_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_road")),
    )
    op.create_geospatial_index(
        "idx_road_geom", "road", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_road_source_code"), "road", ["source_code"], unique=False)
    op.create_geospatial_table(
        "water",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("source_code", sa.Text(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_water")),
    )
    op.create_geospatial_index(
        "idx_water_geom", "water", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_water_source_code"), "water", ["source_code"], unique=False)
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("territory", sa.Text(collation="C"), nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_account_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("username", name=op.f("uq_account_username")),
    )
    op.create_index(op.f("ix_account_territory"), "account", ["territory"], unique=False)
    op.create_geospatial_table(
        "building",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("estate_id", sa.Integer(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("use", sa.Text(), server_default="other", nullable=False),
        sa.Column("style", sa.Text(), server_default="other", nullable=False),
        sa.Column("floors", sa.Integer(), nullable=True),
        sa.Column("units", sa.Integer(), nullable=True),
        sa.Column("height_m", sa.Double(), nullable=True),
        sa.Column("households_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cell_code", sa.Text(collation="C"), nullable=True),
        sa.Column("source_code", sa.Text(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POLYGON",
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("territory", sa.Text(collation="C"), nullable=False),
        sa.CheckConstraint(
            "floors IS NULL OR floors BETWEEN 0 AND 200", name=op.f("ck_building_floors_plausible")
        ),
        sa.CheckConstraint("households_count >= 0", name=op.f("ck_building_households_not_negative")),
        sa.ForeignKeyConstraint(["estate_id"], ["estate.id"], name=op.f("fk_building_estate_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_building")),
    )
    op.create_geospatial_index(
        "idx_building_geom", "building", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_building_cell_code"), "building", ["cell_code"], unique=False)
    op.create_index(op.f("ix_building_estate_id"), "building", ["estate_id"], unique=False)
    op.create_index(op.f("ix_building_source_code"), "building", ["source_code"], unique=False)
    op.create_index(op.f("ix_building_territory"), "building", ["territory"], unique=False)
    op.create_geospatial_table(
        "cell",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("generation", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("community_code", sa.Text(collation="C"), nullable=True),
        sa.Column("source_code", sa.Text(), nullable=True),
        sa.Column("area_m2", sa.Double(), nullable=False),
        sa.Column("households_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("territory", sa.Text(collation="C"), nullable=False),
        sa.CheckConstraint(
            "kind <> 'social' OR code ~ '^[0-9]{15}$'", name=op.f("ck_cell_social_code_width")
        ),
        sa.CheckConstraint(
            "kind IN ('unit', 'social', 'responsibility', 'special')", name=op.f("ck_cell_kind_known")
        ),
        sa.ForeignKeyConstraint(["generation"], ["generation.name"], name=op.f("fk_cell_generation")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cell")),
        sa.UniqueConstraint("generation", "kind", "code", name=op.f("uq_cell_generation_kind_code")),
    )
    op.create_geospatial_index(
        "idx_cell_geom", "cell", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index("ix_cell_code", "cell", ["code"], unique=False)
    op.create_index(op.f("ix_cell_community_code"), "cell", ["community_code"], unique=False)
    op.create_index(op.f("ix_cell_source_code"), "cell", ["source_code"], unique=False)
    op.create_index(op.f("ix_cell_territory"), "cell", ["territory"], unique=False)
    op.create_geospatial_table(
        "incident",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("tracking_code", sa.Text(), nullable=False),
        sa.Column("report_key", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.Text(), nullable=False),
        sa.Column("reported_by", sa.Integer(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(collation="C"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("on_behalf", sa.Text(), nullable=True),
        sa.Column("floor", sa.Integer(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("source_lon", sa.Double(), nullable=False),
        sa.Column("source_lat", sa.Double(), nullable=False),
        sa.Column("source_crs", sa.Text(), nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("accuracy_level", sa.SmallInteger(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("building_id", sa.Integer(), nullable=True),
        sa.Column("component_id", sa.Integer(), nullable=True),
        sa.Column("generation", sa.Text(), nullable=True),
        sa.Column("cell_code", sa.Text(collation="C"), nullable=True),
        sa.Column("territory", sa.Text(collation="C"), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("border_m", sa.Double(), nullable=True),
        sa.Column("second_cell", sa.Text(collation="C"), nullable=True),
        sa.Column("second_member_id", sa.Integer(), nullable=True),
        sa.Column("reason_zh", sa.Text(), nullable=False),
        sa.Column("reason_en", sa.Text(), nullable=False),
        sa.Column("trace", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("handler_id", sa.Integer(), nullable=True),
        sa.Column("department_code", sa.Text(), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_soon_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("limit_words_zh", sa.Text(), nullable=True),
        sa.Column("limit_words_en", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "channel IN ('member', 'desk', 'resident', 'hotline', 'wechat', 'sensor', 'import')",
            name=op.f("ck_incident_channel_known"),
        ),
        sa.CheckConstraint(
            "stage IN ('reported', 'registered', 'dispatched', 'handling', 'handled', 'verified', 'closed', 'rejected', 'parked', 'void')",
            name=op.f("ck_incident_stage_known"),
        ),
        sa.ForeignKeyConstraint(["category"], ["category.code"], name=op.f("fk_incident_category")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        sa.UniqueConstraint("number", name=op.f("uq_incident_number")),
        sa.UniqueConstraint("reported_by", "report_key", name=op.f("uq_incident_reported_by_report_key")),
        sa.UniqueConstraint("tracking_code", name=op.f("uq_incident_tracking_code")),
    )
    op.create_geospatial_index(
        "idx_incident_geom", "incident", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_incident_building_id"), "incident", ["building_id"], unique=False)
    op.create_index(op.f("ix_incident_category"), "incident", ["category"], unique=False)
    op.create_index(op.f("ix_incident_cell_code"), "incident", ["cell_code"], unique=False)
    op.create_index("ix_incident_closed_at", "incident", ["closed_at"], unique=False)
    op.create_index(op.f("ix_incident_department_code"), "incident", ["department_code"], unique=False)
    op.create_index(
        "ix_incident_handler_open",
        "incident",
        ["handler_id"],
        unique=False,
        postgresql_where=sa.text("stage NOT IN ('closed', 'rejected', 'void')"),
    )
    op.create_index(op.f("ix_incident_member_id"), "incident", ["member_id"], unique=False)
    op.create_index(
        "ix_incident_open",
        "incident",
        ["territory", "due_at"],
        unique=False,
        postgresql_where=sa.text("stage NOT IN ('closed', 'rejected', 'void')"),
    )
    op.create_index("ix_incident_reported_at", "incident", ["reported_at"], unique=False)
    op.create_index(op.f("ix_incident_reported_by"), "incident", ["reported_by"], unique=False)
    op.create_index(op.f("ix_incident_territory"), "incident", ["territory"], unique=False)
    op.create_table(
        "access_token",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_access_token_account_id")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_access_token")),
        info={"open": True},
    )
    op.create_index(op.f("ix_access_token_account_id"), "access_token", ["account_id"], unique=False)
    op.create_table(
        "duty",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("ground", sa.Text(collation="C"), nullable=False),
        sa.Column("building_id", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stand_in_for", sa.Integer(), nullable=True),
        sa.Column("territory", sa.Text(collation="C"), nullable=False),
        sa.CheckConstraint(
            "post IN ('member', 'leader', 'police_officer', 'property_manager', 'building_head', 'street_chief', 'subdistrict_duty_officer')",
            name=op.f("ck_duty_post_known"),
        ),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name=op.f("ck_duty_ends_after_start")),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name=op.f("fk_duty_building_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_duty_member_id")),
        sa.ForeignKeyConstraint(["stand_in_for"], ["member.id"], name=op.f("fk_duty_stand_in_for")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty")),
    )
    op.create_index(op.f("ix_duty_building_id"), "duty", ["building_id"], unique=False)
    op.create_index("ix_duty_ground_post", "duty", ["ground", "post"], unique=False)
    op.create_index(op.f("ix_duty_member_id"), "duty", ["member_id"], unique=False)
    op.create_index(op.f("ix_duty_territory"), "duty", ["territory"], unique=False)
    op.create_table(
        "household",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("building_id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("floor", sa.Integer(), nullable=True),
        sa.Column("door", sa.Text(), nullable=True),
        sa.Column("residents_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("source_code", sa.Text(), nullable=True),
        sa.Column("territory", sa.Text(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name=op.f("fk_household_building_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household")),
    )
    op.create_index(op.f("ix_household_building_id"), "household", ["building_id"], unique=False)
    op.create_index(op.f("ix_household_source_code"), "household", ["source_code"], unique=False)
    op.create_index(op.f("ix_household_territory"), "household", ["territory"], unique=False)
    op.create_table(
        "incident_move",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("move", sa.Text(), nullable=False),
        sa.Column("from_stage", sa.Text(), nullable=True),
        sa.Column("to_stage", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("territory", sa.Text(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_incident_move_incident_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_move")),
        sa.UniqueConstraint(
            "incident_id", "version", "move", name=op.f("uq_incident_move_incident_id_version_move")
        ),
    )
    op.create_index(op.f("ix_incident_move_at"), "incident_move", ["at"], unique=False)
    op.create_index(op.f("ix_incident_move_incident_id"), "incident_move", ["incident_id"], unique=False)
    op.create_index(op.f("ix_incident_move_territory"), "incident_move", ["territory"], unique=False)
    op.create_table(
        "incident_photo",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("move_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_lon", sa.Double(), nullable=True),
        sa.Column("taken_lat", sa.Double(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("territory", sa.Text(collation="C"), nullable=False),
        sa.CheckConstraint("kind IN ('before', 'after')", name=op.f("ck_incident_photo_kind_known")),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_incident_photo_incident_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_photo")),
        sa.UniqueConstraint("incident_id", "sha256", name=op.f("uq_incident_photo_incident_id_sha256")),
    )
    op.create_index(op.f("ix_incident_photo_incident_id"), "incident_photo", ["incident_id"], unique=False)
    op.create_index(op.f("ix_incident_photo_sha256"), "incident_photo", ["sha256"], unique=False)
    op.create_index(op.f("ix_incident_photo_territory"), "incident_photo", ["territory"], unique=False)
    op.create_table(
        "incident_truth",
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("cell_code", sa.Text(collation="C"), nullable=True),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("building_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_incident_truth_incident_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incident_truth")),
        info={"open": True},
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("territory", sa.Text(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_notice_incident_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index(op.f("ix_notice_incident_id"), "notice", ["incident_id"], unique=False)
    op.create_index(op.f("ix_notice_member_id"), "notice", ["member_id"], unique=False)
    op.create_index(op.f("ix_notice_territory"), "notice", ["territory"], unique=False)
    op.create_geospatial_table(
        "shop",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("building_id", sa.Integer(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("cell_code", sa.Text(collation="C"), nullable=True),
        sa.Column("source_code", sa.Text(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("territory", sa.Text(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name=op.f("fk_shop_building_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop")),
    )
    op.create_geospatial_index(
        "idx_shop_geom", "shop", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_shop_building_id"), "shop", ["building_id"], unique=False)
    op.create_index(op.f("ix_shop_cell_code"), "shop", ["cell_code"], unique=False)
    op.create_index(op.f("ix_shop_source_code"), "shop", ["source_code"], unique=False)
    op.create_index(op.f("ix_shop_territory"), "shop", ["territory"], unique=False)
    op.create_table(
        "resident",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("household_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("gender", sa.Text(), nullable=True),
        sa.Column("birth_year", sa.Integer(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("is_head", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("tags", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("source_code", sa.Text(), nullable=True),
        sa.Column("territory", sa.Text(collation="C"), nullable=False),
        sa.CheckConstraint("gender IS NULL OR gender IN ('m', 'f')", name=op.f("ck_resident_gender_known")),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_resident_household_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resident")),
    )
    op.create_index(op.f("ix_resident_household_id"), "resident", ["household_id"], unique=False)
    op.create_index(op.f("ix_resident_source_code"), "resident", ["source_code"], unique=False)
    op.create_index(op.f("ix_resident_territory"), "resident", ["territory"], unique=False)
    op.execute(FUNCTIONS)
    op.execute(SEARCH_INDEXES)


def downgrade() -> None:
    raise nothing_before()
