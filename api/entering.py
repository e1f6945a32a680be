"""The order of events at the door: tries are counted and kept, only then is a password hashed.

Signing in has threads of its own, few of them: a flood of sign-ins waits for itself and never keeps the
server's other work from its threads. Who would wait too long is told at once to come later.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import anyio
import sqlalchemy as sa
from sqlalchemy.orm import Session

from api import second_factor, tries
from api.account import Account
from api.auth import NotSignedIn, SignedIn, Visitor, sign_in, sign_out, signed_in_for_token
from api.own_account import renew
from api.secret_box import SecretBox
from gis import audit
from gis.database import Database

AT_ONCE = 2
"""Passwords hashed at the same time by one process: each takes some 25 ms of a core and 19 MB."""
WAITING = 60
"""Sign-ins that may wait for their turn: about a second of hashing."""

Answer = TypeVar("Answer")


class Turnstile:
    """Lets `AT_ONCE` sign-ins through at a time; each application has its own."""

    def __init__(self) -> None:
        self._limiter = anyio.CapacityLimiter(AT_ONCE)

    async def through(self, work: Callable[[], Answer]) -> Answer:
        """Run `work` in a thread when it is its turn. Raises TooManyTries when too many wait already."""
        if self._limiter.statistics().tasks_waiting >= WAITING:
            raise tries.too_many_tries(2)
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)


def enter(
    database: Database,
    username: str,
    password: str,
    *,
    now: datetime,
    kind: str,
    visitor: Visitor,
    box: Callable[[], SecretBox],
    code: str | None = None,
    instead_of: str | None = None,
) -> SignedIn:
    """Sign in by name and password, and by a `code` where the account asks for one; `box` is asked
    for only then.

    The token of a sign-in that is replaced (`instead_of`) ends. Raises TooManyTries before anything is
    hashed, NotSignedIn, or WrongCode for a code that is given and wrong.
    """
    with database.system_work() as session:
        # What is taken here is kept only when nothing is refused: a refused try uses up none.
        door, known = tries.door_of(session, username, visitor.address, now=now)
        taken = [("address", visitor.address)] if visitor.address else []
        taken += [] if known else [("strangers", tries.STRANGERS)]
        for bucket, name in [("account", door), *taken]:
            tries.take(session, bucket, name, now=now)
    try:
        with database.system_work() as session:
            signed_in = sign_in(session, username, password, now=now, kind=kind, visitor=visitor)
            tries.forget(session, "account", door, now=now)
            for bucket, name in taken:
                tries.give_back(session, bucket, name)
            if instead_of is not None:
                sign_out(session, instead_of, now=now)
    except NotSignedIn:
        _note_refusal(database, username, visitor, now)
        raise
    if code and "code" in signed_in.first:
        return enter_code(database, signed_in.token, code, now=now, visitor=visitor, box=box)
    return signed_in


def enter_code(
    database: Database,
    token: str,
    code: str,
    *,
    now: datetime,
    visitor: Visitor,
    box: Callable[[], SecretBox],
) -> SignedIn:
    """Show the second factor: the sign-in goes on under a new token. Raises TooManyTries, WrongCode."""
    with database.system_work() as session:
        account_id = signed_in_for_token(session, token, now=now).principal.account_id
        second_factor.take_try(session, account_id, now=now)
    with database.system_work() as session:
        known = signed_in_for_token(session, token, now=now)
        if "code" not in known.first:
            return known
        account = session.get_one(Account, account_id, with_for_update=True)
        second_factor.check(session, account, code, box(), now=now)
        tries.forget(session, "code", str(account_id), now=now)
        return renew(session, token, now=now, visitor=visitor, asks_code=False)


def _note_refusal(database: Database, username: str, visitor: Visitor, now: datetime) -> None:
    """A wrong password stands in the trail of the account it was tried on; a name nobody has is not kept."""
    with database.system_work() as session:
        account_id = _id_of(session, username)
        if account_id is not None:
            audit.record(
                session, "sign_in.refused", "account", account_id, by=None, now=now, address=visitor.address
            )


def _id_of(session: Session, username: str) -> int | None:
    return session.scalar(sa.select(Account.id).where(Account.username == username))
