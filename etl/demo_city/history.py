"""Ninety days of cases that are over, up to the ones closed today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from etl.demo_city.cases import Case
from etl.demo_city.cast import cast_for
from etl.demo_city.force import Force
from etl.demo_city.ground import Ground
from etl.demo_city.past import Ending, tell_whole
from etl.demo_city.reports import CHANNEL_SHARES, CHANNELS, Placed, place_reports
from etl.demo_city.routing import Routed, route_many
from etl.demo_city.scenes import HOURS, Scene
from etl.demo_city.sheet import Floats
from etl.demo_city.spots import Whereabouts
from etl.demo_city.stories import Kind, TimeRules
from etl.demo_city.town import Town
from grids.owner_map import OwnerMap

Ints = NDArray[np.int64]

ORDINARY_DAY = 75.0
"""Cases a day that the figures of today below belong to; larger cities have as many times more."""
REPORTED_TODAY = 46
YESTERDAY_BY_NOW = 41
CLOSED_TODAY = 31
WEEKEND = 0.82
DOWNTOWN = 2.2
"""How much more happens on the ground of the main subdistrict."""
DISPUTED_M = 15.0
"""How deep the ground is that two cells are not at one about."""
STORM_DAY, STORM_FACTOR = 37, 1.9
"""So many days ago it poured."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What every case of this city stands on: the town and its ground, its people, its rules, and now."""

    town: Town
    ground: Ground
    whereabouts: Whereabouts
    force: Force
    city: OwnerMap
    kinds: dict[str, Kind]
    scenes: Sequence[Scene]
    rules: TimeRules
    now: datetime
    """In the city's own time."""
    zone: ZoneInfo

    @property
    def scale(self) -> float:
        """How many times an ordinary subdistrict's cases this city has."""
        return self.town.size.incidents_a_day / ORDINARY_DAY

    @property
    def midnight(self) -> datetime:
        return self.now.replace(hour=0, minute=0, second=0, microsecond=0)


def past_cases(stage: Stage, living: Sequence[Case]) -> list[Case]:
    """All ended cases. With the `living` ones they add up to the figures of today and yesterday."""
    rng = stage.town.stream(40)
    scenes, times = _reports(stage, living, rng)
    channels = rng.choice(np.array(CHANNELS, object), len(scenes), p=CHANNEL_SHARES)
    placed = place_reports(stage.whereabouts, scenes, channels, rng, likely=_likely(stage))
    routes = route_many(
        stage.city,
        stage.force,
        stage.now,
        placed.lonlat,
        placed.sigma_m,
        _cells_of(placed),
        _building_cells(stage, placed),
        stage.ground.beneath,
    )
    endings = _endings(stage, times)
    disputed = _disputed(stage, routes)
    cases = []
    for i, (at, route, ending) in enumerate(zip(times, routes, endings, strict=True)):
        kind, channel = stage.kinds[scenes[i].category], str(channels[i])
        cast = cast_for(stage.force, route, kind, channel, None, rng)
        story = tell_whole(kind, channel, stage.rules, at, ending, cast, rng, disputed=i in disputed)
        cases.append(Case(placed, i, route, story, {}, kind.department))
    return cases


def _disputed(stage: Stage, routes: Sequence[Routed]) -> set[int]:
    """The cases along one border downtown that is drawn on the wrong side of its street: that of the two
    cells with the most cases close by."""
    main = str(stage.ground.subdistricts.code[stage.ground.main_subdistrict])
    close: dict[tuple[str, str | None], set[int]] = {}
    for i, route in enumerate(routes):
        downtown = route.cell_code.startswith(main) and (route.second_cell or "").startswith(main)
        if downtown and route.rule == "covered" and route.border_m < DISPUTED_M:
            close.setdefault((route.cell_code, route.second_cell), set()).add(i)
    return max(close.values(), key=len, default=set())


def _likely(stage: Stage) -> Floats:
    """How likely cases are on each plot: downtown more happens than at the edge."""
    main = stage.town.territory.subdistrict == stage.ground.main_subdistrict
    return np.where(main, DOWNTOWN, 1.0)


def _cells_of(placed: Placed) -> NDArray[np.object_]:
    """The cell of the component each report names, None where it names none."""
    cells = placed.truth.copy()
    cells[placed.component < 0] = None
    return cells


def _building_cells(stage: Stage, placed: Placed) -> NDArray[np.object_]:
    """The cell of the building each report lies at, None where it lies at none."""
    cells = stage.ground.owner_code[stage.town.stock.plot[placed.building]]
    cells[placed.building < 0] = None
    return cells


def _reports(
    stage: Stage, living: Sequence[Case], rng: np.random.Generator
) -> tuple[list[Scene], list[datetime]]:
    """(scene, time) of every ended case, oldest first."""
    scenes: list[Scene] = []
    times: list[datetime] = []
    now, midnight = stage.now, stage.midnight
    so_far = now - midnight
    for days_ago in range(stage.town.size.history_days - 1, 1, -1):
        day = midnight - timedelta(days=days_ago)
        busy = (WEEKEND if day.weekday() >= 5 else 1.0) * (STORM_FACTOR if days_ago == STORM_DAY else 1.0)
        count = int(rng.poisson(stage.town.size.incidents_a_day * busy))
        _add(stage, day, timedelta(0), timedelta(days=1), count, rng, scenes, times)
    yesterday = midnight - timedelta(days=1)
    alive = [case.reported_at for case in living]
    by_now = round(YESTERDAY_BY_NOW * stage.scale) - sum(yesterday <= at < yesterday + so_far for at in alive)
    rest = round((ORDINARY_DAY - YESTERDAY_BY_NOW) * stage.scale)
    today = round(REPORTED_TODAY * stage.scale) - sum(at >= midnight for at in alive)
    _add(stage, yesterday, timedelta(0), so_far, max(by_now, 0), rng, scenes, times)
    _add(stage, yesterday, so_far, timedelta(days=1), rest, rng, scenes, times)
    _add(stage, midnight, timedelta(0), so_far * 0.9, max(today, 0), rng, scenes, times)
    return scenes, times


def _add(
    stage: Stage,
    day: datetime,
    start: timedelta,
    end: timedelta,
    count: int,
    rng: np.random.Generator,
    scenes: list[Scene],
    times: list[datetime],
) -> None:
    """Reports of one day between two times of it, each at an hour its scene is likely at."""
    off = day.weekday() >= 5
    weight = np.array([s.weight * (s.weekend if off else 1.0) for s in stage.scenes])
    chosen = rng.choice(len(stage.scenes), count, p=weight / weight.sum())
    found = []
    for k in chosen:
        scene = stage.scenes[k]
        found.append((day + _time_of_day(scene.hours, start, end, rng), scene))
    for at, scene in sorted(found, key=lambda pair: pair[0]):
        times.append(at)
        scenes.append(scene)


def _time_of_day(hours: str, start: timedelta, end: timedelta, rng: np.random.Generator) -> timedelta:
    """A time of day between `start` and `end`, by the weights of the hours that lie between."""
    edges = np.clip(np.arange(25) * 3600.0, start.total_seconds(), end.total_seconds())
    mass = np.array(HOURS[hours], float) * np.diff(edges)
    running = np.cumsum(mass)
    at = rng.random() * running[-1]
    hour = min(int(np.searchsorted(running, at, side="right")), 23)
    share = (at - (running[hour] - mass[hour])) / max(mass[hour], 1e-9)
    return timedelta(seconds=int(edges[hour] + share * (edges[hour + 1] - edges[hour])))


def _endings(stage: Stage, times: Sequence[datetime]) -> list[Ending]:
    """Today's reports end today; of the earlier ones the latest few do, the rest before midnight."""
    midnight, now = stage.midnight, stage.now
    today = [i for i, at in enumerate(times) if at >= midnight]
    carried = max(round(CLOSED_TODAY * stage.scale) - len(today), 0)
    before = len(times) - len(today)
    endings = []
    for i in range(len(times)):
        if i >= before:
            endings.append(Ending(now))
        elif i >= before - carried:
            endings.append(Ending(now, midnight))
        else:
            endings.append(Ending(midnight))
    return endings
