"""Who is acting, and which ground is theirs.

A `Principal` is made once at the door and handed down. The database is told about it at the start of each
transaction (`gis.database`), so that row policies can stand on it.
"""

from __future__ import annotations

from dataclasses import dataclass

CODE_WIDTHS = {"city": 4, "district": 6, "subdistrict": 9, "community": 12, "cell": 15}
"""Digits of a code at each level; each code is a prefix of the codes below it (decision 2)."""

CITY_WIDE_ROLES = frozenset({"admin", "city_officer", "command_operator", "analyst"})

DESK_ROLES = frozenset(
    {
        "admin",
        "city_officer",
        "district_officer",
        "subdistrict_officer",
        "community_officer",
        "command_operator",
        "leader",
        "inspector",
        "analyst",
    }
)
"""Roles that see the whole of their territory; the others see their own tasks and reports."""


GROUND_ROLES = DESK_ROLES | {"member", "police_officer", "department_handler"}
"""Roles whose territory opens rows to them in the database (`gis.policies`); the others have none by place,
only what they handle or have reported. Of the cases a department handler's ground opens those that a
department has."""

SUPERVISOR_ROLES = frozenset({"admin", "city_officer", "district_officer", "subdistrict_officer"})
"""Roles that see on their ground who did and who looked."""


@dataclass(frozen=True, slots=True)
class Principal:
    """One signed-in account acting under one territory prefix (decision 16).

    `territory` is a code prefix; "" is the whole city; None is no ground at all. `department` is the code a
    department's account speaks for; None with that role speaks for every department of its ground.
    """

    account_id: int
    username: str
    display_name: str
    role: str
    territory: str | None = None
    member_id: int | None = None
    department: str | None = None

    def covers(self, code: str | None) -> bool:
        """Whether a row with this territory code lies on the principal's ground."""
        return self.territory is not None and code is not None and code.startswith(self.territory)

    @property
    def sees_territory(self) -> bool:
        """Whether the role reads every incident of its territory, or only its own."""
        return self.role in DESK_ROLES and self.territory is not None


def code_level(code: str) -> str | None:
    """The level a code belongs to by its width, or None when it is not a code."""
    if not code.isdigit():
        return None
    return next((level for level, width in CODE_WIDTHS.items() if width == len(code)), None)


def prefix_range(prefix: str) -> tuple[str, str]:
    """Bounds `low <= code < high` that hold exactly for the codes starting with `prefix`.

    '~' sorts after every digit under COLLATE "C", so a btree answers it as one range.
    """
    return prefix, prefix + "~"
