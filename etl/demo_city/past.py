"""Stories of cases that are over: confirmed or rejected, handled in time or late, checked and closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from etl.demo_city.cast import Cast
from etl.demo_city.scenes import NOTES
from etl.demo_city.stories import Actor, Kind, Story, TimeRules

REJECTED, VOID, HANDED_BACK, REWORKED, LATE = 0.11, 0.006, 0.025, 0.03, 0.055
"""Shares: rejected of those that wait for confirmation, the others of all that are dispatched."""
DISPUTED = 0.85
"""Share handed on where the map and the street disagree."""
WAKING = (time(7, 30), time(21, 0))
"""Nobody finishes ordinary work outside these hours."""


def confirm(story: Story, at: datetime, cast: Cast, rng: np.random.Generator) -> None:
    """Somebody has looked: the member on the spot, or the desk from what is known."""
    if rng.random() < 0.7:
        story.tell("confirm", at, cast.handler if cast.handler.role == "member" else cast.leader)
    else:
        story.tell("register", at, cast.desk)


@dataclass(frozen=True, slots=True)
class Ending:
    """When a story must end: by `latest`, and not before `earliest` where that is given."""

    latest: datetime
    earliest: datetime | None = None


def tell_whole(
    kind: Kind,
    channel: str,
    rules: TimeRules,
    at: datetime,
    ending: Ending,
    cast: Cast,
    rng: np.random.Generator,
    *,
    disputed: bool = False,
) -> Story:
    """A story from its report to its end; on `disputed` ground the first receiver hands it on."""
    story = Story(kind, channel, rules)
    story.begin(at, cast.reporter, cast.handler.member)
    if story.waits:
        room = ending.latest - at
        wait = min(timedelta(minutes=float(rng.exponential(35) + 2)), room * 0.3)
        if rng.random() < REJECTED:
            end = _within(at + wait, at, ending, rng)
            story.tell("reject", end, cast.desk, note=_note("reject", rng))
            return story
        confirm(story, at + wait, cast, rng)
        sent = at + wait + min(timedelta(minutes=float(rng.exponential(9) + 1)), room * 0.1)
        story.tell("dispatch", sent, cast.desk, to=cast.handler.member)
    if rng.random() < VOID:
        end = _within(story.at["dispatch"] + timedelta(minutes=30), story.at["dispatch"], ending, rng)
        story.tell("void", end, cast.desk, note="误报，已与反映人核实")
        return story
    _handle(story, ending, cast, rng, disputed)
    return story


def _handle(story: Story, ending: Ending, cast: Cast, rng: np.random.Generator, disputed: bool) -> None:
    """From the dispatch to the end: accepted, perhaps handed on or done twice, finished, verified, closed."""
    sent = story.at["dispatch"]
    clock = story.running
    assert clock is not None
    limit = clock.found.due_at - sent
    share = rng.uniform(1.05, 1.6) if rng.random() < LATE else rng.beta(2, 2.6)
    finish = sent + limit * max(float(share), 0.03)
    if not story.kind.urgent and share < 1:
        finish = _awake(finish, sent, story.rules.calendar.zone)
    steps = [("accept", sent + min(timedelta(minutes=float(rng.exponential(14) + 1)), (finish - sent) * 0.4))]
    if rng.random() < (DISPUTED if disputed else HANDED_BACK) and cast.other.role == "member":
        back = steps[-1][1] + (finish - steps[-1][1]) * 0.3
        steps += [
            ("hand_back", back),
            ("dispatch", back + (finish - back) * 0.2),
            ("accept", back + (finish - back) * 0.4),
        ]
    steps.append(("finish", finish))
    if rng.random() < REWORKED:
        again = finish + timedelta(minutes=float(rng.uniform(20, 90)))
        steps += [("rework", again), ("finish", again + timedelta(minutes=float(rng.uniform(30, 120))))]
    checked = steps[-1][1] + timedelta(minutes=float(rng.uniform(6, 100)))
    steps += [("verify", checked), ("close", checked + timedelta(minutes=float(rng.uniform(2, 35))))]
    handler = cast.handler
    pace = _pace(sent, steps[-1][1], ending, rng)
    for name, at in steps:
        moment = sent + (at - sent) * pace
        if name == "dispatch":
            handler = cast.other
            story.tell(name, moment, cast.desk, to=handler.member)
            continue
        by = _who(name, handler, cast, rng)
        story.tell(name, moment, by, note=_note(name, rng) if name in NOTES else None)


def _who(name: str, handler: Actor, cast: Cast, rng: np.random.Generator) -> Actor:
    """Who makes a move: the handler works, somebody else checks, the desk closes."""
    if name in ("verify", "rework"):
        return cast.leader if cast.leader.member != handler.member and rng.random() < 0.6 else cast.inspector
    return cast.desk if name == "close" else handler


def _pace(sent: datetime, end: datetime, ending: Ending, rng: np.random.Generator) -> float:
    """By what factor the story is drawn out or hurried so that it ends when it must."""
    natural = max(end - sent, timedelta(minutes=1))
    if end > ending.latest:
        return (ending.latest - sent) / natural * float(rng.uniform(0.8, 0.98))
    if ending.earliest and end < ending.earliest:
        return (_between(max(ending.earliest, sent), ending.latest, rng) - sent) / natural
    return 1.0


def _within(at: datetime, begun: datetime, ending: Ending, rng: np.random.Generator) -> datetime:
    """A moment for the last move, within what the ending allows."""
    if at > ending.latest or (ending.earliest and at < ending.earliest):
        return _between(max(ending.earliest or begun, begun), ending.latest, rng)
    return at


def _between(low: datetime, high: datetime, rng: np.random.Generator) -> datetime:
    return low + (high - low) * float(rng.uniform(0.05, 0.95))


def _awake(at: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The same work a little earlier or later, when people are up."""
    local = at.astimezone(zone)
    first, last = (local.replace(hour=t.hour, minute=t.minute) for t in WAKING)
    if first <= local <= last:
        return at
    evening = last if local > last else last - timedelta(days=1)
    return max(evening - (evening - after) * 0.1, after + (at - after) * 0.2)


def _note(move: str, rng: np.random.Generator) -> str:
    choices = NOTES[move]
    return choices[int(rng.integers(len(choices)))]
