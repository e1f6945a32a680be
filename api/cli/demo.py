"""`citygrid demo`: the synthetic city, with people who can sign in to it."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import click

from api.cli.frame import Means, emit_json, say, tell
from gis.errors import Conflict, Invalid

DEFAULT_SIZE = "subdistrict"
DEFAULT_SEED = 1

_WORDS = {
    "town": ("街道与街区", "streets and blocks"),
    "ground": ("网格与区划", "cells and areas"),
    "base map": ("底图", "base map"),
    "buildings": ("楼栋与商铺", "buildings and shops"),
    "people": ("住户与人员", "households and people"),
    "cases": ("事件", "cases"),
    "writing cases": ("写入事件", "writing cases"),
    "done": ("完成", "done"),
}


@click.group(help=say("演示城市：全部为合成数据。", "The demo city: synthetic throughout."))
def command() -> None:
    pass


@command.command(help=say("装入演示城市与演示账户。", "Load the demo city and its accounts."))
@click.option("--size", default=DEFAULT_SIZE, show_default=True, help="subdistrict | district | city")
@click.option("--seed", type=int, default=DEFAULT_SEED, show_default=True, help=say("随机种子。", "Seed."))
@click.option(
    "--as-of", metavar="TIME", help=say("视为“现在”的时刻。", "The moment taken as now, with offset.")
)
@click.option(
    "--if-empty",
    is_flag=True,
    help=say("数据库非空则什么也不做。", "Do nothing when the database holds a city."),
)
@click.option("--json", "as_json", is_flag=True, help=say("以 JSON 输出。", "Print JSON."))
@click.pass_obj
def load(means: Means, size: str, seed: int, as_of: str | None, if_empty: bool, as_json: bool) -> None:
    from api import migrations

    migrations.upgrade(means.database_url)
    if not is_empty(means):
        if if_empty:
            tell(say("数据库里已有城市，未做任何事。", "The database holds a city; nothing was done."))
            return
        raise Conflict(
            en="The database already holds a city; a demo city would be mixed into it.",
            zh="数据库里已有城市，演示城市会与它混在一起。",
            remedy_en="Use an empty database: another CITYGRID_HOME, or another CITYGRID_DATABASE_URL.",
            remedy_zh="请用空数据库：另设 CITYGRID_HOME 或 CITYGRID_DATABASE_URL。",
        )
    summary, accounts = load_demo_city(means, size=size, seed=seed, as_of=_moment(as_of))
    if as_json:
        emit_json({"summary": summary, "accounts": accounts})
        return
    for account in accounts:
        click.echo(f"{account.username} / {account.password}")


def is_empty(means: Means) -> bool:
    from etl import demo_city

    with means.database.system_work() as session:
        return demo_city.is_empty(session)


def load_demo_city(
    means: Means, *, size: str = DEFAULT_SIZE, seed: int = DEFAULT_SEED, as_of: datetime | None = None
) -> tuple[Any, list[Any]]:
    """The city and its accounts, in one transaction: whole or not at all. Returns (summary, accounts)."""
    from api.account import find_account, principal_of
    from api.demo_accounts import create_demo_accounts
    from etl.demo_city import load_demo
    from etl.demo_city.company import give_company

    now = as_of or means.now()
    label = say(f"演示城市（{size}）", f"Demo city ({size})")
    with (
        click.progressbar(length=1000, label=label, item_show_func=_shown, file=sys.stderr) as bar,
        means.database.system_work() as session,
    ):

        def progress(what: str, share: float) -> None:
            bar.update(max(0, int(share * 1000) - bar.pos), what)

        summary = load_demo(
            session,
            size=size,
            seed=seed,
            as_of=now,
            zone=means.settings.zone,
            progress=progress,
            photo_folder=means.settings.home / "photos",
        )
        accounts = create_demo_accounts(session, summary, now=now)
        people = {name: principal_of(find_account(session, name)) for name in ("command", "resident")}
        give_company(
            session,
            desk=people["command"],
            resident=people["resident"],
            cell=summary.cell,
            now=now,
            zone=means.settings.zone,
        )
    return summary, accounts


def _shown(what: object) -> str:
    return say(*_WORDS[what]) if isinstance(what, str) and what in _WORDS else ""


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Invalid(
            en=f"{text!r} is no time with an offset.",
            zh=f"“{text}”不是带时区的时间。",
            remedy_en="Write it like 2026-11-23T10:00:00+08:00.",
            remedy_zh="写法如 2026-11-23T10:00:00+08:00。",
        )
    return found
