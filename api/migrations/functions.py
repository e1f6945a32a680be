"""Functions that look beyond the row policies, each for one narrow question, written after every upgrade.

They run with the rights of the tables' owner, so each asks itself what the person may know (what
`gis.database.binding` told of them). Their search path is fixed: nobody can put a table before ours.
"""

from __future__ import annotations

from api.migrations.audit_functions import AUDIT_FUNCTIONS
from api.migrations.subject_functions import INNER, SUBJECT_FUNCTIONS
from gis.access import SUPERVISOR_ROLES
from gis.policies import ACCOUNT, DEPARTMENT, HIGH, IS_A_DEPARTMENT, LOW, MEMBER, ON_MY_GROUND, has_role
from incidents.incident import ENDED
from incidents.subtask_life import AT_WORK
from layers.household_reading import CARERS, LOOKS, MASKED, PLAIN, READERS, REFUSED

_DEFINER = "SECURITY DEFINER SET search_path = public, pg_temp"


def _on_my_ground(territory: str) -> str:
    return f"({territory} >= {LOW} AND {territory} < {HIGH})"


DEFINERS = (
    "REVOKE ALL ON FUNCTION leave_trace FROM PUBLIC",
    *INNER,
    # A case's number counts all cases of the day; a stamp changes whoever changes what it stands for.
    f"ALTER FUNCTION next_case_number(date) {_DEFINER}",
    *(
        f"ALTER FUNCTION {name}() {_DEFINER}"
        for name in (
            "touch_owner_map",
            "touch_owner_map_if_across",
            "touch_map",
            "touch_rules",
            "touch_roster",
        )
    ),
)

# The whole rows, so that a new column of an account needs no new function.
_TOKEN_HOLDER = f"""
CREATE OR REPLACE FUNCTION token_holder(wanted bytea)
RETURNS TABLE (token access_token, account account, granted account_grant)
LANGUAGE plpgsql STABLE {_DEFINER} AS $$
BEGIN
    RETURN QUERY SELECT t, a, g FROM access_token AS t JOIN account AS a ON a.id = t.account_id
        LEFT JOIN account_grant AS g ON g.id = t.grant_id WHERE t.hash = wanted;
END $$
"""

# The policy of cases asks this, so it cannot ask the policy of `subtask`, which asks for the case.
_CASES_I_HELP_WITH = f"""
CREATE OR REPLACE FUNCTION cases_i_help_with() RETURNS SETOF int
LANGUAGE sql STABLE {_DEFINER} AS $$
    SELECT incident_id FROM subtask
    WHERE member_id = {MEMBER}
       OR (department_code IS NOT NULL AND {IS_A_DEPARTMENT} AND {ON_MY_GROUND}
           AND ({DEPARTMENT} IS NULL OR department_code = {DEPARTMENT}))
$$
"""

# Asked by the policies of what is added to a case: with the rights of whoever asks.
_MAY_READ_CASE = """
CREATE OR REPLACE FUNCTION may_read_case(wanted int) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM incident AS i WHERE i.id = wanted);
END $$
"""

# Dwellings are counted by staircase and floor for whoever looks at a building; nobody is named.
_DWELLINGS = f"""
CREATE OR REPLACE FUNCTION dwellings_of(building int)
RETURNS TABLE (unit text, floor int, dwellings bigint, residents bigint)
LANGUAGE sql STABLE {_DEFINER} AS $$
    SELECT h.unit, h.floor, count(*), coalesce(sum(h.residents_count), 0)
    FROM household AS h WHERE h.building_id = building GROUP BY h.unit, h.floor
$$
"""
_RESIDENTS = f"""
CREATE OR REPLACE FUNCTION residents_on(cell text) RETURNS bigint
LANGUAGE sql STABLE {_DEFINER} AS $$
    SELECT coalesce(sum(h.residents_count), 0) FROM household AS h WHERE h.territory = cell COLLATE "C"
$$
"""

# How much somebody has to do is asked by whoever gives out more, where the work lies elsewhere too: when each
# case is due and each piece of work on somebody else's, and nothing of what it is. REPLACE cannot change what
# a function returns.
_OPEN_WORK = f"""
DROP FUNCTION IF EXISTS open_work_of(int[]);
CREATE FUNCTION open_work_of(members int[])
RETURNS TABLE (member_id int, assists boolean, stage text, paused_at timestamptz, due_at timestamptz,
               due_soon_at timestamptz)
LANGUAGE sql STABLE {_DEFINER} AS $$
    SELECT i.handler_id, false, i.stage, i.paused_at, i.due_at, i.due_soon_at FROM incident AS i
    WHERE i.handler_id = ANY(members) AND i.stage NOT IN {ENDED}
    UNION ALL
    SELECT s.member_id, true, i.stage, i.paused_at, c.due_at, c.due_soon_at FROM subtask AS s
    JOIN incident AS i ON i.id = s.incident_id
    LEFT JOIN case_clock AS c ON c.incident_id = i.id AND c.subtask_id = s.id AND c.stopped_at IS NULL
    WHERE s.member_id = ANY(members) AND s.stage IN {AT_WORK}
$$
"""

# Which cases had been reported and not yet ended at a moment: found in the index over their lives alone. Left
# to itself PostgreSQL takes both halves of the condition for independent, expects a quarter of all cases, and
# reads every case reported before. It looks no further than the person may see.
_ALIVE = """
CREATE OR REPLACE FUNCTION alive_at(moment timestamptz) RETURNS SETOF int
LANGUAGE sql STABLE SET enable_seqscan = off SET enable_indexscan = off AS $$
    SELECT id FROM incident WHERE closed_at > moment AND reported_at <= moment
    UNION ALL SELECT id FROM incident WHERE closed_at IS NULL AND reported_at <= moment
$$
"""

# One entry of the trail in the name of whoever is bound; a notebook's principal has no account.
_TRACE = f"""
CREATE OR REPLACE FUNCTION leave_trace(told_at timestamptz, what text, kind text, subject text, ground text,
                                       why text, seen_from text, address text, told jsonb) RETURNS void
LANGUAGE sql {_DEFINER} AS $$
    INSERT INTO audit_entry (at, account_id, username, action, subject_kind, subject_id, territory, purpose,
                             face, origin, details)
    SELECT told_at, {ACCOUNT},
           coalesce((SELECT username FROM account WHERE id = {ACCOUNT}), seen_from),
           what, kind, subject, ground, why, seen_from, address, told
$$
"""

_READ_HOUSEHOLDS = f"""
CREATE OR REPLACE FUNCTION read_households(wanted int, told_at timestamptz, seen_from text, address text)
RETURNS jsonb LANGUAGE plpgsql {_DEFINER} AS $$
DECLARE
    ground text;
    found jsonb;
BEGIN
    SELECT b.territory INTO ground FROM building AS b WHERE b.id = wanted;
    IF ({has_role(*READERS)} AND {_on_my_ground("ground")}) IS NOT TRUE THEN
        PERFORM leave_trace(told_at, '{REFUSED}', 'building', wanted::text, ground, NULL, seen_from, address,
                            '{{}}');
        RETURN NULL;
    END IF;
    SELECT coalesce(jsonb_agg(jsonb_build_object(
               'id', h.id, 'unit', h.unit, 'floor', h.floor, 'door', h.door, 'residents', coalesce((
                   SELECT jsonb_agg(jsonb_build_object(
                              'id', r.id, 'gender', r.gender,
                              'name', CASE WHEN r.erased_at IS NULL THEN masked_name(r.name) ELSE r.name END,
                              'phone', masked_phone(r.phone), 'is_head', r.is_head,
                              'tags', CASE WHEN {has_role(*CARERS)} THEN to_jsonb(r.tags) ELSE '[]' END)
                          ORDER BY r.is_head DESC, r.id)
                   FROM resident AS r WHERE r.household_id = h.id), '[]'))
               ORDER BY h.unit, h.floor DESC, h.door, h.id), '[]')
      INTO found FROM household AS h WHERE h.building_id = wanted AND {_on_my_ground("h.territory")};
    PERFORM leave_trace(told_at, '{MASKED}', 'building', wanted::text, ground, NULL, seen_from, address,
                        jsonb_build_object('households', jsonb_array_length(found)));
    RETURN found;
END $$
"""

_UNMASK = f"""
CREATE OR REPLACE FUNCTION unmask_resident(wanted int, told_at timestamptz, seen_from text, address text,
                                           why text) RETURNS jsonb
LANGUAGE plpgsql {_DEFINER} AS $$
DECLARE
    found resident;
BEGIN
    SELECT r.* INTO found FROM resident AS r WHERE r.id = wanted;
    IF ({has_role(*READERS)} AND {_on_my_ground("found.territory")}) IS NOT TRUE THEN
        PERFORM leave_trace(told_at, '{REFUSED}', 'resident', wanted::text, found.territory, why, seen_from,
                            address, '{{}}');
        RETURN NULL;
    END IF;
    PERFORM leave_trace(told_at, '{PLAIN}', 'resident', wanted::text, found.territory, why, seen_from,
                        address, jsonb_build_object('household', found.household_id));
    RETURN jsonb_build_object('id', found.id, 'household_id', found.household_id, 'name', found.name,
                              'phone', found.phone);
END $$
"""

_MASKS = (
    """
    CREATE OR REPLACE FUNCTION masked_name(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
        SELECT left(name, 1) || repeat('*', greatest(length(name) - 1, 1))
    $$
    """,
    """
    CREATE OR REPLACE FUNCTION masked_phone(phone text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE WHEN length(phone) >= 11 THEN left(phone, 3) || '****' || right(phone, 4)
                    WHEN phone <> '' THEN '****' || right(phone, 2) END
    $$
    """,
)

_SHOWN_PHONE = f"""
CREATE OR REPLACE FUNCTION shown_phone(wanted int) RETURNS text
LANGUAGE sql STABLE {_DEFINER} AS $$ SELECT masked_phone(m.phone) FROM member AS m WHERE m.id = wanted $$
"""

_LOOKS = f"""
CREATE OR REPLACE FUNCTION looks_at_household(wanted int)
RETURNS TABLE (at timestamptz, username text, action text, purpose text, face text, origin text,
               refused boolean)
LANGUAGE sql STABLE {_DEFINER} AS $$
    SELECT e.at, e.username, e.action, e.purpose, e.face, e.origin, e.action = '{REFUSED}'
    FROM household AS h
    CROSS JOIN LATERAL (
        SELECT 'building' AS kind, h.building_id AS id
        UNION ALL SELECT 'resident', r.id FROM resident AS r WHERE r.household_id = h.id
    ) AS subject
    JOIN audit_entry AS e ON e.subject_kind = subject.kind AND e.subject_id = subject.id::text
     AND e.action IN {LOOKS}
    WHERE h.id = wanted
      AND (e.account_id = {ACCOUNT} OR {has_role(*SUPERVISOR_ROLES)} AND {_on_my_ground("h.territory")})
    ORDER BY e.at DESC, e.id DESC
$$
"""

FUNCTIONS = (
    _TOKEN_HOLDER, _CASES_I_HELP_WITH, _MAY_READ_CASE, _DWELLINGS, _RESIDENTS, _OPEN_WORK,
    _ALIVE, *_MASKS, _TRACE, _READ_HOUSEHOLDS, _UNMASK, _SHOWN_PHONE, _LOOKS, *SUBJECT_FUNCTIONS,
    *AUDIT_FUNCTIONS,
)  # fmt: skip
