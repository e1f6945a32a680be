"""What a desk does with many cases: how many wait in each work queue, and one move with several at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api import parameters
from api.gate import SignedInDoor
from api.parameters import MAX_ID, TerritoryText
from api.schemas import Body, Id, MoveAnswer, OpenMove
from incidents import queries
from incidents.lifecycle import open_moves
from incidents.together import MOST, Outcome, move_together
from incidents.work_queues import QUEUES, TOGETHER

router = APIRouter(prefix="/api/v1", tags=["cases"])


class QueueShown(BaseModel):
    """One work queue: what waits for `move`, and whether several may be moved together."""

    name: str
    zh: str
    en: str
    move: str
    together: bool
    count: int


class QueuesShown(BaseModel):
    """The queues of the person's role, and how many cases wait for them at all, their own tasks included."""

    queues: list[QueueShown]
    my_turn: int


class Seen(Body):
    """A case as it stood at `version`."""

    id: Id
    version: Annotated[int, Field(ge=0, le=MAX_ID)]


class TogetherBody(Body):
    """One move with several cases."""

    move: Annotated[str, Field(max_length=40, description="One of: " + ", ".join(sorted(TOGETHER)))]
    note: Annotated[str | None, Field(max_length=1000, description="The reason, for all of them.")] = None
    cases: Annotated[list[Seen], Field(min_length=1, max_length=MOST)]


class Refusal(BaseModel):
    """Why one case was not moved."""

    id: int
    title_zh: str
    title_en: str
    remedy_zh: str
    remedy_en: str


class TogetherAnswer(BaseModel):
    """What became of each case."""

    moved: list[MoveAnswer]
    refused: list[Refusal]


@router.get("/work")
def work(door: SignedInDoor, territory: TerritoryText = None) -> QueuesShown:
    """How many cases wait in each work queue of my role."""
    with door.open() as (session, by, now):
        today = now.astimezone(door.means.settings.zone).date()
        wanted = queries.Filter(territory=parameters.territory(territory))
        counts = queries.count_work(session, wanted, by=by, now=now, today=today)
    shown = [
        QueueShown(
            name=name,
            zh=QUEUES[name].zh,
            en=QUEUES[name].en,
            move=QUEUES[name].move,
            together=QUEUES[name].together,
            count=count,
        )
        for name, count in counts.queues.items()
    ]
    return QueuesShown(queues=shown, my_turn=counts.mine)


@router.post("/moves")
def move_several(door: SignedInDoor, body: TogetherBody) -> TogetherAnswer:
    """Make one move with several cases, each as it was seen; one that is refused leaves the others moved."""
    with door.open() as (session, by, now):
        outcomes = move_together(
            session,
            body.move,
            [(case.id, case.version) for case in body.cases],
            by=by,
            now=now,
            note=body.note,
            zone=door.means.settings.zone,
        )
        moved = [
            MoveAnswer(
                id=one.case.id,
                number=one.case.number,
                stage=one.case.stage,
                version=one.case.version,
                moves=[OpenMove.of(name) for name in open_moves(one.case, by, now)],
            )
            for one in outcomes
            if one.case is not None
        ]
        return TogetherAnswer(moved=moved, refused=[_refusal(one) for one in outcomes if one.refusal])


def _refusal(outcome: Outcome) -> Refusal:
    error = outcome.refusal
    assert error is not None
    return Refusal(
        id=outcome.id,
        title_zh=error.message_zh,
        title_en=error.message_en,
        remedy_zh=error.remedy_zh,
        remedy_en=error.remedy_en,
    )
