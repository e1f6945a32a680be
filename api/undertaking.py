"""The confidentiality undertaking: signed by everybody who sees others' data, before they see any.

The text is data. Who signed what, when and under which name is kept with the hash of the text; a new version
of the text has to be signed again.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import DateTime, ForeignKey, Identity
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis import audit
from gis.access import Principal
from gis.database import Base, territory_column
from gis.errors import Conflict, Invalid

EXEMPT_ROLES = frozenset({"resident"})
"""Who sees nobody's data but their own."""
MAX_NAME = 40


class Signature(Base):
    """One signed undertaking: the name as it was typed, and the hash of the text that was read."""

    __tablename__ = "undertaking_signature"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    version: Mapped[int]
    text_sha256: Mapped[str]
    language: Mapped[str]
    name: Mapped[str]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    address: Mapped[str | None]
    territory: Mapped[str | None] = territory_column(nullable=True)


@cache
def text() -> dict[str, Any]:
    """The undertaking: version, title, opening and clauses, each in `zh` and `en`."""
    return json.loads((Path(__file__).parent / "undertaking_text.json").read_text("utf-8"))


def version() -> int:
    return text()["version"]


def is_due(role: str, signed_version: int | None) -> bool:
    """Whether an account of this role has yet to sign the present version."""
    return role not in EXEMPT_ROLES and (signed_version or 0) < version()


def sign(
    session: Session,
    *,
    version_read: int,
    name: str,
    language: str,
    by: Principal,
    now: datetime,
    address: str | None = None,
) -> None:
    """Keep the signature of the person acting.

    Raises Conflict when the version they read is not the present one, Invalid when the name is not theirs.
    """
    if version_read != version():
        raise Conflict(
            en=f"The undertaking is now version {version()}.",
            zh=f"承诺书现为第 {version()} 版。",
            remedy_en="Read it again and sign that.",
            remedy_zh="请重新阅读后签署。",
        )
    if _plain(name) != _plain(by.display_name):
        raise Invalid(
            en=f"The name must be that of the account: {by.display_name}.",
            zh=f"签名须与账户姓名一致：{by.display_name}。",
            remedy_en="Type it as it stands there; an administrator corrects a wrong one.",
            remedy_zh="请照此填写；姓名有误请联系管理员更正。",
        )
    session.add(
        Signature(
            account_id=by.account_id,
            version=version(),
            text_sha256=hashlib.sha256(
                json.dumps(text(), ensure_ascii=False, sort_keys=True).encode()
            ).hexdigest(),
            language=language,
            name=name.strip(),
            at=now,
            address=address,
            territory=by.territory or None,
        )
    )
    session.execute(
        sa.text("UPDATE account SET undertaking_version = :version WHERE id = :id"),
        {"version": version(), "id": by.account_id},
    )
    session.flush()
    audit.record(session, "undertaking.signed", "account", by.account_id, by=by, now=now, version=version())


def _plain(name: str) -> str:
    return "".join(name.split()).casefold()
