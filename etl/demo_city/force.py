"""The grid force: a team of 1 + 1 + 1 + N and a member for each cell, duty officers for each subdistrict.

Everybody holds their post around the clock but for what makes a roster real: the duty officers change at
eight, a few people are off duty with somebody standing in, and one cell has nobody this evening.
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
OFF_DUTY_SHARE = 0.04
SETTLED_DAYS = 400
"""The teams are older than the history of cases."""
LEAVE_DAYS = 5
HOLE_FROM, HOLE_TO = time(20), time(0)
DAY, NIGHT = (time(8), time(20)), (time(20), time(8))


@dataclass(slots=True)
class Force:
    """Members by id (from 1) and their duties, as lists that become rows, and who holds the posts of a ground."""

    role: list[str] = field(default_factory=list)
    territory: list[str] = field(default_factory=list)
    off_duty: set[int] = field(default_factory=set)
    duties: list[tuple[str, int, str, int | None, datetime, datetime | None, int | None]] = field(
        default_factory=list
    )
    """(post, member, ground, building, starts, ends, stands in for)."""
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
        self,
        post: str,
        member: int,
        ground: str,
        starts: datetime,
        *,
        ends: datetime | None = None,
        building: int | None = None,
        stand_in_for: int | None = None,
    ) -> int:
        """A duty of a member; returns its id."""
        self.duties.append((post, member, ground, building, starts, ends, stand_in_for))
        if stand_in_for is None and post != "building_head":
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
    hole = _cell_with_a_hole(ground)
    for cell, code in sorted(enumerate(ground.cells.code), key=lambda pair: pair[1]):
        force.assign("leader", force.join("leader", code), code, start)
        member = force.join("member", code)
        if cell == hole:
            _with_evening_off(force, member, code, start, as_of.astimezone(zone))
        else:
            force.assign("member", member, code, start)
        force.assign("property_manager", force.join("property_manager", code), code, start)
    _police(force, ground, start)
    _special_grounds(force, ground, start)
    _building_heads(force, town, ground, start)
    _duty_officers(force, ground, start)
    _absences(force, ground, midnight, hole, rng)
    force.names = people_names(len(force.role), rng)
    return force


def _cell_with_a_hole(ground: Ground) -> int:
    """The third cell of the main subdistrict's last community, or its last one."""
    of_main = np.flatnonzero(ground.communities.parent == ground.main_subdistrict)
    last = of_main[np.argmax(ground.communities.code[of_main])]
    cells = np.flatnonzero(ground.cells.parent == last)
    ordered = cells[np.argsort(ground.cells.code[cells])]
    return int(ordered[min(2, len(ordered) - 1)])


def _with_evening_off(force: Force, member: int, ground: str, start: datetime, now: datetime) -> None:
    """A member with nobody in their place on the coming evening: the hole that `duties check` finds."""
    hole = now.replace(hour=HOLE_FROM.hour, minute=0, second=0, microsecond=0)
    if hole < now + timedelta(minutes=30):
        hole += timedelta(days=1)
    again = (hole + timedelta(days=1)).replace(hour=HOLE_TO.hour)
    force.assign("member", member, ground, start, ends=hole)
    force.assign("member", member, ground, again)


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


def _absences(force: Force, ground: Ground, midnight: datetime, hole: int, rng: np.random.Generator) -> None:
    """A few members and property managers are off duty; the colleague of the next cell stands in."""
    codes = [code for i, code in enumerate(ground.cells.code) if i != hole]
    codes.sort()
    count = max(2, round(OFF_DUTY_SHARE * len(codes)))
    step = len(codes) // count
    first = int(rng.integers(step))
    for k in range(count):
        at = min(first + k * step, len(codes) - 2)
        post = "member" if k % 2 == 0 else "property_manager"
        away, stand_in = force.holder[post, codes[at]], force.holder[post, codes[at + 1]]
        force.off_duty.add(away)
        ends = midnight + timedelta(days=LEAVE_DAYS)
        force.assign(post, stand_in, codes[at], midnight, ends=ends, stand_in_for=away)


def force_rows(force: Force, beneath: dict[str, str], rng: np.random.Generator) -> list[Rows]:
    """Rows of `member`, `duty` and `shift`; `beneath` as in `Ground`."""
    n = len(force.role)
    post, member, grounds, building, starts, ends, stand_in = zip(*force.duties, strict=True)
    duty, weekday, opens, shuts, territory = zip(*force.shifts, strict=True)
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
            starts_at=starts,
            ends_at=ends,
            stand_in_for=stand_in,
            territory=[beneath.get(code, code) for code in grounds],
        ).numbered(),
        Rows(
            "shift", duty_id=duty, weekday=weekday, starts=opens, ends=shuts, territory=territory
        ).numbered(),
    ]
