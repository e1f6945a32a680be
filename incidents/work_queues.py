"""The work queues of a desk: what waits for which move. One row a queue; lists, counts and buttons use it.

A queue is a condition in SQL on the alias `i` of the case and `k` of its category, with `:now`, `:today` and
`:me`, the person's member id or NULL; its move tells who may work it off (`incidents.lifecycle`).
"""

from __future__ import annotations

from dataclasses import dataclass

from incidents.incident import ENDED
from incidents.lifecycle import MOVES

_WORKING = "('dispatched', 'handling')"


@dataclass(frozen=True, slots=True)
class WorkQueue:
    """What waits for one move. `together`: the move needs to be told nothing about the single case, so that
    it may be made with several at once, for one reason."""

    zh: str
    en: str
    move: str
    condition: str
    together: bool = False

    def is_for(self, role: str) -> bool:
        """Whether the role may make the move."""
        return role in MOVES[self.move].roles


# fmt: off
QUEUES: dict[str, WorkQueue] = {
    "confirm": WorkQueue("待核实", "To confirm", "confirm", "i.stage = 'reported' AND k.needs_confirm"),
    "register": WorkQueue("待立案", "To register", "register", "i.stage = 'reported' AND NOT k.needs_confirm",
                          together=True),
    "dispatch": WorkQueue("待派遣", "To dispatch", "dispatch", "i.stage = 'registered'", together=True),
    "supervise": WorkQueue("待督办", "To supervise", "supervise",
                           f"i.stage IN {_WORKING} AND i.due_at < :now AND i.paused_at IS NULL"
                           " AND (i.supervised_at IS NULL OR i.supervised_at < i.due_at)", together=True),
    "verify": WorkQueue("待核查", "To verify", "verify",
                        "i.stage = 'handled'"
                        " AND (CAST(:me AS int) IS NULL OR i.handler_id IS DISTINCT FROM :me)",
                        together=True),
    "close": WorkQueue("待结案", "To close", "close", "i.stage = 'verified'", together=True),
    "extension": WorkQueue("延期申请", "Extensions asked", "grant",
                           f"i.stage IN {_WORKING} AND i.extension_asked IS NOT NULL"),
    "appeal": WorkQueue("申诉待答", "Appeals", "dismiss",
                        f"i.stage IN {ENDED} AND i.appealed_at IS NOT NULL"),
    "review": WorkQueue("挂账待复查", "Parked, review due", "resume",
                        "i.stage = 'parked' AND i.review_on <= :today"),
}
# fmt: on
"""Name -> queue, in the order of a case's life."""

TOGETHER = frozenset(queue.move for queue in QUEUES.values() if queue.together)
"""Moves that may be made with several cases at once."""


def queues_for(role: str) -> list[str]:
    """The queues a role works off, in order."""
    return [name for name, queue in QUEUES.items() if queue.is_for(role)]


def condition_of(names: tuple[str, ...]) -> str:
    """SQL that is true for a case in any of these queues. Raises KeyError for a queue there is none of."""
    return "(" + " OR ".join(f"({QUEUES[name].condition})" for name in names) + ")"
