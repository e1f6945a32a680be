"""Building and writing a demo city, whole or not at all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from etl.demo_city import basemap
from etl.demo_city.addresses import name_roads
from etl.demo_city.cases import Case, incident_rows
from etl.demo_city.components import component_rows
from etl.demo_city.force import force_rows, raise_force
from etl.demo_city.ground import area_rows, cell_rows, generation_rows, survey
from etl.demo_city.history import Stage, past_cases
from etl.demo_city.housing import building_rows, shop_rows
from etl.demo_city.names import Names
from etl.demo_city.people import household_rows
from etl.demo_city.photographs import photo_rows
from etl.demo_city.scenes import SCENES
from etl.demo_city.sizes import size_named
from etl.demo_city.spots import Whereabouts
from etl.demo_city.stories import Kind, TimeRules
from etl.demo_city.today import living_cases
from etl.demo_city.town import Town, build_town
from etl.demo_city.writing import Rows, write
from gis.errors import Conflict
from grids import owner_map
from incidents.categories import active_categories
from incidents.incident import ENDED
from incidents.rules import Limit, current_rulebook

DEFAULT_SEED = 1
TABLES = (
    "area", "generation", "cell", "road", "water", "land", "estate", "building", "shop", "component",
    "household", "resident", "member", "duty", "shift", "leave", "incident",
)  # fmt: skip
"""What a demo city fills, and what must be empty before."""

HERO_TASKS = 6

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What was loaded, and the people and places a first visitor should meet."""

    counts: dict[str, int]
    subdistrict: str
    community: str
    cell: str
    member_id: int
    """A grid member with a handful of open tasks on different clocks, and the leader of their cell."""
    leader_id: int
    department: str
    """A department with open tasks."""
    seconds: dict[str, float] = field(default_factory=dict)


def is_empty(session: Session) -> bool:
    """Whether nothing of a city is there yet: no ground, no people, no case."""
    return not any(
        session.execute(sa.text(f'SELECT EXISTS (SELECT FROM "{table}")')).scalar_one() for table in TABLES
    )


def load_demo(
    session: Session,
    *,
    size: str = "subdistrict",
    seed: int = DEFAULT_SEED,
    as_of: datetime,
    zone: ZoneInfo,
    progress: Progress | None = None,
    photo_folder: Path | None = None,
) -> DemoSummary:
    """Build the demo city of a size and a seed as it stands at `as_of`, and write it in this transaction.

    The same size, seed and moment give the same rows. `as_of` carries an offset; the city's days and office
    hours are those of `zone`. `progress` hears what is being done and the share of all work done, 0 to 1.
    Where `photo_folder` is given, some living cases get drawn photographs.
    Raises Invalid for an unknown size, Conflict when the database already holds a city.
    """
    chosen = size_named(size)
    if not is_empty(session):
        raise Conflict(
            en="The database already holds a city.",
            zh="数据库里已有一座城市。",
            remedy_en="Load the demo city into an empty database.",
            remedy_zh="请把演示城市装入空数据库。",
        )
    works = _Works(session, progress or (lambda what, share: None))
    now = as_of.astimezone(zone)
    works.step("town", 0.0)
    town = build_town(chosen, seed, told=lambda share: works.told("town", 0.35 * share))
    stage = _write_city(works, town, now, zone)
    works.step("cases", 0.75)
    hero_cell = _hero_cell(stage)
    living = living_cases(session, stage, hero_cell)
    cases = sorted(living + past_cases(stage, living), key=lambda case: case.reported_at)
    works.step("writing cases", 0.85)
    works.write(*incident_rows(cases, stage.ground.generation, zone))
    if photo_folder is not None:
        alive = [(i, case) for i, case in enumerate(cases, 1) if case.story.stage not in ENDED]
        works.write(photo_rows(_main_first(stage, alive), photo_folder, zone, town.stream(50)))
    # By name: a bare ANALYZE also locks the cluster's shared catalogues until this transaction ends.
    session.execute(sa.text("ANALYZE " + ", ".join(f'"{table}"' for table in works.counts)))
    works.step("done", 1.0)
    return _summary(works, stage, living)


class _Works:
    """Rows written, seconds spent, and who wants to know."""

    def __init__(self, session: Session, progress: Progress) -> None:
        self.session, self.told = session, progress
        self.counts: dict[str, int] = {}
        self.seconds: dict[str, float] = {}
        self._doing, self._since = "", time.perf_counter()

    def step(self, what: str, share: float) -> None:
        """The next piece of work begins."""
        now = time.perf_counter()
        if self._doing:
            self.seconds[self._doing] = round(now - self._since, 2)
        self._doing, self._since = what, now
        self.told(what, share)

    def write(self, *tables: Rows) -> None:
        for rows in tables:
            self.counts[rows.table] = write(self.session, rows)


def _write_city(works: _Works, town: Town, now: datetime, zone: ZoneInfo) -> Stage:
    """Ground, things and people into the database; what cases need to know is returned."""
    works.step("ground", 0.35)
    names = Names(town.stream(1))
    ground = survey(town, names, now)
    works.write(area_rows(ground), generation_rows(ground, now), cell_rows(town, ground))
    works.step("base map", 0.4)
    addresses = name_roads(town, names)
    places, estates = basemap.name_places(town, names)
    estate_rows, estate_row = basemap.estate_rows(town, ground, estates)
    works.write(
        basemap.road_rows(town, addresses),
        basemap.water_rows(town),
        basemap.land_rows(town, places),
        estate_rows,
    )
    works.step("buildings", 0.45)
    housing = building_rows(town, ground, addresses, places, estates, estate_row)
    shops = shop_rows(town, housing, addresses)
    components = component_rows(town, ground, addresses)
    works.write(housing.rows, shops.rows, components.rows)
    works.step("people", 0.55)
    if town.size.households_as_rows:
        works.write(*household_rows(town, housing, now.year))
    force = raise_force(town, ground, now, zone)
    works.write(*force_rows(force, ground.beneath, town.stream(21)))
    kinds = _kinds(works.session)
    return Stage(
        town=town,
        ground=ground,
        whereabouts=Whereabouts(town, ground, addresses, housing, shops, components, places, estates),
        force=force,
        city=owner_map.current(works.session),
        kinds=kinds,
        scenes=[scene for scene in SCENES if scene.category in kinds],
        rules=TimeRules(current_rulebook(works.session, zone)),
        now=now,
        zone=zone,
    )


def _kinds(session: Session) -> dict[str, Kind]:
    """The categories of this city's code table by code."""
    return {
        category.code: Kind(
            category.code,
            category.default_role,
            category.department_code,
            category.needs_confirm,
            category.urgent,
            Limit(category.limit_kind, float(category.limit_value)),
            category.icon,
        )
        for category in active_categories(session)
    }


def _hero_cell(stage: Stage) -> str:
    """A cell in the second community of the main subdistrict, near its middle, whose member is not away."""
    ground, force = stage.ground, stage.force
    of_main = np.flatnonzero(ground.communities.parent == ground.main_subdistrict)
    by_code = of_main[np.argsort(ground.communities.code[of_main])]
    community = by_code[min(1, len(by_code) - 1)]
    cells = np.flatnonzero(ground.cells.parent == community)
    away = {member for member, *_ in force.leaves}
    middle = ground.subdistricts.shape[ground.main_subdistrict].centroid
    for cell in cells[np.argsort(shapely.distance(ground.cells.shape[cells], middle), kind="stable")]:
        code = str(ground.cells.code[cell])
        member = force.holder["member", code]
        if member not in away:
            return code
    return str(ground.cells.code[cells[0]])


def _main_first(stage: Stage, cases: list[tuple[int, Case]]) -> list[tuple[int, Case]]:
    """Cases of the main subdistrict before all others."""
    main = str(stage.ground.subdistricts.code[stage.ground.main_subdistrict])
    return sorted(cases, key=lambda numbered: not numbered[1].route.territory.startswith(main))


def _summary(works: _Works, stage: Stage, living: list[Case]) -> DemoSummary:
    """Meet the member with about six open tasks, and a department that has some."""
    force = stage.force
    tasks = Counter(
        case.story.handler
        for case in living
        if case.story.handler
        and case.story.stage in ("dispatched", "handling")
        and force.role[case.story.handler - 1] == "member"
    )
    member = min(tasks, key=lambda m: (abs(tasks[m] - HERO_TASKS), m))
    ground = next(g for (post, g), holder in force.holder.items() if post == "member" and holder == member)
    departments = Counter(case.department for case in living if case.department)
    return DemoSummary(
        counts=works.counts,
        subdistrict=ground[:9],
        community=ground[:12],
        cell=ground,
        member_id=member,
        leader_id=force.holder["leader", ground],
        department=departments.most_common(1)[0][0],
        seconds=works.seconds,
    )
