"""The function by which a supervisor asks who looked at people on their ground (`layers.looks`).

It looks beyond the row policies to say at which door a look was, and at nobody's name. So it asks itself for
the duty and the ground.
"""

from __future__ import annotations

from gis.access import SUPERVISOR_ROLES
from gis.policies import HIGH, LOW, has_role
from layers.household_reading import LOOKS

_LOOKS_ON_MY_GROUND = f"""
CREATE OR REPLACE FUNCTION looks_on_my_ground(since timestamptz, until timestamptz, who text, place text,
                                              wanted text[], most int)
RETURNS TABLE (id int, at timestamptz, username text, display_name text, action text, purpose text, face text,
               origin text, territory text, cell text, building_id int, building text, unit text, door text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.id, e.at, e.username, a.display_name, e.action, e.purpose, e.face, e.origin, e.territory, c.name,
           b.id, coalesce(nullif(b.name, ''), b.address), h.unit, h.door
    FROM audit_entry AS e
    LEFT JOIN account AS a ON a.id = e.account_id
    LEFT JOIN resident AS r ON e.subject_kind = 'resident' AND r.id::text = e.subject_id
    LEFT JOIN household AS h ON h.id = r.household_id
    LEFT JOIN building AS b
           ON b.id = CASE e.subject_kind WHEN 'building' THEN e.subject_id::int ELSE h.building_id END
    LEFT JOIN generation AS g ON g.status = 'active'
    LEFT JOIN cell AS c ON c.code = e.territory AND c.kind = 'social' AND c.generation = g.name
    WHERE {has_role(*SUPERVISOR_ROLES)} AND e.territory >= {LOW} AND e.territory < {HIGH}
      AND e.action IN {LOOKS} AND e.action = ANY(wanted)
      AND e.at >= since AND e.at < until
      AND (who = '' OR e.username = who OR position(who IN a.display_name) > 0)
      AND (place = '' OR position(lower(place) IN lower(concat_ws(' ', b.name, b.address))) > 0)
    ORDER BY e.at DESC, e.id DESC LIMIT most
$$
"""

AUDIT_FUNCTIONS = (_LOOKS_ON_MY_GROUND,)
