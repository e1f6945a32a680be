"""Several forces on one case, reports of one thing under one clock, where in the building, who is answered.

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")
MOMENT = sa.DateTime(timezone=True)
STAGES = (
    "reported", "registered", "dispatched", "handling", "handled", "verified", "closed", "rejected",
    "parked", "void", "joined",
)  # fmt: skip
CLOCKS = ("record", "dispatch", "handle", "level", "verify", "subtask")

# A reporter looks for a case of somebody else's, adds to it, and is answered with it: so these look beyond
# what the person may read, and give away no more than they have to.
FUNCTIONS = """
CREATE FUNCTION alike_cases(wanted text, lon float8, lat float8, at timestamptz, in_unit text, on_floor int,
                            at_door text, but int)
RETURNS TABLE (id int, number text, reported_at timestamptz, stage text, place text, reports int, version int,
               territory text, handler_id int, metres float8)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT i.id, i.number, i.reported_at, i.stage, i.place, i.reports, i.version, i.territory, i.handler_id,
           ST_Distance(i.geom::geography, p::geography)
    FROM category AS k CROSS JOIN ST_SetSRID(ST_MakePoint(lon, lat), 4490) AS p
    JOIN incident AS i ON i.category = k.code
     AND i.geom && ST_Expand(p, k.same_within_m * 0.00002)
     AND ST_Distance(i.geom::geography, p::geography) <= k.same_within_m
    WHERE k.code = wanted AND k.same_within_m > 0 AND i.joined_to IS NULL AND i.id IS DISTINCT FROM but
      AND i.stage IN ('reported', 'registered', 'dispatched', 'handling', 'handled', 'verified', 'parked')
      AND i.reported_at BETWEEN at - make_interval(hours => k.same_within_hours)
                            AND at + make_interval(hours => k.same_within_hours)
      AND coalesce(i.unit, in_unit, '') = coalesce(in_unit, i.unit, '')
      AND coalesce(i.floor, on_floor, 0) = coalesce(on_floor, i.floor, 0)
      AND coalesce(i.room, at_door, '') = coalesce(at_door, i.room, '')
    ORDER BY ST_Distance(i.geom::geography, p::geography), i.id
$$;

CREATE FUNCTION take_in_report(lead int, report int, told_at timestamptz, told_by text, told_role text)
RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH taken AS (
        UPDATE incident AS i SET reports = i.reports + 1, version = i.version + 1
        WHERE i.id = lead AND i.joined_to IS NULL
          AND i.stage NOT IN ('closed', 'rejected', 'void') RETURNING i.*
    ), moved AS (
        INSERT INTO incident_move (incident_id, move, from_stage, to_stage, at, actor_name, role, version,
                                   details, territory)
        SELECT t.id, 'take_in', t.stage, t.stage, told_at, told_by, told_role, t.version,
               jsonb_build_object('report', r.id, 'number', r.number, 'reports', t.reports), t.territory
        FROM taken AS t JOIN incident AS r ON r.id = report
    ), told AS (
        INSERT INTO notice (incident_id, kind, member_id, created_at, territory)
        SELECT t.id, 'report_added', t.handler_id, told_at, t.territory FROM taken AS t
    )
    SELECT t.version FROM taken AS t
$$;

CREATE FUNCTION let_go_report(lead int, report int, told_at timestamptz, told_by text, told_role text)
RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH left_with AS (
        UPDATE incident AS i SET reports = i.reports - 1, version = i.version + 1
        WHERE i.id = lead RETURNING i.*
    ), moved AS (
        INSERT INTO incident_move (incident_id, move, from_stage, to_stage, at, actor_name, role, version,
                                   details, territory)
        SELECT t.id, 'let_go', t.stage, t.stage, told_at, told_by, told_role, t.version,
               jsonb_build_object('report', r.id, 'number', r.number, 'reports', t.reports), t.territory
        FROM left_with AS t JOIN incident AS r ON r.id = report
    )
    SELECT t.version FROM left_with AS t
$$;

CREATE FUNCTION answer_reports(lead int, what text, arrives text, told_at timestamptz, told_by text,
                               told_role text, reply text)
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH ended AS (
        UPDATE incident AS i SET stage = arrives, version = i.version + 1,
               closed_at = CASE WHEN arrives = 'joined' THEN NULL ELSE told_at END,
               answered_at = CASE WHEN arrives = 'joined' THEN NULL ELSE told_at END
        FROM (SELECT j.id, j.stage FROM incident AS j WHERE j.joined_to = lead FOR UPDATE) AS before
        WHERE i.id = before.id
        RETURNING i.*, before.stage AS from_stage
    ), moved AS (
        INSERT INTO incident_move (incident_id, move, from_stage, to_stage, at, actor_name, role, note,
                                   version, territory)
        SELECT e.id, what, e.from_stage, arrives, told_at, told_by, told_role, reply, e.version, e.territory
        FROM ended AS e
    ), told AS (
        INSERT INTO notice (incident_id, kind, account_id, body, created_at, territory)
        SELECT e.id, 'answered', e.reported_by,
               jsonb_build_object('reply', coalesce(reply, ''), 'stage', arrives), told_at, e.territory
        FROM ended AS e WHERE e.reported_by IS NOT NULL AND arrives <> 'joined'
    )
    SELECT count(*) FROM ended
$$;

CREATE TRIGGER touch_rules AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON staged_limit
    FOR EACH STATEMENT EXECUTE FUNCTION touch_rules();
"""


def upgrade() -> None:
    _departments()
    _incident()
    _subtask()
    _staged_limit()
    op.add_column("category", sa.Column("same_within_m", sa.Integer(), server_default="30", nullable=False))
    op.add_column(
        "category", sa.Column("same_within_hours", sa.Integer(), server_default="72", nullable=False)
    )
    for column, kind in (("unit", sa.Text()), ("floor_from", sa.Integer()), ("floor_to", sa.Integer())):
        op.add_column("duty", sa.Column(column, kind, nullable=True))
    op.execute(FUNCTIONS)


def _departments() -> None:
    """A department is told, and signs in, as one."""
    for table in ("account", "contact", "notice"):
        op.add_column(table, sa.Column("department_code", sa.Text(), nullable=True))
    op.drop_constraint(op.f("uq_contact_sender_address_member_id_account_id_territory"), "contact")
    op.create_unique_constraint(
        "uq_contact_whose",
        "contact",
        ["sender", "address", "member_id", "account_id", "department_code", "territory"],
        postgresql_nulls_not_distinct=True,
    )
    op.drop_constraint(op.f("ck_contact_of_one_or_nobody"), "contact")
    op.create_check_constraint(
        op.f("ck_contact_of_one_or_nobody"),
        "contact",
        "num_nonnulls(member_id, account_id, department_code) <= 1",
    )


def _incident() -> None:
    _known("incident", "stage", STAGES)
    for column, kind in (
        ("room", sa.Text()),
        ("joined_to", sa.Integer()),
        ("answered_at", MOMENT),
        ("review_told_on", sa.Date()),
    ):
        op.add_column("incident", sa.Column(column, kind, nullable=True))
    for column, start in (("reports", "1"), ("open_subtasks", "0")):
        op.add_column("incident", sa.Column(column, sa.Integer(), server_default=start, nullable=False))
    op.create_foreign_key(op.f("fk_incident_joined_to"), "incident", "incident", ["joined_to"], ["id"])
    op.create_index(
        "ix_incident_joined_to", "incident", ["joined_to"], postgresql_where=sa.text("joined_to IS NOT NULL")
    )
    op.create_index(
        "ix_incident_review", "incident", ["review_on"], postgresql_where=sa.text("stage = 'parked'")
    )
    op.create_index(
        "ix_incident_answer_owed",
        "incident",
        ["territory"],
        postgresql_where=sa.text(
            "(stage IN ('closed', 'rejected', 'void') AND answered_at IS NULL) OR appealed_at IS NOT NULL"
        ),
    )
    op.execute("UPDATE incident SET answered_at = closed_at WHERE stage IN ('closed', 'rejected', 'void')")


def _subtask() -> None:
    op.create_table(
        "subtask",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("what_en", sa.Text(), nullable=True),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("department_code", sa.Text(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("accepted_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("territory", CODE, nullable=False),
        sa.CheckConstraint(
            "stage IN ('open', 'accepted', 'finished', 'handed_back', 'cancelled')",
            name=op.f("ck_subtask_stage_known"),
        ),
        sa.CheckConstraint(
            "member_id IS NULL OR department_code IS NULL", name=op.f("ck_subtask_of_one_force")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_subtask_incident_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_subtask_member_id")),
        sa.ForeignKeyConstraint(
            ["department_code"], ["department.code"], name=op.f("fk_subtask_department_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subtask")),
    )
    for column in ("incident_id", "member_id", "department_code", "territory"):
        op.create_index(op.f(f"ix_subtask_{column}"), "subtask", [column])
    op.add_column("case_clock", sa.Column("subtask_id", sa.Integer(), nullable=True))
    op.create_foreign_key(
        op.f("fk_case_clock_subtask_id"), "case_clock", "subtask", ["subtask_id"], ["id"], ondelete="CASCADE"
    )
    op.drop_index("uq_case_clock_running", "case_clock")
    op.create_index(
        "uq_case_clock_running",
        "case_clock",
        ["incident_id", "subtask_id"],
        unique=True,
        postgresql_where=sa.text("stopped_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    )
    _known("case_clock", "clock", CLOCKS)


def _staged_limit() -> None:
    op.create_table(
        "staged_limit",
        sa.Column("rule_set", sa.Text(), nullable=False),
        sa.Column("category", CODE, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Numeric(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('urgent_hours', 'working_hours', 'working_days', 'calendar_days')",
            name=op.f("ck_staged_limit_kind_known"),
        ),
        sa.CheckConstraint("value > 0", name=op.f("ck_staged_limit_value_positive")),
        sa.ForeignKeyConstraint(
            ["rule_set"], ["rule_set.code"], name=op.f("fk_staged_limit_rule_set"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("rule_set", "category", "step", name=op.f("pk_staged_limit")),
        info={"open": True},
    )


def _known(table: str, column: str, values: tuple[str, ...]) -> None:
    """Let a column hold these words and no others."""
    name = op.f(f"ck_{table}_{column}_known")
    op.drop_constraint(name, table)
    op.create_check_constraint(name, table, f"{column} IN {values}")


def downgrade() -> None:
    for function in ("answer_reports", "let_go_report", "take_in_report", "alike_cases"):
        op.execute(f"DROP FUNCTION {function}")
    op.drop_table("staged_limit")
    op.execute("DELETE FROM case_clock WHERE subtask_id IS NOT NULL")
    op.drop_index("uq_case_clock_running", "case_clock")
    op.drop_column("case_clock", "subtask_id")
    op.create_index(
        "uq_case_clock_running",
        "case_clock",
        ["incident_id"],
        unique=True,
        postgresql_where=sa.text("stopped_at IS NULL"),
    )
    op.drop_table("subtask")
    for column in ("open_subtasks", "reports", "review_told_on", "answered_at", "joined_to", "room"):
        op.drop_column("incident", column)
    for column in ("floor_to", "floor_from", "unit"):
        op.drop_column("duty", column)
    for column in ("same_within_hours", "same_within_m"):
        op.drop_column("category", column)
    op.drop_constraint(op.f("ck_contact_of_one_or_nobody"), "contact")
    op.drop_constraint("uq_contact_whose", "contact")
    for table in ("account", "contact", "notice"):
        op.drop_column(table, "department_code")
    op.create_check_constraint(
        op.f("ck_contact_of_one_or_nobody"), "contact", "member_id IS NULL OR account_id IS NULL"
    )
    op.create_unique_constraint(
        op.f("uq_contact_sender_address_member_id_account_id_territory"),
        "contact",
        ["sender", "address", "member_id", "account_id", "territory"],
        postgresql_nulls_not_distinct=True,
    )
    for table, column, values in (
        ("incident", "stage", STAGES[:-1]),
        ("case_clock", "clock", CLOCKS[:-1]),
    ):
        _known(table, column, values)
