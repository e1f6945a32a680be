"""One's own account: password, sign-ins, second factor, the undertaking. Some come before anything else."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from api import own_account, second_factor, tries, undertaking
from api.gate import Door, SignedInDoor, visitor_of
from api.own_account import SignInRow, own
from api.parameters import MAX_ID
from api.passwords import MAX_LENGTH, MIN_LENGTH
from api.schemas import Body, SessionShown
from api.secret_box import secret_box
from api.session_endpoints import CodeBody, hand_over

router = APIRouter(prefix="/api/v1/me", tags=["me"])

Password = Annotated[str, Field(max_length=MAX_LENGTH)]


class PasswordBody(Body):
    """The present password and the new one: ten characters or more, not the name, not a common one."""

    present: Password
    new: Annotated[str, Field(max_length=MAX_LENGTH, description=f"At least {MIN_LENGTH} characters.")]


class PresentPassword(Body):
    present: Password


class SignInsShown(BaseModel):
    """The sign-ins that still stand, the newest first."""

    sign_ins: list[SignInRow]


class EnrolmentShown(BaseModel):
    """What the app must be given, by the picture or typed."""

    secret: str
    uri: str
    qr_svg: str


class RecoveryCodesShown(BaseModel):
    """Each opens the door once. Shown this once."""

    recovery_codes: list[str]


class UndertakingShown(BaseModel):
    """The text to be read; each part in `zh` and `en`."""

    version: int
    title: dict[str, str]
    opening: dict[str, str]
    clauses: list[dict[str, str]]
    due: bool


class SignatureBody(Body):
    """The version that was read, and one's name, typed."""

    version: Annotated[int, Field(ge=1, le=MAX_ID)]
    name: Annotated[str, Field(min_length=1, max_length=undertaking.MAX_NAME)]
    language: Literal["zh", "en"] = "zh"


@router.put("/password")
def change_password(
    door: SignedInDoor, body: PasswordBody, request: Request, response: Response
) -> SessionShown:
    """Set a new password. Every sign-in of the account ends; this one goes on under a new token."""
    _take_try(door, "password", "second_factor", "undertaking")
    with door.open_first("password", "second_factor", "undertaking") as (session, by, now):
        signed_in = own_account.change_password(
            session, door.token, body.present, body.new, by=by, now=now, visitor=visitor_of(request)
        )
    _forget_tries(door, by.account_id, now)
    return hand_over(signed_in, request, response, now)


@router.get("/sign-ins")
def list_sign_ins(door: SignedInDoor) -> SignInsShown:
    """Where one is signed in."""
    with door.open() as (session, by, now):
        return SignInsShown(sign_ins=own_account.sign_ins(session, door.token, by=by, now=now))


@router.delete("/sign-ins/{sign_in_id}", status_code=204)
def end_sign_in(door: SignedInDoor, sign_in_id: Annotated[int, Path(ge=1, le=MAX_ID)]) -> None:
    """End one of one's own sign-ins."""
    with door.open() as (session, by, now):
        own_account.end_sign_in(session, sign_in_id, by=by, now=now)


@router.post("/second-factor")
def begin_second_factor(door: SignedInDoor, response: Response) -> EnrolmentShown:
    """A fresh secret for an app; it counts once a code of it was confirmed."""
    response.headers["Cache-Control"] = "no-store"
    with door.open_first("second_factor", "undertaking") as (session, by, _):
        begun = second_factor.begin(session, own(session, by), secret_box(door.means.settings.home))
        return EnrolmentShown(secret=begun.secret, uri=begun.uri, qr_svg=begun.qr_svg)


@router.put("/second-factor")
def confirm_second_factor(door: SignedInDoor, body: CodeBody, response: Response) -> RecoveryCodesShown:
    """Turn the second factor on by a code of the app; the answer holds the recovery codes, this once."""
    response.headers["Cache-Control"] = "no-store"
    with door.open_first("second_factor", "undertaking") as (session, by, now):
        box = secret_box(door.means.settings.home)
        codes = second_factor.confirm(session, own(session, by), body.code, box, by=by, now=now)
        return RecoveryCodesShown(recovery_codes=codes)


@router.post("/second-factor/off", status_code=204)
def switch_off_second_factor(door: SignedInDoor, body: PresentPassword) -> None:
    """Do without a second factor, where the role may. Needs the password once more."""
    _take_try(door)
    with door.open() as (session, by, now):
        account = own(session, by)
        second_factor.refuse_when_required(account)
        own_account.require_password(account, body.present)
        second_factor.switch_off(session, account, by=by, now=now)
    _forget_tries(door, by.account_id, now)


@router.get("/undertaking")
def read_undertaking(door: SignedInDoor) -> UndertakingShown:
    """The confidentiality undertaking, and whether one has yet to sign it."""
    with door.open_first("second_factor", "undertaking", "password") as (session, by, _):
        account = own(session, by)
        text: dict[str, Any] = undertaking.text()
        return UndertakingShown(**text, due=undertaking.is_due(account.role, account.undertaking_version))


@router.post("/undertaking", status_code=204)
def sign_undertaking(door: SignedInDoor, body: SignatureBody, request: Request) -> None:
    """Sign the confidentiality undertaking with one's name."""
    with door.open_first("undertaking") as (session, by, now):
        undertaking.sign(
            session,
            version_read=body.version,
            name=body.name,
            language=body.language,
            by=by,
            now=now,
            address=visitor_of(request).address,
        )


def _take_try(door: Door, *first: str) -> None:
    """Whoever found a screen unlocked must not guess its password: tries count here too, and are kept."""
    with door.open_first(*first) as (_, by, now):
        pass
    with door.means.database.system_work() as session:
        tries.take(session, "account", _door_name(by.account_id), now=now)


def _forget_tries(door: Door, account_id: int, now: datetime) -> None:
    with door.means.database.system_work() as session:
        tries.forget(session, "account", _door_name(account_id), now=now)


def _door_name(account_id: int) -> str:
    return f"own password of {account_id}"
