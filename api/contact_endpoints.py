"""Contacts: the addresses that are told outside the house, added, removed, and tried with a test message.

An address is personal: it is shown masked, and the history of the settings keeps it masked too.
"""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from api import parameters
from api.gate import SignedInDoor
from api.parameters import MAX_ID
from api.schemas import Body, Id
from api.senders import Message, NotDelivered, senders_of
from api.settings_endpoints import Language
from gis.access import Principal
from gis.database import Session
from gis.errors import Invalid, NotFound, Unavailable
from grids.members import Department
from incidents.contacts import Contact, add_contact, contacts, masked_address, remove_contact
from incidents.notice_wording import SAMPLE
from incidents.setting_changes import note, require_keeper

router = APIRouter(prefix="/api/v1/settings/contacts", tags=["settings"])

ContactId = Annotated[int, Path(ge=1, le=MAX_ID)]


class ContactBody(Body):
    """An address: of a member, of a department on a ground, or with none of the desk of the ground."""

    sender: Literal["email", "sms", "webhook"]
    address: Annotated[str, Field(max_length=260)]
    language: Language = "zh"
    member_id: Id | None = None
    department: Annotated[str, Field(max_length=40)] | None = None
    territory: Annotated[str, Field(max_length=15)] = ""


class ContactShown(BaseModel):
    """A contact with its address masked."""

    id: int
    sender: str
    address: str
    language: str
    member_id: int | None
    account_id: int | None
    department_code: str | None
    territory: str

    @classmethod
    def of(cls, contact: Contact) -> ContactShown:
        values = {name: getattr(contact, name) for name in cls.model_fields}
        return cls(**values | {"address": masked_address(contact)})

    @property
    def kept(self) -> dict[str, Any]:
        """What the history keeps of it."""
        return self.model_dump(exclude={"id"})


class ContactsShown(BaseModel):
    """The contacts of one's ground, and the ways out that this server has."""

    contacts: list[ContactShown]
    senders: list[str]


class Tried(BaseModel):
    """A test message has left the house."""

    key: str


@router.get("")
def list_contacts(door: SignedInDoor) -> ContactsShown:
    """The contacts of one's ground."""
    with door.open() as (session, by, _):
        require_keeper(by, by.territory)
        found = [ContactShown.of(one) for one in contacts(session) if by.covers(one.territory)]
        return ContactsShown(contacts=found, senders=list(senders_of(door.means.settings, door.means.clock)))


@router.post("", status_code=201)
def add(door: SignedInDoor, body: ContactBody) -> ContactShown:
    """Add an address. One that is known already is a fault: it would be told twice."""
    with door.open() as (session, by, now):
        ground = parameters.territory(body.territory) or ""
        require_keeper(by, ground)
        _refuse_owner(session, body)
        added = add_contact(session, **body.model_dump() | {"territory": ground})
        if added is None:
            raise Invalid(
                en="This address is known already.",
                zh="已有这个地址。",
                remedy_en="Remove the old one first if it should belong to somebody else.",
                remedy_zh="若要改归属，请先删除原来的。",
            )
        shown = ContactShown.of(_contact(session.get(Contact, added), added, by))
        note(session, "contact", str(added), None, shown.kept, by=by, now=now)
        return shown


@router.delete("/{contact_id}", status_code=204)
def remove(door: SignedInDoor, contact_id: ContactId) -> None:
    """Forget an address, and what was still to be sent to it."""
    with door.open() as (session, by, now):
        contact = _contact(session.get(Contact, contact_id), contact_id, by)
        note(session, "contact", str(contact_id), ContactShown.of(contact).kept, None, by=by, now=now)
        remove_contact(session, contact_id)


@router.post("/{contact_id}/test")
def send_test(door: SignedInDoor, contact_id: ContactId) -> Tried:
    """Send a test message at once, and say whether it went out and if not why."""
    with door.open() as (session, by, _):
        contact = _contact(session.get(Contact, contact_id), contact_id, by)
        session.expunge(contact)
    sender = senders_of(door.means.settings, door.means.clock).get(contact.sender)
    if sender is None:
        raise Unavailable(
            en=f"This server has no way to send by {contact.sender}.",
            zh=f"本服务器没有配置 {contact.sender} 发送。",
            remedy_en="The operator sets CITYGRID_SMTP_HOST and CITYGRID_SMTP_FROM, CITYGRID_WEBHOOK_SECRET"
            " or CITYGRID_SMS.",
            remedy_zh="请运维设置 CITYGRID_SMTP_HOST 与 CITYGRID_SMTP_FROM、CITYGRID_WEBHOOK_SECRET 或"
            " CITYGRID_SMS。",
        )
    key = str(uuid.uuid4())
    try:
        sender.send(_test_message(contact, key))
    except NotDelivered as failure:
        raise Unavailable(
            en=f"The test message did not go out: {failure}.",
            zh=f"测试消息没有发出：{failure}。",
            remedy_en="Check the address and the server's sending settings, then try again.",
            remedy_zh="请检查地址和服务器的发送设置后重试。",
        ) from failure
    return Tried(key=key)


def _refuse_owner(session: Session, body: ContactBody) -> None:
    """An address belongs to one, and to one there is. Raises Invalid."""
    if body.member_id is not None and body.department is not None:
        raise Invalid(
            en="An address belongs to one member or to one department.",
            zh="一个地址只归一位人员或一个部门。",
            remedy_en="Name one of them.",
            remedy_zh="请只填其中之一。",
        )
    if body.department is not None and session.get(Department, body.department) is None:
        raise Invalid(
            en=f"There is no department {body.department}.",
            zh=f"没有部门 {body.department}。",
            remedy_en="Choose a department of the list.",
            remedy_zh="请从部门列表中选择。",
        )


def _test_message(contact: Contact, key: str) -> Message:
    sample = SAMPLE[contact.language]
    zh = contact.language == "zh"
    return Message(
        key=key,
        address=contact.address,
        subject="一图治城：测试消息" if zh else "CityGrid: a test message",
        text=f"收到即表示通知能送达。{sample['title']}" if zh else f"Notices reach you. {sample['title']}",
        facts={"kind": "test"},
    )


def _contact(found: Contact | None, contact_id: int, by: Principal) -> Contact:
    """The contact, where it is of the person's ground. Raises NotFound."""
    if found is None or not by.covers(found.territory):
        raise NotFound(
            en=f"There is no contact {contact_id} on your ground.",
            zh=f"您的辖区没有编号为 {contact_id} 的联系地址。",
            remedy_en="Reload the page.",
            remedy_zh="请刷新页面。",
        )
    require_keeper(by, found.territory)
    return found
