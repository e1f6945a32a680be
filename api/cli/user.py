"""`citygrid user`: accounts and the tokens of programs."""

from __future__ import annotations

import click

from api.cli.files import operator
from api.cli.frame import ID, Means, emit_json, say, tell


@click.group(help=say("账户与令牌。", "Accounts and tokens."))
def command() -> None:
    pass


@command.command(
    help=say("添加账户；密码不填则询问。", "Add an account; asks for the password when it is left out.")
)
@click.argument("name")
@click.option("--role", required=True, help=say("角色，见 docs。", "Role; a wrong one lists them all."))
@click.option(
    "--territory",
    metavar="CODE",
    help=say(
        "辖区编码；不填：全市角色为全市，其余无辖区。",
        "Code prefix; left out: the city for city-wide roles, else no ground.",
    ),
)
@click.option(
    "--member", "member_id", type=ID, help=say("对应的人员编号。", "The member this account is for.")
)
@click.option("--display-name", help=say("显示名。", "Name shown on screen."))
@click.option(
    "--password", prompt=say("密码", "Password"), hide_input=True, confirmation_prompt=True,
    help=say("密码（命令行可见，宜留空由程序询问）。", "Password; better left out and typed when asked."),
)  # fmt: skip
@click.pass_obj
def add(
    means: Means,
    name: str,
    role: str,
    territory: str | None,
    member_id: int | None,
    display_name: str | None,
    password: str,
) -> None:
    from api.auth import add_account

    with means.database.system_work() as session:
        add_account(
            session,
            name,
            password,
            role=role,
            territory=territory,
            member_id=member_id,
            display_name=display_name,
            now=means.now(),
        )
    tell(say(f"已添加账户 {name}。", f"Added the account {name}."))


@command.command(
    help=say(
        "给程序（如 QGIS）一个令牌，只显示这一次。", "A token for a program (QGIS ...), shown this once."
    )
)
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help=say("以 JSON 输出。", "Print JSON."))
@click.pass_obj
def token(means: Means, name: str, as_json: bool) -> None:
    from api.auth import find_account, issue_token

    with means.database.system_work() as session:
        issued = issue_token(session, find_account(session, name), now=means.now(), kind="program")
    if as_json:
        emit_json({"token": issued.token, "expires_at": issued.expires_at})
    else:
        click.echo(issued.token)
        until = issued.expires_at.astimezone(means.settings.zone).date()
        tell(
            say(
                f"有效至 {until}。GIS 程序：任意用户名，令牌作密码。",
                f"Good until {until}. In a GIS program: any user name, the token as the password.",
            )
        )


@command.command(
    help=say(
        "重置密码：给出一次性密码，并可解除动态验证码。",
        "A one-time password; with --second-factor the app of a lost phone is forgotten too.",
    )
)
@click.argument("name")
@click.option(
    "--second-factor", is_flag=True, help=say("同时解除动态验证码。", "Forget the second factor too.")
)
@click.pass_obj
def reset(means: Means, name: str, second_factor: bool) -> None:
    from api import account_keeping as keeping
    from api.auth import find_account

    with means.database.system_work() as session:
        account = find_account(session, name)
        password = keeping.reset(
            session, account.id, by=operator(), now=means.now(), second_factor_too=second_factor
        )
    click.echo(password)
    tell(
        say(
            "只显示这一次；首次登录须修改，3 天内有效。",
            "Shown this once; to be changed at the first sign-in, within 3 days.",
        )
    )


@command.command(
    help=say("锁定账户，立即退出所有登录。", "Lock an account; every sign-in of it ends at once.")
)
@click.argument("name")
@click.option("--reason", default="", help=say("理由。", "Why."))
@click.pass_obj
def lock(means: Means, name: str, reason: str) -> None:
    from api import account_keeping as keeping
    from api.auth import find_account

    with means.database.system_work() as session:
        keeping.lock(session, find_account(session, name).id, reason, by=operator(), now=means.now())
    tell(say(f"已锁定 {name}。", f"Locked {name}."))


@command.command(help=say("解锁账户。", "Let a locked account sign in again."))
@click.argument("name")
@click.pass_obj
def unlock(means: Means, name: str) -> None:
    from api import account_keeping as keeping
    from api.auth import find_account

    with means.database.system_work() as session:
        keeping.unlock(session, find_account(session, name).id, by=operator(), now=means.now())
    tell(say(f"已解锁 {name}。", f"{name} may sign in again."))
