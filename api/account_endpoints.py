"""Keeping others' accounts: the list, adding, rights, locks, one-time passwords, grants, handing over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from api import account_keeping as keeping
from api import account_list, departure
from api.account import MAX_NAME
from api.account_list import AccountPage, AccountRow
from api.gate import Door, SignedInDoor
from api.parameters import MAX_ID
from api.schemas import Body, Id
from api.session_endpoints import GrantShown, GrantsShown
from gis.access import Principal
from incidents.handover import HandedOver

router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])

AccountId = Annotated[int, Path(ge=1, le=MAX_ID)]
Name = Annotated[str, Field(max_length=MAX_NAME)]
Role = Annotated[str, Field(max_length=40)]
Territory = Annotated[str | None, Field(max_length=15, description='A code; "" the whole city; null none.')]
Reason = Annotated[str, Field(min_length=1, max_length=200)]


class NewAccount(Body):
    """An account to be added. Its password is made up and answered once."""

    username: Annotated[str, Field(max_length=40)]
    role: Role
    territory: Territory = None
    display_name: Name | None = None
    member_id: Id | None = None


class AccountChanges(Body):
    """What is left out stays."""

    role: Role = ""
    territory: Territory = None
    display_name: Name = ""
    member_id: Id | None = None


class OneTimePassword(BaseModel):
    """Shown this once; to be changed at the first sign-in, within three days."""

    account: AccountRow
    one_time_password: str


class LockBody(Body):
    reason: Reason


class ResetBody(Body):
    """`second_factor` forgets the app of a lost phone as well."""

    second_factor: bool = False


class NewGrant(Body):
    """A role on a ground from a moment to another."""

    role: Role
    territory: Annotated[str, Field(max_length=15)]
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    reason: Reason


class DepartureBody(Body):
    """Who takes over; null: the leader of the member's cell."""

    to_member_id: Id | None = None
    reason: Reason


class DepartureShown(BaseModel):
    account: AccountRow
    handed_over: HandedOver | None


@contextmanager
def keeper(door: Door) -> Iterator[tuple[Session, Principal, datetime]]:
    """The house's own unit of work: the row policies know an administrator, not the keeper of a ground, so
    `account_keeping` itself asks for each account whether it is the person's to keep."""
    with door.open() as (_, by, now):
        pass
    with door.means.database.system_work() as session:
        yield session, by, now


@router.get("")
def list_accounts(
    door: SignedInDoor,
    q: Annotated[str | None, Query(max_length=80, description="Part of a name.")] = None,
    role: Annotated[str | None, Query(max_length=40)] = None,
    state: Annotated[Literal["active", "locked"] | None, Query()] = None,
    after: Annotated[str | None, Query(max_length=80)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = account_list.PAGE_ROWS,
) -> AccountPage:
    """The accounts one keeps, by name."""
    with keeper(door) as (session, by, now):
        return account_list.list_accounts(
            session, by=by, now=now, q=q, role=role, state=state, after=after, limit=limit
        )


@router.post("", status_code=201)
def add_account(door: SignedInDoor, body: NewAccount, response: Response) -> OneTimePassword:
    """Add an account within one's own ground. The answer holds its one-time password, this once."""
    with keeper(door) as (session, by, now):
        account, password = keeping.add(
            session, body.username, role=body.role, by=by, now=now, territory=body.territory,
            display_name=body.display_name, member_id=body.member_id,
        )  # fmt: skip
        return _once(session, account.id, password, by, now, response)


@router.get("/{account_id}")
def get_account(door: SignedInDoor, account_id: AccountId) -> AccountRow:
    """One account one keeps."""
    with keeper(door) as (session, by, now):
        return account_list.get_account(session, account_id, by=by, now=now)


@router.patch("/{account_id}")
def change_account(door: SignedInDoor, account_id: AccountId, body: AccountChanges) -> AccountRow:
    """Change role, territory, shown name or member. Other rights end the account's sign-ins at once."""
    with keeper(door) as (session, by, now):
        changes = {name: getattr(body, name) for name in body.model_fields_set}
        keeping.change(session, account_id, changes, by=by, now=now)
        return account_list.get_account(session, account_id, by=by, now=now)


@router.post("/{account_id}/lock")
def lock_account(door: SignedInDoor, account_id: AccountId, body: LockBody) -> AccountRow:
    """Lock an account: every sign-in of it ends at once."""
    with keeper(door) as (session, by, now):
        keeping.lock(session, account_id, body.reason, by=by, now=now)
        return account_list.get_account(session, account_id, by=by, now=now)


@router.post("/{account_id}/unlock")
def unlock_account(door: SignedInDoor, account_id: AccountId) -> AccountRow:
    """Let a locked account sign in again."""
    with keeper(door) as (session, by, now):
        keeping.unlock(session, account_id, by=by, now=now)
        return account_list.get_account(session, account_id, by=by, now=now)


@router.post("/{account_id}/reset")
def reset_password(
    door: SignedInDoor, account_id: AccountId, body: ResetBody, response: Response
) -> OneTimePassword:
    """A one-time password in place of the one it had, answered this once."""
    with keeper(door) as (session, by, now):
        password = keeping.reset(session, account_id, by=by, now=now, second_factor_too=body.second_factor)
        return _once(session, account_id, password, by, now, response)


@router.get("/{account_id}/grants")
def list_grants(door: SignedInDoor, account_id: AccountId) -> GrantsShown:
    """Every grant an account has or had."""
    with keeper(door) as (session, by, _):
        found = keeping.list_grants(session, account_id, by=by)
        return GrantsShown(grants=[GrantShown.model_validate(one, from_attributes=True) for one in found])


@router.post("/{account_id}/grants", status_code=201)
def give_grant(door: SignedInDoor, account_id: AccountId, body: NewGrant) -> GrantShown:
    """Give an account another role on a ground for a time: a stand-in, a campaign."""
    with keeper(door) as (session, by, now):
        given = keeping.grant(session, account_id, by=by, now=now, **body.model_dump())
        return GrantShown.model_validate(given, from_attributes=True)


@router.delete("/{account_id}/grants/{grant_id}", status_code=204)
def end_grant(
    door: SignedInDoor, account_id: AccountId, grant_id: Annotated[int, Path(ge=1, le=MAX_ID)]
) -> None:
    """End a grant now; sign-ins under it end."""
    with keeper(door) as (session, by, now):
        keeping.end_grant(session, account_id, grant_id, by=by, now=now)


@router.post("/{account_id}/departure")
def leave_post(door: SignedInDoor, account_id: AccountId, body: DepartureBody) -> DepartureShown:
    """The person leaves: open cases and posts pass to a successor, the account is locked, all at once."""
    with keeper(door) as (session, by, now):
        handed = departure.leave(
            session, account_id, body.to_member_id, body.reason, by=by, now=now,
            zone=door.means.settings.zone,
        )  # fmt: skip
        account = account_list.get_account(session, account_id, by=by, now=now)
        return DepartureShown(account=account, handed_over=handed)


def _once(
    session: Session, account_id: int, password: str, by: Principal, now: datetime, response: Response
) -> OneTimePassword:
    response.headers["Cache-Control"] = "no-store"
    account = account_list.get_account(session, account_id, by=by, now=now)
    return OneTimePassword(account=account, one_time_password=password)
