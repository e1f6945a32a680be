"""Row policies: which rows of each table a person may read, add, change and remove, kept by PostgreSQL.

One entry a table, each right an SQL condition on the row or None where there is no such right; whatever is
not declared here is closed. `api.migrations` writes them into the database with every upgrade, for the role
`APP_ROLE` that all work for persons runs under. A rule forgotten in Python then costs nothing but an empty
answer.

What the conditions ask of the person was told by `gis.database.bind_principal` for this transaction. Each is
a subquery without outer references, so PostgreSQL answers it once a statement and not once a row. With
nobody bound they are NULL, and every condition is false.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gis.access import DESK_ROLES, SUPERVISOR_ROLES
from gis.database import APP_ROLE


def _told(name: str, wanted: str = "{}") -> str:
    """One thing told of the person, as an InitPlan; NULL where nothing is."""
    value = f"nullif(current_setting('app.{name}', true), '')"
    return f"(SELECT {wanted.format(value)})"


ACCOUNT = _told("account", "{}::int")
MEMBER = _told("member", "{}::int")
CASE_IN_HAND = _told("case", "{}::int")
"""The case this transaction reports (`incidents.report_rows`), or has locked to move it, and which may leave
one's ground thereby (`incidents.case_store`)."""
LOW, HIGH = _told("ground", "substr({}, 2)"), _told("ground", "substr({}, 2) || '~'")


def has_role(*roles: str) -> str:
    listed = ", ".join(f"'{role}'" for role in sorted(roles))
    return _told("role", "{} IN (" + listed + ")")


DEPARTMENT = _told("department")
"""The one department a department's account speaks for; NULL for all of its ground."""
IS_A_DEPARTMENT = has_role("department_handler")

SIGNED_IN = f"{ACCOUNT} IS NOT NULL"
ON_MY_GROUND = f"territory >= {LOW} AND territory < {HIGH}"
AT_ITS_DESK = f"{has_role(*DESK_ROLES)} AND {ON_MY_GROUND}"
ADMIN = has_role("admin")
KEEPS_RULES = has_role("admin", "city_officer", "district_officer")
SUPERVISES = has_role(*SUPERVISOR_ROLES)

WHOLE_CITY = "(" + _told("ground", "{} = 'c'") + f" AND NOT {IS_A_DEPARTMENT})"

# PostgreSQL can take no index for this, and shall not: what a person sees is a thousandth of the city or all
# of it, and a plan made for the one is ruinous for the other. It is a filter; where to look is said by the
# reads themselves (`incidents.case_rows.conditions`), with values the planner knows.
MY_CASE = " OR ".join(
    (
        WHOLE_CITY,
        f"({ON_MY_GROUND} AND (NOT {IS_A_DEPARTMENT}"
        f" OR (department_code IS NOT NULL AND ({DEPARTMENT} IS NULL OR department_code = {DEPARTMENT}))))",
        f"handler_id = {MEMBER}",
        f"member_id = {MEMBER}",
        f"reported_by = {ACCOUNT}",
        f"id = {CASE_IN_HAND}",
        "id IN (SELECT cases_i_help_with())",
    )
)
OF_MY_CASE = "EXISTS (SELECT FROM incident AS mine WHERE mine.id = incident_id)"
"""What belongs to a case follows the case: the subquery is under the policy of `incident` itself."""
ADDED_TO_MY_CASE = f"(incident_id = {CASE_IN_HAND} OR may_read_case(incident_id))"
"""The same for a row that is added: mostly to the case in hand. A function, so that the policy of `incident`
is planned once a connection and not once for each table that a move writes to."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Conditions on a row. `change` says which rows may be changed, `changed` what they may become. The
    columns in `hidden` are never read."""

    read: str | None = None
    add: str | None = None
    change: str | None = None
    changed: str | None = None
    remove: str | None = None
    hidden: tuple[str, ...] = ()

    def of(self, right: str) -> tuple[str | None, str | None]:
        """(which rows are there to it, what a row must be after it) for one of `RIGHTS`."""
        return {
            "SELECT": (self.read, None),
            "INSERT": (None, self.add),
            "UPDATE": (self.change, self.changed),
            "DELETE": (self.remove, None),
        }[right]


RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")

CLOSED = Policy()
"""No right at all: only `system_work` and functions made for it come here."""
GROUND = Policy(read="true")
"""What stands there. Everybody signed in may look at the whole map, and a report next door needs it. Without
a condition, because any would keep the search from its trigram indexes."""
PART_OF_A_CASE = Policy(read=OF_MY_CASE, add=ADDED_TO_MY_CASE, change=OF_MY_CASE, changed=ADDED_TO_MY_CASE)
RULES = Policy(read="true", add=KEEPS_RULES, change=KEEPS_RULES, changed=KEEPS_RULES, remove=KEEPS_RULES)


def _whole(condition: str) -> Policy:
    """Every right under one condition."""
    return Policy(condition, condition, condition, condition, condition)


TABLES: Mapping[str, Policy] = {
    "area": GROUND,
    "cell": GROUND,
    "estate": GROUND,
    "building": GROUND,
    "shop": GROUND,
    "component": GROUND,
    "exception": replace(_whole(AT_ITS_DESK), read="true"),
    # Everybody may know who answers for a place; a number is shown by `shown_phone`, masked.
    "member": Policy(read=SIGNED_IN, change=f"id = {MEMBER}", changed=f"id = {MEMBER}", hidden=("phone",)),
    # Who answers is read beyond one's own ground too: a report there must find its person.
    "duty": replace(_whole(AT_ITS_DESK), read=SIGNED_IN),
    "shift": replace(_whole(AT_ITS_DESK), read=SIGNED_IN),
    "leave": replace(_whole(f"member_id = {MEMBER} OR {AT_ITS_DESK}"), read=SIGNED_IN, remove=None),
    # Anybody may report on any ground, under their own name. A case may be handed to a neighbour: what it
    # becomes is the rule of `incidents.lifecycle`, that it was theirs to move is the policy's.
    "incident": Policy(read=MY_CASE, add=f"reported_by = {ACCOUNT}", change=MY_CASE, changed=SIGNED_IN),
    # Told under one's own name, or as what the system does by itself meanwhile.
    "incident_move": Policy(
        read=OF_MY_CASE,
        add=f"(account_id = {ACCOUNT} OR (account_id IS NULL AND role = 'system')) AND {ADDED_TO_MY_CASE}",
    ),
    "case_clock": PART_OF_A_CASE,
    "subtask": PART_OF_A_CASE,
    "notice": replace(PART_OF_A_CASE, change=None, changed=None),
    "incident_photo": replace(PART_OF_A_CASE, add=OF_MY_CASE, changed=OF_MY_CASE),
    "dispatch_override": Policy(read=OF_MY_CASE, add=f"account_id = {ACCOUNT} AND {ADDED_TO_MY_CASE}"),
    "rating": Policy(read=OF_MY_CASE),
    "contact": _whole(f"{KEEPS_RULES} AND {ON_MY_GROUND}"),
    "delivery": CLOSED,
    "household": CLOSED,
    "resident": CLOSED,
    "resident_correction": CLOSED,
    "account": replace(_whole(f"id = {ACCOUNT} OR {ADMIN}"), add=ADMIN, remove=None),
    "account_grant": replace(_whole(ADMIN), read=f"account_id = {ACCOUNT} OR {ADMIN}", remove=None),
    "export_request": Policy(
        read=f"account_id = {ACCOUNT} OR ({SUPERVISES} AND {ON_MY_GROUND})",
        add=f"account_id = {ACCOUNT}",
        change=f"{SUPERVISES} AND {ON_MY_GROUND}",
        changed=f"{SUPERVISES} AND {ON_MY_GROUND}",
    ),
    "export_file": Policy(
        read=SUPERVISES, add="EXISTS (SELECT FROM export_request AS r WHERE r.id = request_id)"
    ),
    "undertaking_signature": Policy(read=f"account_id = {ACCOUNT} OR {ADMIN}", add=f"account_id = {ACCOUNT}"),
    "audit_entry": Policy(
        read=f"account_id = {ACCOUNT} OR ({SUPERVISES} AND {ON_MY_GROUND})", add=f"account_id = {ACCOUNT}"
    ),
}
"""Every table with a `territory`."""

UNPLACED: Mapping[str, Policy] = {
    "access_token": replace(_whole(f"account_id = {ACCOUNT} OR {ADMIN}"), remove=None),
    "recovery_code": _whole(f"account_id = {ACCOUNT}"),
    "sign_in_try": CLOSED,
    "audit_seal": CLOSED,
    "incident_truth": CLOSED,
    "calendar_day": RULES,
    "category": RULES,
    "clock_rule": RULES,
    "notice_wording": RULES,
    "rule_choice": RULES,
    "rule_set": RULES,
    "staged_limit": RULES,
    "setting_change": Policy(read=KEEPS_RULES, add=KEEPS_RULES),
    "retention_rule": Policy(read=SIGNED_IN, change=ADMIN, changed=ADMIN),
}
"""Tables that belong to no ground and yet are not for everybody to write, or to read."""

OPEN = (
    "department",
    "generation",
    "land",
    "map_stamp",
    "owner_map_stamp",
    "public_bin",
    "public_month",
    "road",
    "roster_stamp",
    "rules_stamp",
    "water",
)
"""Tables everybody may read and nobody writes but `system_work` and triggers: the base map, stamps."""


def protected() -> Mapping[str, Policy]:
    """Every table under a policy."""
    return {**TABLES, **UNPLACED}


def statements(table: str, columns: Sequence[str]) -> Iterator[str]:
    """The DDL that makes a table what is declared here, whatever it was before; closed if it is not."""
    yield f"REVOKE ALL ON {table} FROM {APP_ROLE}"
    policy = protected().get(table)
    if policy is not None:
        yield from _guarded(table, policy, [name for name in columns if name not in policy.hidden])
    elif table in OPEN:
        yield f"GRANT SELECT ON {table} TO {APP_ROLE}"


def _guarded(table: str, policy: Policy, shown: Sequence[str]) -> Iterator[str]:
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
    for right in RIGHTS:
        using, check = policy.of(right)
        yield f"DROP POLICY IF EXISTS {right.lower()}_by_app ON {table}"
        if using is None and check is None:
            continue
        conditions = f" USING ({using})" if using else ""
        conditions += f" WITH CHECK ({check})" if check else ""
        yield f"CREATE POLICY {right.lower()}_by_app ON {table} FOR {right} TO {APP_ROLE}{conditions}"
        these = f" ({', '.join(shown)})" if right == "SELECT" and policy.hidden else ""
        yield f"GRANT {right}{these} ON {table} TO {APP_ROLE}"
