"""`citygrid contact`: the addresses that are told outside the house."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from api.cli.frame import ID, Means, say, tell

if TYPE_CHECKING:
    from incidents.contacts import Contact


@click.group(help=say("对外通知的联系地址。", "Addresses that are told outside the house."))
def command() -> None:
    pass


@command.command(
    help=say(
        "添加联系地址：归某网格员、某账户或某部门；都不填则代表辖区值班台。",
        "Add an address: of a member, an account or a department; with none it hears for a territory's desk.",
    )
)
@click.argument("sender", type=click.Choice(["email", "sms", "webhook"]))
@click.argument("address")
@click.option("--member", "member_id", type=ID, help=say("人员编号。", "The member it belongs to."))
@click.option("--account", help=say("账户名。", "The account it belongs to."))
@click.option("--department", help=say("部门编码。", "The department it belongs to, by code."))
@click.option(
    "--territory",
    default="",
    metavar="CODE",
    help=say("辖区编码；不填为全市。", "Code prefix; left out: all."),
)
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.pass_obj
def add(
    means: Means,
    sender: str,
    address: str,
    member_id: int | None,
    account: str | None,
    department: str | None,
    territory: str,
    language: str,
) -> None:
    from api.auth import find_account
    from incidents.contacts import add_contact

    if sum(owner is not None for owner in (member_id, account, department)) > 1:
        raise click.UsageError(
            say("人员、账户、部门只能填一个。", "Give one of a member, an account and a department.")
        )
    with means.database.system_work() as session:
        add_contact(
            session,
            sender,
            address,
            language=language,
            member_id=member_id,
            account_id=find_account(session, account).id if account else None,
            department=department,
            territory=territory,
        )
    tell(say("已添加。", "Added."))


@command.command("list", help=say("列出联系地址。", "List the addresses."))
@click.pass_obj
def list_(means: Means) -> None:
    from incidents.contacts import contacts

    with means.database.system_work() as session:
        for one in contacts(session):
            click.echo(f"{one.id}\t{one.sender}\t{one.address}\t{one.language}\t{_whose(one)}")


def _whose(contact: Contact) -> str:
    if contact.member_id is not None:
        return f"member {contact.member_id}"
    if contact.account_id is not None:
        return f"account {contact.account_id}"
    ground = contact.territory or "*"
    return f"department {contact.department_code} {ground}" if contact.department_code else f"desk {ground}"


@command.command(help=say("删除联系地址。", "Forget an address."))
@click.argument("number", type=ID)
@click.pass_obj
def remove(means: Means, number: int) -> None:
    from incidents.contacts import remove_contact

    with means.database.system_work() as session:
        remove_contact(session, number)
    tell(say("已删除。", "Removed."))
