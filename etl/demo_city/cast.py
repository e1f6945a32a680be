"""Who plays in the story of a case: its reporter, its handler, those who check and the desk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from etl.demo_city.force import Force
from etl.demo_city.names import GIVEN, SURNAMES
from etl.demo_city.routing import Routed
from etl.demo_city.stories import Actor, Kind

DESK = tuple(Actor(name, "command_operator") for name in ("周明", "林静", "何雨", "吴桐", "钱进", "沈岚"))
INSPECTORS = tuple(Actor(name, "inspector") for name in ("唐宁", "许可", "曾月"))
MACHINE = Actor("传感器", "system")


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays in the stories of one case."""

    reporter: Actor
    handler: Actor
    leader: Actor
    other: Actor
    """A member of another cell, for what is handed on."""
    desk: Actor
    inspector: Actor


def cast_for(
    force: Force, route: Routed, kind: Kind, channel: str, handler: int | None, rng: np.random.Generator
) -> Cast:
    """The people around a case; where the routing names no `handler`, the post the category asks for."""

    def member(member_id: int) -> Actor:
        return Actor(force.name(member_id), force.role[member_id - 1], member_id)

    receiver = member(route.member)
    if handler is None:
        handler = force.holder.get((kind.default_role, route.territory), route.member)
    desk = DESK[rng.integers(len(DESK))]
    reporter = {"member": receiver, "desk": desk, "sensor": MACHINE}.get(channel)
    return Cast(
        reporter=reporter or Actor(resident_name(rng), "resident"),
        handler=member(handler),
        leader=member(force.holder["leader", route.territory]),
        other=member(route.second_member or route.member),
        desk=desk,
        inspector=INSPECTORS[rng.integers(len(INSPECTORS))],
    )


def resident_name(rng: np.random.Generator) -> str:
    return str(SURNAMES[rng.integers(len(SURNAMES))] + GIVEN[rng.integers(len(GIVEN))])
