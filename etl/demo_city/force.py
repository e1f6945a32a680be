"""The grid force: a team of 1 + 1 + 1 + N and a member for each cell, duty officers for each subdistrict.

Everybody holds their post around the clock but for what makes a roster real: the duty officers change at
eight, a few people are on leave with somebody standing in, and one is away this evening with nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from etl.demo_city.ground import Ground
from etl.demo_city.names import people_names, phones
from etl.demo_city.town import Town
from etl.demo_city.writing import Rows

CELLS_A_POLICE_OFFICER = 5
ON_LEAVE_SHARE = 0.04
SETTLED_DAYS = 400
"""The teams are older than the history of cases."""
LEAVE_DAYS = 5
HOLE_FROM, HOLE_TO = time(20), time(0)
DAY, NIGHT = (time(8), time(20)), (time(20), time(8))


@dataclass(slots=True)
class Force:
    """Members by id (from 1) and their duties, as lists that become rows; and who holds which post."""

    role: list[str] = field(default_factory=list)
    territory: list[str] = field(default_factory=list)
    off_duty: set[int] = field(default_factory=set)
    duties: list[tuple[str, int, str, int | None, datetime]] = field(default_factory=list)
    """(post, member, ground, building, since)."""
    leaves: list[tuple[int, datetime, datetime, int | None, str, str]] = field(default_factory=list)
    """(member, starts, ends, stand-in, status, territory)."""
    shifts: list[tuple[int, int, time, time, str]] = field(default_factory=list)
    """(duty, weekday, starts, ends, territory)."""
    holder: dict[tuple[str, str], int] = field(default_factory=dict)
    """(post, ground) -> the member who holds it in their own right."""
    names: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, object))

    def join(self, role: str, territory: str) -> int:
        """A new member; returns their id."""
        self.role.append(role)
        self.territory.append(territory)
        return len(self.role)

    def assign(
        self, post: str, member: int, ground: str, since: datetime, *, building: int | None = None
    ) -> int:
        """A duty of a member until further notice; returns its id."""
        self.duties.append((post, member, ground, building, since))
        if post != "building_head":
            self.holder.setdefault((post, ground), member)
        return len(self.duties)

    def name(self, member: int) -> str:
        return str(self.names[member - 1])


def raise_force(town: Town, ground: Ground, as_of: datetime, zone: ZoneInfo) -> Force:
    """Everybody who answers for ground at `as_of`."""
    rng = town.stream(20)
    force = Force()
    midnight = as_of.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight - timedelta(days=SETTLED_DAYS)
    for code in np.sort(ground.cells.code):
        for post in ("leader", "member", "property_manager"):
            force.assign(post, force.join(post, code), code, start)
    _police(force, ground, start)
    _special_grounds(force, ground, start)
    _building_heads(force, town, ground, start)
    _duty_officers(force, ground, start)
    hole = _cell_with_a_hole(ground)
    _evening_off(force, hole, as_of.astimezone(zone))
    _absences(force, ground, midnight, hole, rng)
    force.names = people_names(len(force.role), rng)
    return force


def _cell_with_a_hole(ground: Ground) -> str:
    """The third cell of the main subdistrict's last community, or its last one."""
    of_main = np.flatnonzero(ground.communities.parent == ground.main_subdistrict)
    last = of_main[np.argmax(ground.communities.code[of_main])]
    cells = np.flatnonzero(ground.cells.parent == last)
    ordered = cells[np.argsort(ground.cells.code[cells])]
    return str(ground.cells.code[ordered[min(2, len(ordered) - 1)]])


def _evening_off(force: Force, ground: str, now: datetime) -> None:
    """The coming evening the member is away and nobody stands in: the hole that `duties check` finds."""
    hole = now.replace(hour=HOLE_FROM.hour, minute=0, second=0, microsecond=0)
    if hole < now + timedelta(minutes=30):
        hole += timedelta(days=1)
    until = (hole + timedelta(days=1)).replace(hour=HOLE_TO.hour)
    force.leaves.append((force.holder["member", ground], hole, until, None, "approved", ground))


def _police(force: Force, ground: Ground, start: datetime) -> None:
    """One police officer for every few cells of a community."""
    for community, code in enumerate(ground.communities.code):
        cells = np.sort(ground.cells.code[ground.cells.parent == community])
        for first in range(0, len(cells), CELLS_A_POLICE_OFFICER):
            officer = force.join("police_officer", code)
            for cell in cells[first : first + CELLS_A_POLICE_OFFICER]:
                force.assign("police_officer", officer, cell, start)


def _special_grounds(force: Force, ground: Ground, start: datetime) -> None:
    """A special cell has a member of its own; the rest of its team is that of the social cell around it."""
    for code, plot in zip(ground.special.code, ground.special_plot, strict=True):
        around = ground.social_code[plot]
        force.assign("member", force.join("member", around), code, start)
        for post in ("leader", "police_officer", "property_manager"):
            force.assign(post, force.holder[post, around], code, start)


def _building_heads(force: Force, town: Town, ground: Ground, start: datetime) -> None:
    """N building heads: residents of the largest buildings of each cell."""
    stock, cell = town.stock, town.building_cell
    order = np.lexsort((-stock.households, cell))
    order = order[stock.households[order] > 0]
    first = np.searchsorted(cell[order], cell[order])
    for building in order[np.arange(len(order)) - first < town.size.heads_a_cell]:
        code = ground.social_code[stock.plot[building]]
        head = force.join("building_head", code)
        force.assign("building_head", head, code, start, building=int(building) + 1)


def _duty_officers(force: Force, ground: Ground, start: datetime) -> None:
    """Two duty officers a subdistrict, one by day and one by night, every day of the week."""
    for code in np.sort(ground.subdistricts.code):
        for opens, shuts in (DAY, NIGHT):
            officer = force.join("subdistrict_duty_officer", code)
            duty = force.assign("subdistrict_duty_officer", officer, code, start)
            force.shifts += [(duty, weekday, opens, shuts, code) for weekday in range(7)]


def _absences(force: Force, ground: Ground, midnight: datetime, hole: str, rng: np.random.Generator) -> None:
    """A few members and property managers are on leave and the colleague of the next cell stands in; one
    more has asked for leave next week."""
    codes = [code for code in np.sort(ground.cells.code) if code != hole]
    count = max(2, round(ON_LEAVE_SHARE * len(codes)))
    step = len(codes) // count
    first = int(rng.integers(step))
    for k in range(count):
        at = min(first + k * step, len(codes) - 2)
        post = "member" if k % 2 == 0 else "property_manager"
        away, stand_in = (force.holder[post, code] for code in codes[at : at + 2])
        force.off_duty.add(away)
        until = midnight + timedelta(days=LEAVE_DAYS)
        force.leaves.append((away, midnight, until, stand_in, "approved", codes[at]))
    asking = force.holder["member", codes[-1]]
    week = midnight + timedelta(days=7)
    force.leaves.append((asking, week, week + timedelta(days=2), None, "asked", codes[-1]))


def force_rows(force: Force, beneath: dict[str, str], rng: np.random.Generator) -> list[Rows]:
    """Rows of `member`, `duty`, `shift` and `leave`; `beneath` as in `Ground`."""
    n = len(force.role)
    post, member, grounds, building, since = zip(*force.duties, strict=True)
    duty, weekday, opens, shuts, territory = zip(*force.shifts, strict=True)
    away, starts, ends, stand_in, status, where = zip(*force.leaves, strict=True)
    return [
        Rows(
            "member",
            id=np.arange(1, n + 1),
            name=force.names,
            phone=phones(n, rng),
            role=force.role,
            on_duty=[i not in force.off_duty for i in range(1, n + 1)],
            territory=force.territory,
        ),
        Rows(
            "duty",
            post=post,
            member_id=member,
            ground=grounds,
            building_id=building,
            starts_at=since,
            territory=[beneath.get(code, code) for code in grounds],
        ).numbered(),
        Rows(
            "shift", duty_id=duty, weekday=weekday, starts=opens, ends=shuts, territory=territory
        ).numbered(),
        Rows(
            "leave",
            member_id=away,
            starts_at=starts,
            ends_at=ends,
            stand_in_id=stand_in,
            status=status,
            asked_at=[min(starts) - timedelta(days=3)] * len(starts),
            territory=where,
        ).numbered(),
    ]
