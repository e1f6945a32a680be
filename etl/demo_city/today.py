"""The cases that live: open now, each at a chosen stage with its clock in a chosen state.

A scene and a start are chosen so that the clock stands as wanted (`clockwork`); the place is asked of the
real routing, and the story is told up to its stage.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from etl.demo_city.cases import Case
from etl.demo_city.cast import Cast, cast_for
from etl.demo_city.clockwork import LONGEST_WAIT, WAITING, Clockwork, Want
from etl.demo_city.history import Stage
from etl.demo_city.past import confirm
from etl.demo_city.reports import CHANNELS, Placed, place_reports
from etl.demo_city.routing import Routed
from etl.demo_city.scenes import NOTES, Scene
from etl.demo_city.stories import Kind, Story
from grids.responsibility import Responsibility, responsible_for
from incidents.reporting import OUTSIDE_CHANNELS

HERO_NOISE = 0.4
MAIN_SHARE = 0.6
"""Of the living cases this share lies in the main subdistrict."""


WANTED = (
    Want("reported", "in_time", 4, today=True),
    Want("registered", "in_time", 1, today=True),
    Want("registered", "due_soon", 2),
    Want("dispatched", "in_time", 4, today=True),
    Want("dispatched", "in_time", 6, today=False),
    Want("dispatched", "due_soon", 1),
    Want("handling", "in_time", 4, today=True),
    Want("handling", "in_time", 14, today=False),
    Want("handling", "due_soon", 5),
    Want("handling", "overdue", 4),
    Want("handled", "in_time", 3),
    Want("handled", "due_soon", 1),
    Want("verified", "in_time", 2),
    Want("paused", "paused", 2, today=False),
    Want("parked", "paused", 1, today=False),
)
"""Some sixty open cases: 10 due soon, 5 overdue (one with the hero), 7 not dispatched, 3 paused."""
HERO = (
    Want("handling", "overdue", 1),
    Want("handling", "due_soon", 1),
    Want("dispatched", "in_time", 2, today=True),
    Want("handling", "in_time", 1, today=True),
    Want("handling", "in_time", 1, today=False),
)
"""The tasks of the member a first visitor signs in as."""


def living_cases(session: Session, stage: Stage, hero_cell: str) -> list[Case]:
    """All open cases, routed one by one by the real routing. The first ones are the tasks of the hero."""
    rng = stage.town.stream(41)
    clockwork = Clockwork(stage.rules, stage.now)
    plan = [(want, True) for want in HERO for _ in range(want.count)]
    plan += [(want, False) for want in WANTED for _ in range(round(want.count * stage.scale))]
    used: Counter[str] = Counter()
    return [
        _living(session, stage, clockwork, want, hero_cell if hero else None, used, rng)
        for want, hero in plan
    ]


def _living(
    session: Session,
    stage: Stage,
    clockwork: Clockwork,
    want: Want,
    hero_cell: str | None,
    used: Counter[str],
    rng: np.random.Generator,
) -> Case:
    scene, channel, span = _choose(stage, clockwork, want, hero_cell is not None, used, rng)
    kind = stage.kinds[scene.category]
    likely = _plots(stage, hero_cell, rng)
    channels = np.array([channel], object)
    noise = HERO_NOISE if hero_cell else 1.0
    placed = place_reports(stage.whereabouts, [scene], channels, rng, likely=likely, noise=noise)
    start = span[0] + (span[1] - span[0]) * float(rng.uniform(0.04, 0.96))
    answer = _ask(session, stage, placed, kind, start)
    route = _as_route(answer)
    handler = answer.handler.id if answer.handler else None
    cast = cast_for(stage.force, route, kind, channel, handler, rng)
    story = Story(kind, channel, stage.rules)
    _TELL[want.stage](story, start.replace(microsecond=0), stage.now, cast, rng)
    if want.clock == "overdue" and rng.random() < 0.6:
        at = stage.now - timedelta(minutes=float(rng.uniform(0.3, 1.8)))
        story.tell("supervise", at.replace(microsecond=0), cast.desk, note=NOTES["supervise"][1])
    return Case(placed, 0, route, story, answer.as_kept(), answer.department)


def _choose(
    stage: Stage,
    clockwork: Clockwork,
    want: Want,
    hero: bool,
    used: Counter[str],
    rng: np.random.Generator,
) -> tuple[Scene, str, tuple[datetime, datetime]]:
    """A scene, a channel and the span of starts that give the wanted state: any that can, by weight, and the
    less likely the more often it was `used` already."""
    waiting = want.stage in WAITING
    fitting = []
    for scene in stage.scenes:
        kind = stage.kinds[scene.category]
        if (waiting and not kind.needs_confirm) or (hero and kind.default_role != "member"):
            continue
        for channel in _channels(waiting, kind, hero):
            span = clockwork.span(kind, channel, want)
            if span:
                fitting.append((scene, channel, span))
    if not fitting:  # so early or so late in the day that nothing fits: give up the day, never the clock
        assert want.today is not None, f"no start gives {want}"
        return _choose(stage, clockwork, Want(want.stage, want.clock, 1), hero, used, rng)
    if waiting:
        recent = [choice for choice in fitting if choice[2][1] > stage.now - 2 * LONGEST_WAIT]
        fitting = recent or fitting
    weight = np.array([scene.weight / (1 + used[scene.category]) ** 2 for scene, _, _ in fitting])
    chosen = fitting[int(rng.choice(len(fitting), p=weight / weight.sum()))]
    used[chosen[0].category] += 1
    return chosen


def _channels(waiting: bool, kind: Kind, hero: bool) -> Sequence[str]:
    """By which channels such a case may have come: one that waits came from outside."""
    if waiting:
        return ("wechat", "resident", "hotline")
    if hero:
        return ("member",)
    return tuple(c for c in CHANNELS[:4] if c not in OUTSIDE_CHANNELS or not kind.needs_confirm) or (
        "member",
    )


def _plots(stage: Stage, hero_cell: str | None, rng: np.random.Generator) -> NDArray[np.float64]:
    """How likely the case lies on each plot: the hero's cell, else the main subdistrict or the rest."""
    if hero_cell:
        return (stage.ground.owner_code == hero_cell).astype(float)
    main = stage.town.territory.subdistrict == stage.ground.main_subdistrict
    chosen = main if rng.random() < MAIN_SHARE / stage.scale**0.5 else ~main
    return chosen.astype(float)


def _ask(session: Session, stage: Stage, placed: Placed, kind: Kind, at: datetime) -> Responsibility:
    component = int(placed.component[0])
    return responsible_for(
        session,
        placed.fix(0),
        at=at,
        category=kind.code,
        component_id=component + 1 if component >= 0 else None,
        floor=placed.floor[0],
        unit=placed.unit[0],
        zone=stage.zone,
    )


def _as_route(answer: Responsibility) -> Routed:
    assert answer.member is not None and answer.cell_code is not None
    return Routed(
        cell_code=answer.cell_code,
        territory=answer.territory,
        rule=answer.rule,
        confidence=answer.confidence,
        border_m=answer.border_m or 0.0,
        second_cell=answer.second_cell,
        member=answer.member.id,
        second_member=answer.second_member.id if answer.second_member else None,
        reason_zh=answer.reason_zh,
        reason_en=answer.reason_en,
        trace=answer.trace,
    )


# ---- the stories up to each stage: `start` is when the clock of that stage was started -------------------


def _between(low: datetime, high: datetime, rng: np.random.Generator) -> datetime:
    return (low + (high - low) * float(rng.uniform(0.1, 0.9))).replace(microsecond=0)


def _reported(story: Story, start: datetime, now: datetime, cast: Cast, rng: np.random.Generator) -> None:
    story.begin(start, cast.reporter, None)


def _registered(story: Story, start: datetime, now: datetime, cast: Cast, rng: np.random.Generator) -> None:
    story.begin(start - timedelta(minutes=float(rng.uniform(1, 15))), cast.reporter, None)
    confirm(story, start, cast, rng)


def _dispatched(story: Story, start: datetime, now: datetime, cast: Cast, rng: np.random.Generator) -> None:
    assert not story.waits, "a case that waits is dispatched later than it is reported"
    story.begin(start, cast.reporter, cast.handler.member)


def _handling(story: Story, start: datetime, now: datetime, cast: Cast, rng: np.random.Generator) -> None:
    _dispatched(story, start, now, cast, rng)
    story.tell("accept", _between(start, min(start + timedelta(minutes=40), now), rng), cast.handler)


def _handled(story: Story, start: datetime, now: datetime, cast: Cast, rng: np.random.Generator) -> None:
    _handling(story, start - timedelta(minutes=float(rng.uniform(45, 150))), start, cast, rng)
    story.tell("finish", start, cast.handler, note=NOTES["finish"][int(rng.integers(len(NOTES["finish"])))])


def _verified(story: Story, start: datetime, now: datetime, cast: Cast, rng: np.random.Generator) -> None:
    _handled(story, start, now, cast, rng)
    checker = cast.leader if cast.leader.member != cast.handler.member else cast.inspector
    story.tell("verify", _between(start, now, rng), checker, note=NOTES["verify"][0])


def _paused(story: Story, start: datetime, now: datetime, cast: Cast, rng: np.random.Generator) -> None:
    _handling(story, start, now, cast, rng)
    story.tell(
        "pause", _between(story.at["accept"], now, rng), cast.desk, note=NOTES["pause"][int(rng.integers(2))]
    )


def _parked(story: Story, start: datetime, now: datetime, cast: Cast, rng: np.random.Generator) -> None:
    _handling(story, start, now, cast, rng)
    story.tell(
        "park", _between(story.at["accept"], now, rng), cast.leader, note=NOTES["park"][int(rng.integers(2))]
    )
    story.review_on = now.date() + timedelta(days=30)


_TELL = {
    "reported": _reported,
    "registered": _registered,
    "dispatched": _dispatched,
    "handling": _handling,
    "handled": _handled,
    "verified": _verified,
    "paused": _paused,
    "parked": _parked,
}
