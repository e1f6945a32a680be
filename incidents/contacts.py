"""Where somebody is told outside the house: an address for e-mail or text messages, a program's webhook.

A contact belongs to a member, to an account that reports, to a department for its territory, or to nobody:
then it hears for the desk of its territory, and a webhook hears all that happens there. Addresses are
personal: they are never logged.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Identity, UniqueConstraint
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.database import Base, territory_column
from gis.errors import Invalid, NotFound
from gis.masking import mask_phone

SENDERS = ("email", "sms", "webhook")
LANGUAGES = ("zh", "en")

_EMAIL = re.compile(r"[^\s@<>,;]{1,64}@[^\s@<>,;]{1,190}")
_PHONE = re.compile(r"\+?[0-9][0-9 -]{4,20}")


class Contact(Base):
    """One address and whose it is."""

    __tablename__ = "contact"
    __table_args__ = (
        CheckConstraint(f"sender IN {SENDERS}", name="sender_known"),
        CheckConstraint(f"language IN {LANGUAGES}", name="language_known"),
        CheckConstraint("num_nonnulls(member_id, account_id, department_code) <= 1", name="of_one_or_nobody"),
        UniqueConstraint(
            "sender",
            "address",
            "member_id",
            "account_id",
            "department_code",
            "territory",
            name="uq_contact_whose",
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    sender: Mapped[str]
    address: Mapped[str]
    language: Mapped[str]
    member_id: Mapped[int | None]
    account_id: Mapped[int | None]
    department_code: Mapped[str | None]
    territory: Mapped[str] = territory_column()


def add_contact(
    session: Session,
    sender: str,
    address: str,
    *,
    language: str = "zh",
    member_id: int | None = None,
    account_id: int | None = None,
    department: str | None = None,
    territory: str = "",
) -> int | None:
    """Remember an address and return its id; one that is known stays as it is: None.

    Raises Invalid for what is no address.
    """
    address = address.strip()
    if sender not in SENDERS or not _is_address(sender, address):
        raise Invalid(
            en=f"This is no address for {sender}.",
            zh=f"这不是 {sender} 的地址。",
            remedy_en="name@example.org for email, digits for sms, https://... for webhook.",
            remedy_zh="email 填邮箱，sms 填号码，webhook 填 https:// 地址。",
        )
    values = {
        "sender": sender,
        "address": address,
        "language": language,
        "member_id": member_id,
        "account_id": account_id,
        "department_code": department,
        "territory": territory,
    }
    added = insert(Contact).values(values).on_conflict_do_nothing().returning(Contact.id)
    return session.scalar(added)


def _is_address(sender: str, address: str) -> bool:
    if sender == "email":
        return _EMAIL.fullmatch(address) is not None
    if sender == "sms":
        return _PHONE.fullmatch(address) is not None
    parts = urlsplit(address)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username


def contacts(session: Session) -> list[Contact]:
    """All of them, oldest first."""
    return list(session.scalars(sa.select(Contact).order_by(Contact.id)))


def masked_address(contact: Contact) -> str:
    """Enough of an address to recognise it: wa***@example.org, 138****2046, https://host/…"""
    if contact.sender == "webhook":
        parts = urlsplit(contact.address)
        return f"{parts.scheme}://{parts.hostname}" + ("/…" if parts.path.strip("/") else "")
    if contact.sender == "sms":
        return mask_phone(contact.address) or ""
    name, _, host = contact.address.rpartition("@")
    return f"{name[:2]}***@{host}"


def remove_contact(session: Session, contact_id: int) -> None:
    """Forget an address, and what was still to be sent to it. Raises NotFound."""
    gone = sa.delete(Contact).where(Contact.id == contact_id).returning(Contact.id)
    if session.scalar(gone) is None:
        raise NotFound(
            en=f"There is no contact {contact_id}.",
            zh=f"没有编号为 {contact_id} 的联系地址。",
            remedy_en="List them: citygrid contact list",
            remedy_zh="查看全部：citygrid contact list",
        )
