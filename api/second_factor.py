"""The second factor: six figures that an app on a phone makes anew each half minute (RFC 6238).

Setting it up takes two steps, so that nobody is locked out by a picture they did not scan: `begin` gives the
secret, `confirm` turns it on once a code proves that the app has it. Ten recovery codes are shown with it;
each opens the door once, for the day the phone is lost. The secret is kept closed (`api.secret_box`).
"""

from __future__ import annotations

import hashlib
import io
import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp
import segno
import sqlalchemy as sa
from pyotp.utils import strings_equal
from sqlalchemy import DateTime, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, Session, mapped_column

from api import tries
from api.account import SECOND_FACTOR_ROLES, Account
from api.secret_box import SecretBox, is_closed
from gis import audit
from gis.access import Principal
from gis.database import Base
from gis.errors import Conflict, Denied, Invalid

ISSUER = "CityGrid"
STEP_S = 30
DRIFT_STEPS = 1
"""A phone's clock may be half a minute off."""
RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class RecoveryCode(Base):
    """A way in without the phone, by its hash; its 49 random bits are tried no faster than codes are."""

    __tablename__ = "recovery_code"
    __table_args__ = ({"info": {"open": True}},)

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class WrongCode(Denied):
    """The code is not the one the app shows."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the app must be given: by the picture (an SVG element), or typed."""

    secret: str
    uri: str
    qr_svg: str


def begin(session: Session, account: Account, box: SecretBox) -> Enrolment:
    """A fresh secret for the account; it counts once `confirm` has seen a code of it.

    Raises Conflict when a second factor is on: it must be switched off first.
    """
    if account.second_factor == "on":
        raise Conflict(
            en="The second factor is on already.",
            zh="动态验证码已启用。",
            remedy_en="Switch it off first, or ask an administrator to reset it.",
            remedy_zh="请先停用，或联系管理员重置。",
        )
    secret = pyotp.random_base32()
    account.totp_secret = box.close(secret, _owner(account))
    account.totp_step = None
    session.flush()
    uri = pyotp.TOTP(secret).provisioning_uri(name=account.username, issuer_name=ISSUER)
    out = io.BytesIO()
    segno.make(uri, error="m").save(out, kind="svg", scale=5, border=2, xmldecl=False, svgns=True)
    return Enrolment(secret, uri, out.getvalue().decode())


def confirm(
    session: Session, account: Account, code: str, box: SecretBox, *, by: Principal, now: datetime
) -> list[str]:
    """Turn the second factor on; returns the recovery codes, shown this once. Raises WrongCode, Conflict."""
    if account.totp_secret is None or account.second_factor == "on":
        raise Conflict(
            en="There is nothing to confirm.",
            zh="没有待确认的动态验证码。",
            remedy_en="Begin: POST /api/v1/me/second-factor.",
            remedy_zh="请先开始绑定：POST /api/v1/me/second-factor。",
        )
    if not _fits_app(account, code, box, now):
        raise _wrong_code()
    account.second_factor = "on"
    session.flush()
    audit.record(session, "second_factor.on", "account", account.id, by=by, now=now)
    return renew_recovery_codes(session, account)


def renew_recovery_codes(session: Session, account: Account) -> list[str]:
    """Ten new codes in place of those there were."""
    session.execute(sa.delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(hash=_hash(code), account_id=account.id) for code in codes)
    session.flush()
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def check(session: Session, account: Account, code: str, box: SecretBox, *, now: datetime) -> None:
    """Accept a recovery code, which is used up, or a code of the app, each one once. Raises WrongCode.

    How often one may try is counted by the caller, in a transaction that is kept. Recovery codes come first,
    so that they open the door also when the key to the app's secret is lost (KeyLost).
    """
    if not (_use_recovery(session, account, code, now) or _fits_app(account, code, box, now)):
        raise _wrong_code()
    session.flush()


def switch_off(session: Session, account: Account, *, by: Principal, now: datetime) -> None:
    """Forget the secret. A role that must have one sets up another at its next sign-in."""
    account.second_factor = "due" if account.role in SECOND_FACTOR_ROLES else "off"
    account.totp_secret = account.totp_step = None
    session.execute(sa.delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    session.flush()
    audit.record(session, "second_factor.off", "account", account.id, by=by, now=now)


def refuse_when_required(account: Account) -> None:
    """Raise Invalid for a role that may not do without."""
    if account.role in SECOND_FACTOR_ROLES:
        raise Invalid(
            en="This role signs in with a second factor.",
            zh="该角色须使用动态验证码。",
            remedy_en="To change the phone, ask another administrator to reset it.",
            remedy_zh="更换手机请由其他管理员重置。",
        )


def take_try(session: Session, account_id: int, *, now: datetime) -> None:
    """One try at a code. Raises TooManyTries."""
    tries.take(session, "code", str(account_id), now=now)


def _fits_app(account: Account, code: str, box: SecretBox, now: datetime) -> bool:
    """Whether the app shows this now, or half a minute ago or ahead; a code seen once fits no more. A secret
    that was kept open is closed by the way."""
    if account.totp_secret is None or not (code.strip().isascii() and code.strip().isdigit()):
        return False
    secret = box.open(account.totp_secret, _owner(account))
    app, present = pyotp.TOTP(secret), int(now.timestamp()) // STEP_S
    for step in range(present - DRIFT_STEPS, present + DRIFT_STEPS + 1):
        fresh = account.totp_step is None or step > account.totp_step
        if strings_equal(code.strip(), app.at(step * STEP_S)) and fresh:
            account.totp_step = step
            if not is_closed(account.totp_secret):
                account.totp_secret = box.close(secret, _owner(account))
            return True
    return False


def _owner(account: Account) -> str:
    return f"second factor of account {account.id}"


def _use_recovery(session: Session, account: Account, code: str, now: datetime) -> bool:
    used = session.execute(
        sa.update(RecoveryCode)
        .where(
            RecoveryCode.hash == _hash(code),
            RecoveryCode.account_id == account.id,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.account_id)
    )
    return used.first() is not None


def _hash(code: str) -> bytes:
    plain = "".join(sign for sign in code.casefold() if sign.isalnum())
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).digest()


def _wrong_code() -> WrongCode:
    return WrongCode(
        en="The code is wrong.",
        zh="验证码不对。",
        remedy_en="Type the six figures the app shows now, or a recovery code; check the phone's clock.",
        remedy_zh="请输入验证器此刻显示的六位数字或一个恢复码；并检查手机时间。",
    )
