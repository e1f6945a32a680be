"""Functions by which a person's records are told, put right and made nameless (`layers.subject_rights`).

Like those of `api.migrations.functions` they look beyond the row policies, so each asks itself for duty and
ground, and leaves its entry of the trail before it answers.
"""

from __future__ import annotations

from gis.forgetting import MARK
from gis.policies import ACCOUNT, HIGH, LOW, has_role
from layers.household_reading import CARERS, MASKED, PLAIN, REFUSED, REPORT
from layers.subject_rights import CORRECT, CORRECTORS, ERASE, OFFICERS, REPORTERS

_DEFINER = "SECURITY DEFINER SET search_path = public, pg_temp"


def _mine(territory: str) -> str:
    return f"({territory} >= {LOW} AND {territory} < {HIGH})"


_FIELD_OF = """
CREATE OR REPLACE FUNCTION field_of(r resident, field text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE field WHEN 'name' THEN r.name WHEN 'gender' THEN r.gender
                      WHEN 'birth_year' THEN r.birth_year::text WHEN 'phone' THEN r.phone
                      WHEN 'is_head' THEN r.is_head::text
                      WHEN 'tags' THEN nullif(array_to_string(r.tags, ','), '') END
$$
"""

# What a field says to who may read it, and what is left of it for others.
_TOLD_FIELD = f"""
CREATE OR REPLACE FUNCTION told_field(field text, said text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN said IS NULL THEN NULL
                WHEN CASE field WHEN 'tags' THEN {has_role(*CARERS)} ELSE {has_role(*OFFICERS)} END
                THEN said
                WHEN field = 'name' THEN masked_name(said)
                WHEN field = 'phone' THEN masked_phone(said)
                ELSE '***' END
$$
"""

_ABOUT = """
CREATE OR REPLACE FUNCTION told_resident(r resident) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'id', r.id, 'household_id', r.household_id, 'name', told_field('name', r.name),
        'gender', told_field('gender', r.gender), 'birth_year', told_field('birth_year', r.birth_year::text),
        'phone', told_field('phone', r.phone), 'is_head', told_field('is_head', r.is_head::text),
        'tags', told_field('tags', nullif(array_to_string(r.tags, ','), '')),
        'source_code', told_field('source_code', r.source_code), 'erased_at', r.erased_at,
        'territory', r.territory)
$$
"""

_LOOKS = f"""
CREATE OR REPLACE FUNCTION looks_at_resident(r resident) RETURNS jsonb LANGUAGE sql STABLE {_DEFINER} AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY e.at DESC), '[]') FROM (
        SELECT e.at, e.username, e.action, e.purpose, e.face FROM audit_entry AS e
        WHERE e.subject_kind = 'resident' AND e.subject_id = r.id::text
          AND e.action IN ('{PLAIN}', '{REFUSED}', '{REPORT}', '{CORRECT}', '{ERASE}')
        UNION ALL
        SELECT e.at, e.username, e.action, e.purpose, e.face FROM household AS h JOIN audit_entry AS e
          ON e.subject_kind = 'building' AND e.subject_id = h.building_id::text AND e.action = '{MASKED}'
        WHERE h.id = r.household_id
        ORDER BY at DESC LIMIT 500) AS e
$$
"""

# Cases that name the person: their telephone stands in the words. Only those of the reader's ground.
_CASES = f"""
CREATE OR REPLACE FUNCTION cases_naming(phone text) RETURNS jsonb LANGUAGE sql STABLE {_DEFINER} AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
               'number', i.number, 'stage', i.stage, 'channel', i.channel, 'reported_at', i.reported_at,
               'closed_at', i.closed_at, 'description', told_field('', i.description),
               'on_behalf', told_field('', i.on_behalf)) ORDER BY i.id), '[]')
    FROM incident AS i
    WHERE length(phone) >= 7 AND {_mine("i.territory")}
      AND position(phone IN concat_ws(' ', i.on_behalf, i.title, i.description)) > 0
$$
"""

_ELSEWHERE = f"""
CREATE OR REPLACE FUNCTION elsewhere_as(r resident) RETURNS jsonb LANGUAGE sql STABLE {_DEFINER} AS $$
    SELECT jsonb_build_object(
        'contacts', coalesce((
            SELECT jsonb_agg(jsonb_build_object('id', c.id, 'sender', c.sender,
                                                'address', told_field('phone', c.address)))
            FROM contact AS c WHERE c.address = r.phone AND {_mine("c.territory")}), '[]'),
        'members', coalesce((
            SELECT jsonb_agg(jsonb_build_object('id', m.id, 'role', m.role, 'phone',
                             told_field('phone', m.phone), 'name', told_field('name', m.name)))
            FROM member AS m WHERE m.name = r.name AND m.phone = r.phone AND {_mine("m.territory")}), '[]'),
        'accounts', coalesce((
            SELECT jsonb_agg(jsonb_build_object('id', a.id, 'username', a.username))
            FROM account AS a JOIN member AS m ON m.id = a.member_id
            WHERE m.name = r.name AND m.phone = r.phone AND {_mine("m.territory")}), '[]'))
$$
"""

_REPORT = f"""
CREATE OR REPLACE FUNCTION subject_report(wanted int, called text, dialled text, told_at timestamptz,
                                          seen_from text, address text, why text) RETURNS jsonb
LANGUAGE plpgsql {_DEFINER} AS $$
DECLARE
    found jsonb := '[]';
    r resident;
BEGIN
    FOR r IN SELECT * FROM resident AS t
        WHERE (CASE WHEN wanted IS NULL THEN t.name = called AND t.phone = dialled ELSE t.id = wanted END)
          AND {has_role(*REPORTERS)} AND {_mine("t.territory")} ORDER BY t.id LIMIT 20
    LOOP
        found := found || jsonb_build_array(jsonb_build_object(
            'masked', {has_role(*OFFICERS)} IS NOT TRUE, 'resident', told_resident(r),
            'household', (SELECT jsonb_build_object('id', h.id, 'building_id', h.building_id, 'unit', h.unit,
                              'floor', h.floor, 'door', told_field('', h.door), 'source_code',
                              told_field('', h.source_code)) FROM household AS h WHERE h.id = r.household_id),
            'corrections', coalesce((
                SELECT jsonb_agg(jsonb_build_object(
                           'id', c.id, 'field', c.field, 'before', told_field(c.field, c.before),
                           'after', told_field(c.field, c.after), 'reason', told_field('', c.reason),
                           'at', c.at, 'username', c.username, 'undoes', c.undoes) ORDER BY c.id DESC)
                FROM resident_correction AS c WHERE c.resident_id = r.id), '[]'),
            'cases', cases_naming(r.phone), 'looks', looks_at_resident(r),
            'loads', (SELECT coalesce(jsonb_agg(to_char(e.at, 'YYYY-MM-DD') || ' ' || e.subject_id), '[]')
                      FROM (SELECT * FROM audit_entry WHERE action = 'load' AND subject_kind = 'residents'
                            ORDER BY id DESC LIMIT 3) AS e))
            || elsewhere_as(r));
        PERFORM leave_trace(told_at, '{REPORT}', 'resident', r.id::text, r.territory, why, seen_from, address,
                            '{{}}');
    END LOOP;
    IF found = '[]' THEN
        PERFORM leave_trace(told_at, '{REFUSED}', 'resident', wanted::text, NULL, why, seen_from, address,
                            '{{}}');
    END IF;
    RETURN found;
END $$
"""

_CORRECT = f"""
CREATE OR REPLACE FUNCTION correct_resident(wanted int, field text, value text, reason text, undone int,
                                            told_at timestamptz, seen_from text, address text) RETURNS jsonb
LANGUAGE plpgsql {_DEFINER} AS $$
DECLARE
    r resident;
    was text;
    made resident_correction;
    grain bytea := uuid_send(gen_random_uuid());
BEGIN
    SELECT t.* INTO r FROM resident AS t WHERE t.id = wanted FOR UPDATE;
    IF ({has_role(*CORRECTORS)} AND {_mine("r.territory")} AND r.erased_at IS NULL
        AND (field <> 'tags' OR {has_role(*CARERS)})) IS NOT TRUE THEN
        PERFORM leave_trace(told_at, '{REFUSED}', 'resident', wanted::text, r.territory, NULL, seen_from,
                            address, '{{}}');
        RETURN NULL;
    END IF;
    was := field_of(r, field);
    IF was IS NOT DISTINCT FROM value THEN
        RETURN '{{"correction": null}}';
    END IF;
    UPDATE resident AS t SET
        name = CASE WHEN field = 'name' THEN value ELSE t.name END,
        gender = CASE WHEN field = 'gender' THEN value ELSE t.gender END,
        birth_year = CASE WHEN field = 'birth_year' THEN value::int ELSE t.birth_year END,
        phone = CASE WHEN field = 'phone' THEN value ELSE t.phone END,
        is_head = CASE WHEN field = 'is_head' THEN value::boolean ELSE t.is_head END,
        tags = CASE WHEN field = 'tags' THEN coalesce(regexp_split_to_array(value, '\\s*[,，、]\\s*'), '{{}}')
                    ELSE t.tags END
    WHERE t.id = wanted;
    INSERT INTO resident_correction AS c (resident_id, field, before, after, reason, salt, at, account_id,
                                          username, undoes, territory)
    VALUES (wanted, field, was, value, reason, grain, told_at, {ACCOUNT},
            coalesce((SELECT username FROM account WHERE id = {ACCOUNT}), seen_from), undone, r.territory)
    RETURNING c.* INTO made;
    PERFORM leave_trace(told_at, '{CORRECT}', 'resident', wanted::text, r.territory, NULL, seen_from, address,
        jsonb_build_object('correction', made.id, 'field', field, 'undoes', undone, 'digest', encode(sha256(
            grain || convert_to(concat_ws(chr(31), was, value, reason), 'UTF8')), 'hex')));
    RETURN jsonb_build_object('correction', made.id);
END $$
"""

_TO_UNDO = f"""
CREATE OR REPLACE FUNCTION correction_to_undo(wanted int)
RETURNS TABLE (resident_id int, field text, before text, fits boolean)
LANGUAGE sql STABLE {_DEFINER} AS $$
    SELECT c.resident_id, c.field, c.before, field_of(r, c.field) IS NOT DISTINCT FROM c.after
           AND NOT EXISTS (SELECT FROM resident_correction AS u WHERE u.undoes = c.id)
    FROM resident_correction AS c JOIN resident AS r ON r.id = c.resident_id
    WHERE c.id = wanted AND {has_role(*CORRECTORS)} AND {_mine("r.territory")}
      AND (c.field <> 'tags' OR {has_role(*CARERS)})
$$
"""

_ERASE = f"""
CREATE OR REPLACE FUNCTION erase_resident(wanted int, why text, told_at timestamptz, seen_from text,
                                          address text) RETURNS boolean
LANGUAGE plpgsql {_DEFINER} AS $$
DECLARE
    r resident;
BEGIN
    SELECT t.* INTO r FROM resident AS t WHERE t.id = wanted FOR UPDATE;
    IF ({has_role(*OFFICERS)} AND {_mine("r.territory")} AND r.erased_at IS NULL) IS NOT TRUE THEN
        PERFORM leave_trace(told_at, '{REFUSED}', 'resident', wanted::text, r.territory, why, seen_from,
                            address, '{{}}');
        RETURN false;
    END IF;
    DELETE FROM resident_correction WHERE resident_id = wanted;
    DELETE FROM contact AS c WHERE c.address = r.phone AND {_mine("c.territory")};
    UPDATE resident SET name = '{MARK}', gender = NULL, birth_year = NULL, phone = NULL, tags = '{{}}',
                        erased_at = told_at WHERE id = wanted;
    PERFORM leave_trace(told_at, '{ERASE}', 'resident', wanted::text, r.territory, why, seen_from, address,
                        '{{}}');
    RETURN true;
END $$
"""

SUBJECT_FUNCTIONS = (
    _FIELD_OF, _TOLD_FIELD, _ABOUT, _LOOKS, _CASES, _ELSEWHERE, _REPORT, _CORRECT, _TO_UNDO, _ERASE,
)  # fmt: skip

INNER = (
    "REVOKE ALL ON FUNCTION field_of, told_field, told_resident, looks_at_resident, cases_naming,"
    " elsewhere_as FROM PUBLIC",
)
"""Those only the functions above may call."""
